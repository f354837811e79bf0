"""How a user's data are to be read, where they say so; else it is found out from the data."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ebnn.errors import DatasetError

MAX_ROWS = 32_767
"""Of a window: a coordinate is a 16-bit number on a board."""


@dataclass(frozen=True)
class Span:
    """A length of time: in rows, or in seconds where the rate is known."""

    rows: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, text: str) -> Span:
        """Returns the span of a text such as ``119``, ``1s``, ``0.5 s`` or ``500ms``. Raises DatasetError."""
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(s|ms|rows?)?\s*", text)
        if match is None or not 0 < float(match[1]) < 1e6:
            raise DatasetError(f"{text!r} is no span of time: give rows, as in 119, or seconds, as in 1s or 500ms")
        if match[2] in ("s", "ms"):
            return cls(seconds=float(match[1]) * (1e-3 if match[2] == "ms" else 1))
        if not float(match[1]).is_integer() or float(match[1]) > MAX_ROWS:
            raise DatasetError(f"{text!r} is no number of rows: give a whole number from 1 to {MAX_ROWS:,}, or 1.5s")
        return cls(rows=int(float(match[1])))

    def count(self, rate: float | None, what: str) -> int:
        """Returns the span in rows, at least 1; ``what`` it is called in the error where the rate is not known."""
        if self.rows is not None:
            return self.rows
        if rate is None:
            raise DatasetError(f"{what} is {self.seconds:g} s, and how many rows come a second is not known: give rows")
        rows = max(1, round((self.seconds or 0) * rate))
        if rows > MAX_ROWS:
            raise DatasetError(f"{what} of {self.seconds:g} s has {rows:,} rows: at most {MAX_ROWS:,} are allowed")
        return rows


@dataclass(frozen=True)
class Reading:
    """What a user says of their data; None and empty leave it to the data.

    Attributes:
        label: the label's column of a table, by name or by number from 1.
        recording: rows of a recording, in files that hold one after the other.
        window, step: of the samples that are cut from recordings.
        size: height and width that pictures are brought to.
        colour: whether pictures are read in colour.
        unknown: classes that become one, called ``unknown``.
        classes: those that are taken; none named takes all.
        fraction: of the training samples that are taken, equally many of each class.
        fraction_seed: of their choice.
        flip: of ``noisy-mnist``, the probability with which noise flips a pixel.
    """

    label: str | None = None
    recording: Span | None = None
    window: Span | None = None
    step: Span | None = None
    size: tuple[int, int] | None = None
    colour: bool | None = None
    unknown: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    fraction: float | None = None
    fraction_seed: int | None = None
    flip: float | None = None

    @property
    def whole(self) -> Reading:
        """The same for all classes and samples."""
        return replace(self, classes=(), fraction=None, fraction_seed=None)
