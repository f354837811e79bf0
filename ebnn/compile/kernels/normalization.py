"""What kernels of the float arithmetic share: sums that a batch normalisation in float ends."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.layers import Layer
from ...model.transforms import Normalize, Sign
from ..options import Options
from ..target import Target
from .kernel import Arrays, Kernel, normalization_arrays, weights_array


@dataclass(frozen=True)
class NormalizeKernel(Kernel):
    """Sums of integers or, where they are not ``whole``, of floats, ended in the float arithmetic."""

    whole: bool = True

    def ends(self, layer: Layer) -> bool:
        """Whether such sums end the layer."""
        return isinstance(layer.transform, Sign | Normalize) and layer.kind.whole == self.whole

    def chosen(self, layer: Layer, options: Options) -> bool:
        return options.in_float(layer)

    def constants(self, layer: Layer, options: Options, target: Target) -> Arrays:
        return {"weights": weights_array(layer, False), **normalization_arrays(layer)}
