"""What a person sees while a network trains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from ..figures import percent
from ..training.history import History
from ..training.progress import Progress
from ..training.records import EpochRecord
from ..training.run_folders import HISTORY_NAME
from .console import print_line
from .plots import plot_history


class ConsoleProgress(Progress):
    """A progress bar with the remaining time on a terminal, one line an epoch everywhere, and a picture in the end.

    Args:
        console: where to; ``Console(quiet=True)`` shows nothing, None means standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()

    period, unit = "epoch", "batches"

    def begin(self, epochs: int, batches: int, done: int) -> None:
        self._epochs = epochs
        self._bar = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(self.unit + ", loss {task.fields[loss]:.3f},"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task = self._bar.add_task("training", total=epochs * batches, loss=float("nan"))
        self._bar.start()
        self._bar.update(self._task, completed=done * batches)
        if done:
            self.console.print(f"resumed after {self.period} {done} of {epochs}", highlight=False)

    def end(self) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        print_line(self.console, line)

    def batch_done(self, loss: float) -> None:
        self._bar.update(self._task, advance=1, loss=loss)

    def epoch_done(self, record: EpochRecord) -> None:
        seen = [("test", record.test_accuracy), ("validation", record.validation_accuracy)]
        accuracies = "  ".join(f"{name} {percent(accuracy)}" for name, accuracy in seen if accuracy is not None)
        self.console.print(
            f"{self.period} {record.epoch:{len(str(self._epochs))}}/{self._epochs}  loss {record.loss:.4f}  "
            f"train {percent(record.train_accuracy)}  {accuracies}  {record.seconds:.1f} s",
            highlight=False,
        )

    def run_done(self, folder: Path, records: Sequence[EpochRecord]) -> None:
        """Draws the run; all else is written by then, so whatever is wrong with the picture is said and no more."""
        picture = folder / HISTORY_NAME
        try:
            plot_history([History(folder.name, tuple(records))], picture)
        except Exception as error:  # Matplotlib's fonts, caches and backends fail in many ways
            self.say(f"warning: no picture of the run ({picture}): {' '.join(str(error).split())}")


class GenerationProgress(ConsoleProgress):
    """The same for evolution: a line for some of its many generations, the first and the last among them."""

    period, unit = "generation", "generations"

    def epoch_done(self, record: EpochRecord) -> None:
        some = (1, 2, 5, 10, 20, 50, self._epochs)
        if record.epoch in some or record.epoch % max(1, self._epochs // 10) == 0:
            super().epoch_done(record)
