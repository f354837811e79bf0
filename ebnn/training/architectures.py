"""Networks to train, from a short text to a specification; no framework is needed here."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

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
    "a size that is not square is HEIGHTxWIDTH, as in c16k3x5; w8 at a part's end gives it 8-bit weights, ws signs "
    "times the mean magnitude of each output's, a8 8-bit activations (ReLU) in place of signs, a8s 8-bit ones of "
    "either sign, n0 a bias in place of batch normalisation, as in c16k3w8a8n0; o at the very end tells of the last "
    "layer: ow8 gives it 8-bit weights, ok1g makes it a convolution (kernel 1) and its mean over the map"
)

MAX_OUTPUTS = 4096
"""Of one layer: far beyond any microcontroller, and a bound on what a slip of the finger asks for."""
MAX_MULTIPLIER = 64
"""Filters for each channel of a depthwise convolution, likewise."""
BITS = (1, 8)
"""Of weights and of activations."""

_SIZE = r"(\d+(?:x\d+)?)"
_WINDOW = rf"(?:k{_SIZE})?(?:s{_SIZE})?(?:p{_SIZE})?"
_KINDS = r"(?:w(\d+|s))?(?:a(\d+s?))?(n0)?"
_CONV = re.compile(rf"(c|dw)(\d*){_WINDOW}{_KINDS}")
_POOL = re.compile(rf"m{_SIZE}(?:s{_SIZE})?(?:p{_SIZE})?")
_AVERAGE = re.compile(rf"a{_SIZE}(?:s{_SIZE})?(?:p{_SIZE})?|g")
_DENSE = re.compile(rf"d(\d+){_KINDS}")
_OUTPUT = re.compile(rf"o(?:k{_SIZE}(?:s{_SIZE})?(?:p{_SIZE})?(g)?)?(?:w(\d+|s))?")

Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True)
class PoolSpec:
    """A max-pool behind a convolution."""

    window: Size
    stride: Size
    padding: Size


@dataclass(frozen=True)
class Numbers:
    """What a layer computes in.

    Attributes:
        weights: bits of each; 1 is the sign.
        activations: bits of each; 1 is the sign, 0 none: scores.
        scaled: signs of weights are multiplied by the mean magnitude of each output's (the alpha of XNOR-Net).
        signed: activations of 8 bits have either sign; else ReLU.
        norm: batch normalisation follows; else there is a bias.
    """

    weights: int = 1
    activations: int = 1
    scaled: bool = False
    signed: bool = False
    norm: bool = True

    @property
    def plain(self) -> bool:
        """Whether it is binarized and no more: signs of weights, batch normalisation, signs."""
        return self == Numbers()


PLAIN = Numbers()


@dataclass(frozen=True)
class ConvSpec:
    """A convolution, its activation, and a max-pool between them or none.

    Attributes:
        filters: of a depthwise one, for each channel.
    """

    filters: int
    kernel: Size
    stride: Size
    padding: Size
    pool: PoolSpec | None = None
    numbers: Numbers = PLAIN
    depthwise: bool = False


@dataclass(frozen=True)
class AverageSpec:
    """An average pool of its own; without a window over the whole map."""

    window: Size | None
    stride: Size | None
    padding: Size


@dataclass(frozen=True)
class DenseSpec:
    """A dense layer and its activation."""

    outputs: int
    numbers: Numbers = PLAIN


@dataclass(frozen=True)
class OutputSpec:
    """The last layer, where the text tells of it: dense, or a convolution where it has a ``kernel``.

    Attributes:
        kernel, stride, padding: of the convolution.
        pooled: whether the mean over its map is taken; else its map must be one place.
    """

    numbers: Numbers
    kernel: Size | None = None
    stride: Size = (1, 1)
    padding: Size = (0, 0)
    pooled: bool = False


LayerSpec = ConvSpec | AverageSpec | DenseSpec | OutputSpec


def read_architecture(architecture: str) -> tuple[LayerSpec, ...]:
    """Returns the layers that a text stands for, without the last one, whose outputs are the classes.

    Where the text tells of the last layer, an `OutputSpec` is the last of them.

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
            layers.append(DenseSpec(int(match[1]), _numbers(part, *match.groups()[1:])))
            dense = True
        elif (match := _OUTPUT.fullmatch(part)) and not parts and layers and not (dense and match[1]):
            layers.append(_output(part, match))
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
    if (output := _OUTPUT.fullmatch(part)) and dense and output[1]:
        return ": no convolution and no pool can follow a dense layer"
    if output:
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
    of_weights = "" if weights == 1 else f"w{weights}"
    suffix = of_weights + ("" if activations == 1 else f"a{activations}")
    *parts, last = ARCHITECTURES.get(architecture, architecture).split("-")
    output = re.sub(r"w(\d+|s)$", "", last) if _OUTPUT.fullmatch(last) else "o"
    if not _OUTPUT.fullmatch(last):
        parts.append(last)
    told = [
        re.sub(r"(w(?:\d+|s))?(a\d+s?)?(n0)?$", rf"{suffix}\3", part, count=1)
        if re.match(r"c\d|d\d|dw", part)
        else part
        for part in parts
    ]
    return "-".join([*told, *([] if output + of_weights == "o" else [output + of_weights])])


def _conv(part: str, match: re.Match[str], pool: PoolSpec | None) -> ConvSpec:
    kind, filters, kernel, stride, padding, *told = match.groups()
    depthwise = kind == "dw"
    if depthwise and not 1 <= int(filters or 1) <= MAX_MULTIPLIER:
        raise ValueError(f"{part!r} has {filters} filters for each channel: give 1 to {MAX_MULTIPLIER}")
    sizes = (_size(kernel, 3), _size(stride, 1), _size(padding, 0))
    return ConvSpec(int(filters or 1), *sizes, pool, _numbers(part, *told), depthwise)


def _output(part: str, match: re.Match[str]) -> OutputSpec:
    kernel, stride, padding, pooled, weights = match.groups()
    numbers = replace(_numbers(part, weights, None, None), activations=0)
    if kernel is None:
        return OutputSpec(numbers)
    return OutputSpec(numbers, _size(kernel, 1), _size(stride, 1), _size(padding, 0), pooled is not None)


def _numbers(part: str, weights: str | None, activations: str | None, without: str | None) -> Numbers:
    """What a part's end says of its numbers, bits of 1 where it does not."""
    scaled, signed = weights == "s", (activations or "").endswith("s")
    found = (int(weights or 1) if not scaled else 1, int((activations or "1").rstrip("s")))
    for bits, what in zip(found, ("weights", "activations"), strict=True):
        if bits not in BITS:
            raise ValueError(f"{part!r} has {what} of {bits} bits: give {' or '.join(map(str, BITS))}")
    if signed and found[1] == 1:
        raise ValueError(f"{part!r} has activations of 1 bit, whose sign is all they have: leave s out, or give a8s")
    return Numbers(*found, scaled, signed, without is None)


def _size(text: str | None, default: int) -> tuple[int, int]:
    sides = [int(side) for side in text.split("x")] if text else [default]
    return sides[0], sides[-1]
