"""Networks that nobody has trained: an architecture with weights drawn at random, without a training framework."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NetworkError, TrainingError, UnknownNameError
from ..model.encoders import Encoder
from ..model.kinds import Input, InputKind, Shape
from ..model.layers import Block, Conv, Dense, Depthwise, Identity, Layer, Linear, Pool
from ..model.meta import Meta
from ..model.network import Network
from ..model.thresholds import requantize_constants
from ..model.transforms import Normalize, Scores, Sign, Transform
from .architectures import AverageSpec, ConvSpec, DenseSpec, LayerSpec, Numbers, OutputSpec, PoolSpec, read_architecture

_SPREAD = 64
"""Of the values of 8 bits that sums become: their standard deviation, about."""


def draw_network(
    architecture: str,
    shape: tuple[int, int, int],
    classes: int,
    kind: InputKind,
    seed: int = 0,
    encoder: Encoder | None = None,
    meta: Meta | None = None,
) -> Network:
    """Returns a network of random weights; each threshold of sums is −1 or +1 at random, a bias of one bit.

    The score of a class is its sum, less 2 where its bias bit is set; the scale makes the scores of a layer over bits
    0 to 1, as a share of matches.

    Args:
        architecture: see :func:`ebnn.training.architectures.read_architecture`; a dense layer with ``classes`` outputs
            follows.
        shape: of one sample, (channels, height, width).
        classes: number of them.
        kind: what the network takes.
        seed: of everything drawn.
        encoder, meta: of the network.

    Raises:
        UnknownNameError, TrainingError: the architecture cannot be read, or does not fit the shape.
    """
    try:
        specs = read_architecture(architecture)
    except UnknownNameError:
        raise
    except ValueError as error:
        raise TrainingError(f"architecture {architecture!r}: {error}") from None
    random = np.random.default_rng(seed)
    if not specs or not isinstance(specs[-1], OutputSpec):
        specs = (*specs, OutputSpec(Numbers(activations=0)))
    source = taken = Input(kind, Shape(*shape))
    layers: list[Layer] = []
    try:
        for spec in specs:
            linear, pool = _linear(spec, source.shape, classes, random)
            transform = _transform(spec, linear, pool, source, random)
            layers.append(Block(linear, pool, transform).at(len(layers), source))
            if not transform.last:
                source = layers[-1].output
        return Network(taken, layers, encoder, meta)
    except NetworkError as error:
        raise TrainingError(f"architecture {architecture!r} on samples of {Shape(*shape)}: {error}") from None


def _weights(shape: tuple[int, ...], bits: int, random: np.random.Generator) -> NDArray[Any]:
    if bits == 1:
        return random.integers(0, 2, shape, np.uint8).astype(bool)
    return random.integers(-127, 128, shape).astype(np.int8)


def _linear(spec: LayerSpec, at: Shape, classes: int, random: np.random.Generator) -> tuple[Linear, Pool | None]:
    """The linear part of a layer on an input of a shape, and its pool."""
    if isinstance(spec, AverageSpec):
        window = spec.window or (at.height, at.width)
        return Identity(at.channels), Pool(window, spec.stride or window, spec.padding, "average")
    bits = spec.numbers.weights
    if isinstance(spec, ConvSpec):
        filters = spec.filters * (at.channels if spec.depthwise else 1)
        weights = _weights((filters, *spec.kernel, 1 if spec.depthwise else at.channels), bits, random)
        part = Depthwise if spec.depthwise else Conv
        return part(weights, spec.stride, spec.padding), _pool(spec.pool)
    if isinstance(spec, OutputSpec) and spec.kernel is not None:
        conv = Conv(_weights((classes, *spec.kernel, at.channels), bits, random), spec.stride, spec.padding)
        window = conv.map_shape(at)[1:]
        return conv, Pool(window, window, (0, 0), "average") if spec.pooled else None
    outputs = spec.outputs if isinstance(spec, DenseSpec) else classes
    return Dense(_weights((outputs, at.height, at.width, at.channels), bits, random)), None


def _pool(spec: PoolSpec | None) -> Pool | None:
    return None if spec is None else Pool(spec.window, spec.stride, spec.padding)


def _transform(
    spec: LayerSpec, linear: Linear, pool: Pool | None, source: Input, random: np.random.Generator
) -> Transform:
    """What ends a layer: a sign or values of 8 bits, and in the end scores."""
    outputs, kind = linear.outputs, source.values
    biases = random.integers(0, 2, outputs)
    reach = int(linear.magnitudes.max()) * (kind.largest or 1) * (pool.terms if pool is not None else 1)
    if isinstance(spec, OutputSpec):
        offset = reach - 2 * biases if kind.whole else biases
        return Scores(np.ones(outputs, np.int16), offset.astype(np.int32), 1 / (2 * reach))
    if isinstance(spec, AverageSpec):
        gain = np.full(outputs, (_SPREAD if kind.packed else 1) / (pool.terms if pool is not None else 1))
        ends = ("int8", -128, 127) if kind.low < 0 or kind.packed else ("uint8", 0, 255)
        return requantize_constants(gain, np.zeros(outputs), reach, *ends)
    if spec.numbers.activations != 1:
        gain = np.full(outputs, _SPREAD * 2 * math.sqrt(linear.taps) / reach)
        ends = ("int8", -128, 127) if spec.numbers.signed else ("uint8", 0, 255)
        return requantize_constants(gain, np.zeros(outputs), reach, *ends)
    if not kind.whole:
        zero, one = np.zeros(outputs, np.float32), np.ones(outputs, np.float32)
        return Normalize(zero, zero, one, one, zero)
    return Sign((2 * biases - 1).astype(np.int32), np.zeros(outputs, bool))
