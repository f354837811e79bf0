"""Networks to measure kernels with: untrained, of many geometries, their bits set about as often as trained ones."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ebnn.blocks import Block, Conv, Dense, Input, InputKind, Normalization, Pool, Scores, Shape, Threshold
from ebnn.network import Network
from ebnn.reference import conv_sums, linear_sums, max_pool

CLASSES = 10
_ONES = (0.2, 0.5)  # how often an output's bit is 1


def sides(text: str) -> tuple[int, int]:
    """ "3" is (3, 3), "3x2" is (3, 2)."""
    values = [int(side) for side in text.split("x")]
    return values[0], values[-1]


def build(kind: InputKind, shape: Sequence[int], blocks: str, seed: int, classes: int = CLASSES) -> Network:
    """A network of random weights.

    Args:
        kind: of the input.
        shape: of the input, (channels, height, width).
        blocks: joined by spaces: "c16,3,1,1" is a convolution of 16 filters, kernel 3, stride 1, padding 1;
            "c16,3,1,1,m2,2,0" pools behind it, window 2, stride 2, padding 0; "d32" is a dense block of 32 outputs.
        seed: of everything.
        classes: of the last layer.
    """
    rng = np.random.default_rng(seed)
    at = Shape(*shape)
    network_input = Input(kind, at)
    x = samples(network_input, 8, seed).transpose(0, 2, 3, 1)
    made: list[Block] = []
    for text in blocks.split():
        part, _, pooling = text.partition(",m")
        fields = part[1:].split(",")
        outputs = int(fields[0])
        linear: Conv | Dense
        if part[0] == "c":
            kernel, stride, pad = map(sides, fields[1:])
            linear = Conv(rng.integers(0, 2, (outputs, *kernel, at.channels)).astype(bool), stride, pad)
            acc = conv_sums(x, linear, kind)
        else:
            linear = Dense(rng.integers(0, 2, (outputs, at.height, at.width, at.channels)).astype(bool))
            acc = linear_sums(x, linear.weights, kind)
        pool = Pool(*map(sides, pooling.split(","))) if pooling else None
        acc = acc if pool is None else max_pool(acc, pool)
        ones = rng.uniform(*_ONES, outputs)
        value = np.array([np.quantile(acc[..., f], 1 - ones[f]) for f in range(outputs)])
        spread = acc.reshape(-1, outputs).std(axis=0) + 1
        beta = np.array([NormalDist().inv_cdf(one) for one in ones])
        normalization = Normalization(0 * beta, value + beta * spread, 1 / spread, 0 * beta + 1, beta)
        threshold = None if kind == "float" else Threshold(np.ceil(value).astype(np.int32), np.zeros(outputs, bool))
        made.append(Block(linear, pool, threshold, normalization))
        x = acc >= np.ceil(value) if kind != "float" else acc >= value.astype(np.float32)
        at, kind = made[-1].output_shape(at), "bits"
    weights = rng.integers(0, 2, (classes, at.height, at.width, at.channels)).astype(bool)
    scores = Scores(weights, rng.integers(500, 1000, classes), rng.integers(-1000, 1000, classes), 0.5)
    return Network(network_input, tuple(made), scores)


def samples(network_input: Input, count: int, seed: int) -> NDArray[np.generic]:
    """(count, channels, height, width) random samples of an input."""
    rng = np.random.default_rng(seed)
    shape = (count, *network_input.shape)
    if network_input.kind == "float":
        return rng.normal(size=shape).astype(np.float32)
    low, high = {"bits": (0, 2), "uint8": (0, 256), "int8": (-128, 128)}[network_input.kind]
    return rng.integers(low, high, shape).astype({"bits": bool, "uint8": np.uint8, "int8": np.int8}[network_input.kind])
