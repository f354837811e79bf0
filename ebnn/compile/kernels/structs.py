"""The C structs that say a layer to its kernel: their fields, in order, and what a kernel is given beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...model import bits
from ...model.layers import NO_POOL, Conv, Layer
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


def _filters(layer: Layer, prefix: str, arrays: Arrays) -> str:
    """An ebnn_filters_t: taps, words, count, kind, bytes of a threshold, whether the last word is half empty."""
    half = int((layer.filter_stream_bits - 1) % 32 < 16)
    threshold_bytes = arrays["thresholds"].values.itemsize if "thresholds" in arrays else 0
    numbers = f"{layer.taps}, {layer.filter_words}, {layer.outputs}, {layer.kind.c_name}, {threshold_bytes}, {half}"
    return listed("{", [numbers, *_names(prefix, arrays, ("weights", "thresholds"))], "}")


def _conv(layer: Layer, prefix: str, arrays: Arrays) -> list[str]:
    assert isinstance(layer.linear, Conv)
    conv, pool, shape, out = layer.linear, layer.pool or NO_POOL, layer.input.shape, layer.output_shape
    windows = [
        f"{{{size[axis]}, {stride[axis]}, {pad[axis]}, {sides[1 + axis]}}}"
        for size, stride, pad, sides in (
            (conv.kernel, conv.stride, conv.pad, shape),
            (pool.size, pool.stride, pool.pad, layer.map_shape),
        )
        for axis in (0, 1)
    ]
    # Rows of bytes and floats are found by their sides.
    in_row_bytes = layer.kind.row_bytes(shape) if layer.kind.packed else 0
    out_row_bytes = bits.row_bytes(out.width * out.channels)
    return [
        _filters(layer, prefix, arrays),
        ", ".join(windows),
        f"{shape.channels}, {out.height}, {out.width}, {in_row_bytes}, {out_row_bytes}",
        listed("", _names(prefix, arrays, ("flips", "normalization", "table")), ""),
    ]


def _dense(layer: Layer, prefix: str, arrays: Arrays) -> list[str]:
    return [_filters(layer, prefix, arrays), listed("", _names(prefix, arrays, ("flips", "normalization")), "")]


def _output(layer: Layer, prefix: str, arrays: Arrays) -> list[str]:
    return [_filters(layer, prefix, arrays), listed("", _names(prefix, arrays, ("multipliers", "offsets")), "")]


CONV = Struct("conv", _conv, ("output", "scratch"))
DENSE = Struct("dense", _dense, ("output",))
OUTPUT = Struct("output", _output, ("scores",))
