"""Dense layers in the float arithmetic: ``dense_float.h``."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.layers import Layer
from ..target import Target
from .dense import Dense
from .kernel import Kernel, Work
from .normalization import NormalizeKernel
from .structs import DENSE


@dataclass(frozen=True)
class DenseNormalize(NormalizeKernel, Dense):
    """Sums of integers or floats in the float arithmetic."""

    def runs(self, layer: Layer) -> bool:
        return super().runs(layer) and self.ends(layer)

    def work(self, layer: Layer, target: Target, fired: float | None = None) -> Work:
        if self.whole:
            return super().work(layer, target)
        return {"layers": 1, "outputs": layer.outputs, "taps": layer.weights.size}


KERNELS: tuple[Kernel, ...] = (
    DenseNormalize("dense_float", DENSE, "ebnn_dense_float", (), ("float",), takes="float", whole=False),
    DenseNormalize("dense_float_bits", DENSE, "ebnn_dense_float", (), ("float", "ones"), packed=True),
    DenseNormalize("dense_float_bytes", DENSE, "ebnn_dense_float", (), ("float",)),
)
