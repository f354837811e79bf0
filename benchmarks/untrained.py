"""Networks to measure kernels with: untrained, of many geometries, their bits set about as often as trained ones."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ebnn.model.kinds import Input, InputKind, Shape
from ebnn.model.layers import Block, Conv, Dense, Layer, Pool
from ebnn.model.network import Network
from ebnn.model.reference import max_pool, sums
from ebnn.model.transforms import Normalize, Scores, Sign

CLASSES = 10
_ONES = (0.2, 0.5)  # how often an output's bit is 1


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
            "c16,3,1,1,m2,2,0" pools behind it, window 2, stride 2, padding 0; "d32" is a dense block of 32 outputs.
        seed: of everything.
        classes: of the last layer.
        below: whether a third of each block's outputs are 1 at sums below their threshold, not above.
    """
    rng = np.random.default_rng(seed)
    source = network_input = Input(kind, Shape(*shape))
    x = samples(network_input, 8, seed).transpose(0, 2, 3, 1)
    made: list[Layer] = []
    for text in blocks.split():
        at = source.shape
        part, _, pooling = text.partition(",m")
        fields = part[1:].split(",")
        outputs = int(fields[0])
        linear: Conv | Dense
        if part[0] == "c":
            kernel, stride, pad = map(sides, fields[1:])
            linear = Conv(rng.integers(0, 2, (outputs, *kernel, at.channels)).astype(bool), stride, pad)
        else:
            linear = Dense(rng.integers(0, 2, (outputs, at.height, at.width, at.channels)).astype(bool))
        acc = sums(linear, x, source.values)
        pool = Pool(*map(sides, pooling.split(","))) if pooling else None
        acc = acc if pool is None else max_pool(acc, pool)
        ones = rng.uniform(*_ONES, outputs)
        value = np.array([np.quantile(acc[..., f], 1 - ones[f]) for f in range(outputs)])
        spread = acc.reshape(-1, outputs).std(axis=0) + 1
        beta = np.array([NormalDist().inv_cdf(one) for one in ones])
        turned = (np.arange(outputs) % 3 == 0) & below
        turn = np.where(turned, -1, 1)
        normalize = Normalize(0 * beta, value + beta * spread, 1 / spread, turn, turn * beta)
        if source.values.whole:
            limit = np.where(turned, np.floor(value), np.ceil(value))
            made.append(Block(linear, pool, Sign(limit.astype(np.int32), turned, normalize)).at(len(made), source))
        else:
            limit = value.astype(np.float32)
            made.append(Block(linear, pool, normalize).at(len(made), source))
        x = np.where(turned, acc <= limit, acc >= limit)
        source = made[-1].output
    at = source.shape
    weights = rng.integers(0, 2, (classes, at.height, at.width, at.channels)).astype(bool)
    scores = Scores(rng.integers(500, 1000, classes), rng.integers(-1000, 1000, classes), 0.5)
    return Network(network_input, [*made, Block(Dense(weights), None, scores)])


def samples(network_input: Input, count: int, seed: int) -> NDArray[np.generic]:
    """(count, channels, height, width) random samples of an input."""
    rng = np.random.default_rng(seed)
    shape = (count, *network_input.shape)
    kind = network_input.values
    if not kind.whole:
        return rng.normal(size=shape).astype(np.float32)
    return rng.integers(int(kind.low), int(kind.high) + 1, shape).astype(kind.dtype)
