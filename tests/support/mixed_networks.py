"""Random networks that mix all kinds of weights, activations, layers and pools."""

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebnn.model.kinds import KINDS, Input, Shape
from ebnn.model.layers import Block, Conv, Dense, Depthwise, Identity, Layer, Linear, Pool
from ebnn.model.network import Network
from ebnn.model.transforms import Requantize, Scores, Sign, Transform


def mixed_network(choose: random.Random) -> Network:
    """A network of up to four layers before the last: bits, uint8 and int8 in any order."""
    rng = np.random.default_rng(choose.getrandbits(32))
    given = Input(
        choose.choice(["bits", "uint8", "int8"]),
        Shape(choose.choice([1, 1, 2, 3, 4, 5, 8, 8, 16, 24, 33]), choose.randint(1, 7), choose.randint(1, 7)),
    )
    taken, blocks = given, []
    for _ in range(choose.randint(0, 4)):
        block = _random_block(choose, rng, taken)
        blocks.append(block)
        taken = block.at(0, taken).output
    return Network(given, [*blocks, _last(choose, rng, taken)])


def place(linear: Linear, pool: Pool | None, taken: Input) -> Layer:
    """A linear part and a pool where a transform is still to be chosen."""
    end = Requantize([0] * linear.outputs, [0] * linear.outputs, [16] * linear.outputs, "int8")
    return Block(linear, pool, end).at(0, taken)


def random_requantize(choose: random.Random, rng: np.random.Generator, outputs: int, reach: int) -> Requantize:
    """Multipliers of either sign and width; scales that use the range, and some that leave it on either side."""
    kind = choose.choice(["uint8", "int8"])
    narrow = choose.random() < 0.7
    scale = 2.0 ** rng.uniform(-3, 3, outputs) * 127 / max(1.0, reach**0.75)
    if narrow:
        scale = np.minimum(scale, 0.49)
    bits = 15 if narrow else 31
    shift = np.clip(np.floor(bits - np.log2(scale)), 16, 62).astype(np.int64)
    multiplier = np.rint(scale * 2.0**shift)
    most = 2**15 - 1 if narrow else 2**31 - 1
    multiplier = np.minimum(multiplier, most) * rng.choice([1, 1, 1, -1], outputs)
    extreme = rng.random(outputs) < 0.1
    multiplier[extreme] = rng.choice([-most - 1 + narrow, -1, 0, 1, most], int(extreme.sum()))
    bias = np.clip(rng.integers(-reach - 1, reach + 2, outputs), reach - 2**31 + 1, 2**31 - 1 - reach)
    low, high = (int(end) for end in (KINDS[kind].low, KINDS[kind].high))
    if choose.random() < 0.3:
        low, high = sorted((choose.randint(low, high), choose.randint(low, high)))
    return Requantize(bias, multiplier, shift, kind, low, high)


def random_sign(choose: random.Random, rng: np.random.Generator, outputs: int, reach: int) -> Sign:
    """Thresholds about 0, and some at the ends of what sums can be."""
    value = rng.integers(-int(reach**0.75) - 1, int(reach**0.75) + 2, outputs)
    extreme = rng.random(outputs) < 0.1
    value[extreme] = rng.choice([-reach - 1, -reach, reach, reach + 1], int(extreme.sum()))
    return Sign(np.clip(value, -reach - 1, reach + 1), rng.random(outputs) < choose.choice([0, 0.5, 1]))


def random_weights(choose: random.Random, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
    """Weights of ±1 or int8, both ends of int8 among them; sometimes many zeros."""
    if choose.random() < 0.4:
        return rng.integers(0, 2, shape).astype(bool)
    weights = rng.integers(-128, 128, shape).astype(np.int8)
    if choose.random() < 0.2:
        weights[rng.random(shape) < 0.7] = 0
    return weights


def random_linear(choose: random.Random, rng: np.random.Generator, shape: Shape) -> Linear:
    outputs = choose.choice([1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33])
    part = choose.choice(["conv", "conv", "conv", "depthwise", "dense", "dense", "pool"])
    if part == "dense":
        return Dense(random_weights(choose, rng, (outputs, shape.height, shape.width, shape.channels)))
    if part == "pool":
        return Identity(shape.channels)
    kernel, stride, pad = _windows(choose, shape[1:], 3, False)
    if part == "depthwise":
        filters = shape.channels * choose.choice([1, 1, 2])
        return Depthwise(random_weights(choose, rng, (filters, *kernel, 1)), stride, pad)
    return Conv(random_weights(choose, rng, (outputs, *kernel, shape.channels)), stride, pad)


def _random_block(choose: random.Random, rng: np.random.Generator, taken: Input) -> Block:
    linear = random_linear(choose, rng, taken.shape)
    pool = None
    if not isinstance(linear, Dense) and choose.random() < 0.5:
        sides = place(linear, None, taken).map_shape[1:]
        pool = Pool(*_windows(choose, sides, 2, True), choose.choice(["max", "average"]))  # type: ignore[arg-type]
    reach = place(linear, pool, taken).reach
    end = random_sign if choose.random() < 0.4 else random_requantize
    transform: Transform = end(choose, rng, linear.outputs, reach)
    return Block(linear, pool, transform)


def _last(choose: random.Random, rng: np.random.Generator, taken: Input) -> Block:
    classes, shape = choose.choice([2, 3, 4, 5, 10, 33]), taken.shape
    linear: Linear = Dense(random_weights(choose, rng, (classes, shape.height, shape.width, shape.channels)))
    pool = None
    if choose.random() < 0.5:  # a map that is pooled to one place
        pool = Pool(shape[1:], (1, 1), (0, 0), choose.choice(["max", "average"]))  # type: ignore[arg-type]
        linear = Conv(random_weights(choose, rng, (classes, 1, 1, shape.channels)))
        if shape.channels > 1 and choose.random() < 0.7:
            linear = Depthwise(random_weights(choose, rng, (shape.channels, 1, 1, 1)))
            linear = choose.choice([linear, Identity(shape.channels)])
        classes = linear.outputs
    reach = place(linear, pool, taken).reach
    largest = min(2**15 - 1, (2**31 - 1) // max(reach, 1))
    multiplier = rng.integers(-largest, largest + 1, classes)
    room = 2**31 - 1 - np.abs(multiplier) * reach
    offset = rng.integers(-room, room + 1)
    if choose.random() < 0.3:  # ties
        multiplier[:], offset[:] = 1, 0
    return Block(linear, pool, Scores(multiplier, offset, 0.5))


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
