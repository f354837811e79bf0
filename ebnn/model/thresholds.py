"""Constants of a device from what a trainer or another program computes: thresholds of signs, integers of scores and of
requantized sums.

A function is asked where along the sums its sign changes: batch normalisation is monotone in its input, rounding
included, so one comparison stands for it, gamma negative or zero, bias and eps included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .transforms import MAX_SCORE, MAX_SHIFT, MIN_SHIFT, Requantize, Sign

MAX_MULTIPLIER = 32_767  # of a score: an int16


class Change(NamedTuple):
    """Where the sign of each output changes, all (outputs,).

    The sign is +1 from ``at`` on, included: upwards, or downwards where ``below``. Where ``constant`` is not 0 it is +1
    or −1 everywhere.
    """

    at: NDArray[np.int64]
    below: NDArray[np.bool_]
    constant: NDArray[np.int8]


def find_change(sign: Callable[[NDArray[np.int64]], NDArray[np.bool_]], reach: int, outputs: int) -> Change:
    """Where each output's sign changes along the places −reach … reach, by bisection.

    ``sign`` takes one place for each output, (outputs,) int64, says whether it gives +1, and is monotone in each.
    """
    low = np.full(outputs, -reach, np.int64)
    high = np.full(outputs, reach, np.int64)
    at_low, at_high = sign(low), sign(high)
    # Invariant where the ends differ: the sign at `low` is that of the lowest place, at `high` that of the highest.
    while np.any(high - low > 1):
        middle = (low + high) // 2
        as_low = sign(middle) == at_low
        low, high = np.where(as_low, middle, low), np.where(as_low, high, middle)
    below = at_low & ~at_high
    constant = np.where(at_low == at_high, np.where(at_low, 1, -1), 0).astype(np.int8)
    return Change(np.where(below, low, high), below, constant)


def sign_of(at: NDArray[np.int64], below: NDArray[np.bool_], constant: NDArray[np.int8], reach: int) -> Sign:
    """The transform of a `Change` along sums −reach … reach: what is constant is a threshold that all pass, or none."""
    value = np.where(constant == 0, at, np.where(constant > 0, -reach, reach + 1))
    return Sign(np.clip(value, -reach - 1, reach + 1).astype(np.int32), below)


def find_threshold(sign: Callable[[NDArray[np.float32]], NDArray[np.bool_]], reach: int, outputs: int) -> Sign:
    """Where each output's sign changes along the sums −reach … reach.

    ``sign`` takes one sum for each output, (outputs,) float32, says whether it gives +1, and is monotone in each.
    """
    return sign_of(*find_change(lambda places: sign(places.astype(np.float32)), reach, outputs), reach)


def score_constants(
    gain: NDArray[np.float64], shift: NDArray[np.float64], reach: int
) -> tuple[NDArray[np.int16], NDArray[np.int32], float]:
    """Multipliers, offsets and scale whose scores, times the scale, are the logits ``gain · acc + shift``.

    The largest that an int16 and, for sums up to ``reach``, an int32 can hold; 1 and 0 where that is exact.
    """
    largest = float(np.abs(gain).max())
    if not shift.any() and largest > 0 and np.all(np.abs(gain) == largest):
        return np.sign(gain).astype(np.int16), np.zeros(len(gain), np.int32), largest
    # One unit is kept back for each rounding: |round(m)| · reach + |round(b)| stays below 2**31.
    limits = [MAX_MULTIPLIER / largest] if largest > 0 else []
    limits.append((MAX_SCORE - reach - 1) / max(float((np.abs(gain) * reach + np.abs(shift)).max()), 1e-30))
    factor = min(limits)
    return np.rint(gain * factor).astype(np.int16), np.rint(shift * factor).astype(np.int32), 1 / factor


def requantize_constants(
    gain: NDArray[np.float64], shift: NDArray[np.float64], reach: int, kind: str, low: int, high: int
) -> Requantize:
    """The transform that makes ``gain · acc + shift``, both (outputs,), rounded and clamped, of sums up to ``reach``.

    Multipliers have 15 bits where every gain is below a half, which small cores are fastest with, else 31 bits. A
    gain too small for its shift, 0 among them, is raised to where the bias fits an int32: over all sums that moves an
    output by at most ``reach / 2**22`` steps.
    """
    room = MAX_SCORE - reach  # of the bias
    # What is clamped for every sum needs no larger shift than that.
    ends = np.abs(gain) * reach + 1
    wanted = np.clip(shift, low - ends, high + ends)
    least = np.maximum(np.maximum(np.abs(wanted), 1) / room, 2.0**-47)
    slope = np.where(np.abs(gain) < least, np.copysign(least, gain), gain)
    exponent = np.floor(np.log2(np.abs(slope))).astype(np.int64)  # |slope| is in 2**exponent × [1, 2)
    narrow = bool(np.all(np.abs(slope) < 0.5 - 2.0**-17))
    bits = 15 if narrow else 31
    shifts = np.clip(bits - 1 - exponent, MIN_SHIFT, MAX_SHIFT)
    most = 2**bits - 1
    multiplier = np.clip(np.rint(slope * 2.0**shifts), -most, most).astype(np.int64)
    bias = np.clip(np.rint(wanted / slope), -room, room).astype(np.int64)
    return Requantize(bias.astype(np.int32), multiplier.astype(np.int32), shifts.astype(np.uint8), kind, low, high)
