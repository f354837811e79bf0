"""A page of a report as a value: `ebnn.show.html_page` and `ebnn.show.markdown_page` write it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

SUFFIXES = (".html", ".htm", ".md", ".markdown")
"""How the name of a report ends, in either case: the first two are HTML, the others Markdown."""
MARK = "<!-- written by ebnn report -->"
"""A line near the beginning of every report, by which another one knows what it may replace."""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Code:
    """Commands, to be copied."""

    text: str


@dataclass(frozen=True)
class Cell:
    """A cell of a table; ``mark`` is what it says of an answer."""

    text: str
    mark: Literal["", "right", "wrong", "none"] = ""


@dataclass(frozen=True)
class Grid:
    """A table, whose first column names its rows; the last ``numbers`` columns stand to the right."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: int = 0


@dataclass(frozen=True)
class Picture:
    """A picture: ``data`` of the media type ``kind``, what it shows in words, and what stands below it."""

    data: bytes
    kind: Literal["image/png", "image/svg+xml"]
    alt: str
    caption: str


@dataclass(frozen=True)
class Pictures:
    """Pictures side by side; ``wide`` ones have a line each."""

    pictures: tuple[Picture, ...]
    wide: bool = False


Part = Text | Code | Grid | Pictures


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Page:
    """A title, and sections."""

    title: str
    sections: tuple[Section, ...]


def grid(caption: str, headers: tuple[str, ...], rows: Sequence[Sequence[str | Cell]], numbers: int = 0) -> Grid:
    """Returns a table of plain texts and cells."""
    cells = (tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row) for row in rows)
    return Grid(caption, headers, tuple(cells), numbers)
