"""Kinds of weights, in one table: how they multiply, and how they lie in files and in memory."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from . import bits
from .arrays import freeze


@dataclass(frozen=True)
class WeightKind:
    """A kind of weights.

    Attributes:
        name: in files, options and messages.
        dtype: in NumPy; it tells the kinds apart.
        bits: that one weight takes in memory.
    """

    name: str
    dtype: DTypeLike
    bits: int

    def __str__(self) -> str:
        return self.name

    @property
    def packed(self) -> bool:
        """Whether weights lie in streams of bits."""
        return self.bits < 8

    def as_numbers(self, weights: NDArray[Any]) -> NDArray[np.float32]:
        """Weights as factors: truth values become −1 and +1."""
        return np.where(weights, np.float32(1), np.float32(-1)) if self.packed else weights.astype(np.float32)

    def magnitudes(self, weights: NDArray[Any]) -> NDArray[np.int64]:
        """The sum of the magnitudes of each output's weights, (outputs,)."""
        if self.packed:
            return np.full(len(weights), weights[0].size, np.int64)
        sums = np.abs(weights.astype(np.int16)).reshape(len(weights), -1).sum(axis=1, dtype=np.int64)
        return np.asarray(sums, np.int64)

    def pack(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Weights as a file holds them, of one axis."""
        return bits.pack(weights.ravel()) if self.packed else weights.ravel()

    def unpack(self, packed: NDArray[Any], shape: list[int]) -> NDArray[Any]:
        """The weights of ``shape`` that `pack` gave. Raises ValueError where their number is another."""
        if self.packed:
            return bits.unpack_shape(packed, shape)
        if packed.shape != (prod(shape),):
            raise ValueError(f"{packed.size} weights for a shape of {shape}")
        return packed.reshape(shape)


BINARY = WeightKind("bits", np.bool_, 1)
INT8_WEIGHTS = WeightKind("int8", np.int8, 8)

WEIGHT_KINDS: dict[str, WeightKind] = {kind.name: kind for kind in (BINARY, INT8_WEIGHTS)}


def weight_kind(weights: NDArray[Any]) -> WeightKind:
    """The kind of frozen ``weights``."""
    return next(kind for kind in WEIGHT_KINDS.values() if np.dtype(kind.dtype) == weights.dtype)


def freeze_weights(owner: object) -> None:
    """Makes ``owner.weights`` (4 axes) read-only, of a kind of weights: int8 stays, all else is truth values."""
    kind = INT8_WEIGHTS if np.asarray(owner.weights).dtype == np.int8 else BINARY  # type: ignore[attr-defined]
    freeze(owner, "weights", kind.dtype, 4)
