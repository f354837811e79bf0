"""Random Chainer chains of ebnn's blocks: every block kind, odd sizes, overhanging kernels, ties and dead gammas."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

import ebnn.links as BL
from ebnn.model.kinds import InputKind, Shape


@dataclass(frozen=True)
class ConvSpec:
    outputs: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    pool: tuple[tuple[int, int], tuple[int, int], tuple[int, int]] | None  # size, stride, pad


@dataclass(frozen=True)
class DenseSpec:
    outputs: int


@dataclass(frozen=True)
class ChainSpec:
    """Printed by hypothesis when a chain fails: ``build(spec)`` makes it again."""

    kind: InputKind
    shape: tuple[int, int, int]
    blocks: tuple[ConvSpec | DenseSpec, ...]
    classes: int
    bn_softmax: bool
    bias: bool
    seed: int


def window(draw: st.DrawFn, side: int, *, pad_below_size: bool = False) -> tuple[int, int, int]:
    """Size, stride and pad of a window along a side, such that at least one fits."""
    pad = draw(st.integers(0, 2))
    size = draw(st.integers(pad + 1 if pad_below_size else 1, min(side + 2 * pad, 5)))
    return size, draw(st.integers(1, 3)), pad


@st.composite
def chain_specs(draw: st.DrawFn) -> ChainSpec:
    kind: InputKind = draw(st.sampled_from(["bits", "uint8", "int8", "float"]))
    shape = (draw(st.sampled_from([1, 2, 3, 8, 33])), draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    sides = shape[1:]
    blocks: list[ConvSpec | DenseSpec] = []
    # The last layer cannot take floats, so a float network has one block at least.
    for _ in range(draw(st.integers(1 if kind == "float" else 0, 3))):
        outputs = draw(st.sampled_from([1, 3, 7, 8, 9, 32, 35]))
        flat = any(isinstance(block, DenseSpec) for block in blocks)
        if flat or draw(st.integers(0, 3)) == 0:
            blocks.append(DenseSpec(outputs))
            continue
        kernel, stride, pad = zip(*(window(draw, side) for side in sides), strict=True)
        sides = tuple((s + 2 * p - k) // t + 1 for s, p, k, t in zip(sides, pad, kernel, stride, strict=True))
        pool = None
        if draw(st.booleans()):
            size, step, border = zip(*(window(draw, side, pad_below_size=True) for side in sides), strict=True)
            sides = tuple((s + 2 * p - k) // t + 1 for s, p, k, t in zip(sides, border, size, step, strict=True))
            pool = (size, step, border)
        blocks.append(ConvSpec(outputs, kernel, stride, pad, pool))
    return ChainSpec(
        kind,
        shape,
        tuple(blocks),
        draw(st.integers(2, 11)),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.integers(0, 2**32 - 1)),
    )


def build(spec: ChainSpec) -> list[BL.CLink]:
    """The chain's blocks, with random parameters."""
    rng = np.random.default_rng(spec.seed)
    links: list[BL.CLink] = []
    binary = spec.kind == "bits"
    for block in spec.blocks:
        links.append(_link(block, binary, not spec.bias))
        binary = True
    last = BL.BinaryLinearBNSoftmax if spec.bn_softmax else BL.BinaryLinearSoftmax
    links.append(last(None, spec.classes, nobias=not spec.bias))
    BL.size_blocks(links, spec.shape)
    scale = {"bits": 1.0, "uint8": 128.0, "int8": 64.0, "float": 0.5}[spec.kind]
    for link in links:
        _randomise(link, scale, rng)
        scale = 1.0
    return links


def _link(block: ConvSpec | DenseSpec, binary: bool, nobias: bool) -> BL.CLink:
    if isinstance(block, DenseSpec):
        cls = BL.BinaryLinearBNBST if binary else BL.LinearBNBST
        return cls(None, block.outputs, nobias=nobias)
    conv = (None, block.outputs, block.kernel, block.stride, block.pad)
    if block.pool is None:
        return (BL.BinaryConvBNBST if binary else BL.ConvBNBST)(*conv, nobias=nobias)
    return (BL.BinaryConvPoolBNBST if binary else BL.ConvPoolBNBST)(*conv, *block.pool, nobias=nobias)


def _randomise(link: BL.CLink, scale: float, rng: np.random.Generator) -> None:
    """Parameters as training may leave them, and as it hardly ever does: zero and negative gammas, exact ties."""
    affine = link.bconv if hasattr(link, "bconv") else link.bl
    weights = affine.W.array
    weights[...] = rng.normal(size=weights.shape)
    weights[rng.random(weights.shape) < 0.1] = 0  # sign(0) is +1
    if affine.b is not None:
        affine.b.array[...] = rng.normal(0, scale, affine.b.shape)
    if not hasattr(link, "bn"):
        return
    bn = link.bn
    outputs = bn.gamma.shape
    spread = scale * np.sqrt(weights[0].size)
    bn.gamma.array[...] = rng.normal(0, 1, outputs)
    bn.beta.array[...] = rng.normal(0, 0.3, outputs)
    bn.avg_mean[...] = rng.normal(0, spread / 2, outputs)
    bn.avg_var[...] = rng.gamma(2, spread**2 / 2, outputs)
    dead = rng.random(outputs) < 0.1
    bn.gamma.array[dead] = 0
    bn.beta.array[dead] = rng.choice([-1, 0, 1], int(dead.sum()))
    tie = rng.random(outputs) < 0.3  # sums that normalise to exactly 0
    bn.beta.array[tie] = 0
    bn.avg_mean[tie] = np.round(bn.avg_mean[tie])
    if affine.b is not None:
        affine.b.array[tie] = 0


def samples(spec: ChainSpec, count: int) -> NDArray[np.generic]:
    """Random samples in the network's input type, (count, channels, height, width).

    Floats are multiples of 1/256, so that their sums are exact in any order.
    """
    rng = np.random.default_rng([spec.seed, 1])
    shape = (count, *Shape(*spec.shape))
    if spec.kind == "bits":
        return rng.integers(0, 2, shape, np.uint8)
    if spec.kind == "float":
        return (rng.integers(0, 257, shape) / 256).astype(np.float32)
    low, high = (-128, 128) if spec.kind == "int8" else (0, 256)
    return rng.integers(low, high, shape, np.int8 if spec.kind == "int8" else np.uint8)


def as_chainer_input(x: NDArray[np.generic], kind: InputKind) -> NDArray[np.float32]:
    """Samples as the chain is trained on them."""
    x = x.astype(np.float32)
    return 2 * x - 1 if kind == "bits" else x
