"""What kernels of integer sums share, whatever ends them: ``integer.h``, and ``ends.h``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...model.kinds import UINT8, Kind
from ...model.layers import Conv, Layer
from ...model.transforms import Requantize, Scores, Sign
from ...model.weights import WeightKind
from ..options import Options
from ..target import Target
from .kernel import Array, Arrays, Kernel, Work, flip_arrays, flips, threshold_arrays
from .structs import INTEGER, INTEGER_SCORES, kernel_window, patch_bytes, patch_taps

PATCHES = 2  # whose sums are taken at a time; EBNN_PATCHES of integer.h is no more
ENDS = ("signs", "narrow", "wide", "scores")
SHARED_WORK = frozenset(
    {"pooled_sums", *(f"{end}_ended" for end in ENDS)}
    | {f"{found}_{what}" for found in ("bytes", "signs", "bits", "octets") for what in ("rows", "found")}
)
"""Names of the work that is the same whatever sums are of."""
MOST_PATCH_BYTES = 65_532  # a patch is counted in 16 bits, its bytes in whole words
MAX_NARROW_SHIFT = 47  # of 17 bits times 31: by as much, nothing is left


@dataclass(frozen=True)
class IntegerKernel(Kernel):
    """A kernel that gathers patches, takes their sums, pools them and ends the layer.

    Attributes:
        part: the linear part that it runs.
        kind: of its input.
        weights: what it multiplies by; None without weights.
        end: how its layers end: "signs", "narrow", "wide" or "scores".
        here: whether it takes its input, bytes, where it lies: of a dense layer.
    """

    part: type[Any] = Conv
    kind: Kind = UINT8
    weights: WeightKind | None = None
    end: str = "signs"
    here: bool = False

    def runs(self, layer: Layer) -> bool:
        return (
            type(layer.linear) is self.part
            and layer.kind is self.kind
            and layer.weight_kind is self.weights
            and _end_of(layer) == self.end
            and (self.here or fits_patch(layer))
        )

    def chosen(self, layer: Layer, options: Options) -> bool:
        return not options.in_float(layer)

    def constants(self, layer: Layer, options: Options, target: Target) -> Arrays:
        return {**self.weight_arrays(layer, target), **end_arrays(layer)}

    def weight_arrays(self, layer: Layer, target: Target) -> Arrays:
        """The weights."""
        raise NotImplementedError

    def scratch(self, layer: Layer, target: Target) -> int:
        """Sums of the patches and of the window, then the patches."""
        patches = 0 if self.here else PATCHES * patch_bytes(layer)
        return 4 * layer.outputs * (PATCHES + (layer.pool is not None)) + patches

    def work(self, layer: Layer, target: Target, fired: float | None = None) -> Work:
        """Patches, their rows and values, products, and what ends each output."""
        (height, _), _, _ = kernel_window(layer)
        out, pool = layer.output_shape, layer.pool
        pixels = out.height * out.width
        places = layer.map_shape.height * layer.map_shape.width if pool is None else _places(layer)
        return {
            "layers": 1,
            "pixels": pixels,
            "patches": places,
            f"{self.found}_rows": 0 if self.here else places * height,
            f"{self.found}_found": 0 if self.here else places * patch_taps(layer),
            "values": places * patch_taps(layer),
            "pooled_sums": 0 if pool is None else places * layer.outputs,
            f"{self.end}_ended": pixels * layer.outputs,
            "flips": pixels * flips(layer),
            **self.sums_work(layer, places),
        }

    @property
    def found(self) -> str:
        """What its patches are gathered as."""
        return "bytes" if not self.kind.packed else "signs"

    @property
    def find(self) -> str:
        """The function that gathers its patches."""
        return "ebnn_find_all" if self.here else f"ebnn_find_{self.found}"

    def sums_work(self, layer: Layer, patches: int) -> Work:
        """What the sums of so many patches take."""
        raise NotImplementedError


def takes(layer: Layer) -> tuple[int, int]:
    """How often sums are taken of two patches, side by side in a row, and how often of one."""
    if layer.pool is None:
        rows, widths = layer.map_shape.height, [layer.map_shape.width]
    else:
        rows, widths = sum(_inside(layer, 0)), _inside(layer, 1)
    return rows * sum(width // PATCHES for width in widths), rows * sum(width % PATCHES for width in widths)


def _inside(layer: Layer, axis: int) -> list[int]:
    """Of each pooling window along an axis, how much of it lies on the map."""
    assert layer.pool is not None
    size, stride, pad = layer.pool.size[axis], layer.pool.stride[axis], layer.pool.pad[axis]
    starts = [window * stride - pad for window in range(layer.output_shape[1 + axis])]
    return [min(start + size, layer.map_shape[1 + axis]) - max(start, 0) for start in starts]


def fits_patch(layer: Layer) -> bool:
    """Whether 16 bits count the values of a patch and of its rows, and its bytes in whole words."""
    (_, width), _, _ = kernel_window(layer)
    return max(patch_taps(layer), width * layer.input.shape.channels, patch_bytes(layer)) <= MOST_PATCH_BYTES


def _places(layer: Layer) -> int:
    """Positions of all pooling windows on the map."""
    return sum(_inside(layer, 0)) * sum(_inside(layer, 1))


def _end_of(layer: Layer) -> str:
    """The name of what ends a layer."""
    end = layer.transform
    if isinstance(end, Requantize):
        return "narrow" if end.narrow else "wide"
    return {Sign: "signs", Scores: "scores"}.get(type(end), "")


def end_arrays(layer: Layer) -> Arrays:
    """The constants of what ends a layer."""
    end = layer.transform
    if isinstance(end, Sign):
        return {**threshold_arrays(layer, any_sum=True), **flip_arrays(layer)}
    if isinstance(end, Scores):
        offsets = f"per class; score × {end.scale!r} is the trainer's logit"
        return {"multipliers": Array(end.multiplier, "per class"), "biases": Array(end.offset, offsets)}
    assert isinstance(end, Requantize)
    multiplier, shift = end.multiplier, end.shift
    if end.narrow:
        multiplier, shift = multiplier.astype(np.int16), np.minimum(shift, MAX_NARROW_SHIFT)
    return {
        "multipliers": Array(multiplier, "per output"),
        "biases": Array(end.bias, "per output, added to its sum"),
        "shifts": Array(shift, "per output"),
    }


def each_end(kernel: IntegerKernel, sums: str) -> tuple[IntegerKernel, ...]:
    """The kernel with each of the ends; ``sums`` is the function that takes its sums."""
    return tuple(
        replace(
            kernel,
            name=f"{kernel.name}_{end}",
            struct=INTEGER_SCORES if end == "scores" else INTEGER,
            given=(kernel.find, sums, f"ebnn_end_{end}"),
            end=end,
        )
        for end in ENDS
    )
