"""Post-training quantization: a trained float network becomes one of 8 bits, by samples that calibrate it.

Weights are symmetric, with a step for each output; activations are uint8 behind a ReLU, else int8. The range of an
activation is where its error on the samples is least, and the mean error that rounded weights make of each output is
taken off its bias. Nagel et al., "A White Paper on Neural Network Quantization", arXiv 2106.08295 (2021), section 3;
for the biases Nagel et al., "Data-Free Quantization", arXiv 1906.04721 (2019), section 4.2. No framework is needed
here: a front end gives the layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..errors import InputError, LoweringError
from ..model import reference
from ..model.encoders import Affine, Encoder
from ..model.kinds import KINDS, Input, Shape
from ..model.layers import Block, Conv, Dense, Depthwise, Identity, Layer, Linear, Pool
from ..model.network import Network
from ..model.thresholds import requantize_constants, score_constants
from ..model.transforms import Requantize, Scores

LARGEST_WEIGHT = 127
BATCH = 250  # samples at a time
CLIPS = np.linspace(0.3, 1, 36)  # shares of the largest value that are tried as a range
SEARCHED = 200_000  # values of an activation that choose its range

Part = Literal["conv", "depthwise", "dense", "pool"]


@dataclass(frozen=True, eq=False)
class FloatLayer:
    """A layer of a float network: linear part → pool → ``· scale + shift`` → ReLU.

    Attributes:
        name: for messages.
        part: its linear part; of "pool" each sum is one value.
        weights: (outputs, height, width, input) float; None for "pool".
        stride, pad: of the kernel, as (height, width).
        pool: of the sums; an average is one here.
        scale, shift: (outputs,) float; a single 1 and 0 for "pool".
        relu: whether a ReLU ends it.
    """

    name: str
    part: Part
    weights: NDArray[Any] | None
    stride: tuple[int, int]
    pad: tuple[int, int]
    pool: Pool | None
    scale: NDArray[np.float64]
    shift: NDArray[np.float64]
    relu: bool

    @property
    def finite(self) -> bool:
        """Whether it holds finite numbers only."""
        held = (self.scale, self.shift) if self.weights is None else (self.weights, self.scale, self.shift)
        return all(bool(np.isfinite(array).all()) for array in held)

    def sums(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """Sums before the pool, (n, height, width, outputs), of ``x`` (n, height, width, channels)."""
        if self.part == "pool":
            return x.astype(np.float64)
        assert self.weights is not None
        flat = self.weights.reshape(len(self.weights), -1).T
        if self.part == "dense":
            return np.asarray(x.reshape(len(x), 1, 1, -1) @ flat, np.float64)
        padded = np.pad(x, [(0, 0), (self.pad[0],) * 2, (self.pad[1],) * 2, (0, 0)])
        windows = _windows(padded, (self.weights.shape[1], self.weights.shape[2]), self.stride)
        if self.part == "conv":
            taps = windows.transpose(0, 1, 2, 4, 5, 3).reshape(*windows.shape[:3], -1)
            return np.asarray(taps @ flat, np.float64)
        filters = self.weights[..., 0].reshape(x.shape[3], -1, *self.weights.shape[1:3])
        found = np.einsum("nyxcij,ceij->nyxce", windows, filters, optimize=True)
        return np.asarray(found.reshape(*found.shape[:3], -1), np.float64)

    def pooled(self, acc: NDArray[Any]) -> NDArray[Any]:
        """Maxima or averages of sums."""
        if self.pool is None:
            return acc
        if not self.pool.sums:
            return reference.max_pool(acc, self.pool)
        padded = np.pad(acc, [(0, 0), (self.pool.pad[0],) * 2, (self.pool.pad[1],) * 2, (0, 0)])
        windows = _windows(padded, self.pool.size, self.pool.stride)
        return np.asarray(windows.sum(axis=(4, 5)) / self.pool.terms)

    def run(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """What it gives before its ReLU, (n, height, width, outputs), for ``x`` (n, height, width, channels)."""
        return np.concatenate([self.pooled(self.sums(part)) * self.scale + self.shift for part in _batches(x)])


@dataclass(frozen=True)
class LayerReport:
    """What quantization did to one layer.

    Attributes:
        name: of the network's layer.
        kind: of its output; "scores" for the last.
        low, high: the least and the largest value of its output on the samples, in the float network.
        clip: the largest value that its output can hold; None for scores.
        weight_error: of the weights, the root of the mean square error over that of the mean square; None without.
        error: of its output likewise, errors of the layers before included.
    """

    name: str
    kind: str
    low: float
    high: float
    clip: float | None
    weight_error: float | None
    error: float


@dataclass(frozen=True)
class Quantized:
    """A quantized network, and what that did to each layer."""

    network: Network
    layers: tuple[LayerReport, ...]


def run_float(layers: Sequence[FloatLayer], x: NDArray[Any]) -> NDArray[np.float64]:
    """Returns the logits, (n, classes), of a float network for samples ``x`` (n, channels, height, width)."""
    found = []
    for batch in _batches(x):
        h: NDArray[Any] = batch.transpose(0, 2, 3, 1)
        for layer in layers:
            h = layer.run(h)
            h = np.maximum(h, 0) if layer.relu else h
        found.append(h.reshape(len(h), -1))
    return np.concatenate(found)


def quantize_layers(layers: Sequence[FloatLayer], taken: Input, samples: NDArray[Any]) -> Quantized:
    """Returns the network of 8 bits that a float network becomes.

    Args:
        layers: in order; the last one's outputs are the classes' logits.
        taken: what the float network takes. "float" becomes uint8, or int8 where a sample is negative, with an encoder.
        samples: that calibrate it, (n, channels, height, width), as the network takes them; bits as 0 and 1.

    Raises:
        InputError: there are no samples.
        LoweringError, NetworkError: the network cannot be run on a board, the message says why.
    """
    if not len(samples):
        raise InputError("there are no samples to calibrate with: give at least one")
    if not np.isfinite(samples).all():
        raise InputError("a sample that calibrates holds a value that is not finite: leave it out")
    for layer in layers:
        if not layer.finite:
            raise LoweringError(f"{layer.name} holds a value that is not finite: training diverged, use a lower rate")
    if not layers or layers[-1].relu or layers[-1].part == "pool":
        raise LoweringError("the last layer must give scores: end the network with a dense layer, without ReLU")
    encoder: Encoder | None = None
    if taken.kind == "float":
        encoder, taken, x = _encode(taken, samples)
        steps = 1 / encoder.scale.astype(np.float64)
        given = samples.transpose(0, 2, 3, 1).astype(np.float32)
    else:
        x = samples.transpose(0, 2, 3, 1)
        steps = np.ones(x.shape[3])
        given = taken.values.as_numbers(x)
    blocks: list[Block] = []
    reports = []
    source = taken
    for index, layer in enumerate(layers):
        target = layer.run(given)
        block, weight_error, clip = _quantize(layer, layer is layers[-1], source, x, steps, target)
        placed = block.at(index, source)
        blocks.append(block)
        x = np.concatenate([reference.run_layer(placed, part) for part in _batches(x)])
        given = (np.maximum(target, 0) if layer.relu else target).astype(np.float32)
        if isinstance(block.transform, Scores):
            steps = np.array([block.transform.scale])
        else:
            source = placed.output
            steps = steps if clip is None else np.array([clip / source.values.high])
        error = _relative(x * steps, given)
        kind = "scores" if placed.transform.last else source.kind
        ends = float(given.min()), float(given.max())
        reports.append(LayerReport(placed.name, kind, *ends, clip, weight_error, error))
    return Quantized(Network(taken, blocks, encoder), tuple(reports))


def _encode(taken: Input, samples: NDArray[Any]) -> tuple[Affine, Input, NDArray[Any]]:
    """An encoder by which 0 stays 0, what it gives, and the samples in it, (n, height, width, channels)."""
    low = samples.min(axis=(0, 2, 3)).astype(np.float64)
    largest = np.abs(samples).max(axis=(0, 2, 3)).astype(np.float64)
    largest[largest == 0] = 1
    kind = KINDS["int8" if (low < 0).any() else "uint8"]
    scale = (int(kind.high) / largest).astype(np.float32)
    offset = ((kind.low - 0.5) / scale).astype(np.float32)  # x · scale is rounded
    encoder = Affine(offset, scale, kind.name)
    encoded = encoder.encode(samples)
    return encoder, Input(kind.name, Shape(*encoded.shape[1:])), encoded.transpose(0, 2, 3, 1)


def _quantize(
    layer: FloatLayer, last: bool, source: Input, x: NDArray[Any], steps: NDArray[Any], target: NDArray[Any]
) -> tuple[Block, float | None, float | None]:
    """A layer's block, the error of its weights, and the largest value of its output.

    ``x`` is its input in whole numbers, of which 1 stands for ``steps`` (channels,) or (1,); ``target`` is what the
    float network gives before its ReLU.
    """
    terms = 1 if layer.pool is None else layer.pool.terms
    if layer.weights is None:
        return _quantize_pool(layer, source, terms)
    integers, units, weight_error = _quantize_weights(layer, steps, last)
    linear: Linear
    if layer.part == "dense":
        linear = Dense(integers)
    else:
        linear = (Depthwise if layer.part == "depthwise" else Conv)(integers, layer.stride, layer.pad)
    gain = units / terms
    placed = _place(linear, layer.pool, source)
    acc = np.concatenate([_pooled_sums(placed, part) for part in _batches(x)])
    shift = layer.shift + (target - (acc * gain + layer.shift)).mean(axis=(0, 1, 2))
    if last:
        return Block(linear, layer.pool, Scores(*score_constants(gain, shift, placed.reach))), weight_error, None
    clip = _best_clip(np.maximum(target, 0) if layer.relu else target, layer.relu)
    kind, low, high = ("uint8", 0, 255) if layer.relu else ("int8", -127, 127)
    factor = high / clip
    transform = requantize_constants(gain * factor, shift * factor, placed.reach, kind, low, high)
    return Block(linear, layer.pool, transform), weight_error, clip


def _quantize_pool(layer: FloatLayer, source: Input, terms: int) -> tuple[Block, None, float | None]:
    """A pool of its own keeps the steps of its input; bits become int8."""
    kind, channels = source.values, source.shape.channels
    gain = np.full(channels, (127 if kind.packed else 1) / terms)
    given = KINDS["int8"] if kind.packed else kind
    low = -127 if kind.packed else int(given.low)
    placed = _place(Identity(channels), layer.pool, source)
    transform = requantize_constants(gain, np.zeros(channels), placed.reach, given.name, low, int(given.high))
    return Block(placed.linear, layer.pool, transform), None, 1.0 if kind.packed else None


def _quantize_weights(
    layer: FloatLayer, steps: NDArray[Any], last: bool
) -> tuple[NDArray[np.int8], NDArray[np.float64], float]:
    """The device's weights, what 1 of their sums stands for behind scale, (outputs,), and their error.

    Scores have one scale: the last layer's weights take the scales of its outputs, and have one step.
    """
    assert layer.weights is not None
    weights = layer.weights.astype(np.float64)
    if layer.part == "depthwise":
        inputs = np.broadcast_to(steps, len(steps) if len(steps) > 1 else len(weights))
        weights = weights * np.repeat(inputs, len(weights) // len(inputs))[:, None, None, None]
    else:
        weights = weights * steps
    scale = layer.scale
    folds = last and (layer.pool is None or layer.pool.sums or bool(np.all(scale > 0)))
    if folds:
        weights, scale = weights * scale[:, None, None, None], np.ones(len(scale))
    largest = np.abs(weights).reshape(len(weights), -1).max(axis=1)
    largest = np.full_like(largest, largest.max()) if folds else largest
    units = np.where(largest > 0, largest, 1) / LARGEST_WEIGHT
    by_output = units[:, None, None, None]
    integers = np.rint(weights / by_output).astype(np.int8)
    return integers, units * scale, _relative(integers * by_output, weights)


def _place(linear: Linear, pool: Pool | None, source: Input) -> Layer:
    """A linear part and its pool, where what ends them is still to be found."""
    nothing = np.zeros(linear.outputs)
    end = Requantize(nothing.astype(np.int32), nothing.astype(np.int32), (nothing + 16).astype(np.uint8), "int8")
    return Block(linear, pool, end).at(0, source)


def _pooled_sums(layer: Layer, x: NDArray[Any]) -> NDArray[Any]:
    acc = reference.sums(layer.linear, x, layer.kind)
    if layer.pool is None:
        return acc
    return reference.sum_pool(acc, layer.pool) if layer.pool.sums else reference.max_pool(acc, layer.pool)


def _best_clip(y: NDArray[Any], positive: bool) -> float:
    """The largest value of 8 bits by which values ``y`` have the least mean square error."""
    values = np.abs(y.ravel())
    largest = float(values.max())
    if largest <= 0:
        return 1.0
    if len(values) > SEARCHED:
        values = np.random.default_rng(0).choice(values, SEARCHED)
    levels = 255 if positive else 127

    def error(clip: float) -> float:
        step = clip / levels
        return float(((np.minimum(np.rint(values / step), levels) * step - values) ** 2).mean())

    return min((float(share) * largest for share in CLIPS), key=error)


def _relative(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    """The root of the mean square error, over that of the mean square; 0 where both are 0."""
    error, size = (float(np.sqrt(np.square(each, dtype=np.float64).mean())) for each in (found - wanted, wanted))
    return float(error / size if size > 0 else error)


def _windows(x: NDArray[Any], size: tuple[int, int], stride: tuple[int, int]) -> NDArray[Any]:
    """Windows of (n, height, width, channels): (n, rows, columns, channels, window height, window width), a view."""
    windows: NDArray[Any] = sliding_window_view(x, size, axis=(1, 2))
    return windows[:, :: stride[0], :: stride[1]]


def _batches(x: NDArray[Any]) -> list[NDArray[Any]]:
    return [x[start : start + BATCH] for start in range(0, len(x), BATCH)]
