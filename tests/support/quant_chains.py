"""Random Chainer chains that mix blocks of bits and of 8 bits, in any order, with odd sizes, ties and dead outputs."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ebnn.links as BL

KINDS = ("bits", "uint8", "int8")


def quant_chain(choose: random.Random) -> tuple[list[Any], tuple[int, int, int], str]:
    """The blocks of a chain with random parameters, the shape of a sample, and the kind of input."""
    rng = np.random.default_rng(choose.getrandbits(32))
    kind = first = choose.choice(KINDS)
    shape = (choose.choice([1, 1, 2, 3, 5, 8, 33]), choose.randint(1, 8), choose.randint(1, 8))
    blocks: list[Any] = []
    sides, flat = shape, False
    for _ in range(choose.randint(0, 4)):
        block = _block(choose, sides, kind, flat)
        sides = BL.size_blocks([block], sides)
        flat = flat or len(sides) == 1
        kind = getattr(block, "output_kind", "bits")
        _randomise(choose, block, rng)
        blocks.append(block)
    blocks.append(_last(choose, sides, kind))
    BL.size_blocks(blocks[-1:], sides)
    _randomise(choose, blocks[-1], rng)
    return blocks, shape, first


def quant_samples(kind: str, shape: Sequence[int], count: int, seed: int) -> NDArray[Any]:
    """(count, channels, height, width) in the type of the input."""
    rng = np.random.default_rng(seed)
    low, high, dtype = {"bits": (0, 2, np.uint8), "uint8": (0, 256, np.uint8), "int8": (-128, 128, np.int8)}[kind]
    return rng.integers(low, high, (count, *shape)).astype(dtype)


def _block(choose: random.Random, sides: Sequence[int], kind: str, flat: bool) -> Any:
    outputs = choose.choice([1, 2, 3, 5, 7, 8, 9, 17, 33])
    options: dict[str, Any] = {
        "weights": choose.choice(["int8", "int8", "int8-layer", "binary", "bwn"]),
        "activation": choose.choice(["relu", "relu", "int8", "sign"]),
        "nobias": choose.random() < 0.5,
        "norm": choose.choice(["after", "before", None]),
        "input_kind": kind,
    }
    if flat or choose.random() < 0.2:
        if choose.random() < 0.3:
            return BL.LinearBNBST(None, outputs, nobias=options["nobias"])
        return BL.QuantLinearBlock(None, outputs, **options)
    if choose.random() < 0.15:
        size, stride, pad = _windows(choose, sides[1:], True)
        return BL.AveragePoolBlock(*choose.choice([(), (size, stride, pad)]), input_kind=kind)
    window = _windows(choose, sides[1:], False)
    map_sides = [(s + 2 * p - k) // t + 1 for s, k, t, p in zip(sides[1:], *window, strict=True)]
    pool = _windows(choose, map_sides, True) if choose.random() < 0.5 else None
    if choose.random() < 0.2:
        old = BL.ConvBNBST if pool is None else BL.ConvPoolBNBST
        return old(None, outputs, *window, *(pool or ()), nobias=options["nobias"])
    if pool is not None:
        average = choose.random() < 0.4
        if average and pool[2] != (0, 0) and options["norm"] == "before":
            options["norm"] = "after"
        options["pool"] = (BL.AveragePool2D if average else BL.Pool2D)(*pool)
    if choose.random() < 0.25:
        return BL.QuantDepthwiseBlock(None, choose.choice([1, 1, 2, 3]), *window, **options)
    return BL.QuantConvBlock(None, outputs, *window, **options)


def _last(choose: random.Random, sides: Sequence[int], kind: str) -> Any:
    classes = choose.choice([2, 3, 5, 10, 11])
    weights = choose.choice(["int8-layer", "int8-layer", "int8", "binary", "bwn"])
    if len(sides) == 3 and choose.random() < 0.2:  # a convolution whose map is pooled to one place
        pool = choose.choice([BL.AveragePool2D(), BL.Pool2D(tuple(sides[1:]))])
        return BL.QuantConvBlock(
            None, classes, 1, weights=weights, activation=None, pool=pool, nobias=False, input_kind=kind
        )
    if choose.random() < 0.3:
        return BL.QuantLinearBlock(None, classes, weights=weights, activation=None, input_kind=kind)
    return BL.QuantLinearSoftmax(None, classes, weights=weights, input_kind=kind)


def _randomise(choose: random.Random, block: Any, rng: np.random.Generator) -> None:
    """Parameters as training may leave them, and as it hardly ever does: dead outputs, negative gammas, exact ties."""
    if isinstance(block, BL.AveragePoolBlock):
        return
    old = not isinstance(block, BL.DeviceBlock)
    linear = getattr(block, "bconv", None) or getattr(block, "bl", None) or block.linear
    weights = linear.W.array
    outputs = len(weights)
    fan = weights[0].size
    weights[...] = rng.normal(0, 2**0.5 * fan**-0.5, weights.shape)
    weights[rng.random(weights.shape) < 0.1] = 0
    weights[rng.random(outputs) < 0.05] = 0
    scale = fan**0.5 * 100 if old else 1.0
    if not old and linear.binary:
        scale = fan**0.5 if linear.weights == "binary" else 1.0
    if linear.b is not None:
        linear.b.array[...] = rng.normal(0, scale / 2, outputs)
    if hasattr(getattr(block, "act", None), "log_range"):
        block.act.log_range.array[...] = rng.normal(np.log(2 if hasattr(block, "bn") else 2 * scale), 0.7)
    if not hasattr(block, "bn"):
        return
    bn = block.bn
    bn.gamma.array[...] = rng.normal(0, 1, outputs)
    bn.beta.array[...] = rng.normal(0, 0.5, outputs)
    bn.avg_mean[...] = rng.normal(0, scale / 2, outputs)
    bn.avg_var[...] = rng.gamma(2, scale**2 / 2, outputs)
    dead = rng.random(outputs) < 0.1
    bn.gamma.array[dead] = 0
    bn.beta.array[dead] = rng.choice([-1, 0, 1], int(dead.sum()))
    tie = rng.random(outputs) < 0.3  # a sum of 0 that normalises to exactly 0
    bn.beta.array[tie] = 0
    bn.avg_mean[tie] = np.round(bn.avg_mean[tie]) if old else 0
    if linear.b is not None:
        linear.b.array[tie] = 0


def _windows(choose: random.Random, sides: Sequence[int], pool: bool) -> tuple[tuple[int, int], ...]:
    """Size, stride and pad of a window for (height, width), such that at least one fits."""
    columns = []
    for side in sides:
        pad = choose.choice([0, 0, choose.randint(0, 2)])
        size = choose.randint(pad + 1 if pool else 1, max(1, min(side + 2 * pad, 5)))
        columns.append((size, choose.randint(1, 3), pad))
    return tuple((a, b) for a, b in zip(*columns, strict=True))
