"""Random networks made without Chainer: any thresholds, any directions, any scores that an int32 holds."""

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebnn.model.kinds import Input, InputKind, Shape
from ebnn.model.layers import Block, Conv, Dense, Pool
from ebnn.model.network import Network
from ebnn.model.transforms import Normalize, Sign

from .parts import block_of, last_of, net_of

LARGEST = {"bits": 1, "uint8": 255, "int8": 128}
RANGES = {"bits": (0, 2), "uint8": (0, 256), "int8": (-128, 128)}
TYPES = {"bits": np.uint8, "uint8": np.uint8, "int8": np.int8}


def random_network(choose: random.Random, normalized: bool = False) -> Network:
    """A network of up to three blocks. Where ``normalized`` it runs in the float arithmetic too."""
    kinds: list[InputKind] = ["bits", "uint8", "int8", "float"]
    kind = choose.choice(kinds)
    shape = Shape(choose.choice([1, 1, 2, 3, 8, 33]), choose.randint(1, 7), choose.randint(1, 7))
    network_input = Input(kind, shape)
    rng = np.random.default_rng(choose.getrandbits(32))
    blocks: list[Block] = []
    for _ in range(choose.randint(1 if kind == "float" else 0, 3)):
        block = _random_block(choose, rng, kind, shape, normalized)
        blocks.append(block)
        shape = block.at(0, Input(kind, shape)).output_shape
        kind = "bits"
    classes = choose.choice([2, 3, 4, 10, 33])
    weights = _weights(rng, (classes, shape.height, shape.width, shape.channels))
    reach = weights[0].size * LARGEST[kind]
    largest = min(2**15, (2**31 - 1) // reach)
    multiplier = rng.integers(-largest, min(largest, 2**15 - 1) + 1, classes)
    room = 2**31 - 1 - np.abs(multiplier) * reach
    offset = rng.integers(-room, room + 1)
    if choose.random() < 0.3:  # ties
        multiplier[:], offset[:] = 1, 0
    return net_of(network_input, tuple(blocks), last_of(weights, multiplier, offset, 0.5))


def random_large_network(choose: random.Random) -> Network:
    """What others are too small or too even for: wide, tall and narrow maps, and filters of more than 32,766 bits."""
    kind, shape, linear = choose.choice([_wide_map, _tall_map, _narrow_map, _many_taps])(choose)
    rng = np.random.default_rng(choose.getrandbits(32))
    outputs, height, width, channels = linear
    reach = height * width * channels * LARGEST[kind]
    sign = _signs(choose, rng, outputs, reach)
    network_input = Input(kind, shape)
    weights = _weights(rng, linear)
    block: Block
    if (height, width) == shape[1:] and choose.random() < 0.5:
        block = block_of(Dense(weights), None, sign)
    else:
        stride = choose.choice([(1, 1), (1, 1), (1, 2), (2, 1), (2, 3)])
        least = max(0, (width - shape.width + 1) // 2)
        pad = (choose.randint(0, min(height - 1, 2)), choose.randint(least, 2))
        conv = Conv(weights, stride, pad)
        pool = None
        if choose.random() < 0.7:
            sides = block_of(conv, None, sign).at(0, network_input).map_shape[1:]
            size = choose.randint(1, min(int(sides[0]), 4)), choose.randint(1, min(int(sides[1]), 9))
            pool = Pool(size, (choose.randint(1, 5), choose.randint(1, 5)), (size[0] // 3, size[1] // 3))
        block = block_of(conv, pool, sign)
    at = block.at(0, network_input).output_shape
    classes = choose.randint(2, 5)
    last = last_of(
        _weights(rng, (classes, at.height, at.width, at.channels)),
        rng.integers(-100, 101, classes),
        rng.integers(-1000, 1001, classes),
        0.5,
    )
    return net_of(network_input, (block,), last)


_Geometry = tuple[InputKind, Shape, tuple[int, int, int, int]]
"""Kind and shape of an input, shape of the first layer's weights."""


def _wide_map(choose: random.Random) -> _Geometry:
    shape = Shape(choose.choice([1, 1, 1, 2]), choose.randint(3, 8), choose.randint(17, 45))
    kind: InputKind = choose.choice(["uint8", "uint8", "int8", "bits"])
    kernel = choose.randint(1, 3), choose.choice([1, 2, 3, 3, 5])
    return kind, shape, (choose.choice([1, 3, 8, 9, 16, 24]), *kernel, shape.channels)


def _tall_map(choose: random.Random) -> _Geometry:
    shape = Shape(choose.choice([1, 1, 2, 3]), choose.randint(12, 30), choose.randint(5, 12))
    kind: InputKind = choose.choice(["uint8", "bits", "bits", "bits"])
    kernel = choose.choice([1, 2, 3, 3, 3]), choose.choice([1, 2, 3, 3, 3])
    return kind, shape, (choose.choice([1, 3, 4, 8, 9, 16]), *kernel, shape.channels)


def _narrow_map(choose: random.Random) -> _Geometry:
    """Where padding and stride leave some columns of the kernel without a column of the image."""
    shape = Shape(1, choose.randint(3, 9), choose.randint(1, 2))
    return choose.choice(["uint8", "int8"]), shape, (choose.choice([3, 8]), 3, choose.randint(2, 3), 1)


def _many_taps(choose: random.Random) -> _Geometry:
    """Every second time more than 65,504 bits, whose mismatches 16 bits cannot count; 65,535 is the most."""
    height, width = choose.randint(4, 5), choose.randint(3, 4)
    most = 65_535 // (height * width)
    channels = choose.choice([most, choose.randint(most // 2 + 1, most)])
    return "bits", Shape(channels, height, width), (choose.randint(1, 3), height, width, channels)


def random_samples(network: Network, count: int, seed: int = 0) -> NDArray[Any]:
    """(count, channels, height, width) in the input's type; floats whose sums depend on the order of their addition."""
    rng = np.random.default_rng(seed)
    shape = (count, *network.input.shape)
    if network.input.kind == "float":
        return (rng.normal(size=shape) * 2.0 ** rng.integers(-6, 7, shape)).astype(np.float32)
    kind = network.input.kind
    return rng.integers(*RANGES[kind], shape).astype(TYPES[kind])


def thresholds_of(normalization: Normalize, reach: int) -> Sign:
    """The thresholds of a normalisation, from its value at every sum from −reach to reach."""
    sums = np.arange(-reach, reach + 1)
    value, below = [], []
    for output in range(len(normalization.bias)):
        y = sums.astype(np.float32)
        for name, operation in zip(Normalize.FIELDS, "+-**+", strict=True):
            operand = getattr(normalization, name)[output]
            y = {"+": np.add, "-": np.subtract, "*": np.multiply}[operation](y, operand, dtype=np.float32)
        passes = sums[y >= 0]
        falls = bool(len(passes)) and passes[0] == -reach and passes[-1] != reach
        below.append(falls)
        value.append(reach + 1 if not len(passes) else passes[-1] if falls else passes[0])
    return Sign(np.array(value), np.array(below))


def random_normalization(rng: np.random.Generator, outputs: int, spread: float) -> Normalize:
    """Bias, mean, … of sums that spread about so far; a tenth of the gammas are 0, a third give exact zeros."""
    mean = rng.normal(0, spread, outputs).astype(np.float32)
    bias = rng.normal(0, spread / 4, outputs).astype(np.float32)
    gamma = rng.normal(0, 1, outputs).astype(np.float32)
    beta = rng.normal(0, 0.3, outputs).astype(np.float32)
    inv_std = (1 / rng.gamma(2, spread + 1, outputs)).astype(np.float32)
    dead, tie = rng.random(outputs) < 0.1, rng.random(outputs) < 0.3
    gamma[dead] = 0
    beta[dead] = rng.choice([-1, 0, 1], int(dead.sum()))
    beta[tie], bias[tie], mean[tie] = 0, 0, np.round(mean[tie])
    return Normalize(bias, mean, inv_std, gamma, beta)


def _weights(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    return rng.integers(0, 2, shape).astype(bool)


def _random_block(
    choose: random.Random, rng: np.random.Generator, kind: InputKind, shape: Shape, normalized: bool
) -> Block:
    outputs = choose.choice([1, 3, 7, 8, 9, 17, 32, 35])
    linear: Conv | Dense
    pool = None
    if choose.random() < 0.25:
        linear = Dense(_weights(rng, (outputs, shape.height, shape.width, shape.channels)))
    else:
        kernel, stride, pad = _windows(choose, shape[1:], 3, False)
        linear = Conv(_weights(rng, (outputs, *kernel, shape.channels)), stride, pad)
        if choose.random() < 0.5:
            placed = block_of(linear, normalize=random_normalization(rng, outputs, 1)).at(0, Input("float", shape))
            sides = placed.map_shape[1:]
            pool = Pool(*_windows(choose, sides, 2, True))
    taps = linear.weights[0].size
    if kind == "float":
        return block_of(linear, pool, None, random_normalization(rng, outputs, taps**0.5))
    reach = taps * LARGEST[kind]
    if normalized:
        normalization = random_normalization(rng, outputs, taps**0.5 * LARGEST[kind] / 2)
        return block_of(linear, pool, thresholds_of(normalization, reach), normalization)
    return block_of(linear, pool, _signs(choose, rng, outputs, reach, max(1, int(taps**0.5 * LARGEST[kind]))))


def _signs(choose: random.Random, rng: np.random.Generator, outputs: int, reach: int, span: int | None = None) -> Sign:
    """Thresholds for sums that spread about ``span`` far and are never beyond ``reach``, a tenth of them extreme."""
    span = max(1, int(reach**0.5)) if span is None else span
    value = rng.integers(-span, span + 1, outputs)
    extreme = rng.random(outputs) < 0.1
    value[extreme] = rng.choice([-reach - 1, -reach, reach, reach + 1], int(extreme.sum()))
    below = rng.random(outputs) < choose.choice([0, 0.5, 1])
    return Sign(np.clip(value, -reach - 1, reach + 1), below)


def _windows(
    choose: random.Random, sides: tuple[int, ...], most_pad: int, pad_below_size: bool
) -> tuple[tuple[int, int], ...]:
    """Sizes, strides and pads of a window for (height, width); a kernel may lie wholly in the padding."""
    columns = []
    for side in sides:
        pad = choose.choice([0, 0, choose.randint(0, most_pad)])
        size = choose.randint(pad + 1 if pad_below_size else 1, max(1, min(side + 2 * pad, 5)))
        columns.append((size, choose.randint(1, 4), pad))
    return tuple((a, b) for a, b in zip(*columns, strict=True))
