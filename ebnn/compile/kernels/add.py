"""Sums of values times weights of ±1 that no quicker kernel takes: ``add.h``."""

from __future__ import annotations

from ...model.kinds import BITS, INT8, UINT8
from ...model.layers import Conv, Dense, Layer
from ...model.transforms import Sign
from ...model.weights import BINARY
from ..target import Target
from .integer import FINDS, IntegerKernel, each_end
from .kernel import Array, Arrays, Work, takes_signs, weight_stream
from .structs import INTEGER, patch_taps

WORD_BITS = 32


class Add(IntegerKernel):
    """Convolutions and dense layers, filter by filter."""

    def runs(self, layer: Layer) -> bool:
        quicker = isinstance(layer.transform, Sign) or (layer.is_dense and layer.transform.last)
        return super().runs(layer) and not (takes_signs(layer) and quicker)

    @property
    def found(self) -> str:
        return "bits" if self.kind.packed else super().found

    def sums_work(self, layer: Layer, patches: int) -> Work:
        """Words of bits are counted, bytes are added up."""
        if not self.kind.packed:
            return super().sums_work(layer, patches)
        sums = patches * layer.outputs
        return {"sums": sums, "words": sums * -(-patch_taps(layer) // WORD_BITS)}

    def weight_arrays(self, layer: Layer, target: Target) -> Arrays:
        comment = f"{layer.outputs} filters of {layer.taps} bits (height×width×input), each whole words"
        return {"weights": Array(weight_stream(layer), comment)}


KERNELS: tuple[IntegerKernel, ...] = tuple(
    kernel
    for kind in (UINT8, INT8, BITS)
    for part in (Conv, Dense)
    for here in (part is Dense and not kind.packed,)
    for kernel in each_end(
        Add(
            *(f"{part.name}_add_{kind}", INTEGER, "ebnn_integer"),
            part=part,
            kind=kind,
            weights=BINARY,
            here=here,
            parts=("ones",) if kind.packed else (),
            measured="add_bits" if kind.packed else "add_bytes",
        ),
        "ebnn_find_bits" if kind.packed else "ebnn_find_all" if here else FINDS[kind],
        "ebnn_add",
    )
    if part is Conv or kernel.end in ("narrow", "wide")  # a dense layer has no pool: its signs and scores are quicker
)
