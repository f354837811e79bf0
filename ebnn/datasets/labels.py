"""Labels of any form, numbers, names or one-hot rows, as numbers from 0 and the classes' names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError

MAX_CLASSES = 255
"""As many as a network can tell apart."""


def ordered_names(names: Iterable[str]) -> tuple[str, ...]:
    """Returns each name once: numbers as numbers are ordered, then other names in alphabetical order."""

    def place(name: str) -> tuple[int, float, str]:
        try:
            return 0, float(name), name
        except ValueError:
            return 1, 0.0, name

    return tuple(sorted(set(names), key=place))


def read_labels(what: str, labels: Any) -> list[str]:
    """Returns the label of each sample as text.

    Args:
        what: the labels are called in messages.
        labels: (n,) or (n, 1) whole numbers or names, or (n, classes) one-hot.

    Raises:
        DatasetError: they are none of these.
    """
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and array.dtype.kind in "biuf":
        hot = array.astype(np.float64)
        if not (np.isin(hot, (0, 1)).all() and (hot.sum(axis=1) == 1).all()):
            raise DatasetError(f"{what} of shape {array.shape} are not one-hot: give a single 1 in each row, else 0")
        return [str(k) for k in hot.argmax(axis=1)]
    if array.ndim != 1 or array.dtype.kind not in "biufUS":
        raise DatasetError(
            f"{what} are {array.dtype} of shape {array.shape}: give whole numbers or names, (n,), or one-hot rows, "
            "(n, classes)"
        )
    if array.dtype.kind == "f":
        if not np.array_equal(array, np.rint(array)):
            raise DatasetError(f"{what} hold {array[array != np.rint(array)][0]:g}: give whole numbers or names")
        array = array.astype(np.int64)
    if array.dtype.kind == "S":
        return [each.decode(errors="replace") for each in array]
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    return [str(each) for each in array]


def number_labels(
    name: str, labels: Iterable[str], names: tuple[str, ...] | None = None
) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
    """Returns labels as numbers, (n,) int32, and the classes' names.

    Args:
        name: of the data, for messages.
        labels: of the samples, as text.
        names: of the classes in order; None takes those that occur, see :func:`ordered_names`.

    Raises:
        DatasetError: there are fewer than two classes or too many.
    """
    labels = list(labels)
    names = ordered_names(labels) if names is None else names
    if len(names) < 2:
        one = f"only the class {names[0]!r}" if names else "no class"
        raise DatasetError(f"{name} has {one}: give samples of at least two classes")
    if len(names) > MAX_CLASSES:
        raise DatasetError(f"{name} has {len(names):,} classes: at most {MAX_CLASSES} are allowed; is the label right?")
    index = {each: k for k, each in enumerate(names)}
    return np.array([index[each] for each in labels], np.int32), names
