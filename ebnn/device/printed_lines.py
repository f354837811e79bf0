"""Lines that a board prints: whole ones out of a stream of bytes, and the numbers and names in them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

__all__ = ["Line", "LineSplitter", "Row", "is_text", "read_names", "read_row"]

LONGEST_LINE = 4096
"""Bytes; what comes without the end of a line beyond this is no text."""
QUIET_SECONDS = 0.1
"""Of silence, after which a byte is the first of its line."""

_ENDS = re.compile(rb"\r\n|\n|\r")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+", re.ASCII)
_ASSIGNED = re.compile(r"[ \t]*[:=][ \t]*")
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_LARGEST = 3e38  # of float32, about


@dataclass(frozen=True)
class Line:
    """What stood between two ends of lines."""

    text: str
    seconds: float
    """When its end was read, by this computer's clock."""
    whole: bool = True
    """Whether its beginning was seen; that of a port's first line may be lost."""
    pause: float = 0.0
    """The longest silence between two of its bytes, seconds."""


class LineSplitter:
    """Makes lines of the bytes of a port, however they are cut.

    Args:
        opened: when the port was opened, seconds by the clock that :meth:`feed` is told.
    """

    def __init__(self, opened: float) -> None:
        self._buffer = b""
        self._heard = opened
        self._pause = 0.0
        self._whole: bool | None = None  # of the line in the buffer; None before the first byte
        self._skip_newline = False

    def feed(self, data: bytes, seconds: float) -> list[Line]:
        """Takes the bytes that were read at ``seconds`` and returns the lines that end in them."""
        if not data:
            return []
        if self._whole is None:
            self._whole = seconds - self._heard >= QUIET_SECONDS
        if self._buffer:
            self._pause = max(self._pause, seconds - self._heard)
        self._heard = seconds
        if self._skip_newline and data.startswith(b"\n"):
            data = data[1:]
        self._skip_newline = data.endswith(b"\r")
        lines = []
        *ended, rest = _ENDS.split(self._buffer + data)
        for raw in ended:
            lines.append(Line(raw.decode("utf-8", "replace"), seconds, self._whole, self._pause))
            self._whole, self._pause = True, 0.0
        if len(rest) > LONGEST_LINE:
            rest, self._whole = b"", False
        self._buffer = rest
        return lines


@dataclass(frozen=True)
class Row:
    """A line of numbers."""

    values: tuple[str, ...]
    """As the board printed them, with a point for a decimal comma; each is finite in float32."""
    names: tuple[str, ...] | None = None
    """Where the line has them, as Arduino's Serial Plotter takes them."""


def read_row(text: str) -> Row | None:
    """Returns the numbers of a line; None where it is empty, torn, or holds something that is no finite number.

    They are separated by comma, tab, semicolon or spaces, and may stand in brackets or behind names
    (``ax:1.2<tab>ay:3``). Between tabs or semicolons a comma is a decimal comma.
    """
    fields = _fields(_ASSIGNED.sub(":", text))
    if not fields:
        return None
    names = [name.strip() for name, colon, _ in (field.rpartition(":") for field in fields) if colon]
    if names and (len(names) != len(fields) or not all(names) or len(set(names)) != len(names)):
        return None
    values = [_number(field.rpartition(":")[2]) for field in fields]
    if not all(values):
        return None
    return Row(tuple(map(str, values)), tuple(names) or None)


def read_names(text: str, columns: int) -> tuple[str, ...] | None:
    """Returns the names in a header of so many columns; None where the line is none."""
    fields = tuple(field.strip("\"' ") for field in _fields(text))
    if len(fields) != columns or len(set(fields)) != columns or not all(map(is_text, fields)):
        return None
    return fields


def is_text(text: str) -> bool:
    """Returns whether a field is a word and no number: it begins with a letter."""
    return text[:1].isalpha() and text.isprintable()


def _fields(text: str) -> list[str]:
    """The parts of a line, without the separator that some sketches print behind the last."""
    text = text.strip()
    if text[:1] in _BRACKETS and text.endswith(_BRACKETS[text[0]]):
        text = text[1:-1].strip()
    if not text:
        return []
    separator = next((one for one in ";\t," if one in text), None)
    fields = [field.strip() for field in text.split(separator)]
    if separator is not None and separator != "," and "," in text:
        fields = [field.removesuffix(",") for field in fields]
    return fields[:-1] if len(fields) > 1 and not fields[-1] else fields


def _number(field: str) -> str | None:
    if _DECIMAL_COMMA.fullmatch(field):
        field = field.replace(",", ".")
    if not _NUMBER.fullmatch(field):
        return None
    return field if math.isfinite(float(field)) and abs(float(field)) <= _LARGEST else None
