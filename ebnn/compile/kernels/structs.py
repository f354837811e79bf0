"""The C structs that say a layer to its kernel: their fields, in order, and what a kernel is given beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...model import bits
from ...model.kinds import Pair
from ...model.layers import NO_POOL, Depthwise, Layer, Windowed
from ...model.transforms import Requantize
from ..lines import listed

if TYPE_CHECKING:
    from .kernel import Arrays


@dataclass(frozen=True)
class Struct:
    """A C struct of a layer.

    Attributes:
        name: ``ebnn_NAME_t`` in C; in the tables of costs ``NAME_layer``.
        fields: the lines of its fields, for a layer, the first part of its arrays' names, and its arrays.
        arguments: what the kernel is given after the input: "output" and "scratch" in the arena, "scores".
    """

    name: str
    fields: Callable[[Layer, str, Arrays], list[str]]
    arguments: tuple[str, ...]


def _names(prefix: str, arrays: Arrays, names: tuple[str, ...]) -> list[str]:
    return [f"{prefix}_{name}" if name in arrays else "NULL" for name in names]


def patch_taps(layer: Layer) -> int:
    """Values of a patch: all channels under the kernel."""
    (height, width), _, _ = kernel_window(layer)
    return height * width * layer.input.shape.channels


def _filters(layer: Layer, prefix: str, arrays: Arrays, stream_bits: int) -> str:
    """An ebnn_filters_t: taps, words, count, kind, bytes of a threshold, whether the last word is half empty."""
    half = int((stream_bits - 1) % 32 < 16)
    words = bits.round_to_words(bits.row_bytes(stream_bits)) // bits.WORD_BYTES
    threshold_bytes = arrays["thresholds"].values.itemsize if "thresholds" in arrays else 0
    numbers = f"{patch_taps(layer)}, {words}, {layer.outputs}, {layer.kind.c_name}, {threshold_bytes}, {half}"
    return listed("{", [numbers, *_names(prefix, arrays, ("weights", "thresholds"))], "}")


def kernel_window(layer: Layer) -> tuple[Pair, Pair, Pair]:
    """Size, stride and pad of the window that a layer slides over its input: a dense one's is as large as that."""
    if isinstance(layer.linear, Windowed):
        return layer.linear.kernel, layer.linear.stride, layer.linear.pad
    return (layer.input.shape[1:] if layer.is_dense else (1, 1)), (1, 1), (0, 0)


def _conv(layer: Layer, prefix: str, arrays: Arrays) -> list[str]:
    return _sliding(layer, prefix, arrays, layer.filter_stream_bits)


def _sliding(layer: Layer, prefix: str, arrays: Arrays, stream_bits: int) -> list[str]:
    pool, shape, out = layer.pool or NO_POOL, layer.input.shape, layer.output_shape
    windows = [
        f"{{{size[axis]}, {stride[axis]}, {pad[axis]}, {sides[1 + axis]}}}"
        for (size, stride, pad), sides in (
            (kernel_window(layer), shape),
            ((pool.size, pool.stride, pool.pad), layer.map_shape),
        )
        for axis in (0, 1)
    ]
    # Rows of bytes and floats are found by their sides.
    in_row_bytes = layer.kind.row_bytes(shape) if layer.kind.packed else 0
    out_row_bytes = layer.output_kind.row_bytes(out) if layer.output_kind.packed else 0
    return [
        _filters(layer, prefix, arrays, stream_bits),
        ", ".join(windows),
        f"{shape.channels}, {out.height}, {out.width}, {in_row_bytes}, {out_row_bytes}",
        listed("", _names(prefix, arrays, ("flips", "normalization", "table")), ""),
    ]


def _dense(layer: Layer, prefix: str, arrays: Arrays) -> list[str]:
    return [
        _filters(layer, prefix, arrays, layer.filter_stream_bits),
        listed("", _names(prefix, arrays, ("flips", "normalization")), ""),
    ]


def _output(layer: Layer, prefix: str, arrays: Arrays) -> list[str]:
    return [
        _filters(layer, prefix, arrays, layer.filter_stream_bits),
        listed("", _names(prefix, arrays, ("multipliers", "offsets")), ""),
    ]


def _integer(layer: Layer, prefix: str, arrays: Arrays) -> list[str]:
    end = layer.transform
    low, high = end.range if isinstance(end, Requantize) else (0, 0)
    adds = int(layer.pool is not None and layer.pool.sums)
    return [
        listed("{", _sliding(layer, prefix, arrays, patch_taps(layer)), "}"),
        f"{0 if layer.is_dense and not layer.kind.packed else patch_bytes(layer)}, {adds}, {low}, {high}",
        listed("", _names(prefix, arrays, ("biases", "multipliers", "shifts")), ""),
    ]


def patch_bytes(layer: Layer) -> int:
    """Bytes of a patch in whole words, its mask included: bits are packed where they are counted, else bytes."""
    taps = patch_taps(layer)
    if layer.kind.packed and layer.binary and not isinstance(layer.linear, Depthwise):
        return bits.round_to_words(bits.row_bytes(taps)) * 2
    return bits.round_to_words(taps)


CONV = Struct("conv", _conv, ("output", "scratch"))
DENSE = Struct("dense", _dense, ("output",))
OUTPUT = Struct("output", _output, ("scores",))
INTEGER = Struct("integer", _integer, ("output", "scratch"))
INTEGER_SCORES = Struct("integer", _integer, ("scores", "scratch"))
