"""Classes in the order of their scores."""

from __future__ import annotations

import operator

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError


def top_classes(scores: NDArray[np.int32], k: int) -> NDArray[np.int64]:
    """The ``k`` classes of the largest scores (n, classes), the largest first; of equal ones the first: (n, k) int64.

    Raises InputError where there are not so many classes.
    """
    try:
        count = operator.index(k)
    except TypeError:
        count = 0
    if not 1 <= count <= scores.shape[1]:
        raise InputError(f"the top {k!r} of {scores.shape[1]} classes: give a whole number from 1 to {scores.shape[1]}")
    order: NDArray[np.int64] = np.argsort(-scores.astype(np.int64), axis=1, kind="stable")[:, :count]
    return order


def label_ranks(scores: NDArray[np.int32], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of each label in the order of `top_classes`, from 0: (n,) int64."""
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    before = (scores == own) & (np.arange(scores.shape[1]) < labels[:, None])
    ranks: NDArray[np.int64] = ((scores > own) | before).sum(axis=1, dtype=np.int64)
    return ranks
