"""Who is told how training goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .records import EpochRecord


class Progress:
    """Is told how a run goes, and keeps it to itself; a subclass overrides what it wants to know."""

    def begin(self, epochs: int, batches: int, done: int) -> None:
        """A run of ``epochs`` epochs of ``batches`` batches begins, after ``done`` epochs that were there already."""

    def end(self) -> None:
        """The run is over, or was given up."""

    def say(self, line: str) -> None:
        """Something to be known about the run."""

    def batch_done(self, loss: float) -> None:
        """A batch is done whose loss was ``loss``."""

    def epoch_done(self, record: EpochRecord) -> None:
        """An epoch is done."""

    def run_done(self, folder: Path, records: Sequence[EpochRecord]) -> None:
        """All files of a run are written in ``folder``, whose epochs were ``records``."""


@contextmanager
def told(progress: Progress, epochs: int, batches: int, done: int) -> Iterator[None]:
    """Tells ``progress`` of a run that lasts as long as the context."""
    progress.begin(epochs, batches, done)
    try:
        yield
    finally:
        progress.end()
