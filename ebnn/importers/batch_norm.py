"""Bias and batch normalisation as the original eBNN's C has them, and where along the sums their sign changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import LoweringError
from ..model.thresholds import find_change
from ..model.transforms import Normalize


@dataclass(frozen=True, eq=False)
class BatchNorm:
    """eBNN's constants, each (outputs,) float32. It divides by ``std``, the root of the variance without eps."""

    bias: NDArray[np.float32]
    gamma: NDArray[np.float32]
    beta: NDArray[np.float32]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]

    def __call__(self, acc: NDArray[np.float32]) -> NDArray[np.float32]:
        """What becomes of sums (…, outputs) float32: one float32 operation after the other, in eBNN's order."""
        with np.errstate(all="ignore"):  # infinite and NaN, as in C
            y: NDArray[np.float32] = acc + self.bias
            y -= self.mean
            y /= self.std
            y *= self.gamma
            y += self.beta
        return y


@dataclass(frozen=True, eq=False)
class Cuts:
    """Where the sign changes, per output: +1 from ``at`` on (upwards, or downwards where ``below``), ``at`` included.

    Where ``constant`` is not 0, the sign is +1 or −1 for every sum, and ``at`` is 0. All (outputs,).
    """

    at: NDArray[np.float32]
    below: NDArray[np.bool_]
    constant: NDArray[np.int8]


def find_cuts(batch_norm: BatchNorm, reach: float, name: str) -> Cuts:
    """The cuts along all float32 sums from −reach to reach, asked from the batch normalisation itself.

    It is monotone in its sum, rounding included: also where ``std`` is 0, and all but one sum become infinite. Only
    0 times infinite is not; LoweringError, with the layer's ``name``, where that can occur.
    """

    def sign(places: NDArray[np.int64]) -> NDArray[np.bool_]:
        return batch_norm(_float_at(places)) >= 0

    reached = _place_of(reach)
    places = np.full(len(batch_norm.bias), reached, np.int64)
    ends = np.stack([batch_norm(_float_at(-places)), batch_norm(_float_at(places))])
    undefined = np.isnan(ends).any(axis=0) & (batch_norm.std != 0)
    if undefined.any():
        raise LoweringError(
            f"{name}: output {int(undefined.argmax())} has gamma {batch_norm.gamma[undefined][0]} and std "
            f"{batch_norm.std[undefined][0]}: eBNN's own C multiplies 0 by an infinite value there"
        )
    change = find_change(sign, reached, len(places))
    at = np.where(change.constant == 0, _float_at(change.at), np.float32(0))
    return Cuts(at, change.below, change.constant)


def as_normalize(cuts: Cuts) -> Normalize:
    """A normalisation with the same signs, exactly: the difference from the cut, which is 0 only at the cut."""
    zeros = np.zeros(len(cuts.at), np.float32)
    return Normalize(
        bias=zeros,
        mean=cuts.at,
        inv_std=np.ones(len(cuts.at), np.float32),
        gamma=np.where(cuts.constant != 0, 0, np.where(cuts.below, -1, 1)).astype(np.float32),
        beta=cuts.constant.astype(np.float32),
    )


def _place_of(value: float) -> int:
    """A positive float32's place among all float32 values in order, 0 being 0."""
    return int(np.array(value, np.float32).view(np.int32))


def _float_at(places: NDArray[np.int64]) -> NDArray[np.float32]:
    """The float32 values at these places, negative ones before 0."""
    magnitudes = np.abs(places).astype(np.int32).view(np.float32)
    return np.where(places < 0, -magnitudes, magnitudes)
