"""Convolutions that gather the patch under the kernel: ``layers.h``, in the float arithmetic ``float_layers.h``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ...model import bits
from ...model.layers import NO_POOL, Block, Conv, Layer
from ...model.transforms import Normalize, Sign
from ..options import Options
from ..target import Target
from .kernel import (
    MOST_TAPS,
    Arrays,
    Kernel,
    Work,
    can_group,
    counting,
    flips,
    normalization_arrays,
    threshold_arrays,
    weights_array,
)
from .structs import CONV

_CORRELATION = 0.4  # of neighbouring sums of an image, from none (0) to all alike (1): as MNIST's are, 0.2 to 0.6
_RARELY = 1e-6


@dataclass(frozen=True)
class _GatheredConv(Kernel):
    """What the convolutions share that gather patches of bits, or of bytes and floats."""

    packed: bool = False

    def runs(self, layer: Layer) -> bool:
        return isinstance(layer.linear, Conv) and layer.kind.packed == self.packed

    def scratch(self, layer: Layer, target: Target) -> int:
        """The patch, and a mask of what of it lies in the image."""
        assert isinstance(layer.linear, Conv)
        if not self.packed:
            return layer.taps * layer.kind.bits // 8
        return bits.round_to_words(bits.row_bytes(layer.taps)) * (2 if layer.linear.padded else 1)


@dataclass(frozen=True)
class ConvSign(_GatheredConv):
    """Sums of integers against thresholds; a window that is settled early skips filters."""

    grouped: bool = False
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


@dataclass(frozen=True)
class ConvNormalize(_GatheredConv):
    """Sums of integers or floats in the float arithmetic; on integers each output gathers its patches anew."""

    whole: bool = True

    def runs(self, layer: Layer) -> bool:
        return super().runs(layer) and layer.kind.whole == self.whole

    def chosen(self, layer: Layer, options: Options) -> bool:
        return options.in_float(layer)

    def constants(self, layer: Layer, options: Options, target: Target) -> Arrays:
        return {"weights": weights_array(layer, False), **normalization_arrays(layer)}

    def work(self, layer: Layer, target: Target, fired: float | None = None) -> Work:
        patches = Patches(layer)
        pixels, filters = layer.output_shape.height * layer.output_shape.width, layer.outputs
        sums = patches.count * filters
        if not self.whole:
            assert isinstance(layer.linear, Conv)
            places = sums * layer.linear.kernel[0] * layer.linear.kernel[1]
            counts = {"outputs": pixels * filters, "sums": sums, "places": places, "taps": sums * layer.taps}
            inside = filters * patches.inside
            return {"layers": 1, "pixels": pixels, "patches": patches.count, **counts, "taps_inside": inside}
        work: Work = {"layers": 1, "outputs": pixels * filters}
        if self.packed:
            return work | patches.bits_work(filters, float(sums), False, False)
        return work | patches.bytes_work(filters, float(sums))


class Patches:
    """The patches that a convolution gathers for one sample, each as often as a pooling window needs it."""

    def __init__(self, layer: Layer) -> None:
        assert isinstance(layer.linear, Conv)
        self.layer, self.conv = layer, layer.linear
        self.rows = list(_positions(layer, 0))
        self.columns = list(_positions(layer, 1))

    @property
    def count(self) -> int:
        return len(self.rows) * len(self.columns)

    @cached_property
    def height(self) -> int:
        """Rows of the image under the kernel, of one column of patches together."""
        return sum(end - begin for begin, end, _ in self.rows)

    @cached_property
    def inside(self) -> int:
        """Values that lie in the image."""
        width = sum(end - begin for begin, end, _ in self.columns)
        return self.height * width * self.layer.input.shape.channels

    def bytes_work(self, gathers: int, tests: float) -> Work:
        """Bytes gathered so many times, and summed up in ``tests`` filters."""
        return {
            "rows": gathers * self.height * len(self.columns),
            "tests": tests,
            "skips": self.count * self.layer.outputs - tests,
            "patch_bytes": gathers * self.count * self.layer.taps,
            "gathered": gathers * self.inside,
            "taps": tests * self.layer.taps,
            "ones": tests * float(self.conv.weights.sum()) / self.layer.outputs,
        }

    def bits_work(self, gathers: int, tests: float, grouped: bool, octets: bool) -> Work:
        """Bits gathered so many times, and compared in ``tests`` filters: masked where the kernel overhangs."""
        filters, words = self.layer.outputs, self.layer.filter_words
        whole = sum(end - begin == self.conv.kernel[0] for begin, end, _ in self.rows) * sum(
            end - begin == self.conv.kernel[1] for begin, end, _ in self.columns
        )
        masked = 1 - whole / self.count
        work: Work = {"rows": gathers * self.height * len(self.columns)}
        work["masked_patches"] = gathers * (self.count - whole)
        if octets:
            work["bytes"] = gathers * self.inside // 8
        else:
            channels = self.layer.input.shape.channels
            work["patch_bytes"] = gathers * (2 * self.count - whole) * words * 4
            work["bytes"] = gathers * self.height * sum(_bytes_across(channels, column) for column in self.columns)
        work |= counting(tests * (1 - masked), words, filters, grouped)
        for name, count in counting(tests * masked, words, filters, grouped).items():
            work[f"masked_{name}"] = count
        return work | {"skips": self.count * filters - tests}


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


def _positions(layer: Layer, axis: int) -> Iterator[tuple[int, int, int]]:
    """Along one axis, for each output and each position of its window: the image's (begin, end) under the kernel, and
    which of the kernel's own rows or columns falls on ``begin``."""
    assert isinstance(layer.linear, Conv)
    conv, pool = layer.linear, layer.pool or NO_POOL
    side, map_side, outputs = (shape[1 + axis] for shape in (layer.input.shape, layer.map_shape, layer.output_shape))
    size, stride, pad = conv.kernel[axis], conv.stride[axis], conv.pad[axis]
    for output in range(outputs):
        start = output * pool.stride[axis] - pool.pad[axis]
        for at in range(max(start, 0), min(start + pool.size[axis], map_side)):
            corner = at * stride - pad
            begin = min(max(corner, 0), side)
            yield begin, min(max(corner + size, 0), side), begin - corner


def _bytes_across(channels: int, column: tuple[int, int, int]) -> int:
    """Bytes that hold the bits of one row of a patch."""
    begin, end, _ = column
    return (end * channels + 7) // 8 - begin * channels // 8 if end > begin else 0


_BITS, _OCTETS, _BYTES = "ebnn_gather_bits", "ebnn_gather_octets", "ebnn_gather_bytes"
_EACH, _FOURS, _SUMS = "ebnn_compare_each", "ebnn_compare_fours", "ebnn_compare_sums"
_ONES = ("ones",)

FLOAT_KERNELS: tuple[Kernel, ...] = (
    ConvNormalize("conv_float", CONV, "ebnn_conv_float", (), ("float",), takes="float", whole=False),
    ConvNormalize("conv_float_bits", CONV, "ebnn_conv_float", (), ("float", *_ONES), packed=True),
    ConvNormalize("conv_float_bytes", CONV, "ebnn_conv_float", (), ("float",)),
)

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
