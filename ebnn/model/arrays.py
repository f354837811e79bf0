"""Arrays and pairs of frozen values: checked and copied once, then read only."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..errors import NetworkError
from .kinds import MAX_SIDE


def freeze(owner: object, name: str, dtype: Any, ndim: int) -> None:
    """Makes attribute ``name`` a read-only array of ``dtype`` and ``ndim`` axes. Raises NetworkError."""
    given = np.asarray(getattr(owner, name))
    label = f"{type(owner).__name__.lower()} {name}"
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            array = np.array(given, dtype=dtype, order="C")
    except (TypeError, ValueError, OverflowError):
        raise NetworkError(f"{label} holds a value that {np.dtype(dtype)} cannot") from None
    if array.ndim != ndim or array.size == 0:
        raise NetworkError(f"{label} has shape {array.shape}: it needs {ndim} axes, none of them empty")
    if array.dtype.kind in "bi" and not np.array_equal(array, given):
        raise NetworkError(f"{label} holds a value that {array.dtype} cannot")
    array.setflags(write=False)
    object.__setattr__(owner, name, array)


def freeze_pair(owner: object, name: str, label: str, least: int) -> None:
    """Makes attribute ``name`` a pair (height, width) of integers from ``least`` on. Raises NetworkError."""
    given = getattr(owner, name)
    try:
        pair = tuple(map(operator.index, given))
    except TypeError:
        pair = ()
    if len(pair) != 2 or not all(least <= side <= MAX_SIDE for side in pair):
        raise NetworkError(f"{label} {given} is not a pair (height, width) of whole numbers from {least} to {MAX_SIDE}")
    object.__setattr__(owner, name, pair)


def check_lengths(owner: object, names: tuple[str, ...]) -> None:
    """Raises NetworkError where the arrays of ``names`` differ in length."""
    lengths = {len(getattr(owner, name)) for name in names}
    if len(lengths) != 1:
        raise NetworkError(f"{type(owner).__name__.lower()}: {', '.join(names)} differ in length: {sorted(lengths)}")
