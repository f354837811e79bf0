"""Probabilities of integer scores, in integers: the same here and on a board, which has no exponential function.

2 to the power of minus a score's distance from the largest, in steps of 1/256 octave; see ``softmax.h``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SURE = 65_535  # a probability of 1; EBNN_SURE of softmax.h
UNKNOWN = -1  # in the place of a class
ROOTS = tuple(round(2 ** (16 - 2**i / 256)) for i in range(8))
_STEPS = 256  # of an octave
MOST_STEPS = 17 * _STEPS  # from here on a power of two is 0; EBNN_OCTAVE_STEPS of softmax.h


@dataclass(frozen=True)
class Octaves:
    """How a difference of scores becomes steps: ``(difference >> down) * multiplier >> shift``, all in 32 bits.

    Beyond ``most`` there are too many.
    """

    most: int
    multiplier: int
    down: int
    shift: int

    @classmethod
    def of_scale(cls, scale: float) -> Octaves:
        """The numbers for scores of which one is ``scale`` of a logit."""
        each = scale * math.log2(math.e) * _STEPS  # steps of a score
        if each >= MOST_STEPS:
            return cls(0, 0, 0, 0)
        most = min(math.ceil(min(MOST_STEPS / each, 2.0**33)), 2**32 - 1)
        down = max(0, most.bit_length() - 16)
        shift = min(31, 15 - math.floor(math.log2(each * 2**down))) if each > 2.0**-99 else 31
        return cls(most, min(round(each * 2**down * 2**shift), 2**16 - 1), down, shift)

    def powers(self, differences: NDArray[np.int64]) -> NDArray[np.int64]:
        """2^16 times 2 to the power of minus each difference in octaves."""
        near = np.minimum(differences, self.most)
        steps = np.minimum(((near >> self.down) * self.multiplier) >> self.shift, MOST_STEPS)
        power = np.full(steps.shape, 2**16, np.int64)
        for i, root in enumerate(ROOTS):
            power = np.where((steps >> i) & 1, (power * root) >> 16, power)
        return np.where((differences > self.most) | (steps >= MOST_STEPS), 0, power >> (steps >> 8))


def softmax(scores: NDArray[np.int32], scale: float) -> NDArray[np.uint16]:
    """Probabilities of scores (n, classes) in 1/65,535, (n, classes) uint16; ``scale`` makes a score a logit."""
    wide = scores.astype(np.int64)
    powers = Octaves.of_scale(scale).powers(wide.max(axis=1, keepdims=True) - wide)
    shares: NDArray[np.uint16] = (powers * SURE // powers.sum(axis=1, keepdims=True)).astype(np.uint16)
    return shares


def least_probability(rejection: float) -> int:
    """A threshold of probabilities as `softmax` gives them: what is less is unknown."""
    return math.ceil(round(rejection * SURE, 6))  # a fraction that `softmax` gave is itself


def classes_or_unknown(scores: NDArray[np.int32], scale: float, rejection: float | None) -> NDArray[np.int64]:
    """Classes of scores (n, classes), (n,) int64; UNKNOWN where the probability is below ``rejection``."""
    classes: NDArray[np.int64] = np.argmax(scores, axis=1)
    if rejection is None:
        return classes
    best = softmax(scores, scale).max(axis=1)
    return np.where(best < least_probability(rejection), UNKNOWN, classes)
