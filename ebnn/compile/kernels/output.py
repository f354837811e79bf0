"""The last layer: ``output.h``."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.layers import Layer
from ..options import Options
from ..target import Target
from .dense import Dense
from .kernel import Arrays, Kernel, score_arrays, weights_array
from .structs import OUTPUT


@dataclass(frozen=True)
class Output(Dense):
    """The last layer: scores, and the class."""

    def runs(self, layer: Layer) -> bool:
        return super().runs(layer) and layer.kind.whole and layer.transform.last

    def chosen(self, layer: Layer, options: Options) -> bool:
        return not self.grouped or options.optimize.grouped

    def constants(self, layer: Layer, options: Options, target: Target) -> Arrays:
        return {"weights": weights_array(layer, self.grouped), **score_arrays(layer)}


KERNELS: tuple[Kernel, ...] = (
    Output("output_bits_4", OUTPUT, "ebnn_output_bits_4", (), ("ones",), packed=True, grouped=True),
    Output("output_bits", OUTPUT, "ebnn_output_bits", (), ("ones",), packed=True),
    Output("output_bytes", OUTPUT, "ebnn_output_bytes"),
)
