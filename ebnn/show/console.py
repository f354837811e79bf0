"""What commands print: to a terminal of any width, to a pipe, in any encoding."""

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from ..printable import printable, printable_lines
from .wrapping import wrap

UNLIMITED = 10_000  # columns
NARROWEST_FOLD = 12


class PlainConsole(Console):
    """A console that takes all text as text: it obeys no markup in it, and shows what a terminal would obey."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        """Cleans text before it is laid out."""
        return super().render_str(printable_lines(text), **settings)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Cleans what came by another way."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable_lines(segment.text))


def make_console(stderr: bool = False) -> PlainConsole:
    """A console on standard output or standard error; what its encoding lacks is printed as ``?``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    return PlainConsole(stderr=stderr)


def print_whole(console: Console, renderable: Any) -> None:
    """Prints a table whole: no figure is cut.

    Where a terminal, or a width that COLUMNS asks for, is too narrow for it, a column that may be folded is; if that is
    not enough, the terminal wraps its lines. Neither gets blanks at the end of a line, which would make an empty one
    where they do not fit.
    """
    before, options = console.width, console.options.update(max_width=UNLIMITED)
    natural = Measurement.get(console, options, renderable).maximum
    limited = console.is_terminal or os.environ.get("COLUMNS", "").isdecimal()
    if limited and isinstance(renderable, Table):
        blank = 1 if renderable.box and renderable.show_edge else 0  # the right edge of the boxes that are used
        natural -= _fold(console, renderable, natural - blank - before)
    console.width = max(before, natural)
    try:
        console.print(_WithoutEnds(renderable) if limited else renderable, crop=False)
    finally:
        console.width = before


class _WithoutEnds:
    """What it is given, without blanks at the ends of lines."""

    def __init__(self, shown: Any) -> None:
        self.shown = shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        for line in console.render_lines(self.shown, options, pad=False):
            while line and not line[-1].text.strip():
                line.pop()
            yield from line[:-1]
            if line:
                yield line[-1]._replace(text=line[-1].text.rstrip())
            yield Segment.line()


def _fold(console: Console, table: Table, excess: int) -> int:
    """Makes the column that may be folded narrower by ``excess``, where enough is left of it; returns by how much."""
    for column in table.columns:
        if column.overflow == "fold" and excess > 0:
            texts = [column.header, *column.cells]
            width = max(
                Measurement.get(console, console.options.update(max_width=UNLIMITED), text).maximum for text in texts
            )
            if width - excess >= NARROWEST_FOLD:
                column.width = width - excess
                return excess
    return 0


def print_line(console: Console, text: str) -> None:
    """Prints text; on a terminal its lines are broken between words, never within a path or a figure."""
    shown = printable(text)
    shown = wrap(shown, console.width) if console.is_terminal else shown
    console.print(shown, markup=False, highlight=False, soft_wrap=True)


def print_command(console: Console, purpose: str, command: str) -> None:
    """Prints what a command is for and, on a line of its own and in one piece, the command."""
    print_line(console, f"{purpose}:")
    console.print(f"  {printable(command)}", soft_wrap=True)


def print_step(console: Console, number: int, text: str) -> None:
    """Prints the heading of a step, with a rule behind it."""
    console.rule(Text(f"{number}. {text}", style="bold"), align="left")


def print_markdown(console: Console, text: str) -> None:
    """Prints Markdown: laid out on a terminal, else as it is."""
    if console.is_terminal:
        from rich.markdown import Markdown  # takes a tenth of a second

        console.print(Markdown(text))
    else:
        console.print(text.rstrip(), soft_wrap=True)


@contextmanager
def status_line(console: Console) -> Iterator[Callable[[str], None]]:
    """Yields what sets the text of a line that stays while something runs; only a terminal shows it."""
    with console.status("running", spinner="line") as status:
        yield status.update


def print_output(console: Console, text: str) -> None:
    """Prints what another program has put out, as it came."""
    console.print(text, end="", soft_wrap=True)


def command_line(*words: str | Path) -> str:
    """A command of ebnn to copy: as the user has started this one, quoted for the shell."""
    prefix = ["uv", "run"] if "UV_RUN_RECURSION_DEPTH" in os.environ else []
    return shlex.join([*prefix, "ebnn", *map(str, words)])
