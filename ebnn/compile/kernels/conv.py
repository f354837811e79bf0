"""Convolutions of integers, their patches gathered, that end in thresholds: ``conv.h``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ...model.layers import Block, Layer
from ...model.transforms import Normalize, Sign
from ..options import Options
from ..target import Target
from .kernel import MOST_TAPS, Arrays, Kernel, Work, can_group, flips, threshold_arrays, weights_array
from .structs import CONV
from .window import GatheredConv, Patches

_CORRELATION = 0.4  # of neighbouring sums of an image, from none (0) to all alike (1): as MNIST's are, 0.2 to 0.6
_RARELY = 1e-6


@dataclass(frozen=True)
class ConvSign(GatheredConv):
    """Sums of integers against thresholds; a window that is settled early skips filters."""

    octets: bool = False
    wide: bool = False

    def runs(self, layer: Layer) -> bool:
        if not (super().runs(layer) and layer.kind.whole and isinstance(layer.transform, Sign)):
            return False
        if not self.packed or self.wide:
            return True
        if self.octets and layer.input.shape.channels % 8 != 0:
            return False
        # Filters are skipped one by one only.
        return layer.taps <= MOST_TAPS and (not self.grouped or (layer.pool is None and can_group(layer)))

    def chosen(self, layer: Layer, options: Options) -> bool:
        return not options.in_float(layer) and (not self.grouped or options.optimize.grouped)

    def constants(self, layer: Layer, options: Options, target: Target) -> Arrays:
        any_sum = self.wide or not self.packed
        return {"weights": weights_array(layer, self.grouped), **threshold_arrays(layer, any_sum)}

    def work(self, layer: Layer, target: Target, fired: float | None = None) -> Work:
        patches = Patches(layer)
        tests = patches.count * layer.outputs * (fraction_tested(layer, layer.index == 0) if fired is None else fired)
        pixels = layer.output_shape.height * layer.output_shape.width
        work: Work = {"layers": 1, "pixels": pixels, "patches": patches.count, "flips": pixels * flips(layer)}
        if self.packed:
            return work | patches.bits_work(1, tests, self.grouped, self.octets)
        return work | patches.bytes_work(1, tests)


def fraction_tested(block: Block, first: bool = False) -> float:
    """The fraction of the comparisons in a pooling window that are made before one of them settles the output.

    How often an output fires follows from its batch normalisation, which makes the maximum a normal variable over the
    training data; where that is not known, every second one does. The positions of a window are taken for partly alike
    in the ``first`` block, on an image, and for independent behind it, as measured with the networks trained on MNIST.
    """
    positions = math.prod(block.pool.size) if block.pool is not None else 1
    if positions == 1:
        return 1.0
    fires = np.clip(_fires(block), _RARELY, 1 - _RARELY)  # (outputs,)
    one = 1 - (1 - fires) ** (1 / positions)
    apart, alike = fires / one, fires + (1 - fires) * positions
    correlation = _CORRELATION if first else 0.0
    return float(np.mean(correlation * alike + (1 - correlation) * apart)) / positions


def _fires(block: Block) -> NDArray[np.float64]:
    """Probability that an output's comparison is true somewhere in its window, (outputs,)."""
    transform = block.transform
    normalize = transform.normalize if isinstance(transform, Sign) else None
    if not isinstance(transform, Sign) or not isinstance(normalize, Normalize):
        return np.full(block.outputs, 0.5)
    spread = np.maximum(np.abs(normalize.gamma.astype(np.float64)), _RARELY)
    ones = np.array([NormalDist().cdf(float(ratio)) for ratio in normalize.beta / spread])
    return np.where(transform.below, 1 - ones, ones)


_BITS, _OCTETS, _BYTES = "ebnn_gather_bits", "ebnn_gather_octets", "ebnn_gather_bytes"
_EACH, _FOURS, _SUMS = "ebnn_compare_each", "ebnn_compare_fours", "ebnn_compare_sums"
_ONES = ("ones",)

KERNELS: tuple[Kernel, ...] = (
    ConvSign(
        *("conv_octets_4", CONV, "ebnn_conv", (_OCTETS, _FOURS), (_EACH, *_ONES)),
        packed=True,
        octets=True,
        grouped=True,
    ),
    ConvSign("conv_octets", CONV, "ebnn_conv", (_OCTETS, _EACH), _ONES, packed=True, octets=True),
    ConvSign("conv_bits_4", CONV, "ebnn_conv", (_BITS, _FOURS), (_EACH, *_ONES), packed=True, grouped=True),
    ConvSign("conv_bits", CONV, "ebnn_conv", (_BITS, _EACH), _ONES, packed=True),
    ConvSign("conv_wide", CONV, "ebnn_conv", (_BITS, _SUMS), (), measured="conv_bits", packed=True, wide=True),
    ConvSign("conv_bytes", CONV, "ebnn_conv", (_BYTES, _SUMS)),
)
