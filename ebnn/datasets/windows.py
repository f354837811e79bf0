"""Samples cut from recordings: windows of so many rows, a step apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ebnn.errors import DatasetError

from .dataset import Dataset
from .labels import ordered_names
from .read_options import Reading
from .recordings import Recording, Recordings

WHOLE = 400
"""Rows up to which a recording is one sample."""

USUAL_ROWS = 100
"""Of a window, where the rate is not known."""

FEWEST_RECORDINGS = 4
"""Of a class that is split by recordings; those of a class that has fewer are cut into pieces first."""

PIECES = 8
"""Into which the recordings of such a class are cut."""


def cut(recordings: Recordings, reading: Reading) -> Dataset:
    """Returns windows as samples, raw float32 (n, channels, 1, rows), each with the recording that it comes from.

    The window is as long as asked; else as long as the recordings where these are short, about as long as each other
    and more than one of each class, else a second, else :data:`USUAL_ROWS`, but no longer than the usual recordings of
    any class. The step is half of it unless asked. No window holds rows of two recordings.

    Raises:
        DatasetError: no recording of a class is as long as the window, or there is but one class.
    """
    items = renamed(recordings.items, reading.unknown)
    lengths = np.array([len(item) for item in items])
    notes = list(recordings.notes)
    window, whole = _window(recordings, items, lengths, reading)
    step = window if whole else max(1, window // 2)
    if reading.step is not None:
        step = reading.step.count(recordings.rate, "the step")
    names = ordered_names({item.label for item in items})
    longest = {name: max(len(item) for item in items if item.label == name) for name in names}
    if min(longest.values()) < window:
        label, rows = min(longest.items(), key=lambda each: each[1])
        raise DatasetError(
            f"{recordings.name}: a window of {window:,} rows is longer than all recordings of {label!r}: give a "
            f"--window of at most {rows:,} rows"
        )
    short = int((lengths < window).sum())
    if short:
        notes.append(f"{short:,} recordings shorter than a window of {window:,} rows are left out")
    notes.append(_said(window, step, recordings.rate, whole))
    kept = [item for item in items if len(item) >= window]
    if not any(item.part for item in kept):
        kept, pieces = _pieces(kept, window, step)
        if pieces:
            notes.append(f"recordings of {', '.join(pieces)} are cut into pieces, to train and to test on others")
    samples, labels, groups, parts = [], [], [], []
    for group, item in enumerate(kept):
        views = np.lib.stride_tricks.sliding_window_view(item.values, window, axis=0)[::step]
        samples.append(views)
        labels += [item.label] * len(views)
        groups += [group] * len(views)
        parts += [item.part] * len(views)
    images = np.concatenate(samples)[:, :, None, :]
    data = Dataset.from_arrays(
        images,
        labels,
        groups=groups,
        parts=parts,
        name=recordings.name,
        class_names=names,
        group_names=[item.name for item in kept],
    )
    return dataclasses.replace(
        data, channels=recordings.channels, units=recordings.units, rate=recordings.rate, step=step, notes=tuple(notes)
    )


def renamed(items: Sequence[Recording], unknown: Sequence[str]) -> list[Recording]:
    """Returns recordings with those of some classes as one class, ``unknown``. Raises DatasetError for no class."""
    there = {item.label for item in items}
    for name in unknown:
        if name not in there:
            raise DatasetError(f"there is no class {name!r}, of {', '.join(ordered_names(there))}")
    return [dataclasses.replace(item, label="unknown") if item.label in unknown else item for item in items]


def _window(
    recordings: Recordings, items: Sequence[Recording], lengths: np.ndarray, reading: Reading
) -> tuple[int, bool]:
    """Rows of a window, and whether it is a whole recording."""
    if reading.window is not None:
        window = reading.window.count(recordings.rate, "the window")
        return window, bool((lengths == window).all())
    usual = int(np.median(lengths))
    labels = np.array([item.label for item in items])
    fits = min(_shortest_usual(lengths[labels == label]) for label in set(labels.tolist()))
    least = min(int((labels == label).sum()) for label in set(labels.tolist()))
    if usual <= WHOLE and lengths.max() <= 1.5 * usual and least > 1:
        alike = _shortest_usual(lengths)
        return min(alike, fits), alike <= fits
    window = USUAL_ROWS if recordings.rate is None else int(np.clip(round(recordings.rate), 16, WHOLE))
    return max(1, min(window, usual, fits)), False


def _shortest_usual(lengths: np.ndarray) -> int:
    """The length of the shortest recording that is not far shorter than most."""
    return int(lengths[lengths >= 0.75 * np.median(lengths)].min())


def _said(window: int, step: int, rate: float | None, whole: bool) -> str:
    seconds = "" if rate is None else f" ({window / rate:.3g} s)"
    if whole and step >= window:
        return f"each sample is a recording of {window:,} rows{seconds}"
    after = "" if rate is None else f" ({step / rate:.3g} s)"
    return f"each sample is a window of {window:,} rows{seconds}, {step:,} rows{after} after the last"


def _pieces(items: Sequence[Recording], window: int, step: int) -> tuple[list[Recording], list[str]]:
    """Recordings, those of classes with few of them in pieces; and the names of these classes."""
    few = [
        label
        for label in ordered_names({item.label for item in items})
        if len([item for item in items if item.label == label]) < FEWEST_RECORDINGS
        and max(len(item) for item in items if item.label == label) >= 2 * window
    ]
    result: list[Recording] = []
    for item in items:
        rows = max(window, -(-len(item) // PIECES))
        if item.label not in few or len(item) < 2 * window:
            result.append(item)
            continue
        for at in range(0, len(item) - window + 1, rows):
            piece = item.values[at : at + rows]
            if len(piece) >= window:
                result.append(dataclasses.replace(item, name=f"{item.name}, from row {at + 1}", values=piece))
    return result, few
