"""The axes of samples: one rule for every array that becomes (n, channels, height, width).

An array fits a network by its axes, not by how many values it holds:

- (n, channels, height, width) as the network has them;
- (n, height, width) where there is one channel;
- (n, values) where the network's samples are vectors: at most one of their axes is longer than 1.

A flat vector of an image says nothing about the order of its axes, and is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError


def as_images(x: ArrayLike, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """Returns samples as (n, channels, height, width), in their own type.

    Args:
        x: samples, by the rule above.
        shape: of one sample as the network has it, (channels, height, width); None where that is not known yet.

    Raises:
        InputError: the axes are others, or a value is masked.
    """
    refuse_masked("samples", x)
    try:
        array = np.asarray(x)
    except ValueError:
        raise InputError("samples that differ in shape do not fit: give them as one array") from None
    given = array.shape
    if array.ndim == 3 and (shape is None or shape[0] == 1):
        array = array[:, None]
    elif array.ndim == 2 and shape is not None and given[1] == max(shape) and sorted(shape)[:2] == [1, 1]:
        array = array.reshape(-1, *shape)
    if array.ndim != 4 or (shape is not None and array.shape[1:] != tuple(shape)):
        raise InputError(f"samples of shape {given} do not fit: {_wanted(given, shape)}")
    return array


def refuse_masked(what: str, x: Any) -> None:
    """Raises InputError where a masked array hides a value: NumPy's conversions would lay it open, in silence."""
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        raise InputError(f"{what} with masked values do not fit: fill them, or leave such samples out")


def check_axes(given: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """Raises InputError where samples of shape ``given``, (channels, height, width), are not of ``shape``."""
    if tuple(given) != tuple(shape):
        raise InputError(f"samples of shape {('n', *given)} do not fit: {_wanted((0, *given), shape)}".replace("'", ""))


def _wanted(given: tuple[int, ...], shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "give (n, channels, height, width)"
    sides = ", ".join(map(str, shape))
    hint = ""
    if len(given) == 4 and given[1:] == (*shape[1:], shape[0]):
        hint = "; channels come first: x.transpose(0, 3, 1, 2)"
    elif len(given) == 2 and given[1] == np.prod(shape):
        hint = f"; give flat vectors their axes: x.reshape(-1, {sides})"
    return f"this network takes (n, {sides}){hint}"
