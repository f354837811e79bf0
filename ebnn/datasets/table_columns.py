"""What the columns of a table are: the label, the time, the recording, a running number, or values."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError
from ebnn.names import unknown_name

from .text_table import Table

MOST_CLASSES = 255

FEWEST_MOMENTS = 16
"""Rows from which a column without a name may be known as the time."""

EVEN = 0.9
"""Share of its steps that are then nearly equal."""

_LABELS = (
    "label",
    "labels",
    "class",
    "class_name",
    "classes",
    "target",
    "species",
    "gesture",
    "activity",
    "category",
)
_MORE_LABELS = (
    "y",
    "variety",
    "type",
    "diagnosis",
    "output",
    "state",
    "movement",
    "motion",
    "name",
    "fruit",
    "quality",
    "klasse",
)
_TIMES = re.compile(
    r"(time|times|timestamp|time_?stamp|t|ms|millis|micros|sec|secs|second|seconds|elapsed|datetime|date|zeit|datum|uhrzeit|zeitstempel|seconds_elapsed)"
    r"([ _(\[]+(s|sec|seconds|ms|millis|milliseconds|us|µs|micros|microseconds|ns)[)\]]?)?",
    re.IGNORECASE,
)
_DATES = tuple(
    f"{day}{clock}"
    for clock in ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M")
    for day in ("%d.%m.%Y ", "%m/%d/%Y ", "%d/%m/%Y ", "%Y/%m/%d ", "")
)
"""Of times beside those of ISO 8601."""
_GROUPS = (
    "recording",
    "recording_id",
    "session",
    "sequence",
    "sequence_id",
    "series",
    "series_id",
    "trial",
    "take",
    "rec",
)
_MORE_GROUPS = ("sample_id", "measurement", "measurement_id", "capture", "file", "filename", "group", "subject", "user")
_INDEX = ("", "index", "id", "row", "nr", "no", "number", "unnamed: 0", "sample", "#", "n", "i")
_UNIT = re.compile(r"(.+?)\s*[(\[]\s*([^()\[\]]+)\s*[)\]]")


@dataclass(frozen=True, eq=False)
class Columns:
    """What a table's columns are.

    Attributes:
        values: indices of the columns of values, in order.
        names, units: of those; a unit is empty where the header tells none.
        labels: (rows,) the label of each row as text; None where no column holds one.
        label_name: of that column.
        times: (rows,) seconds, rising within a recording; None where no column holds the time.
        groups: (rows,) the recording of each row as text; None where no column tells it.
        notes: which columns are no values, and why, in words.
    """

    values: tuple[int, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    labels: list[str] | None
    label_name: str | None
    times: npt.NDArray[np.float64] | None
    groups: list[str] | None
    notes: tuple[str, ...]


def begins_with_time(table: Table, labelled: bool) -> bool:
    """Returns whether the first column of a table without a header is the time: it always rises, nearly evenly.

    Args:
        table: as it was read.
        labelled: whether the file's name or folder tells the label; else the column must hold whole numbers.
    """
    values = table.numbers[:, 0]
    if table.header or 0 in table.text or table.numbers.shape[1] < 2 or len(table) < FEWEST_MOMENTS:
        return False
    whole = bool(np.array_equal(values, np.rint(values)))
    steps = np.diff(values)
    usual = float(np.median(steps))
    if not (steps > 0).all() or not (labelled or whole) or (whole and usual == 1):
        return False
    return bool((np.abs(steps - usual) <= max(0.25 * usual, whole)).mean() >= EVEN)


def counting_columns(tables: Sequence[Table]) -> frozenset[str]:
    """Returns the names of columns that count rows, in small letters.

    They are called so, and count in every table that has them, from 0 or 1 in one of them; a count may begin anew.
    """
    counting: dict[str, bool] = {}
    certain: set[str] = set()
    for table in tables:
        for column in range(len(table.names)):
            name = _plain(table.names[column])
            if column in table.text or name not in (*_INDEX, *(() if table.header else ("column_1",))):
                continue
            values = table.numbers[:, column]
            on = np.diff(values) == 1
            counts = bool((on | (values[1:] == values[0])).all()) and 2 * int(on.sum()) >= len(on)
            counting[name] = counts and counting.get(name, True)
            if len(values) > 2 and values[0] in (0, 1):
                certain.add(name)
    return frozenset(name for name, counts in counting.items() if counts and name in certain)


def sort_columns(
    table: Table,
    asked: str | None,
    labelled: bool,
    timed: bool = False,
    counting: frozenset[str] | None = None,
) -> Columns:
    """Returns what the columns of a table are.

    Args:
        table: as it was read.
        asked: the label's column, by name or by number from 1; None to find it.
        labelled: whether the file's name or folder tells the label, so that no column has to.
        timed: whether the first column is the time, unless another one is, see :func:`begins_with_time`.
        counting: names of the columns that count rows in all tables that belong together, see
            :func:`counting_columns`; None for those of this one.

    Raises:
        DatasetError: there is no label, or no column of values.
        UnknownNameError: no column has the name that was asked for.
    """
    notes: list[str] = []
    counting = counting_columns([table]) if counting is None else counting
    label = _label_column(table, asked, labelled)
    labels = None
    if label is not None:
        labels = _as_text(table, label)
        if table.classes and all(text.isdecimal() and int(text) < len(table.classes) for text in labels):
            labels = [table.classes[int(text)] for text in labels]
    times, time_column = _times(table, label)
    if time_column is not None:
        notes.append(f"{table.names[time_column]!r} is the time")
    elif timed and label != 0:
        values, time_column = table.numbers[:, 0], 0
        times = values * _seconds("", float(np.median(np.diff(values))))
        notes.append(f"{table.names[0]!r} always rises by nearly the same: it is the time, and left out")
    group = next(
        (c for c in range(len(table.names)) if c != label and _plain(table.names[c]) in (*_GROUPS, *_MORE_GROUPS)), None
    )
    if group is not None:
        notes.append(f"{table.names[group]!r} tells the recording")
    channels = []
    for c in range(len(table.names)):
        if c in (label, time_column, group):
            continue
        if c in table.text:
            notes.append(f"{table.names[c]!r} is text and left out")
        elif _plain(table.names[c]) in counting:
            notes.append(f"{table.names[c]!r} is a running number and left out")
        else:
            channels.append(c)
    if not channels:
        text = next((c for c in table.text if c not in (label, time_column, group)), None)
        held = "" if text is None else f", {table.names[text]!r} holds text such as {table.text[text][0][:20]!r}"
        raise DatasetError(
            f"{table.name} has no column of values beside the label{held}: give the numbers to learn from"
        )
    split = [_UNIT.fullmatch(table.names[c]) for c in channels]
    return Columns(
        tuple(channels),
        tuple(match[1] if match else table.names[c] for match, c in zip(split, channels, strict=True)),
        tuple(match[2] if match else "" for match in split),
        labels,
        None if label is None else table.names[label],
        table.stamps if times is None else times,
        None if group is None else _as_text(table, group),
        tuple(notes),
    )


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _as_text(table: Table, column: int) -> list[str]:
    if column in table.text:
        return table.text[column]
    return [f"{value:g}" if value != int(value) else str(int(value)) for value in table.numbers[:, column]]


def _label_column(table: Table, asked: str | None, labelled: bool) -> int | None:
    names = [_plain(name) for name in table.names]
    if asked is not None:
        if asked in table.names:
            return table.names.index(asked)
        if _plain(asked) in names:
            return names.index(_plain(asked))
        if asked.isdecimal() and 1 <= int(asked) <= len(names):
            return int(asked) - 1
        raise unknown_name(f"column of {table.name}", asked, table.names)
    if table.header:
        for known in _LABELS if labelled else (*_LABELS, *_MORE_LABELS):
            if known in names and _may_label(table, names.index(known)):
                return names.index(known)
    if labelled:
        return None
    text = [c for c in table.text if names[c] not in (*_GROUPS, *_MORE_GROUPS) and not _TIMES.fullmatch(names[c])]
    if len(text) == 1 and _few(table, text[0], 0.9):
        return text[0]
    whole = [c for c in (len(names) - 1, 0) if c not in table.text and _is_whole(table, c) and _few(table, c, 0.2)]
    if not text and whole and len(names) > 1 and (table.classes or not table.header or _few(table, whole[0], 0.1)):
        return whole[0]
    column = next((name for name in table.names if table.header and _plain(name) in (*_LABELS, *_MORE_LABELS)), None)
    if column is not None:
        raise DatasetError(
            f"{table.name}: {column!r} would be the label, but differs in nearly every row: give several rows of each "
            "class, or name another column by --label"
        )
    listed = ", ".join(table.names[:8]) + (", …" if len(table.names) > 8 else "")
    raise DatasetError(f"{table.name}: no column is known as the label: name one of {listed} by --label")


def _may_label(table: Table, column: int) -> bool:
    """Whether a column that is called a label may be one: text or whole numbers, and not all different."""
    values = table.numbers[:, column]
    whole = column in table.text or np.array_equal(values, np.rint(values))
    return bool(whole) and _few(table, column, 0.9)


def _few(table: Table, column: int, most: float) -> bool:
    """Whether a column has few enough different values to be a label."""
    kinds = len(set(table.text[column])) if column in table.text else len(np.unique(table.numbers[:, column]))
    return kinds <= max(2.0, most * len(table)) and kinds <= 20 * MOST_CLASSES


def _is_whole(table: Table, column: int) -> bool:
    values = table.numbers[:, column]
    return bool(np.array_equal(values, np.rint(values)) and len(np.unique(values)) > 1)


def _times(table: Table, label: int | None) -> tuple[npt.NDArray[np.float64] | None, int | None]:
    """The column of the time, in seconds, and its index."""
    for c, name in enumerate(table.names):
        match = _TIMES.fullmatch(name.strip())
        if c == label or not (match and table.header):
            continue
        if c in table.text:
            times = _dates(table.text[c])
            if times is not None:
                return times, c
            continue
        values = table.numbers[:, c]
        steps = np.diff(values)
        if len(steps) and (steps > 0).mean() < 0.5:
            continue
        step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1.0
        unit = (match[3] or match[1]).lower()
        return values * _seconds(unit, step), c
    return None, None


def _seconds(unit: str, step: float) -> float:
    """How many seconds one of a column's units is: by its name, else by the step from row to row."""
    for names, seconds in (
        (("ms", "millis", "milliseconds"), 1e-3),
        (("us", "µs", "micros", "microseconds"), 1e-6),
        (("ns",), 1e-9),
        (("s", "sec", "secs", "second", "seconds", "seconds_elapsed"), 1.0),
    ):
        if unit in names:
            return seconds
    return 1.0 if step < 1 else 1e-3 if step < 1000 else 1e-6 if step < 1e6 else 1e-9


def _dates(cells: list[str]) -> npt.NDArray[np.float64] | None:
    """Seconds of dates and times of one form; None where they are of none that is known."""
    forms: list[Callable[[str], float]] = [_iso, *(functools.partial(_formed, form) for form in _DATES)]
    for read in forms:
        try:
            return np.array([read(cell) for cell in cells])
        except (ValueError, OverflowError):
            continue
    return None


def _iso(cell: str) -> float:
    return datetime.fromisoformat(cell.replace("Z", "+00:00")).timestamp()


def _formed(form: str, cell: str) -> float:
    return (datetime.strptime(cell, form) - datetime(1900, 1, 1)).total_seconds()
