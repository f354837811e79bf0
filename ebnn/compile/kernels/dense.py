"""Dense layers of integers that end in thresholds: ``dense.h``; and what all dense layers share."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.layers import Layer
from ...model.transforms import Sign
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
    takes_signs,
    threshold_arrays,
    weights_array,
)
from .structs import DENSE


@dataclass(frozen=True)
class Dense(Kernel):
    """What the kernels of dense layers share: whether they count bits, four filters at a time or one."""

    packed: bool = False

    @property
    def whole_words(self) -> bool:
        return self.packed

    def runs(self, layer: Layer) -> bool:
        fits = layer.kind.packed == self.packed and (not self.grouped or can_group(layer))
        return layer.is_dense and takes_signs(layer) and fits

    def work(self, layer: Layer, target: Target, fired: float | None = None) -> Work:
        work: Work = {"layers": 1}
        if self.packed:
            return work | counting(layer.outputs, layer.filter_words, layer.outputs, self.grouped)
        ones = float(layer.weights.sum())
        return work | {"outputs": layer.outputs, "inputs": layer.taps, "taps": layer.weights.size, "ones": ones}


@dataclass(frozen=True)
class DenseSign(Dense):
    """Sums of integers against thresholds; ``wide`` takes any number of bits."""

    wide: bool = False

    def runs(self, layer: Layer) -> bool:
        fits = not self.packed or self.wide or layer.taps <= MOST_TAPS
        return super().runs(layer) and layer.kind.whole and isinstance(layer.transform, Sign) and fits

    def chosen(self, layer: Layer, options: Options) -> bool:
        return not options.in_float(layer) and (not self.grouped or options.optimize.grouped)

    def constants(self, layer: Layer, options: Options, target: Target) -> Arrays:
        weights = weights_array(layer, self.grouped)
        return {"weights": weights, **threshold_arrays(layer, any_sum=self.wide or not self.packed)}

    def work(self, layer: Layer, target: Target, fired: float | None = None) -> Work:
        return super().work(layer, target) | {"flips": flips(layer)}


_EACH, _FOURS, _SUMS = ("ebnn_compare_each",), ("ebnn_compare_fours",), ("ebnn_compare_sums",)
_ONES = ("ones",)

KERNELS: tuple[Kernel, ...] = (
    DenseSign("dense_bits_4", DENSE, "ebnn_dense", _FOURS, (*_EACH, *_ONES), packed=True, grouped=True),
    DenseSign("dense_bits", DENSE, "ebnn_dense", _EACH, _ONES, packed=True),
    DenseSign("dense_wide", DENSE, "ebnn_dense", _SUMS, (), measured="dense_bits", packed=True, wide=True),
    DenseSign("dense_bytes", DENSE, "ebnn_dense", _SUMS),
)
