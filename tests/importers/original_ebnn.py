"""The original eBNN in plain words: random layers, the header it would print for them, and what its C answers.

The interpreter walks over the layers' own ±1 weights, never over a header's bytes.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

VECTORS = ("b", "gamma", "beta", "mean", "std")


@dataclass
class OriginalLayer:
    """One layer. ``kind`` fconv, bconv, flinear, blinear, blinear_sm; ``weights`` ±1, (f, d, rows, columns) or (k, n).

    flinear is LinearBNBST: a dense layer that takes floats, and prints itself as one that takes bits.
    """

    kind: str
    weights: Any
    b: Any
    gamma: Any
    beta: Any
    mean: Any
    std: Any
    side: int = 0
    stride: int = 1
    pad: int = 0
    pool: tuple[int, int, int] = field(default=(1, 1, 0))  # size, stride, pad

    @property
    def is_conv(self):
        return self.weights.ndim == 4

    @property
    def name(self):
        pool = "_pool" if self.pool != (1, 1, 0) else ""
        return {
            "fconv": f"l_conv{pool}_bn_bst",
            "bconv": f"l_b_conv{pool}_bn_bst",
            "flinear": "l_b_linear_bn_bst",
            "blinear": "l_b_linear_bn_bst",
            "blinear_sm": "l_b_linear_bn_softmax",
        }[self.kind]


def make_layer(rng, kind, weights, spread, **geometry):
    """A layer with random constants, for sums of about ``spread``; negative and zero gammas among them."""
    outputs = len(weights)

    def draw(scale):
        return (rng.normal(size=outputs) * scale).astype(np.float32)

    gamma = (1 + np.abs(draw(0.5))) * rng.choice([1, 1, 1, -1], outputs)
    gamma[rng.random(outputs) < 0.05] = 0
    std = (spread * (0.5 + rng.random(outputs))).astype(np.float32)
    return OriginalLayer(
        kind, weights, draw(0.1), gamma.astype(np.float32), draw(0.3), draw(spread), std=std, **geometry
    )


def make_signs(rng, *shape):
    return rng.choice([-1, 1], shape).astype(np.int8)


def make_network(rng, kind="bits", channels=1, convs=2, hidden=0, classes=5, last="blinear_sm"):
    """Random layers: ``convs`` convolutions, ``hidden`` dense ones, and the last. Returns them and a sample's shape.

    Without convolutions a first dense layer takes what ``kind`` says.
    """
    side = int(rng.integers(6, 11))
    shape = (channels, side, side)
    layers = []
    for i in range(convs):
        filters, kernel = int(rng.integers(1, 9)), int(rng.choice([1, 2, 3]))
        kernel = min(kernel, side)
        pad = int(rng.integers(0, kernel)) if side > kernel else 0
        stride = int(rng.integers(1, 3))
        rows = (side + 2 * pad - kernel) // stride + 1
        pool = (1, 1, 0)
        if rng.random() < 0.6:
            size = int(rng.integers(1, min(rows, 3) + 1))
            pool = (size, int(rng.integers(1, 3)), int(rng.integers(0, size)))
        is_float = i == 0 and kind == "float"
        layers.append(
            make_layer(
                rng,
                "fconv" if is_float else "bconv",
                make_signs(rng, filters, channels, kernel, kernel),
                np.sqrt(channels * kernel * kernel) * (0.3 if is_float else 1),
                side=side,
                stride=stride,
                pad=pad,
                pool=pool,
            )
        )
        channels, side = filters, (rows + 2 * pool[2] - pool[0]) // pool[1] + 1
    size = channels * side * side
    for _ in range(hidden):
        outputs = int(rng.integers(1, 30))
        is_float = not layers and kind == "float"
        spread = np.sqrt(size) * (0.3 if is_float else 1)
        layers.append(make_layer(rng, "flinear" if is_float else "blinear", make_signs(rng, outputs, size), spread))
        size = outputs
    layers.append(make_layer(rng, last, make_signs(rng, classes, size), np.sqrt(size)))
    if not convs:
        shape = (layers[0].weights.shape[1], 1, 1)
    return layers, shape


# What its C answers


def classes_of(layers, samples):
    """Classes of the samples (n, channels, rows, columns), floats or bits as 0 and 1."""
    return np.array([_class_of(layers, sample) for sample in samples])


def bits_of(layers, samples):
    """Output bits of the samples, (n, outputs) bool, where the last layer is a blinear_layer."""
    return np.array([_after(layers, len(layers), sample).ravel() > 0 for sample in samples])


def _after(layers, count, sample):
    """The signs behind the first ``count`` layers, as −1 and +1."""
    x = sample if layers[0].kind in ("fconv", "flinear") else np.where(sample, 1, -1)
    for layer in layers[:count]:
        x = np.where(_normalized(layer, _pooled(layer, _map_of(layer, x))) >= 0, 1, -1)
    return x


def _class_of(layers, sample):
    scores = _normalized(layers[-1], _map_of(layers[-1], _after(layers, len(layers) - 1, sample)))
    best = 0
    for k, score in enumerate(scores):
        if score > scores[best]:
            best = k
    return best


def _map_of(layer, x):
    if layer.kind == "flinear":
        sums = np.zeros(len(layer.weights), np.float32)
        for weights, value in zip(layer.weights.T, x.ravel(), strict=True):
            sums += weights.astype(np.float32) * np.float32(value)
        return sums
    if not layer.is_conv:
        return layer.weights.astype(np.int64) @ x.ravel()
    filters, channels, kernel, _ = layer.weights.shape
    rows = (layer.side + 2 * layer.pad - kernel) // layer.stride + 1
    padded = np.pad(x, [(0, 0), (layer.pad,) * 2, (layer.pad,) * 2])
    sums = np.zeros((filters, rows, rows), np.float32)
    for c in range(channels):
        for i in range(kernel):
            for j in range(kernel):
                taps = padded[c, i:, j:][: (rows - 1) * layer.stride + 1 : layer.stride]
                taps = taps[:, : (rows - 1) * layer.stride + 1 : layer.stride].astype(np.float32)
                sums += layer.weights[:, c, i, j, None, None].astype(np.float32) * taps
    return sums


def _pooled(layer, sums):
    if not layer.is_conv:
        return sums
    size, stride, pad = layer.pool
    rows = sums.shape[1]
    starts = range(-pad, rows + pad - size + 1, stride)
    return np.array(
        [[[f[max(i, 0) : i + size, max(j, 0) : j + size].max() for j in starts] for i in starts] for f in sums]
    )


def _normalized(layer, sums):
    y = np.asarray(sums, np.float32)
    b, gamma, beta, mean, std = (getattr(layer, v).reshape(-1, *[1] * (y.ndim - 1)) for v in VECTORS)
    return (y + b - mean) / std * gamma + beta


# What its generator prints


def header_of(layers, room=100_000, early=False, float_linear="blinear"):
    """The C header, its buffers ``room`` bytes long; ``early``: as it was in early 2017, without parameters."""
    text = ['\n#include "util.h"\n' if early else '#include "ebnn.h"']
    for i, layer in enumerate(layers):
        name = f"{layer.name}{i}"
        linear = "bconv" if layer.is_conv else "bl"
        names = [f"{name}_{linear}_b", *(f"{name}_bn_{vector}" for vector in VECTORS[1:])]
        for vector, array in zip(VECTORS, names, strict=True):
            text.append(_array("float", array, [f"{value}" for value in getattr(layer, vector)]))
        text.insert(len(text) - 4, _array("uint8_t", f"{name}_{linear}_W", _packed(layer)))
        order = [names[0], names[1], names[2], names[3], names[4]]
        call = ", ".join(["input", f"{name}_{linear}_W", "output", *order, *map(str, _numbers(layer))])
        kind = "float" if layer.kind in ("fconv", "flinear") else "uint8_t"
        function = float_linear if layer.kind == "flinear" else layer.kind
        text.append(f"void {name}({kind}* input, uint8_t* output){{\n  {function}_layer({call});\n}}\n")
    if early:
        text.append('\nchar name[] = "main";\nfloat input[784] = {0};\nuint8_t output[1] = {0};')
    text.append(f"\nuint8_t temp1[{room}] = {{0}};\nuint8_t temp2[{room}] = {{0}};")
    kind = "float" if layers[0].kind in ("fconv", "flinear") else "uint8_t"
    text.append("void compute(){" if early else f"void ebnn_compute({kind} *input, uint8_t *output){{")
    source = "input"
    for i, layer in enumerate(layers):
        target = "output" if i == len(layers) - 1 else f"temp{i % 2 + 1}"
        text.append(f"  {layer.name}{i}({source}, {target});")
        source = target
    return "\n".join([*text, "}"])


def _array(kind, name, values):
    return f"{kind} {name}[{len(values)}] = {{{','.join(values)}}};"


def _packed(layer):
    rows = layer.weights.reshape(len(layer.weights), -1)
    if layer.kind == "bconv":
        rows = layer.weights.reshape(-1, layer.weights.shape[2] * layer.weights.shape[3])
    values = []
    for row in rows:
        digits = "".join("1" if weight > 0 else "0" for weight in row)
        digits += "1" * (-len(digits) % 8)
        values += [str(int(digits[i : i + 8], 2)) for i in range(0, len(digits), 8)]
    return values


def _numbers(layer):
    if not layer.is_conv:
        return [1, layer.weights.shape[1], layer.weights.shape[0]]
    filters, channels, height, width = layer.weights.shape
    size, stride, pad = layer.pool
    geometry = [layer.side, layer.side, channels, height, width, layer.stride, layer.stride, layer.pad, layer.pad]
    return [1, filters, *geometry, size, size, stride, stride, pad, pad]
