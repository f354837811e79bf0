"""Packing of bits into bytes and words: the only place that knows bit order.

A stored bit 1 means +1. Bit ``i`` of a stream is bit ``i % 8`` of byte ``i // 8``, least significant first, so bytes
and little-endian 32-bit words are two views of the same memory. Padding bits are 0.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

WORD_BYTES = 4


def row_bytes(bits: int) -> int:
    """Bytes that a stream of ``bits`` bits takes."""
    return -(-bits // 8)


def round_to_words(size: int) -> int:
    """``size`` bytes, rounded up to whole 32-bit words, in bytes."""
    return -(-size // WORD_BYTES) * WORD_BYTES


def pack(bits: ArrayLike) -> NDArray[np.uint8]:
    """Packs the last axis: (..., n) of truth values → (..., ⌈n/8⌉) uint8."""
    return np.packbits(np.asarray(bits, dtype=bool), axis=-1, bitorder="little")


def unpack(packed: NDArray[np.uint8], count: int) -> NDArray[np.bool_]:
    """The first ``count`` bits of the last axis: (..., bytes) uint8 → (..., count) bool."""
    return np.unpackbits(packed, axis=-1, count=count, bitorder="little").astype(bool)


def pack_words(bits: ArrayLike) -> NDArray[np.uint32]:
    """Packs the last axis into whole 32-bit words: (..., n) of truth values → (..., ⌈n/32⌉) uint32."""
    packed = pack(bits)
    padding = round_to_words(packed.shape[-1]) - packed.shape[-1]
    packed = np.pad(packed, [(0, 0)] * (packed.ndim - 1) + [(0, padding)])
    return np.ascontiguousarray(packed).view("<u4").astype(np.uint32, copy=False)


def unpack_shape(packed: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.bool_]:
    """What `pack` made of values of ``shape``, flattened. Raises ValueError where ``packed`` is something else."""
    count = math.prod(shape)
    if min(shape) < 1 or packed.ndim != 1 or packed.dtype != np.uint8 or len(packed) != row_bytes(count):
        raise ValueError(f"packed bits of shape {packed.shape} are not {shape} values")
    return unpack(packed, count).reshape(shape)
