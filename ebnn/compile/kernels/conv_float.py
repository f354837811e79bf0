"""Convolutions in the float arithmetic: ``conv_float.h``."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.layers import Conv, Layer
from ..target import Target
from .kernel import Kernel, Work
from .normalization import NormalizeKernel
from .structs import CONV
from .window import GatheredConv, Patches


@dataclass(frozen=True)
class ConvNormalize(NormalizeKernel, GatheredConv):
    """Sums of integers or floats in the float arithmetic; on integers each output gathers its patches anew."""

    def runs(self, layer: Layer) -> bool:
        return super().runs(layer) and self.ends(layer)

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


KERNELS: tuple[Kernel, ...] = (
    ConvNormalize("conv_float", CONV, "ebnn_conv_float", (), ("float",), takes="float", whole=False),
    ConvNormalize("conv_float_bits", CONV, "ebnn_conv_float", (), ("float", "ones"), packed=True),
    ConvNormalize("conv_float_bytes", CONV, "ebnn_conv_float", (), ("float",)),
)
