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
    # Courbariaux et al. 2016 on CIFAR-10; AlexNet of Rastegari et al. 2016 without groups, its ends in 8 bits.
    "binarynet-cifar10": ("c128k3p1-c128k3p1-m2-c256k3p1-c256k3p1-m2-c512k3p1-c512k3p1-m2-d1024-d1024"),
    "alexnet-bwn": ("c96k11s4p2w8a8-m3s2-c256k5p2a8-m3s2-c384k3p1a8-c384k3p1a8-c256k3p1a8-m3s2-d4096a8-d4096a8-ow8"),
    "alexnet-xnor": "c96k11s4p2w8-m3s2-c256k5p2-m3s2-c384k3p1-c384k3p1-c256k3p1-m3s2-d4096-d4096-ow8",
}
"""Names that stand for an architecture; the dense layer with one output for each class follows every one."""

GRAMMAR = (
    "parts joined by '-': cN is a convolution of N filters (c16k3s1p0: kernel 3, stride 1, padding 0), dw a depthwise "
    "one (dw1k3s1p0: one filter a channel), m2 a max-pool behind either (m3s2p0: window 3, stride 2, padding 0), a2 an "
    "average pool of its own, g one over the whole map, dN a dense layer of N outputs; "
    "a size that is not square is HEIGHTxWIDTH, as in c16k3x5; w8 at a part's end gives it 8-bit weights, a8 8-bit "
    "activations (ReLU) in place of signs, as in c16k3w8a8; ow8 at the very end gives the last layer 8-bit weights"
)

MAX_OUTPUTS = 4096
"""Of one layer: far beyond any microcontroller, and a bound on what a slip of the finger asks for."""
MAX_MULTIPLIER = 64
"""Filters for each channel of a depthwise convolution, likewise."""
BITS = (1, 8)
"""Of weights and of activations."""

_SIZE = r"(\d+(?:x\d+)?)"
_WINDOW = rf"(?:k{_SIZE})?(?:s{_SIZE})?(?:p{_SIZE})?"
_KINDS = r"(?:w(\d+))?(?:a(\d+))?"
_CONV = re.compile(rf"(c|dw)(\d*){_WINDOW}{_KINDS}")
_POOL = re.compile(rf"m{_SIZE}(?:s{_SIZE})?(?:p{_SIZE})?")
_AVERAGE = re.compile(rf"a{_SIZE}(?:s{_SIZE})?(?:p{_SIZE})?|g")
_DENSE = re.compile(rf"d(\d+){_KINDS}")
_OUTPUT = re.compile(r"o(?:w(\d+))?")

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
    """A convolution, its activation, and a max-pool between them or none.

    Attributes:
        filters: of a depthwise one, for each channel.
        weights, activations: bits of each; 1 is the sign.
    """

    filters: int
    kernel: Size
    stride: Size
    padding: Size
    pool: PoolSpec | None = None
    weights: int = 1
    activations: int = 1
    depthwise: bool = False


@dataclass(frozen=True)
class AverageSpec:
    """An average pool of its own; without a window over the whole map."""

    window: Size | None
    stride: Size | None
    padding: Size


@dataclass(frozen=True)
class DenseSpec:
    """A dense layer and its activation; bits as of a convolution."""

    outputs: int
    weights: int = 1
    activations: int = 1


@dataclass(frozen=True)
class OutputSpec:
    """The last layer, where it is told of its weights' bits; it gives scores, ``activations`` of no bits."""

    weights: int
    activations: int = 0


LayerSpec = ConvSpec | AverageSpec | DenseSpec | OutputSpec


def read_architecture(architecture: str) -> tuple[LayerSpec, ...]:
    """Returns the layers that a text stands for, without the last one, whose outputs are the classes.

    Where the text tells of the last layer's weights, an `OutputSpec` is the last of them.

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
        if (match := _CONV.fullmatch(part)) and not dense and (match[2] or match[1] == "dw"):
            pool = None
            if parts and (window := _POOL.fullmatch(parts[0])):
                del parts[0]
                pool = PoolSpec(_size(window[1], 0), _size(window[2] or window[1], 0), _size(window[3], 0))
            layers.append(_conv(part, match, pool))
        elif (match := _AVERAGE.fullmatch(part)) and not dense:
            size, stride = (_size(match[1], 0), _size(match[2] or match[1], 0)) if match[1] else (None, None)
            layers.append(AverageSpec(size, stride, _size(match[3], 0)))
        elif match := _DENSE.fullmatch(part):
            layers.append(DenseSpec(int(match[1]), *_bits(part, match[2], match[3])))
            dense = True
        elif (match := _OUTPUT.fullmatch(part)) and not parts and layers:
            layers.append(OutputSpec(_bits(part, match[1], None)[0]))
        else:
            if near := similar_names(architecture, ARCHITECTURES):
                raise unknown_name("architecture", architecture, ARCHITECTURES, near=near)
            raise ValueError(f"{part!r} has no meaning here{_cause(part, dense)}; ebnn train --help tells of all parts")
    return tuple(layers)


def _cause(part: str, dense: bool) -> str:
    """Why a part cannot be read at its place, behind a dense layer or not; begins with what joins it to a sentence."""
    if dense and (_CONV.fullmatch(part) or _AVERAGE.fullmatch(part) or _POOL.fullmatch(part)):
        return ": no convolution and no pool can follow a dense layer"
    if _POOL.fullmatch(part):
        return ": a max-pool comes directly behind a convolution, one behind each"
    if _OUTPUT.fullmatch(part):
        return ": it is the last layer's, and comes at the very end, behind another part"
    if not part:
        return ": a part is empty; parts are joined by one '-'"
    if _CONV.fullmatch(part):
        return f": it has no number of filters, as in c16{part[1:]}"
    if told := re.fullmatch(r"(c\d+|dw\d*|d\d+|m\d+(?:x\d+)?|a\d+(?:x\d+)?)((?:[kspwa]\d+(?:x\d+)?)+)", part):
        settings = sorted(re.findall(r"[kspwa][\dx]+", told[2]), key=lambda text: "kspwa".index(text[0]))
        ordered = told[1] + "".join(settings)
        if any(kind.fullmatch(ordered) for kind in (_CONV, _POOL, _AVERAGE, _DENSE)):
            return f": the order is k, s, p, w, a, which makes it {ordered}"
        taken = {"m": "sp", "a": "sp", "d": "wa"}.get(re.sub(r"^dw", "c", told[1])[0], "kspwa")
        for text in settings:
            if text[0] not in taken:
                return f": {told[1]} takes no {text[0]}"
            if told[2].count(text[0]) > 1:
                return f": {text[0]} is given twice"
    return f"; use one of {', '.join(ARCHITECTURES)}, or parts joined by '-', as in c16k3p1-m2-d64"


def with_bits(architecture: str, weights: int, activations: int) -> str:
    """Returns the text of the same shape with weights and activations of so many bits in every layer.

    The last layer's weights too.

    Args:
        architecture: as for :func:`read_architecture`, which can read it.
        weights, activations: 1 or 8.
    """
    suffix = ("" if weights == 1 else f"w{weights}") + ("" if activations == 1 else f"a{activations}")
    parts = ARCHITECTURES.get(architecture, architecture).split("-")
    told = [
        re.sub(r"(w\d+)?(a\d+)?$", suffix, part, count=1) if re.match(r"c\d|d\d|dw", part) else part
        for part in parts
        if not _OUTPUT.fullmatch(part)
    ]
    return "-".join([*told, *([] if weights == 1 else [f"ow{weights}"])])


def _conv(part: str, match: re.Match[str], pool: PoolSpec | None) -> ConvSpec:
    kind, filters, kernel, stride, padding, weights, activations = match.groups()
    depthwise = kind == "dw"
    if depthwise and not 1 <= int(filters or 1) <= MAX_MULTIPLIER:
        raise ValueError(f"{part!r} has {filters} filters for each channel: give 1 to {MAX_MULTIPLIER}")
    sizes = (_size(kernel, 3), _size(stride, 1), _size(padding, 0))
    return ConvSpec(int(filters or 1), *sizes, pool, *_bits(part, weights, activations), depthwise)


def _bits(part: str, weights: str | None, activations: str | None) -> tuple[int, int]:
    """Bits of weights and of activations, 1 where the text does not say."""
    found = (int(weights or 1), int(activations or 1))
    for bits, what in zip(found, ("weights", "activations"), strict=True):
        if bits not in BITS:
            raise ValueError(f"{part!r} has {what} of {bits} bits: give {' or '.join(map(str, BITS))}")
    return found


def _size(text: str | None, default: int) -> tuple[int, int]:
    sides = [int(side) for side in text.split("x")] if text else [default]
    return sides[0], sides[-1]
