"""The log of a training run as TensorBoard reads it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import TrainingError
from ..extras import import_extra
from .records import EpochRecord

FOLDER = "tensorboard"
_TAGS = {
    "loss": "loss/train",
    "validation_loss": "loss/validation",
    "test_loss": "loss/test",
    "train_accuracy": "accuracy/train",
    "validation_accuracy": "accuracy/validation",
    "test_accuracy": "accuracy/test",
    "learning_rate": "learning_rate",
    "flips": "sign_flips",
}
"""Fields of a record, and what TensorBoard calls them."""


class EventLog:
    """Event files in ``folder/tensorboard``, a step an epoch; those of an earlier run are replaced.

    Args:
        folder: of the run.
        records: of the epochs so far, which are written afresh: a resumed run repeats none.

    Raises:
        TrainingError: the folder or a file in it cannot be written.
        MissingDependencyError: tensorboardX is not installed.
    """

    def __init__(self, folder: Path, records: Sequence[EpochRecord]) -> None:
        writer = import_extra("tensorboardX", "--tensorboard").SummaryWriter  # a third of a second
        where = folder / FOLDER
        try:
            for old in where.glob("events.out.tfevents.*"):
                old.unlink()
            self._writer = writer(str(where))
        except OSError as error:
            raise TrainingError(f"{where} cannot be written ({error.strerror}): leave --tensorboard out") from error
        moment = time.time() - sum(record.seconds for record in records)
        for record in records:
            moment += record.seconds
            self._write(record, moment)
        self._writer.flush()

    def add(self, record: EpochRecord) -> None:
        """Writes the epoch that has just ended."""
        self._write(record, time.time())
        self._writer.flush()

    def close(self) -> None:
        """Ends the file."""
        self._writer.close()

    def _write(self, record: EpochRecord, moment: float) -> None:
        for field, tag in _TAGS.items():
            value = getattr(record, field)
            if value is not None:
                self._writer.add_scalar(tag, value, record.epoch, moment)


@contextmanager
def event_log(wanted: bool, folder: Path, records: Sequence[EpochRecord]) -> Iterator[EventLog | None]:
    """Gives an :class:`EventLog` where it is wanted, and closes it."""
    log = EventLog(folder, records) if wanted else None
    try:
        yield log
    finally:
        if log is not None:
            log.close()
