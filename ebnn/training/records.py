"""The log of a training run: one JSON object a line, one line an epoch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from reprlib import repr as short_repr
from typing import Any

from ..atomic import write_atomically
from ..errors import TrainingError, WriteError

LOG_NAME = "log.jsonl"
MAX_LOG_BYTES = 2**26
"""Of a log that is read: 200,000 epochs."""


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch came to.

    Attributes:
        epoch: its number, from 1 on.
        loss: mean cross entropy over the epoch's batches, as trained.
        train_accuracy: fraction of right answers over the epoch's batches, as trained.
        learning_rate: at the end of the epoch.
        seconds: that the epoch took, evaluation included.
        flips: fraction of the binary weights whose sign is another one than before the epoch; None without any.
        test_loss: mean cross entropy on the test set after the epoch, in test mode; None with a validation set.
        test_accuracy: fraction of right answers for the test set; None with a validation set.
        validation_loss: mean cross entropy on the validation set after the epoch, in test mode; None without one.
        validation_accuracy: fraction of right answers for the validation set; None without one.
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
    flips: float | None = None

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
    """Adds a line to the log. Raises WriteError."""
    try:
        with (folder / LOG_NAME).open("a", encoding="utf-8") as file:
            file.write(record.line())
    except OSError as error:
        raise WriteError(f"{folder / LOG_NAME} cannot be written: {error.strerror}") from None


def read_log(folder: Path) -> tuple[EpochRecord, ...]:
    """Returns the records in the log of a run, finished or not; a last line that is just being written is left out.

    Raises:
        TrainingError: there is no log, it cannot be read, or a line of it is damaged.
    """
    path = folder / LOG_NAME
    try:
        if path.exists() and not path.is_file():
            raise TrainingError(f"{path} is no file, so it is no log of a run")
        with path.open("rb") as file:
            content = file.read(MAX_LOG_BYTES + 1)
        if len(content) > MAX_LOG_BYTES:
            raise TrainingError(f"{path} is no log of a run: it has more than {MAX_LOG_BYTES:,} bytes")
        *lines, _ = content.decode().split("\n")
    except FileNotFoundError:
        raise TrainingError(f"{folder} has no {LOG_NAME}: name the folder of a run, the --out of ebnn train") from None
    except OSError as error:
        raise TrainingError(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise TrainingError(f"{path} is damaged: it is no text; {_WAY_OUT}") from error
    records: list[EpochRecord] = []
    for number, line in enumerate(lines, 1):
        try:
            record = read_record(json.loads(line))
        except (ValueError, TypeError, RecursionError) as error:
            raise TrainingError(f"{path} is damaged in line {number} ({error}); {_WAY_OUT}") from error
        if records and (record.test_loss is None) != (records[0].test_loss is None):
            raise TrainingError(f"{path} is damaged: line {number} is of another run than the first; {_WAY_OUT}")
        if record.epoch != number:
            raise TrainingError(f"{path} is damaged: line {number} is of epoch {record.epoch}; {_WAY_OUT}")
        records.append(record)
    return tuple(records)


_LARGEST = 3.4e38  # of float32, in which training computes
_FRACTION = (0.0, 1.0)
_LOSS = (0.0, _LARGEST)
_RANGES = {
    "epoch": (1, _LARGEST),
    "loss": (-1e-3, _LARGEST),  # a divergence from the teacher may be rounded to a little below 0
    "train_accuracy": _FRACTION,
    "learning_rate": (0.0, _LARGEST),
    "seconds": (0.0, 366.0 * 24 * 60 * 60),  # a year: far beyond an epoch, and few enough to be added up
    "test_loss": _LOSS,
    "test_accuracy": _FRACTION,
    "validation_loss": _LOSS,
    "validation_accuracy": _FRACTION,
    "flips": _FRACTION,
}
_WAY_OUT = "ebnn train --resume writes it afresh from the snapshot"


def read_record(values: Any) -> EpochRecord:
    """Returns the record that a line of the log holds. Raises ValueError where it is none."""
    if not isinstance(values, dict):
        raise ValueError("no JSON object")
    for name, value in values.items():
        if name not in _RANGES:
            raise ValueError(f"unknown field {short_repr(name)}")
        low, high = _RANGES[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name} is {short_repr(value)}, it must be a number from {low:g} to {high:g}")
    missing = {"epoch", "loss", "train_accuracy", "learning_rate", "seconds"} - values.keys()
    evaluated = [name for name in ("test", "validation") if {f"{name}_loss", f"{name}_accuracy"} <= values.keys()]
    if missing or len(evaluated) != 1:
        raise ValueError(f"no {', '.join(sorted(missing)) or 'loss and accuracy of the test or the validation set'}")
    return EpochRecord(**values)
