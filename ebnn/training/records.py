"""The log of a training run: one JSON object a line, one line an epoch."""

from __future__ import annotations

import json
from collections.abc import Iterable
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
        test_loss: mean cross entropy on the test set after the epoch, in test mode.
        test_accuracy: fraction of right answers on the test set after the epoch, in test mode.
        learning_rate: at the end of the epoch.
        seconds: that the epoch took, evaluation included.
    """

    epoch: int
    loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    learning_rate: float
    seconds: float

    def line(self) -> str:
        """Returns the record as a line of the log."""
        return json.dumps(asdict(self)) + "\n"


def start_log(folder: Path, records: Iterable[EpochRecord]) -> None:
    """Writes the log afresh with the records of a run so far: a resumed run repeats no epoch."""
    write_atomically(folder / LOG_NAME, "".join(record.line() for record in records).encode())


def append_log(folder: Path, record: EpochRecord) -> None:
    """Adds a line to the log."""
    with (folder / LOG_NAME).open("a", encoding="utf-8") as file:
        file.write(record.line())
