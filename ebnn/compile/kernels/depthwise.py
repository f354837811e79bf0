"""Sums of each channel alone, by weights or by none: ``depthwise.h``."""

from __future__ import annotations

from ...model import bits
from ...model.kinds import BITS, INT8, UINT8
from ...model.layers import Depthwise, Identity, Layer
from ...model.weights import BINARY, INT8_WEIGHTS
from ..target import WORDS, Target
from .integer import IntegerKernel, each_end
from .kernel import Array, Arrays, Work, byte_words
from .structs import INTEGER


class DepthwiseKernel(IntegerKernel):
    """A depthwise convolution, all channels in turn at each place of its kernel."""

    def work(self, layer: Layer, target: Target, fired: float | None = None) -> Work:
        work = super().work(layer, target, fired)
        if self.weights is BINARY and target.lanes == WORDS.lanes and layer.outputs % 4 != 0:
            work["products_alone"] = work.pop("products")
        return work

    def sums_work(self, layer: Layer, patches: int) -> Work:
        """Products of channels with one filter each, four at a time where there are so many, or with more filters."""
        channels = layer.input.shape.channels
        alone = layer.outputs == channels
        side_by_side = 0 if not alone else channels if self.weights is BINARY else channels // 4 * 4
        return {
            "sums": patches * layer.outputs,
            "products": patches * side_by_side * layer.taps,
            "rest_products": patches * (layer.outputs - side_by_side) * layer.taps,
        }

    def weight_arrays(self, layer: Layer, target: Target) -> Arrays:
        weights = layer.weights.reshape(layer.outputs, -1).T  # (taps, outputs)
        comment = f"{layer.taps} taps (height×width) of {layer.outputs} filters"
        if self.weights is BINARY:
            return {"weights": Array(bits.pack_words(weights.ravel()), f"{comment}, bits")}
        return {"weights": Array(byte_words(weights.ravel()), comment)}


class Values(IntegerKernel):
    """No weights."""

    def sums_work(self, layer: Layer, patches: int) -> Work:
        return {"sums": patches * layer.outputs}

    def weight_arrays(self, layer: Layer, target: Target) -> Arrays:
        return {}


_SUMS = {INT8_WEIGHTS: "ebnn_depthwise", BINARY: "ebnn_depthwise_bits"}

KERNELS: tuple[IntegerKernel, ...] = tuple(
    kernel
    for kind in (UINT8, INT8, BITS)
    for weights, sums in _SUMS.items()
    for kernel in each_end(
        DepthwiseKernel(
            *(f"depthwise_{'add' if weights is BINARY else 'multiply'}_{kind}", INTEGER, "ebnn_integer"),
            part=Depthwise,
            kind=kind,
            weights=weights,
            measured="depthwise_bits" if weights is BINARY else "depthwise",
        ),
        sums,
    )
) + tuple(
    kernel
    for kind in (UINT8, INT8, BITS)
    for kernel in each_end(
        Values(f"values_{kind}", INTEGER, "ebnn_integer", part=Identity, kind=kind, measured="values"),
        "ebnn_values",
    )
)
