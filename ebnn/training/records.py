"""The log of a training run: one JSON object a line, one line an epoch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..atomic import write_atomically

LOG_NAME = "log.jsonl"


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch came to.

    Attributes:
        epoch: its number, from 1 on.
        loss: mean cross entropy over the epoch's batches, as trained.
        train_accuracy: fraction of right answers over the epoch's batches, as trained.
        learning_rate: at the end of the epoch.
        seconds: that the epoch took, evaluation included.
        test_loss: mean cross entropy on the test set after the epoch, in test mode; None with a validation set.
        test_accuracy: fraction of right answers, likewise.
        validation_loss: mean cross entropy on the validation set after the epoch, in test mode; None without one.
        validation_accuracy: fraction of right answers, likewise.
    """

    epoch: int
    loss: float
    train_accuracy: float
    learning_rate: float
    seconds: float
    test_loss: float | None = None
    test_accuracy: float | None = None
    validation_loss: float | None = None
    validation_accuracy: float | None = None

    def rank(self) -> tuple[float, float]:
        """Returns what is larger for the better epoch: by validation accuracy, then by validation loss."""
        return self.validation_accuracy or 0.0, -(self.validation_loss or 0.0)

    def line(self) -> str:
        """Returns the record as a line of the log, without what is None."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None}) + "\n"


def best_epoch(records: Sequence[EpochRecord]) -> EpochRecord:
    """Returns the record of the epoch whose weights are kept: the validation set's choice, or else the last."""
    if records[-1].validation_accuracy is None:
        return records[-1]
    return max(records, key=EpochRecord.rank)


def start_log(folder: Path, records: Iterable[EpochRecord]) -> None:
    """Writes the log afresh with the records of a run so far: a resumed run repeats no epoch."""
    write_atomically(folder / LOG_NAME, "".join(record.line() for record in records).encode())


def append_log(folder: Path, record: EpochRecord) -> None:
    """Adds a line to the log."""
    with (folder / LOG_NAME).open("a", encoding="utf-8") as file:
        file.write(record.line())
