"""Which samples train and which test: by recording, each class alike, always the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError

Indices = npt.NDArray[np.intp]


def split_groups(
    labels: npt.NDArray[np.int32], groups: npt.NDArray[np.int32] | None, every: int = 4, seed: int = 0
) -> tuple[Indices, Indices]:
    """Returns the indices of the samples to train on and of those held out, each in rising order.

    Groups are shuffled with the seed and ordered by class; every so manieth is held out, of each class that has two
    groups at least one. So no group is on both sides, and each class has its share on both.

    Args:
        labels: (n,) of the samples.
        groups: (n,) the recording of each sample, which has one class; None where each sample is one.
        every: one group in so many is held out.
        seed: of the shuffle.
    """
    chosen = np.zeros(len(labels), bool)
    for held in _dealt(labels, groups, every, seed)[:1]:
        chosen[held] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def fold_indices(
    labels: npt.NDArray[np.int32], groups: npt.NDArray[np.int32] | None, folds: int, seed: int = 0
) -> list[tuple[Indices, Indices]]:
    """Returns for each fold the indices to train on and to test on: each group is in the test of one fold.

    Raises:
        DatasetError: there are fewer than two folds, or a class has fewer groups than there are folds.
    """
    if folds < 2:
        raise DatasetError(f"{folds} folds: give 2 or more")
    _, first = np.unique(_as_groups(labels, groups), return_index=True)
    least = int(np.bincount(labels[first])[np.unique(labels)].min())
    if least < folds:
        raise DatasetError(f"{folds} folds: a class has {least} recordings only; give as many folds or fewer")
    every = np.arange(len(labels))
    return [(np.setdiff1d(every, held), held) for held in _dealt(labels, groups, folds, seed)]


def _as_groups(labels: npt.NDArray[np.int32], groups: npt.NDArray[np.int32] | None) -> npt.NDArray[np.integer]:
    return np.arange(len(labels)) if groups is None else groups


def _dealt(labels: npt.NDArray[np.int32], groups: npt.NDArray[np.int32] | None, hands: int, seed: int) -> list[Indices]:
    """The samples, dealt out by group to so many hands, class after class."""
    groups = np.asarray(_as_groups(labels, groups))
    names, first, member = np.unique(groups, return_index=True, return_inverse=True)
    classes = labels[first]
    order = np.random.RandomState(seed).permutation(len(names))
    order = order[np.argsort(classes[order], kind="stable")]
    hand = np.empty(len(names), np.intp)
    hand[order] = np.arange(len(names)) % hands
    for each in np.unique(classes):
        of_class = order[classes[order] == each]
        if len(of_class) == 1:
            hand[of_class] = hands - 1  # a class of one group stays in training
        elif len(of_class) < hands:
            hand[of_class] = np.arange(len(of_class))
    return [np.flatnonzero(hand[member.ravel()] == each) for each in range(hands)]


def counts(labels: npt.NDArray[np.int32], names: Sequence[str]) -> dict[str, int]:
    """Returns how many samples each class has."""
    return dict(zip(names, np.bincount(labels, minlength=len(names)).tolist(), strict=True))
