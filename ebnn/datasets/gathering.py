"""From tables to recordings, or to samples where each row is one."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ebnn.errors import DatasetError

from .dataset import Dataset
from .parting import MOTION, SMOOTH, find_length, first_seam, roughness
from .read_options import Reading
from .recordings import Recording, Recordings
from .table_columns import Columns, begins_with_time, counting_columns, sort_columns
from .text_table import Table

FEWEST_ROWS = 8
"""Of a file or a run of one label, on average, that may be a recording."""

PAUSE = 20.0
"""Times the usual step of time after which another recording begins."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """A table, and what the names of its file and folders say: its label and its part; None where they say nothing."""

    table: Table
    label: str | None = None
    part: str | None = None


@dataclass(frozen=True, eq=False)
class _Segment:
    """Rows of one table that belong together, with one label. ``hard``: something other than a label parts them."""

    source: Labelled
    label: str
    values: np.ndarray
    first_line: int
    begins_hard: bool


def gather(name: str, sources: Sequence[Labelled], reading: Reading) -> Recordings | Dataset:
    """Returns recordings, or a data set where every row is a sample.

    Args:
        name: of the data.
        sources: the tables, at least one.
        reading: what the user says of them.

    Raises:
        DatasetError: tables do not fit together, or something in them is missing.
    """
    timed = all(begins_with_time(source.table, source.label is not None) for source in sources)
    counting = counting_columns([source.table for source in sources])
    sorted_ = [
        sort_columns(source.table, reading.label, source.label is not None, timed, counting) for source in sources
    ]
    _check_alike(sources, sorted_)
    notes = list(dict.fromkeys(note for columns in sorted_ for note in columns.notes))
    notes += [note for source in sources for note in source.table.notes]
    rate = _rate(sources, sorted_)
    segments = [
        segment for source, columns in zip(sources, sorted_, strict=True) for segment in _segments(source, columns)
    ]
    channels, units = sorted_[0].names, sorted_[0].units
    parts = [segment.values for segment in segments]
    why, length = _why_series(segments, sources, sorted_, reading, rate)
    if not why:
        pixels = _side(parts, channels)
        notes.append("each row is a sample")
        return _rows(name, segments, channels, units, pixels, notes)
    notes.append(why)
    items: list[Recording] = []
    left_out = 0
    for segment in segments:
        pieces = [(0, segment.values)]
        if length is not None and len(segment.values) > length:
            first = first_seam(segment.values, length)
            starts = range(first, len(segment.values) - length + 1, length)
            pieces = [(row, segment.values[row : row + length]) for row in starts]
            left_out += len(segment.values) - length * len(pieces)
        for row, values in pieces:
            table = segment.source.table
            where = f"{table.name}, line {segment.first_line + row}"
            items.append(Recording(where, segment.label, values, segment.source.part))
    if left_out:
        notes.append(f"{left_out:,} rows of torn recordings are left out")
    return Recordings(name, tuple(items), channels, units, rate, tuple(notes))


def _check_alike(sources: Sequence[Labelled], sorted_: list[Columns]) -> None:
    first = sorted_[0]
    for i, (source, columns) in enumerate(zip(sources, sorted_, strict=True)):
        if len(columns.names) != len(first.names):
            raise DatasetError(
                f"{source.table.name} has {len(columns.names)} columns of values, {sources[0].table.name} has "
                f"{len(first.names)}: give all files the same columns"
            )
        if columns.names == first.names or not (source.table.header and sources[0].table.header):
            continue
        if set(columns.names) != set(first.names):
            other = next(name for name in columns.names if name not in first.names)
            raise DatasetError(
                f"{source.table.name} has the column {other!r}, {sources[0].table.name} has not: give all files the "
                "same columns"
            )
        order = [columns.names.index(name) for name in first.names]
        sorted_[i] = dataclasses.replace(
            columns,
            values=tuple(columns.values[at] for at in order),
            names=first.names,
            units=tuple(columns.units[at] for at in order),
        )


def _segments(source: Labelled, columns: Columns) -> list[_Segment]:
    table = source.table
    values = table.numbers[:, columns.values]
    if not (np.abs(values) < np.finfo(np.float32).max).all():
        raise DatasetError(f"{table.name} holds a value over {np.finfo(np.float32).max:.3g}: leave such rows out")
    hard = set(table.breaks)
    if columns.groups is not None:
        hard |= {i for i in range(1, len(table)) if columns.groups[i] != columns.groups[i - 1]}
    if columns.times is not None:
        steps = np.diff(columns.times)
        usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else math.inf
        hard |= set((np.flatnonzero((steps < 0) | (steps > PAUSE * usual)) + 1).tolist())
    labels = columns.labels
    given = source.label
    if labels is None:
        labels = [given if given is not None else ""] * len(table)
    soft = {i for i in range(1, len(table)) if labels[i] != labels[i - 1]}
    bounds = [0, *sorted(hard | soft), len(table)]
    return [
        _Segment(source, labels[a], values[a:b].astype(np.float32), int(table.lines[a]), a in hard)
        for a, b in itertools.pairwise(bounds)
    ]


def _rate(sources: Sequence[Labelled], sorted_: Sequence[Columns]) -> float | None:
    """Rows a second: from the column of the time, or from a comment ``# rate: 119``."""
    rates: list[tuple[float, str]] = []
    for source, columns in zip(sources, sorted_, strict=True):
        said = (
            source.table.about.get("rate") or source.table.about.get("rate_hz") or source.table.about.get("frequency")
        )
        try:
            rate = float(said.lower().removesuffix("hz")) if said else 0.0
        except ValueError:
            rate = 0.0
        if columns.times is not None and len(columns.times) > 1:
            steps = np.diff(columns.times)
            steps = steps[(steps > 0) & np.isfinite(steps)]
            if len(steps):
                usual = float(np.median(steps))
                near = steps[steps < PAUSE * usual]
                rate = 1 / float(near.mean())
        if rate > 0 and math.isfinite(rate):
            rates.append((rate, source.table.name))
    if not rates:
        return None
    (low, slow), (high, fast) = min(rates), max(rates)
    if high > 1.25 * low:
        raise DatasetError(f"{fast} has {high:.4g} rows a second, {slow} has {low:.4g}: record all of them at one rate")
    return float(np.median([rate for rate, _ in rates]))


def _why_series(
    segments: Sequence[_Segment],
    sources: Sequence[Labelled],
    sorted_: Sequence[Columns],
    reading: Reading,
    rate: float | None,
) -> tuple[str, int | None]:
    """Why rows are moments of recordings, in words, and a recording's rows where that parts them; else no words."""
    rows = sum(len(segment.values) for segment in segments)
    mean = rows / len(segments)
    parts = [segment.values for segment in segments]
    if reading.recording is not None:
        length = reading.recording.count(rate, "a recording")
        return f"recordings of {length:,} rows, as asked", length
    if reading.window is not None and reading.window.rows == 1:
        return "", None
    hard = sum(segment.begins_hard for segment in segments)
    if hard and mean >= 2 and any(source.table.breaks for source in sources):
        return f"{len(segments):,} recordings, parted by blank lines or headers", None
    if mean < FEWEST_ROWS:
        return "", None
    if hard:
        return f"{len(segments):,} recordings, parted by the time or a column that tells them", None
    files = len({(source.label, source.part) for source in sources})
    if len(sources) > files:
        return f"{len(segments):,} recordings, a file each", None
    seams = find_length(parts)
    if seams is not None:
        return f"recordings of {seams:,} rows, parted where the values jump", seams
    timed = any(columns.times is not None for columns in sorted_)
    motion = sum(bool(MOTION.fullmatch(name)) for name in sorted_[0].names) >= 2 and mean >= 50
    asked = reading.window is not None or reading.step is not None
    if timed or motion or asked or roughness(parts) < SMOOTH:
        return f"{len(segments):,} recordings, a run of one label each", None
    return "", None


def _side(parts: Sequence[np.ndarray], names: Sequence[str]) -> int | None:
    """The side of the square picture that each row is, or None: whole numbers 0 to 255, one for each pixel."""
    side = math.isqrt(len(names))
    if side < 8 or side * side != len(names):
        return None
    values = np.concatenate(parts)
    whole = values.min() >= 0 and values.max() <= 255 and np.array_equal(values, np.rint(values))
    return side if whole else None


def _rows(
    name: str,
    segments: Sequence[_Segment],
    channels: tuple[str, ...],
    units: tuple[str, ...],
    side: int | None,
    notes: list[str],
) -> Dataset:
    values = np.concatenate([segment.values for segment in segments])
    labels = [segment.label for segment in segments for _ in range(len(segment.values))]
    if side is not None:
        notes.append(f"{side * side} columns are the pixels of {side}×{side} pictures")
        images = values.astype(np.uint8).reshape(-1, 1, side, side)
        channels = units = ()
    else:
        images = values
    parts = [segment.source.part for segment in segments for _ in range(len(segment.values))]
    data = Dataset.from_arrays(images, labels, parts=parts, name=name)
    return dataclasses.replace(data, channels=channels, units=units, notes=tuple(notes))
