"""How far sums of pixel / 255 in float32 are from the sums of the pixels, where that can decide a sign."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_PIXEL = 255
_HALF_UNIT = 2.0**-24  # what rounding costs at most, of a result from 1 to 2


def _worst_sample() -> float:
    """The most by which a pixel / 255 differs from float32's, be it divided by 255 or multiplied by 1 / 255."""
    pixels = np.arange(MAX_PIXEL + 1)
    divided = pixels.astype(np.float32) / np.float32(MAX_PIXEL)
    multiplied = pixels.astype(np.float32) * np.float32(1 / MAX_PIXEL)
    return float(max(np.abs(each - pixels / MAX_PIXEL).max() for each in (divided, multiplied))) * 1.001


_SAMPLE = _worst_sample()


def rounding(signs: NDArray[np.bool_], cut: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bounds what float32 loses in a sum that is near a cut, (outputs,).

    A sum of n values of 0 to 1 is rounded n − 1 times, by half a unit in the last place of each partial sum. That is
    no larger than the values before it allow, nor further from the cut than those behind it can bring it back.

    Args:
        signs: (outputs, n) in the order of addition, True for +.
        cut: (outputs,).
    """
    above, below = (np.cumsum(each, axis=1, dtype=np.int64)[:, 1:] for each in (signs, ~signs))
    crude = _HALF_UNIT * _binade(np.maximum(above, below)).sum(axis=1)
    slack = (2 * crude)[:, None]
    highest = np.minimum(above, cut[:, None] + (below[:, -1:] - below)) + slack
    lowest = np.maximum(-below, cut[:, None] - (above[:, -1:] - above)) - slack
    largest = np.maximum(np.maximum(highest, -lowest), slack + 2.0**-8)
    bound: NDArray[np.float64] = np.minimum(_HALF_UNIT * _binade(largest).sum(axis=1), crude)
    return bound


def near_whole(orders: list[NDArray[np.bool_]], cut: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which cuts are so near to a sum of pixels / 255 that rounding could decide on which side a sum is, (outputs,).

    Args:
        orders: signs (outputs, n), for each order in which the same values may be added.
        cut: (outputs,), in the unit of the sums of pixel / 255.
    """
    taps = orders[0].shape[1]
    lost = np.max([rounding(signs, cut) for signs in orders], axis=0) + taps * _SAMPLE
    sums = cut * MAX_PIXEL
    whole = np.rint(sums)
    near: NDArray[np.bool_] = (np.abs(sums - whole) <= lost * MAX_PIXEL) & (np.abs(whole) <= taps * MAX_PIXEL)
    return near


def _binade(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest power of 2 that is not above each value."""
    powers: NDArray[np.float64] = 2.0 ** np.floor(np.log2(np.maximum(values, 2.0**-8)))
    return powers
