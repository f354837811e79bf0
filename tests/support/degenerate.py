"""Networks at the edges of what can exist, by name, each with samples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebnn.model.kinds import Input, InputKind
from ebnn.model.layers import Conv, Dense, Pool
from ebnn.model.network import Network
from ebnn.model.transforms import Normalize, Scores, Sign

from .parts import block_of, last_of, net_of
from .random_networks import LARGEST, RANGES, TYPES

Pair = tuple[int, int]
RNG = np.random.default_rng(20)


def _weights(*shape: int) -> NDArray[np.bool_]:
    return RNG.integers(0, 2, shape).astype(bool)


def _scores(classes: int, shape: Any) -> Scores:
    weights = _weights(classes, shape[1], shape[2], shape[0])
    return last_of(weights, RNG.integers(-9, 10, classes), RNG.integers(-9, 10, classes), 1.0)


def _thresholds(outputs: int, span: int) -> Sign:
    return Sign(RNG.integers(-span, span + 1, outputs), RNG.integers(0, 2, outputs).astype(bool))


def _normalization(outputs: int) -> Normalize:
    return Normalize(*(RNG.normal(size=outputs) for _ in range(2)), *(np.abs(RNG.normal(size=(3, outputs))) + 0.1))


def _conv(
    kind: InputKind,
    shape: tuple[int, int, int],
    outputs: int,
    kernel: Pair,
    stride: Pair = (1, 1),
    pad: Pair = (0, 0),
    pool: Pool | None = None,
    count: int = 3,
) -> tuple[Network, NDArray[Any]]:
    """One convolution, then scores."""
    conv = Conv(_weights(outputs, *kernel, shape[0]), stride, pad)
    threshold = None if kind == "float" else _thresholds(outputs, 2 * LARGEST[kind])
    if threshold is not None and conv.weights[0].size == 1:
        threshold = _thresholds(outputs, LARGEST[kind])
    block = block_of(conv, pool, threshold, _normalization(outputs) if kind == "float" else None)
    network_input = Input(kind, shape)
    network = net_of(network_input, (block,), _scores(3, block.at(0, network_input).output_shape))
    return network, _samples(kind, (count, *shape))


def _samples(kind: InputKind, shape: tuple[int, ...]) -> NDArray[Any]:
    if kind == "float":
        return RNG.normal(size=shape).astype(np.float32)
    return RNG.integers(*RANGES[kind], shape).astype(TYPES[kind])


def _last(
    kind: InputKind, shape: tuple[int, int, int], multiplier: int, offset: int, fill: tuple[int, ...]
) -> tuple[Network, NDArray[Any]]:
    """A last layer of ones and zeros, and samples that are the same all over."""
    channels, height, width = shape
    weights = np.broadcast_to(np.array([True, False])[:, None, None, None], (2, height, width, channels))
    scores = last_of(weights, [multiplier] * 2, [offset] * 2, 1.0)
    return net_of(Input(kind, shape), (), scores), np.array([np.full(shape, value, TYPES[kind]) for value in fill])


def _most_taps(kind: InputKind) -> tuple[Network, NDArray[Any]]:
    """65,535 taps, and with bits a row of 65,535 bits, too; thresholds at the ends."""
    reach = 65_535 * LARGEST[kind]
    weights = np.ones((5, 1, 3, 21_845), bool)
    weights[4] = _weights(1, 3, 21_845)
    value = np.array([reach, reach + 1, -reach, -reach, 0])
    block = block_of(Conv(weights), None, Sign(value, np.array([False, False, True, False, False])))
    low, high = RANGES[kind]
    x = np.array([np.full((21_845, 1, 3), fill, TYPES[kind]) for fill in (low, high - 1)])
    x = np.concatenate([x, _samples(kind, (1, 21_845, 1, 3))])
    return net_of(Input(kind, (21_845, 1, 3)), (block,), _scores(2, (5, 1, 1))), x


def _most_dense_taps() -> tuple[Network, NDArray[Any]]:
    """As many bits as 16 bits compare; thresholds at and beyond what can be reached, turned over or not."""
    taps = 32_766
    weights = np.ones((8, 1, 1, taps), bool)
    weights[6:] = _weights(2, 1, 1, taps)
    value = np.array([taps, taps + 1, -taps, -taps - 1, taps, taps + 1, 0, 2])
    below = np.array([False, False, True, True, True, True, False, True])
    block = block_of(Dense(weights), None, Sign(value, below))
    x = np.concatenate([np.zeros((1, taps, 1, 1), np.uint8), np.ones((1, taps, 1, 1), np.uint8)])
    x = np.concatenate([x, _samples("bits", (1, taps, 1, 1))])
    return net_of(Input("bits", (taps, 1, 1)), (block,), _scores(5, (8, 1, 1))), x


def _many_classes_of_many_bits() -> tuple[Network, NDArray[Any]]:
    """A last layer of more words than 16 bits count mismatches of, and of four classes and one."""
    shape = (21_845, 4, 1)
    scores = last_of(_weights(5, 4, 1, 21_845), [1, 2, 3, -4, 5], [0, 0, 1, 0, 0], 1.0)
    return net_of(Input("bits", shape), (), scores), _samples("bits", (2, *shape))


def _largest_threshold() -> tuple[Network, NDArray[Any]]:
    """Sums of 2**24 in magnitude: 131,072 values of −128."""
    weights = np.broadcast_to(np.array([True, False])[:, None, None, None], (2, 128, 128, 8))
    weights = np.concatenate([weights, weights])
    value = np.array([-(2**24), 2**24, -(2**24) - 1, 2**24 + 1])
    block = block_of(Dense(weights), None, Sign(value, np.array([True, False, True, False])))
    network = net_of(Input("int8", (8, 128, 128)), (block,), _scores(2, (4, 1, 1)))
    return network, np.array([np.full((8, 128, 128), fill, np.int8) for fill in (-128, 127)])


def _padded_most_bits() -> tuple[Network, NDArray[Any]]:
    """65,535 taps of which a border lies outside: masks as long as they can be."""
    return _conv("bits", (5, 99, 109), 3, (109, 119), (3, 5), (7, 8))


DEGENERATE = {
    "one bit": _conv("bits", (1, 1, 1), 1, (1, 1)),
    "one byte": _conv("uint8", (1, 1, 1), 1, (1, 1)),
    "one float": _conv("float", (1, 1, 1), 1, (1, 1)),
    "kernel larger than a bit": _conv("bits", (3, 1, 1), 9, (3, 5), (1, 1), (1, 2)),
    "kernel larger than a byte": _conv("int8", (3, 1, 1), 9, (3, 5), (1, 1), (1, 2)),
    "kernel larger than a float": _conv("float", (3, 1, 1), 9, (3, 5), (1, 1), (1, 2)),
    "kernel wholly outside, bits": _conv("bits", (2, 2, 3), 9, (2, 1), (1, 2), (4, 5)),
    "kernel wholly outside, bytes": _conv("uint8", (2, 2, 3), 9, (2, 1), (1, 2), (4, 5)),
    "kernel wholly outside, floats": _conv("float", (2, 2, 3), 9, (2, 1), (1, 2), (4, 5)),
    "kernel wholly outside, pooled": _conv("bits", (1, 1, 1), 8, (1, 1), (1, 1), (6, 6), Pool((3, 4), (3, 4), (2, 3))),
    "stride over kernel": _conv("bits", (3, 9, 11), 5, (2, 3), (5, 7)),
    "stride over image": _conv("uint8", (1, 5, 4), 5, (2, 2), (32_767, 32_767)),
    "pool on one pixel": _conv("bits", (1, 1, 1), 33, (1, 1), pool=Pool((3, 3), (1, 1), (1, 1))),
    "pool on one pixel, many windows": _conv("int8", (1, 1, 1), 7, (1, 1), pool=Pool((5, 5), (1, 1), (4, 4))),
    "pool stride over size": _conv("bits", (8, 7, 9), 4, (1, 1), pool=Pool((2, 2), (3, 5))),
    "pool on one float": _conv("float", (1, 1, 1), 7, (1, 1), pool=Pool((5, 5), (2, 2), (4, 4))),
    "a tall column": _conv("bits", (1, 32_767, 1), 1, (32_767, 1)),
    "a wide row": _conv("bits", (1, 1, 32_767), 1, (1, 32_760)),
    "a wide row of bytes": _conv("uint8", (2, 1, 32_767), 1, (1, 3), (1, 4000)),
    "a dense block of 32,766 bits": _most_dense_taps(),
    "five classes of 87,380 bits": _many_classes_of_many_bits(),
    "a wide row of bits for tables": _conv("bits", (3, 2, 21_845), 5, (1, 3), (1, 7)),
    "255 classes": (
        net_of(Input("bits", (1, 1, 9)), (), _scores(255, (1, 1, 9))),
        _samples("bits", (3, 1, 1, 9)),
    ),
    "two classes": (net_of(Input("bits", (1, 1, 9)), (), _scores(2, (1, 1, 9))), _samples("bits", (3, 1, 1, 9))),
    "most taps, bits": _most_taps("bits"),
    "most taps, bytes": _most_taps("uint8"),
    "most taps, int8": _most_taps("int8"),
    "most taps, padded": _padded_most_bits(),
    "largest score": _last("bits", (21_845, 1, 3), -32_768, 32_767, (0, 1)),
    "smallest score": _last("bits", (21_845, 1, 3), -32_768, -32_767, (0, 1)),
    "largest sums": _last("int8", (8, 128, 128), 127, 2**24 - 1, (-128, 127)),
    "largest offset": _last("bits", (1, 1, 1), 0, 2**31 - 1, (0, 1)),
    "smallest offset": _last("bits", (1, 1, 1), 0, -(2**31) + 1, (0, 1)),
    "largest thresholds": _largest_threshold(),
}
