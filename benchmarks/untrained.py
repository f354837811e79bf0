"""Networks to measure kernels with: untrained, of many geometries, their bits set about as often as trained ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebnn.model.kinds import Input, InputKind, Shape
from ebnn.model.layers import Block, Conv, Dense, Depthwise, Identity, Layer, Linear, Pool
from ebnn.model.network import Network
from ebnn.model.reference import max_pool, sum_pool, sums
from ebnn.model.transforms import Normalize, Requantize, Scores, Sign, Transform

CLASSES = 10
_ONES = (0.2, 0.5)  # how often an output's bit is 1
_REQUANTIZED = {"u8": ("uint8", 15), "i8": ("int8", 15), "wide": ("int8", 31)}  # its kind, bits of its multipliers
_SPREAD = 60  # of requantized sums


def sides(text: str) -> tuple[int, int]:
    """ "3" is (3, 3), "3x2" is (3, 2)."""
    values = [int(side) for side in text.split("x")]
    return values[0], values[-1]


def build(
    kind: InputKind, shape: Sequence[int], blocks: str, seed: int, classes: int = CLASSES, *, below: bool = False
) -> Network:
    """A network of random weights.

    Args:
        kind: of the input.
        shape: of the input, (channels, height, width).
        blocks: joined by spaces: "c16,3,1,1" is a convolution of 16 filters, kernel 3, stride 1, padding 1;
            "c16,3,1,1,m2,2,0" pools behind it, window 2, stride 2, padding 0, "a2,2,0" by the average; "d32" is a
            dense block of 32 outputs; "g2,3,1,1" is a depthwise convolution of 2 filters for each channel; "p" has no
            weights. Weights are ±1, with "/w8" behind it int8. A block ends in signs, with "/u8", "/i8" or "/wide" in
            uint8, or in int8 by multipliers of 16 or 32 bits; the last one, with "/scores", in the scores.
        seed: of everything.
        classes: of the last layer, dense with weights of ±1, where no block ends in scores.
        below: whether a third of each block's outputs are 1 at sums below their threshold, not above.
    """
    rng = np.random.default_rng(seed)
    source = network_input = Input(kind, Shape(*shape))
    x = samples(network_input, 8, seed).transpose(0, 2, 3, 1)
    made: list[Layer] = []
    for text in blocks.split():
        part, *suffixes = text.split("/")
        geometry, *pooling = re.split(r",(?=[ma])", part)
        linear = _linear(geometry, source.shape, rng, "w8" in suffixes)
        acc, pool = sums(linear, x, source.values), None
        if pooling:
            pool = Pool(*map(sides, pooling[0][1:].split(",")), "average" if pooling[0][0] == "a" else "max")
            acc = sum_pool(acc, pool) if pool.sums else max_pool(acc, pool)
        end = suffixes[-1] if suffixes and suffixes[-1] != "w8" else ""
        transform = _signs(acc, rng, below, source.values.whole) if end == "" else _numbers(acc, end, rng)
        made.append(Block(linear, pool, transform).at(len(made), source))
        if end == "scores":
            return Network(network_input, made)
        x = transform.apply(acc)
        source = made[-1].output
    at = source.shape
    weights = rng.integers(0, 2, (classes, at.height, at.width, at.channels)).astype(bool)
    scores = Scores(rng.integers(500, 1000, classes), rng.integers(-1000, 1000, classes), 0.5)
    return Network(network_input, [*made, Block(Dense(weights), None, scores)])


def _linear(geometry: str, at: Shape, rng: np.random.Generator, int8: bool) -> Linear:
    """A linear part of random weights on an input of a shape."""

    def weights(*shape: int) -> NDArray[Any]:
        return rng.integers(-127, 128, shape).astype(np.int8) if int8 else rng.integers(0, 2, shape).astype(bool)

    letter, fields = geometry[0], geometry[1:].split(",")
    if letter == "p":
        return Identity(at.channels)
    if letter == "d":
        return Dense(weights(int(fields[0]), at.height, at.width, at.channels))
    kernel, stride, pad = map(sides, fields[1:])
    if letter == "g":
        return Depthwise(weights(at.channels * int(fields[0]), *kernel, 1), stride, pad)
    return Conv(weights(int(fields[0]), *kernel, at.channels), stride, pad)


def _signs(acc: NDArray[Any], rng: np.random.Generator, below: bool, whole: bool) -> Transform:
    """Comparisons that hold for some of the sums (…, outputs)."""
    outputs = acc.shape[-1]
    ones = rng.uniform(*_ONES, outputs)
    value = np.array([np.quantile(acc[..., f], 1 - ones[f]) for f in range(outputs)])
    spread = acc.reshape(-1, outputs).std(axis=0) + 1
    beta = np.array([NormalDist().inv_cdf(one) for one in ones])
    turned = (np.arange(outputs) % 3 == 0) & below
    turn = np.where(turned, -1, 1)
    normalize = Normalize(0 * beta, value + beta * spread, 1 / spread, turn, turn * beta)
    if not whole:
        return normalize
    limit = np.where(turned, np.floor(value), np.ceil(value))
    return Sign(limit.astype(np.int32), turned, normalize)


def _numbers(acc: NDArray[Any], end: str, rng: np.random.Generator) -> Transform:
    """Scores, or small integers that spread over their range, of sums (…, outputs)."""
    outputs = acc.shape[-1]
    if end == "scores":
        return Scores(rng.integers(50, 100, outputs), rng.integers(-1000, 1000, outputs), 0.5)
    kind, width = _REQUANTIZED[end]
    scale = np.minimum(_SPREAD / (acc.reshape(-1, outputs).std(axis=0) + 1), 0.49)
    shift = np.floor(width - np.log2(scale)).astype(np.int64)
    multiplier = np.minimum(np.rint(scale * 2.0**shift), 2**width - 1)
    return Requantize(rng.integers(-1000, 1000, outputs), multiplier, shift, kind)


def samples(network_input: Input, count: int, seed: int) -> NDArray[np.generic]:
    """(count, channels, height, width) random samples of an input."""
    rng = np.random.default_rng(seed)
    shape = (count, *network_input.shape)
    kind = network_input.values
    if not kind.whole:
        return rng.normal(size=shape).astype(np.float32)
    return rng.integers(int(kind.low), int(kind.high) + 1, shape).astype(kind.dtype)
