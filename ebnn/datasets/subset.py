"""A part of a data set: some of its classes, and a balanced sample of its training part."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ebnn.errors import DatasetError

from .dataset import Dataset
from .read_options import Reading


def take_part(data: Dataset, reading: Reading) -> Dataset:
    """Returns the part of a data set that ``reading`` asks for, by :func:`only_classes` and :func:`balanced_sample`."""
    samples = len(data.train_labels)
    if reading.classes:
        data = only_classes(data, reading.classes)
    if reading.fraction is None:
        return data
    each = samples_of_each(reading.fraction, samples, data.classes)
    return balanced_sample(data, each, reading.fraction_seed or 0)


def samples_of_each(fraction: float, samples: int, classes: int) -> int:
    """Returns how many samples each of so many classes has in a sample of a fraction of ``samples``.

    Raises:
        DatasetError: the fraction is not above 0 and at most 1, or gives a class no sample.
    """
    if not 0 < fraction <= 1:
        raise DatasetError(f"fraction is {fraction}: give a number above 0, up to 1")
    each = int(fraction * samples / classes + 1e-9)
    if not each:
        raise DatasetError(
            f"a fraction of {fraction:g} of {samples:,} training samples leaves none for each of {classes} classes: "
            "give a larger one"
        )
    return each


def only_classes(data: Dataset, names: Sequence[str]) -> Dataset:
    """Returns the samples of some classes, under their names, in the data set's order.

    Raises:
        DatasetError: there is no class of such a name, or fewer than two are named.
    """
    kept = kept_classes(data.name, data.class_names, names)
    if len(kept) == data.classes:
        return data
    number = np.full(data.classes, -1, np.int32)
    number[[data.class_names.index(name) for name in kept]] = np.arange(len(kept))
    parts = {part: np.flatnonzero(number[getattr(data, f"{part}_labels")] >= 0) for part in ("train", "test")}
    for part, chosen in parts.items():
        if not len(chosen):
            raise DatasetError(f"{data.name} has no {part} sample of {', '.join(kept)}: name other classes")
    data = _chosen(data, **parts)
    return dataclasses.replace(
        data, train_labels=number[data.train_labels], test_labels=number[data.test_labels], class_names=kept
    )


def kept_classes(data: str, known: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Returns which of a data set's classes are ``names``, in its order. Raises DatasetError, see `only_classes`."""
    for name in names:
        if name not in known:
            raise DatasetError(f"{data} has no class {name!r}: it has {', '.join(known)}")
    kept = tuple(name for name in known if name in names)
    if len(kept) < 2:
        raise DatasetError(f"{data} with the class {kept[0]!r} alone tells nothing apart: name two or more")
    return kept


def balanced_sample(data: Dataset, each: int, seed: int = 0) -> Dataset:
    """Returns a data set with ``each`` training samples of each class, drawn at random; the test part stays whole.

    Where a class has fewer, all have as many as the smallest.
    """
    counts = np.bincount(data.train_labels, minlength=data.classes)
    if not counts.all():
        raise DatasetError(f"{data.name} has no training sample of {data.class_names[int(counts.argmin())]!r}")
    taken = min(each, int(counts.min()))
    random = np.random.default_rng(seed)
    chosen = [random.permutation(np.flatnonzero(data.train_labels == k))[:taken] for k in range(data.classes)]
    return _chosen(data, np.sort(np.concatenate(chosen)), np.arange(len(data.test_labels)))


def _chosen(data: Dataset, train: np.ndarray, test: np.ndarray) -> Dataset:
    """A data set's samples of these places in its two parts."""
    return dataclasses.replace(
        data,
        train_images=data.train_images[train],
        train_labels=data.train_labels[train],
        test_images=data.test_images[test],
        test_labels=data.test_labels[test],
        train_groups=None if data.train_groups is None else data.train_groups[train],
        test_groups=None if data.test_groups is None else data.test_groups[test],
    )
