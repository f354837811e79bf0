"""Sums of values times weights of ±1 that no quicker kernel takes: ``add.h``."""

from __future__ import annotations

from dataclasses import dataclass

from ...model import bits
from ...model.kinds import BITS, INT8, UINT8, Kind
from ...model.layers import Conv, Dense, Layer
from ...model.transforms import Sign
from ...model.weights import BINARY
from ..target import Target
from .integer import IntegerKernel, each_end, takes
from .kernel import GROUP, MOST_WORDS, Array, Arrays, Work, interleaved, takes_signs
from .structs import INTEGER, patch_taps

WORD_BITS = 32


@dataclass(frozen=True)
class Add(IntegerKernel):
    """Convolutions and dense layers.

    ``octets``: whether the channels of its bits take whole bytes.
    """

    octets: bool = False

    def runs(self, layer: Layer) -> bool:
        quicker = isinstance(layer.transform, Sign) or (layer.is_dense and layer.transform.last)
        if self.octets and layer.input.shape.channels % 8 != 0:
            return False
        return super().runs(layer) and not (takes_signs(layer) and quicker)

    @property
    def found(self) -> str:
        if self.octets:
            return "octets"
        return "bits" if self.kind.packed else super().found

    def sums_work(self, layer: Layer, patches: int) -> Work:
        """Words of bits are counted, of four filters or of one; bytes are looked up by fours in tables, or added."""
        sums, rest = patches * layer.outputs, patches * (layer.outputs % GROUP)
        if self.kind.packed:
            words = -(-patch_taps(layer) // WORD_BITS)
            return {"sums": sums, "words_of_four": (sums - rest) * words, "words": rest * words}
        count, fours = sum(takes(layer)), -(-layer.taps // 4)
        return {
            "sums": sums,
            "products": sums * layer.taps,
            "tables": count * fours,
            "looked_up": count * fours * layer.outputs,
            "written": count * -(-fours // 4) * layer.outputs,
        }

    def weight_arrays(self, layer: Layer, target: Target) -> Arrays:
        comment = f"{layer.outputs} filters of {layer.taps} bits (height×width×input), each whole words"
        words = bits.pack_words(layer.weights.reshape(layer.outputs, -1))
        grouped = self.kind.packed and target.lanes == 2 and words.shape[1] <= MOST_WORDS
        if grouped:
            return {"weights": Array(interleaved(words), f"{comment}; {GROUP} word beside word", by_target=True)}
        return {"weights": Array(words.ravel(), comment, by_target=self.kind.packed)}


def _kernels(kind: Kind, part: type[Conv] | type[Dense], octets: bool = False) -> tuple[IntegerKernel, ...]:
    here = part is Dense and not kind.packed
    found = "octets" if octets else str(kind)
    kernel = Add(
        *(f"{part.name}_add_{found}", INTEGER, "ebnn_integer"),
        part=part,
        kind=kind,
        weights=BINARY,
        here=here,
        octets=octets,
        parts=("ones",) if kind.packed else (),
        measured=f"add_{found if kind.packed else 'bytes'}",
    )
    ends = each_end(kernel, "ebnn_add_bits" if kind.packed else "ebnn_add_bytes")
    # A dense layer has no pool: its signs and scores are quicker.
    return tuple(each for each in ends if part is Conv or each.end in ("narrow", "wide"))


KERNELS: tuple[IntegerKernel, ...] = (
    *_kernels(UINT8, Conv),
    *_kernels(UINT8, Dense),
    *_kernels(INT8, Conv),
    *_kernels(INT8, Dense),
    *_kernels(BITS, Conv, octets=True),
    *_kernels(BITS, Dense, octets=True),
    *_kernels(BITS, Conv),
    *_kernels(BITS, Dense),
)
