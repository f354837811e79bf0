"""What a person sees while a network trains."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..figures import percent
from .records import EpochRecord


class TrainingProgress:
    """A progress bar with the remaining time on a terminal, and one line an epoch everywhere.

    Args:
        console: where to; ``Console(quiet=True)`` shows nothing.
        epochs: of the whole run.
        batches: in an epoch.
    """

    def __init__(self, console: Console, epochs: int, batches: int) -> None:
        self.console = console
        self.epochs = epochs
        self.batches = batches
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("batches, loss {task.fields[loss]:.3f},"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("training", total=epochs * batches, loss=float("nan"))

    def __enter__(self) -> TrainingProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start_at(self, epoch: int) -> None:
        """Says that ``epoch`` epochs are done already."""
        self._bar.update(self._task, completed=epoch * self.batches)
        if epoch:
            self.console.print(f"resumed after epoch {epoch} of {self.epochs}", highlight=False)

    def say(self, line: str) -> None:
        """Prints a line about the run."""
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def batch_done(self, loss: float) -> None:
        """Moves the bar on by a batch whose loss was ``loss``."""
        self._bar.update(self._task, advance=1, loss=loss)

    def epoch_done(self, record: EpochRecord) -> None:
        """Prints the line of an epoch."""
        seen = [("test", record.test_accuracy), ("validation", record.validation_accuracy)]
        accuracies = "  ".join(f"{name} {percent(accuracy)}" for name, accuracy in seen if accuracy is not None)
        self.console.print(
            f"epoch {record.epoch:{len(str(self.epochs))}}/{self.epochs}  loss {record.loss:.4f}  "
            f"train {percent(record.train_accuracy)}  {accuracies}  {record.seconds:.1f} s",
            highlight=False,
        )
