"""An interpreter of networks written from SPEC.md alone: plain Python loops, no NumPy arithmetic.

Numbers in parentheses are SPEC.md's. Activations are dictionaries (channel, row, column) → number.
"""

import math
import struct
from dataclasses import dataclass
from typing import Any

from ebnn.model.layers import Dense, Depthwise, Identity
from ebnn.model.network import Network
from ebnn.model.transforms import Normalize, Requantize

Activation = dict[tuple[int, int, int], float]


def f32(x: float) -> float:
    """``x`` rounded to float32. A float64 sum, product, quotient or root of float32 values rounds to the right one."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", x))[0])
    except OverflowError:
        return math.copysign(math.inf, x)


@dataclass(frozen=True)
class Run:
    """One sample's way: the activations (channels, height, width), input first; the scores; the class."""

    shapes: list[tuple[int, int, int]]
    activations: list[Activation]
    scores: list[int]
    winner: int


def run(network: Network, sample: Any, arithmetic: str = "integer") -> Run:
    """Runs one ``sample`` (channels, height, width)."""
    kind = network.input.kind
    shape = tuple(network.input.shape)
    x = {
        (c, y, i): (1 if sample[c][y][i] else -1) if kind == "bits" else float(sample[c][y][i])  # (1.1)
        for c in range(shape[0])
        for y in range(shape[1])
        for i in range(shape[2])
    }
    shapes, activations = [shape], [x]
    for index, block in enumerate(network.layers[:-1]):
        in_float = index == 0 and kind == "float"  # (4.7)
        sums, sides = linear(block.linear, x, shape, in_float)
        shape, pooled = pool(block, sums, sides)
        if isinstance(block.transform, Requantize):
            x = {at: requantized(block.transform, at[0], int(acc)) for at, acc in pooled.items()}
        else:
            x = {at: bit(block, at[0], acc, in_float or arithmetic == "float") for at, acc in pooled.items()}
        shapes.append(shape)
        activations.append(x)
    sums, sides = linear(network.layers[-1].linear, x, shape, False)
    _, sums = pool(network.layers[-1], sums, sides)
    out = network.layers[-1].transform
    scores = [int(out.multiplier[k]) * int(sums[k, 0, 0]) + int(out.offset[k]) for k in range(len(out.offset))]  # (5.1)
    winner = 0
    for k, score in enumerate(scores):  # (5.2)
        if score > scores[winner]:
            winner = k
    return Run(shapes, activations, scores, winner)


def positions(n: int, k: int, s: int, p: int) -> int:
    """How many positions a window has along a side (4.2)."""
    return math.floor((n + 2 * p - k) / s) + 1


def linear(
    layer: Any, x: Activation, shape: tuple[int, ...], in_float: bool
) -> tuple[Activation, tuple[int, int, int]]:
    """The sums of a convolution or a dense layer (3.1 to 3.4), and their shape."""
    channels, height, width = shape
    if isinstance(layer, Identity):
        return x, (channels, height, width)  # (3.7)
    weights = layer.weights.tolist()  # output, height, width, input
    if isinstance(layer, Dense):
        sums: Activation = {}
        for o in range(len(weights)):
            # Dense floats are added in the order of Chainer's arrays, channel after channel (3.3, 2.4).
            taps = [
                (x[c, y, i], weights[o][y][i][c]) for c in range(channels) for y in range(height) for i in range(width)
            ]
            sums[o, 0, 0] = dot(taps, in_float)
        return sums, (len(weights), 1, 1)
    kernel_h, kernel_w = len(weights[0]), len(weights[0][0])
    rows = positions(height, kernel_h, layer.stride[0], layer.pad[0])
    columns = positions(width, kernel_w, layer.stride[1], layer.pad[1])
    sums = {}
    for o in range(len(weights)):
        for row in range(rows):
            for column in range(columns):
                taps = []
                for ky in range(kernel_h):  # height, width, input (2.5)
                    for kx in range(kernel_w):
                        for c in range(1 if isinstance(layer, Depthwise) else channels):
                            y = row * layer.stride[0] - layer.pad[0] + ky
                            i = column * layer.stride[1] - layer.pad[1] + kx
                            if 0 <= y < height and 0 <= i < width:  # (3.4)
                                of = o // (len(weights) // channels) if isinstance(layer, Depthwise) else c  # (3.6)
                                taps.append((x[of, y, i], weights[o][ky][kx][c]))
                sums[o, row, column] = dot(taps, in_float)
    return sums, (len(weights), rows, columns)


def dot(taps: list[tuple[float, bool | int]], in_float: bool) -> float:
    """``acc`` of (value, weight) pairs: an integer, or rounded to float32 after each addition (3.2, 3.3)."""
    acc = 0.0
    for value, weight in taps:
        if isinstance(weight, bool):
            acc += value if weight else -value
        else:
            acc += value * weight
        if in_float:
            acc = f32(acc)
    return acc


def pool(block: Any, sums: Activation, shape: tuple[int, int, int]) -> tuple[tuple[int, int, int], Activation]:
    """The largest sums, or the sums, of the windows, of the positions that lie on the map (4.3)."""
    window = block.pool
    if window is None:
        return shape, sums
    outputs, height, width = shape
    rows = positions(height, window.size[0], window.stride[0], window.pad[0])
    columns = positions(width, window.size[1], window.stride[1], window.pad[1])
    pooled = {}
    for o in range(outputs):
        for row in range(rows):
            for column in range(columns):
                top, left = row * window.stride[0] - window.pad[0], column * window.stride[1] - window.pad[1]
                pooled[o, row, column] = (sum if window.kind == "average" else max)(
                    sums[o, y, i]
                    for y in range(top, top + window.size[0])
                    for i in range(left, left + window.size[1])
                    if 0 <= y < height and 0 <= i < width
                )
    return (outputs, rows, columns), pooled


def bit(block: Any, output: int, acc: float, in_float: bool) -> int:
    """+1 or −1 for a pooled sum, by threshold (4.4) or by normalisation (4.6)."""
    if not in_float:
        value = int(block.transform.value[output])
        return 1 if (acc <= value if block.transform.below[output] else acc >= value) else -1
    n = block.transform if isinstance(block.transform, Normalize) else block.transform.normalize
    return 1 if normalized(acc, *(float(getattr(n, name)[output]) for name in n.FIELDS)) >= 0 else -1


def requantized(end: Requantize, output: int, acc: int) -> int:
    """A pooled sum as a small integer (4.8)."""
    shift = int(end.shift[output])
    value = ((acc + int(end.bias[output])) * int(end.multiplier[output]) + 2 ** (shift - 1)) // 2**shift
    return min(max(value, end.low or 0), 0 if end.high is None else end.high)


def normalized(acc: float, bias: float, mean: float, inv_std: float, gamma: float, beta: float) -> float:
    """Batch normalisation in float32, rounded after each operation (4.6)."""
    y = f32(acc + bias)
    y = f32(y - mean)
    y = f32(y * inv_std)
    y = f32(y * gamma)
    return f32(y + beta)


def memory(kind: str, shape: tuple[int, int, int], x: Activation) -> bytes:
    """An activation's bytes in memory (2.1 to 2.4)."""
    channels, height, width = shape
    if kind == "float":
        order = [(c, y, i) for c in range(channels) for y in range(height) for i in range(width)]
        return b"".join(struct.pack("<f", x[at]) for at in order)
    if kind != "bits":
        order = [(c, y, i) for y in range(height) for i in range(width) for c in range(channels)]
        return bytes(int(x[at]) & 0xFF for at in order)
    out = bytearray()
    for y in range(height):
        row = bytearray(math.ceil(width * channels / 8))
        for i in range(width):
            for c in range(channels):
                if x[c, y, i] > 0:
                    at = i * channels + c
                    row[at // 8] |= 1 << (at % 8)
        out += row
    return bytes(out)
