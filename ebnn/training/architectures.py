"""Networks to train, from a short text to a specification; no framework is needed here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ebnn.names import similar_names, unknown_name

ARCHITECTURES: dict[str, str] = {
    "conv": "c32k3p1-m2-c64k3p1-m2",
    "conv-small": "c16k3p1-m2-c32k3p1-m2",
    "digits": "c32k3p1-c32k3p1-m2",
    "mlp": "d128",
    "ebnn-conv": "c10k3s2-m3s2",
    "ebnn-mlp": "d100-d100",
}
"""Names that stand for an architecture; the dense layer with one output for each class follows every one."""

GRAMMAR = (
    "parts joined by '-': cN is a convolution of N filters (c16k3s1p0: kernel 3, stride 1, padding 0), m2 a max-pool "
    "behind it (m3s2p0: window 3, stride 2, padding 0), dN a dense layer of N outputs; "
    "a size that is not square is HEIGHTxWIDTH, as in c16k3x5"
)

MAX_OUTPUTS = 4096
"""Of one layer: far beyond any microcontroller, and a bound on what a slip of the finger asks for."""

_SIZE = r"(\d+(?:x\d+)?)"
_CONV = re.compile(rf"c(\d+)(?:k{_SIZE})?(?:s{_SIZE})?(?:p{_SIZE})?")
_POOL = re.compile(rf"m{_SIZE}(?:s{_SIZE})?(?:p{_SIZE})?")
_DENSE = re.compile(r"d(\d+)")

Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True)
class PoolSpec:
    """A max-pool behind a convolution."""

    window: Size
    stride: Size
    padding: Size


@dataclass(frozen=True)
class ConvSpec:
    """A convolution, its sign, and a pool between them or none."""

    filters: int
    kernel: Size
    stride: Size
    padding: Size
    pool: PoolSpec | None = None


@dataclass(frozen=True)
class DenseSpec:
    """A dense layer and its sign."""

    outputs: int


LayerSpec = ConvSpec | DenseSpec


def read_architecture(architecture: str) -> tuple[LayerSpec, ...]:
    """Returns the layers that a text stands for, without the last one, whose outputs are the classes.

    Args:
        architecture: a name in :data:`ARCHITECTURES`, or a text: see :data:`GRAMMAR`.

    Raises:
        UnknownNameError: the text cannot be read, and is almost a name.
        ValueError: the text cannot be read, or a layer has too many outputs.
    """
    layers: list[LayerSpec] = []
    parts = ARCHITECTURES.get(architecture, architecture).split("-")
    dense = False
    while parts:
        part = parts.pop(0)
        if (named := re.match(r"[cd](\d+)", part)) and not 1 <= int(named[1]) <= MAX_OUTPUTS:
            raise ValueError(f"{part!r} has {named[1]} outputs: give 1 to {MAX_OUTPUTS}")
        if (match := _CONV.fullmatch(part)) and not dense:
            pool = None
            if parts and (window := _POOL.fullmatch(parts[0])):
                del parts[0]
                pool = PoolSpec(_size(window[1], 0), _size(window[2] or window[1], 0), _size(window[3], 0))
            sizes = (_size(match[2], 3), _size(match[3], 1), _size(match[4], 0))
            layers.append(ConvSpec(int(match[1]), *sizes, pool))
        elif match := _DENSE.fullmatch(part):
            layers.append(DenseSpec(int(match[1])))
            dense = True
        else:
            if near := similar_names(architecture, ARCHITECTURES):
                raise unknown_name("architecture", architecture, ARCHITECTURES, near=near)
            raise ValueError(
                f"{part!r} has no meaning here; use one of {', '.join(ARCHITECTURES)}, or {GRAMMAR}; "
                "a max-pool follows a convolution, a convolution no dense layer"
            )
    return tuple(layers)


def _size(text: str | None, default: int) -> tuple[int, int]:
    sides = [int(side) for side in text.split("x")] if text else [default]
    return sides[0], sides[-1]
