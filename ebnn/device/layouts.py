"""What the columns of a board's lines are: channels and their names, a clock, and how often they come."""

from __future__ import annotations

import itertools
import math
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .printed_lines import Line, Row, read_names, read_row

__all__ = ["Clock", "Layout", "find_layout"]

Part = Sequence[tuple[float, Row]]
"""Rows that follow each other, with the time at which each came."""

_CLOCK = re.compile(
    r"(?:time|times|timestamp|t|millis|micros|ms|us|µs|seconds)(?:[ _]?[(\[]?(?:ms|us|µs|s)[)\]]?)?", re.I
)
_UNITS = {"ms": 1.0, "us": 0.001, "s": 1000.0}
"""Milliseconds of a tick."""
_ROWS_FOR_CLOCK = 10
_SECONDS_FOR_CLOCK = 0.5  # of this computer's time, that show what a tick is
_MOST = 0.8  # of a clock's steps, which lost bytes leave as they were
_NEAR, _ROUGHLY = 1.1, 3.0  # how many times as fast as this computer's a clock may seem, in general and where it shows


@dataclass(frozen=True)
class Clock:
    """A column that says when, not what."""

    column: int
    ms: float
    """Milliseconds of a tick."""


@dataclass(frozen=True)
class Layout:
    """What the lines of a board hold."""

    columns: int
    """Numbers of a line, the clock's too."""
    channels: tuple[str, ...]
    """Names, without the clock's; ``ch1``, … where the board says none."""
    clock: Clock | None
    rate: float | None
    """Samples a second; None where too few came to tell."""
    parted: bool = True
    """Whether a blank line parts captures; some sketches print one behind each line."""

    def fits(self, row: Row | None) -> bool:
        """Returns whether a row has these columns."""
        return row is not None and len(row.values) == self.columns

    def values(self, row: Row) -> tuple[str, ...]:
        """Returns the channels' numbers."""
        skip = None if self.clock is None else self.clock.column
        return tuple(value for i, value in enumerate(row.values) if i != skip)

    def milliseconds(self, row: Row) -> float | None:
        """Returns the board's time; None where it prints none."""
        return None if self.clock is None else float(row.values[self.clock.column]) * self.clock.ms

    def is_header(self, text: str) -> bool:
        """Returns whether a line holds names of these columns."""
        return read_names(text, self.columns) is not None


def find_layout(lines: Sequence[Line]) -> Layout | None:
    """Returns what lines hold, by those that most have in common; None where none holds numbers.

    Blank lines part recordings: the time between two of these says nothing of the rate.
    """
    rows = [(line, read_row(line.text)) for line in lines]
    counts = Counter(len(row.values) for line, row in rows if row is not None and line.whole)
    if not counts:
        return None
    columns = counts.most_common(1)[0][0]
    names = _names(rows, columns)
    parted = _are_parted([row is not None if line.text.strip() else None for line, row in rows])
    parts: list[list[tuple[float, Row]]] = [[]]
    lost = torn = 0
    for line, row in rows:
        if row is not None and line.whole and len(row.values) == columns:
            lost += torn if parts[-1] else 0
            torn = 0
            parts[-1].append((line.seconds, row))
        elif not line.text.strip() and not parted:
            continue
        elif not line.text.strip() or (row is None and read_names(line.text, columns)):
            parts.append([])
            torn = 0
        else:
            torn += 1
    clock = _find_clock(parts, columns, names)
    if names is None:
        names = tuple(f"ch{i}" for i in range(1, columns + (clock is None)))
    elif clock is not None:
        names = tuple(name for i, name in enumerate(names) if i != clock.column)
    return Layout(columns, names, clock, _find_rate(parts, clock, lost), parted)


def _are_parted(lines: Sequence[bool | None]) -> bool:
    """Whether blank lines, None, stand between several rows, True, and not behind each."""
    runs = [sum(map(bool, run)) for blank, run in itertools.groupby(lines, lambda line: line is None) if not blank]
    return len(runs) < 3 or statistics.median(runs) > 1


def _names(rows: Sequence[tuple[Line, Row | None]], columns: int) -> tuple[str, ...] | None:
    """Names within the lines, else the last header that stands before a row."""
    labelled = Counter(row.names for _, row in rows if row is not None and row.names and len(row.values) == columns)
    if labelled:
        return labelled.most_common(1)[0][0]
    found = None
    for (line, _), (_, row) in itertools.pairwise(rows):
        if row is not None and len(row.values) == columns:
            found = read_names(line.text, columns) or found
    return found


def _find_clock(parts: Sequence[Part], columns: int, names: Sequence[str] | None) -> Clock | None:
    """A column that is called so, or the first where it goes as this computer's clock does."""
    if columns < 2:
        return None
    named = [i for i, name in enumerate(names or ()) if _CLOCK.fullmatch(name)]
    column = named[0] if named else 0
    longest = max(parts, key=len)
    steps = _steps(longest, column)
    usual = _usual(steps)
    if usual is None:
        return Clock(column, _unit(names[column].lower())) if named and names is not None else None
    whole = all("." not in row.values[column] for _, row in longest)  # as millis() and micros() are
    elapsed = longest[-1][0] - longest[0][0]
    if (named or whole) and len(longest) >= _ROWS_FOR_CLOCK and elapsed >= _SECONDS_FOR_CLOCK:
        passed = usual * len(steps)
        nearest = min(_UNITS.values(), key=lambda ms: abs(math.log(passed * ms / 1000 / elapsed)))
        # As no sensor is; steps of 1 are those of a counter.
        regular = usual > 1 and sum(abs(step / usual - 1) <= 0.2 for step in steps) >= _MOST * len(steps)
        if abs(math.log(passed * nearest / 1000 / elapsed)) <= math.log(_ROUGHLY if named or regular else _NEAR):
            return Clock(column, nearest)
    if not named or names is None:
        return None
    return Clock(column, _unit(names[column].lower()))


def _steps(part: Part, column: int) -> list[float]:
    ticks = [float(row.values[column]) for _, row in part]
    return [later - before for before, later in itertools.pairwise(ticks)]


def _usual(steps: Sequence[float]) -> float | None:
    """The mean step of a clock, without those that a lost byte made; None where steps do not go forwards."""
    if not steps or sum(step >= 0 for step in steps) < _MOST * len(steps):
        return None
    middle = statistics.median(steps)
    near = [step for step in steps if abs(step - middle) <= 0.5 * middle]
    return statistics.fmean(near) if middle > 0 else None


def _unit(name: str) -> float:
    if "us" in name or "µs" in name or "micros" in name:
        return _UNITS["us"]
    return _UNITS["s"] if re.search(r"seconds|[ _(\[]s[)\]]?$", name) else _UNITS["ms"]


def _find_rate(parts: Sequence[Part], clock: Clock | None, lost: int) -> float | None:
    """Lines a second, by the board's clock where it has one; ``lost`` stood torn between the rows."""
    steps, seconds = lost if clock is None else 0, 0.0
    for part in parts:
        if clock is None:
            steps += len(part[1:])
            seconds += part[-1][0] - part[0][0] if part else 0.0
        else:
            of_clock = _steps(part, clock.column)
            steps += len(of_clock)
            seconds += len(of_clock) * (_usual(of_clock) or 0.0) * clock.ms / 1000
    return rounded_rate(steps / seconds) if seconds > 0 else None


def rounded_rate(rate: float) -> float:
    """Returns a measured rate without the digits that measuring it cannot tell."""
    return float(round(rate)) if rate >= 20 else float(f"{rate:.2g}")
