"""Flat files of weights, written and interpreted from their description (SPEC.md, section 11), bit after bit.

Nothing of ebnn is used: loops over plain numbers, floats as NumPy's float32.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

F = np.float32


@dataclass
class Layer:
    """Weights [y][x][channel][output] as −1 and +1; ``kernel`` None is a dense layer."""

    weights: list[Any]
    outputs: int
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)
    pool: tuple[int, int, int] | None = None
    dense: bool = False
    limits: list[int] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)
    offsets: list[float] = field(default_factory=list)
    mask: list[int] | None = None

    @property
    def taps(self) -> tuple[int, int, int]:
        return len(self.weights), len(self.weights[0]), len(self.weights[0][0])


def stream(layer: Layer, on_bits: bool) -> list[int]:
    """The bits of a layer's weights in the file's order: 1 is −1."""
    height, width, channels = layer.taps
    group, block = (64, 8) if on_bits else (32, 2)
    if channels % block != 0:
        block = 1
    found = []
    for y in range(height):
        for x in range(width):
            for first in range(0, layer.outputs, group):
                some = range(first, min(first + group, layer.outputs))
                for channel in range(0, channels, block):
                    for output in some:
                        for c in range(channel, channel + block):
                            found.append(1 if layer.weights[y][x][c][output] < 0 else 0)
    return found


def packed(bits: list[int]) -> bytes:
    """Bits most significant first."""
    bits = bits + [0] * (-len(bits) % 8)
    return bytes(sum(bit << (7 - i) for i, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8))


def write(layers: list[Layer], bits_first: bool) -> bytes:
    data = b""
    for index, layer in enumerate(layers):
        data += packed(stream(layer, bits_first or index > 0))
        if layer.limits:
            data += struct.pack(f"<{layer.outputs}H", *layer.limits)
        else:
            data += struct.pack(f"<{2 * layer.outputs}f", *layer.factors, *layer.offsets)
        if layer.mask is not None:
            size = -(-layer.outputs // 128) * 128
            data += packed([layer.mask[i % layer.outputs] for i in range(size)])
    return data


def sums(layer: Layer, x: dict[tuple[int, int, int], int], shape: tuple[int, int, int]) -> dict[Any, int]:
    """By (y, x, output): the sum over what lies on the input."""
    channels, height, width = shape
    kh, kw, _ = layer.taps
    rows = (height + 2 * layer.pad[0] - kh) // layer.stride[0] + 1
    columns = (width + 2 * layer.pad[1] - kw) // layer.stride[1] + 1
    found = {}
    for row in range(rows):
        for column in range(columns):
            top, left = row * layer.stride[0] - layer.pad[0], column * layer.stride[1] - layer.pad[1]
            for output in range(layer.outputs):
                total = 0
                for u in range(kh):
                    for v in range(kw):
                        if 0 <= top + u < height and 0 <= left + v < width:
                            for c in range(channels):
                                total += x[c, top + u, left + v] * layer.weights[u][v][c][output]
                found[row, column, output] = total
    return found


def classify(layers: list[Layer], sample: Any, shape: tuple[int, int, int]) -> int:
    """The class of a sample [channel][y][x] of numbers, or of −1 and +1."""
    x = {(c, i, j): int(sample[c][i][j]) for c in range(shape[0]) for i in range(shape[1]) for j in range(shape[2])}
    for layer in layers[:-1]:
        found = sums(layer, x, shape)
        size = layer.taps[0] * layer.taps[1] * layer.taps[2]
        bits = {}
        for (row, column, output), total in found.items():
            if layer.limits:
                minus = size - total > 2 * layer.limits[output]  # more mismatches than the limit; outside, half of one
            else:
                minus = F(F(total) * F(layer.factors[output])) + F(layer.offsets[output]) < 0
            bits[row, column, output] = minus
        rows, columns = 1 + max(key[0] for key in bits), 1 + max(key[1] for key in bits)
        if layer.pool is not None:
            window, step, pad = layer.pool
            pooled = {}
            for row in range((rows + 2 * pad - window) // step + 1):
                for column in range((columns + 2 * pad - window) // step + 1):
                    for output in range(layer.outputs):
                        inside = [
                            bits[i, j, output]
                            for i in range(row * step - pad, row * step - pad + window)
                            for j in range(column * step - pad, column * step - pad + window)
                            if (i, j, output) in bits
                        ]
                        pooled[row, column, output] = all(inside)  # the bits are and-ed
            bits = pooled
            rows, columns = 1 + max(key[0] for key in bits), 1 + max(key[1] for key in bits)
        if layer.mask is not None:
            bits = {key: minus != bool(layer.mask[key[2]]) for key, minus in bits.items()}
        shape = (layer.outputs, rows, columns)
        x = {(output, row, column): -1 if minus else 1 for (row, column, output), minus in bits.items()}
    last = layers[-1]
    found = sums(last, x, shape)
    scores = [F(F(found[0, 0, k]) * F(last.factors[k])) + F(last.offsets[k]) for k in range(last.outputs)]
    return max(range(last.outputs), key=lambda k: (scores[k], -k))


def random_file(choose: random.Random) -> tuple[list[Layer], dict[str, Any]]:
    """Layers, and what a JSON file beside them says."""
    kind = choose.choice(["bits", "uint8", "int8"])
    shape = (choose.choice([1, 2, 3, 8, 16]), choose.randint(3, 7), choose.randint(3, 7))
    start, parts, layers = shape, [], []
    flat = False
    for index in range(choose.randint(1, 3)):
        outputs = choose.choice([3, 8, 33, 40, 65, 128, 130])
        bits = kind == "bits" or index > 0
        if flat or choose.random() < 0.4:
            flat = True
            layer = Layer(random_weights(choose, (shape[1], shape[2], shape[0]), outputs), outputs, dense=True)
            parts.append(f"d{outputs}")
            shape = (outputs, 1, 1)
        else:
            layer, text, shape = random_conv(choose, shape, outputs)
            parts.append(text)
        size = layer.taps[0] * layer.taps[1] * layer.taps[2]
        if bits:
            layer.limits = [choose.choice([0, size, size // 2, choose.randint(0, size)]) for _ in range(outputs)]
        else:
            spread = size**0.5 * 150
            layer.factors = [float(F(choose.choice([-1, 1]) * choose.uniform(0.001, 2))) for _ in range(outputs)]
            layer.offsets = [float(F(choose.gauss(0, spread))) for _ in range(outputs)]
            layer.offsets[0] = choose.choice([float("inf"), float("-inf"), 0.0, layer.offsets[0]])
        if choose.random() < 0.5:
            layer.mask = [choose.randint(0, 1) for _ in range(outputs)]
        layers.append(layer)
    classes = choose.choice([2, 3, 10])
    if not flat and choose.random() < 0.5:
        parts.append(f"ok{shape[1]}x{shape[2]}")
    last = Layer(random_weights(choose, (shape[1], shape[2], shape[0]), classes), classes, dense=True)
    last.factors = [float(F(choose.uniform(0.5, 1.5))) for _ in range(classes)]
    last.offsets = [float(F(choose.gauss(0, 2))) for _ in range(classes)]
    layers.append(last)
    side = {"format": "flat-weights", "architecture": "-".join(parts), "shape": list(start), "input": kind}
    xor = [index for index, layer in enumerate(layers) if layer.mask is not None]
    return layers, side | {"classes": classes, "xor": xor}


def random_conv(choose: random.Random, shape: tuple[int, int, int], outputs: int) -> tuple[Layer, str, Any]:
    channels, height, width = shape
    kh, kw = choose.randint(1, min(3, height)), choose.randint(1, min(3, width))
    stride, pad = choose.randint(1, 2), choose.randint(0, 1)
    layer = Layer(random_weights(choose, (kh, kw, channels), outputs), outputs, (stride, stride), (pad, pad))
    rows, columns = (height + 2 * pad - kh) // stride + 1, (width + 2 * pad - kw) // stride + 1
    text = f"c{outputs}k{kh}x{kw}s{stride}p{pad}"
    if min(rows, columns) >= 2 and choose.random() < 0.5:
        layer.pool = (2, choose.randint(1, 2), choose.randint(0, 1))
        window, step, edge = layer.pool
        text += f"-m{window}s{step}p{edge}"
        rows, columns = (rows + 2 * edge - window) // step + 1, (columns + 2 * edge - window) // step + 1
    return layer, text, (outputs, rows, columns)


def random_weights(choose: random.Random, taps: tuple[int, int, int], outputs: int) -> list[Any]:
    height, width, channels = taps
    return [
        [[[choose.choice([-1, 1]) for _ in range(outputs)] for _ in range(channels)] for _ in range(width)]
        for _ in range(height)
    ]


def samples(choose: random.Random, side: dict[str, Any], count: int) -> np.ndarray:
    """(count, channels, height, width), as the network takes them."""
    low, high, kind = {"bits": (0, 1, np.uint8), "uint8": (0, 255, np.uint8), "int8": (-128, 127, np.int8)}[
        side["input"]
    ]
    shape = (count, *side["shape"])
    values = [choose.randint(low, high) for _ in range(int(np.prod(shape)))]
    return np.array(values).reshape(shape).astype(kind)


def as_numbers(side: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """What the layers see: bits as −1 and +1."""
    return 2 * x.astype(int) - 1 if side["input"] == "bits" else x.astype(int)
