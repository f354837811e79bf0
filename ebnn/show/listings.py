"""What the tables of all commands have in common."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text


def listing(words: Iterable[str], figures: Iterable[str] = (), *, foldable: str = "", show_edge: bool = True) -> Table:
    """Returns a table without rows: columns of words, then of figures, which stand to the right.

    ``foldable`` is the column that may be folded on a narrow terminal.
    """
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=show_edge)
    for header in words:
        table.add_column(header, overflow="fold" if header == foldable else "ellipsis")
    for header in figures:
        table.add_column(header, justify="right")
    return table


def facts(rows: Iterable[tuple[str, str]]) -> Table:
    """Returns a table of names and what is known under each, without headers."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column()
    for name, value in rows:
        table.add_row(name, Text(value))
    return table
