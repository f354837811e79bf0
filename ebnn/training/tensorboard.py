"""The log of a training run as TensorBoard reads it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import WriteError
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


def check_tensorboard() -> None:
    """Raises MissingDependencyError where tensorboardX, which writes the log, is not installed."""
    import_extra("tensorboardX", "--tensorboard")


class EventLog:
    """Event files in ``folder/tensorboard``, a step an epoch; those of an earlier run are replaced.

    Args:
        folder: of the run.
        records: of the epochs so far, which are written afresh: a resumed run repeats none.

    Raises:
        WriteError: the folder or a file in it cannot be written.
        MissingDependencyError: tensorboardX is not installed.
    """

    def __init__(self, folder: Path, records: Sequence[EpochRecord]) -> None:
        writer = import_extra("tensorboardX.event_file_writer", "--tensorboard").EventsWriter  # a third of a second
        self._where = folder / FOLDER
        with self._writing():
            self._where.mkdir(exist_ok=True)
            for old in self._where.glob("events.out.tfevents.*"):
                old.unlink()
            self._writer = writer(str(self._where / "events"))
            moment = time.time() - sum(record.seconds for record in records)
            for record in records:
                moment += record.seconds
                self._write(record, moment)
            self._writer.flush()

    def add(self, record: EpochRecord) -> None:
        """Writes the epoch that has just ended. Raises WriteError."""
        with self._writing():
            self._write(record, time.time())
            self._writer.flush()

    def close(self) -> None:
        """Ends the file."""
        with suppress(OSError):  # all epochs are flushed
            self._writer.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise WriteError(f"{self._where} cannot be written: {reason} (or leave --tensorboard out)") from None

    def _write(self, record: EpochRecord, moment: float) -> None:
        event = import_extra("tensorboardX.proto.event_pb2", "--tensorboard").Event
        scalar = import_extra("tensorboardX.summary", "--tensorboard").scalar
        for field, tag in _TAGS.items():
            value = getattr(record, field)
            if value is not None:
                self._writer.write_event(event(wall_time=moment, step=record.epoch, summary=scalar(tag, value)))


@contextmanager
def event_log(wanted: bool, folder: Path, records: Sequence[EpochRecord]) -> Iterator[EventLog | None]:
    """Gives an :class:`EventLog` where it is wanted, and closes it."""
    log = EventLog(folder, records) if wanted else None
    try:
        yield log
    finally:
        if log is not None:
            log.close()
