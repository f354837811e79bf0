"""Dense layers in the float arithmetic: ``dense_float.h``."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.layers import Layer
from ...model.transforms import Normalize, Sign
from ..options import Options
from ..target import Target
from .dense import Dense
from .kernel import Arrays, Kernel, Work, normalization_arrays, weights_array
from .structs import DENSE


@dataclass(frozen=True)
class DenseNormalize(Dense):
    """Sums of integers or floats in the float arithmetic."""

    whole: bool = True

    def runs(self, layer: Layer) -> bool:
        ends = isinstance(layer.transform, Sign | Normalize)
        return super().runs(layer) and layer.kind.whole == self.whole and ends

    def chosen(self, layer: Layer, options: Options) -> bool:
        return options.in_float(layer)

    def constants(self, layer: Layer, options: Options, target: Target) -> Arrays:
        return {"weights": weights_array(layer, False), **normalization_arrays(layer)}

    def work(self, layer: Layer, target: Target, fired: float | None = None) -> Work:
        if self.whole:
            return super().work(layer, target)
        return {"layers": 1, "outputs": layer.outputs, "taps": layer.weights.size}


KERNELS: tuple[Kernel, ...] = (
    DenseNormalize("dense_float", DENSE, "ebnn_dense_float", (), ("float",), takes="float", whole=False),
    DenseNormalize("dense_float_bits", DENSE, "ebnn_dense_float", (), ("float", "ones"), packed=True),
    DenseNormalize("dense_float_bytes", DENSE, "ebnn_dense_float", (), ("float",)),
)
