"""Progress bars of downloads and of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


@contextmanager
def download_bars(console: Console) -> Iterator[Callable[[str, int, int | None], None]]:
    """Yields a progress callback for ``ebnn.datasets.load`` that draws one bar per file on ``console``.

    Where nothing is downloaded, it writes nothing.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bars = Progress(*columns, console=console)
    tasks: dict[str, TaskID] = {}

    def progress(name: str, done: int, total: int | None) -> None:
        if name not in tasks:
            bars.start()
            tasks[name] = bars.add_task(name, total=total)
        bars.update(tasks[name], completed=done, total=total)

    try:
        yield progress
    finally:
        if tasks:
            bars.stop()


@contextmanager
def push_bar(console: Console) -> Iterator[tuple[Callable[[int, int], None], Callable[[float], None]]]:
    """Yields two callbacks for a bar of bytes: how many of how many are there; how long an answer is overdue."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("pushing", total=None)
        yield (
            lambda done, size: bar.update(task, completed=done, total=size, description="pushing"),
            lambda seconds: bar.update(task, description=f"no answer for {seconds:.0f} s, asking again"),
        )


@contextmanager
def stream_bar(
    console: Console, what: str, samples: int
) -> Iterator[tuple[Callable[[int], None], Callable[[float], None]]]:
    """Yields two callbacks for a bar of so many samples: how many are done, and for how long an answer is overdue."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=samples)
        yield (
            lambda done: bar.update(task, completed=done, description=what),
            lambda seconds: bar.update(task, description=f"no answer for {seconds:.0f} s, asking again"),
        )
