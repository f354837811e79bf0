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
GROUP = {1: 2, 2: 4}  # filters whose weights lie side by side, by a target's lanes


class Multiply(IntegerKernel):
    """Convolutions and dense layers, some filters at a time."""

    def sums_work(self, layer: Layer, patches: int) -> Work:
        """Products of two patches or of one, with filters side by side or, the last ones, alone."""
        pairs, singles = takes(layer)
        rest = layer.outputs % GROUP[WORDS.lanes]
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
    """The weights of a layer as the device has them, whole words: (words,) uint32.

    Tap after tap, those of a group of filters side by side; the last filters, fewer than a group, follow one
    after the other. Where there are words, four taps at a time are in the order of EBNN_WEIGHT in ``multiply.h``.
    """
    weights = (layer.weights.reshape(layer.outputs, -1).astype(np.int16) + OFFSET).astype(np.uint8)
    taps, group = weights.shape[1], GROUP[target.lanes]
    whole = layer.outputs // group * group
    groups = weights[:whole].reshape(-1, group, taps)
    even = taps // 4 * 4 if target.lanes == 2 else 0
    # (groups, filter pair, filter, four taps, tap pair, tap) → four taps, tap, filter pair, tap pair, filter
    paired = groups[:, :, :even].reshape(len(groups), group // 2, 2, even // 4, 2, 2).transpose(0, 3, 5, 1, 4, 2)
    rest = groups[:, :, even:].transpose(0, 2, 1)
    sizes = len(groups), even * group, (taps - even) * group
    first = np.concatenate([paired.reshape(sizes[0], sizes[1]), rest.reshape(sizes[0], sizes[2])], axis=1)
    return byte_words(np.concatenate([first.ravel(), weights[whole:].ravel()]))


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
