"""Sums of bytes, or bits as bytes, times weights of 8 bits: ``multiply.h``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...model.kinds import BITS, INT8, UINT8
from ...model.layers import Conv, Dense, Layer
from ...model.weights import INT8_WEIGHTS
from ..target import WORDS, Target
from .integer import IntegerKernel, each_end, takes
from .kernel import Array, Arrays, Work, byte_words
from .structs import INTEGER

OFFSET = 128  # added to a weight, so that it is an unsigned byte
FOUR = 4  # filters whose weights lie side by side where there are words
CHUNK = 256  # taps whose weights lie together where there are none; EBNN_MULTIPLY_CHUNK of multiply_avr.h


class Multiply(IntegerKernel):
    """Convolutions and dense layers, some filters at a time."""

    @property
    def find(self) -> str:
        if self.here:
            return "ebnn_find_factors_here"
        return "ebnn_find_signs_as_factors" if self.kind.packed else "ebnn_find_factors"

    def work(self, layer: Layer, target: Target, fired: float | None = None) -> Work:
        work = super().work(layer, target, fired)
        if target.lanes == WORDS.lanes:
            return work
        pairs, singles = takes(layer)
        filters = max(layer.outputs, 2)
        by_two = 2 * (-filters % 3)
        return {name.replace("bytes_", "factors_"): count for name, count in work.items()} | {
            "products": 2 * pairs * (filters - by_two) * layer.taps,
            "products_of_one": singles * filters * layer.taps,
            "rest_products": 2 * pairs * by_two * layer.taps,
        }

    def sums_work(self, layer: Layer, patches: int) -> Work:
        """With words: products of two patches or of one, of filters side by side or, the last ones, alone."""
        pairs, singles = takes(layer)
        rest = layer.outputs % FOUR
        side_by_side = (layer.outputs - rest) * layer.taps
        return {
            "sums": patches * layer.outputs,
            "products": 2 * pairs * side_by_side,
            "products_of_one": singles * side_by_side,
            "rest_products": patches * rest * layer.taps,
        }

    def weight_arrays(self, layer: Layer, target: Target) -> Arrays:
        comment = "weight + 128; some filters at a time side by side, in the order of multiply.h"
        return {"weights": Array(multiplied_weights(layer, target), comment, by_target=True)}


def multiplied_weights(layer: Layer, target: Target) -> NDArray[np.uint32]:
    """The weights of a layer as the device has them, whole words: (words,) uint32."""
    weights = (layer.weights.reshape(layer.outputs, -1).astype(np.int16) + OFFSET).astype(np.uint8)
    return byte_words(_by_fours(weights) if target.lanes == WORDS.lanes else _by_threes(weights, layer.kind.signed))


def _by_fours(weights: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Tap after tap of four filters side by side, the last filters one after the other, of (filters, taps).

    Four taps at a time are in the order of EBNN_WEIGHT in ``multiply_words.h``.
    """
    taps = weights.shape[1]
    whole, even = len(weights) // FOUR * FOUR, taps // 4 * 4
    groups = weights[:whole].reshape(-1, FOUR, taps)
    # (groups, filter pair, filter, four taps, tap pair, tap) → four taps, tap, filter pair, tap pair, filter
    paired = groups[:, :, :even].reshape(len(groups), 2, 2, even // 4, 2, 2).transpose(0, 3, 5, 1, 4, 2)
    rest = groups[:, :, even:].transpose(0, 2, 1)
    first = np.concatenate([each.reshape(len(groups), each[:1].size) for each in (paired, rest)], axis=1)
    return np.concatenate([first.ravel(), weights[whole:].ravel()])


def _by_threes(weights: NDArray[np.uint8], signed: bool) -> NDArray[np.uint8]:
    """By CHUNK taps: tap after tap of three filters side by side, the last ones two, of (filters, taps).

    One filter has an empty one beside it. Before the taps of ``signed`` values stand 24 bits for each filter: −128
    times the sum of its weights.
    """
    if len(weights) == 1:
        weights = np.concatenate([weights, np.zeros_like(weights)])
    twos = -len(weights) % 3
    threes = (len(weights) - 2 * twos) // 3
    ends = np.cumsum([3] * threes + [2] * twos)
    parts = []
    for first in range(0, weights.shape[1], CHUNK):
        chunk = weights[:, first : first + CHUNK]
        starts = (-OFFSET * chunk.sum(axis=1, dtype=np.int64)).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3]
        for end, group in zip(ends, np.split(chunk, ends[:-1]), strict=True):
            parts += [starts[end - len(group) : end].ravel()] if signed else []
            parts.append(group.T.ravel())
    return np.concatenate(parts)


KERNELS: tuple[IntegerKernel, ...] = tuple(
    kernel
    for kind in (UINT8, INT8, BITS)
    for part in (Conv, Dense)
    for here in (part is Dense and not kind.packed,)
    for kernel in each_end(
        Multiply(
            *(f"{part.name}_multiply_{kind}", INTEGER, "ebnn_integer"),
            part=part,
            kind=kind,
            weights=INT8_WEIGHTS,
            here=here,
            measured="multiply",
        ),
        "ebnn_multiply_signed" if kind.signed else "ebnn_multiply",
    )
)
