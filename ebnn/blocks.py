"""The parts of a network as frozen values: input, linear parts, pooling, thresholds, blocks, scores.

Arrays are in the order of the device's memory: filters are (output, height, width, input). Weights are truth values:
True is +1, False is −1.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from . import bits
from .errors import NetworkError

InputKind = Literal["bits", "uint8", "int8", "float"]
Pair: TypeAlias = "tuple[int, int]"  # (height, width)

INPUT_KINDS: tuple[InputKind, ...] = get_args(InputKind)
MAX_SIDE = 32_767  # a coordinate, its padding included, is a 16-bit int on an 8-bit MCU


class Shape(NamedTuple):
    """The shape of one activation."""

    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.channels}×{self.height}×{self.width}"

    @property
    def size(self) -> int:
        """How many values."""
        return self.channels * self.height * self.width


def activation_bytes(kind: InputKind, shape: Shape) -> int:
    """Bytes that one activation takes in memory: bits are padded to whole bytes at each row's end."""
    if kind == "bits":
        return shape.height * bits.row_bytes(shape.width * shape.channels)
    return shape.size * (4 if kind == "float" else 1)


def largest_value(kind: InputKind) -> int:
    """The largest magnitude of one value of an integer kind, as the sums see it (a bit is −1 or +1)."""
    return {"bits": 1, "uint8": 255, "int8": 128}[kind]


@dataclass(frozen=True)
class Input:
    """What the network takes: ``kind`` of values and ``shape`` of one sample."""

    kind: InputKind
    shape: Shape

    def __post_init__(self) -> None:
        if self.kind not in INPUT_KINDS:
            raise NetworkError(f"input kind {self.kind!r} is unknown: use one of {', '.join(INPUT_KINDS)}")
        try:
            shape = Shape(*map(operator.index, self.shape))
        except TypeError:
            raise NetworkError(
                f"the input shape {self.shape} is not three whole numbers (channels, height, width)"
            ) from None
        object.__setattr__(self, "shape", shape)
        check_shape("input", self.shape)

    @property
    def bytes(self) -> int:
        """Bytes of one sample on the device."""
        return activation_bytes(self.kind, self.shape)


@dataclass(frozen=True, eq=False)
class Conv:
    """A binary convolution. ``weights`` (output, height, width, input) bool; a tap outside the image contributes 0."""

    weights: NDArray[np.bool_]
    stride: Pair = (1, 1)
    pad: Pair = (0, 0)

    def __post_init__(self) -> None:
        _freeze(self, "weights", bool, 4)
        _freeze_pair(self, "stride", "stride", least=1)
        _freeze_pair(self, "pad", "pad", least=0)

    @property
    def kernel(self) -> Pair:
        return self.weights.shape[1], self.weights.shape[2]

    @property
    def padded(self) -> bool:
        return self.pad != (0, 0)


@dataclass(frozen=True, eq=False)
class Dense:
    """A binary dense layer. ``weights`` (output, height, width, input) bool, one weight for each value of its input."""

    weights: NDArray[np.bool_]

    def __post_init__(self) -> None:
        _freeze(self, "weights", bool, 4)


@dataclass(frozen=True)
class Pool:
    """A max-pooling window; what lies outside the map never wins. ``pad`` is smaller than ``size``."""

    size: Pair
    stride: Pair
    pad: Pair = (0, 0)

    def __post_init__(self) -> None:
        _freeze_pair(self, "size", "pool size", least=1)
        _freeze_pair(self, "stride", "pool stride", least=1)
        _freeze_pair(self, "pad", "pool pad", least=0)
        for size, pad in zip(self.size, self.pad, strict=True):
            if pad >= size:
                raise NetworkError(f"pool pad {pad} leaves windows of size {size} empty: use a pad below the size")


@dataclass(frozen=True, eq=False)
class Threshold:
    """Batch normalisation and sign as one comparison per output.

    ``value`` (outputs,) int32 and ``below`` (outputs,) bool: the bit is ``acc <= value`` where ``below``, else
    ``acc >= value``.
    """

    value: NDArray[np.int32]
    below: NDArray[np.bool_]

    def __post_init__(self) -> None:
        _freeze(self, "value", np.int32, 1)
        _freeze(self, "below", bool, 1)
        _check_outputs(self, ("value", "below"))


@dataclass(frozen=True, eq=False)
class Normalization:
    """Bias and batch normalisation in float32, each (outputs,), for the float arithmetic.

    ``((acc + bias) − mean) · inv_std · gamma + beta``, rounded to float32 after each operation, in this order.
    """

    bias: NDArray[np.float32]
    mean: NDArray[np.float32]
    inv_std: NDArray[np.float32]
    gamma: NDArray[np.float32]
    beta: NDArray[np.float32]

    FIELDS = ("bias", "mean", "inv_std", "gamma", "beta")

    def __post_init__(self) -> None:
        for name in self.FIELDS:
            _freeze(self, name, np.float32, 1)
            if not np.isfinite(getattr(self, name)).all():
                raise NetworkError(f"normalisation {name} holds a value that is not finite: train with a lower rate")
        _check_outputs(self, self.FIELDS)


@dataclass(frozen=True, eq=False)
class Block:
    """linear → max-pool → batch normalisation → sign: one bit per output.

    ``threshold`` is None only where the block's input is float; ``normalization`` is None where only thresholds are
    known, and the float arithmetic is then not to be had.
    """

    linear: Conv | Dense
    pool: Pool | None = None
    threshold: Threshold | None = None
    normalization: Normalization | None = None

    def __post_init__(self) -> None:
        if self.pool is not None and isinstance(self.linear, Dense):
            raise NetworkError("a dense block cannot pool: drop the pool or use a convolution")
        if self.threshold is None and self.normalization is None:
            raise NetworkError("a block needs a threshold or a normalisation")
        for part in (self.threshold, self.normalization):
            if part is not None:
                got = len(part.value if isinstance(part, Threshold) else part.bias)
                if got != self.outputs:
                    raise NetworkError(f"a block of {self.outputs} outputs cannot have {got} thresholds")

    @property
    def kind(self) -> str:
        return "conv" if isinstance(self.linear, Conv) else "dense"

    @property
    def outputs(self) -> int:
        return int(self.linear.weights.shape[0])

    def map_shape(self, shape: Shape) -> Shape:
        """Shape of the linear part's map for an input of ``shape``, before pooling."""
        if isinstance(self.linear, Dense):
            return Shape(self.outputs, 1, 1)
        sides = _window_count(shape[1:], self.linear.kernel, self.linear.stride, self.linear.pad, "kernel")
        return Shape(self.outputs, *sides)

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of the block's output for an input of ``shape``."""
        shape = self.map_shape(shape)
        if self.pool is None:
            return shape
        sides = _window_count(shape[1:], self.pool.size, self.pool.stride, self.pool.pad, "pooling window")
        return Shape(self.outputs, *sides)


@dataclass(frozen=True, eq=False)
class Scores:
    """The last layer: ``score[k] = multiplier[k] · acc[k] + offset[k]`` in int32; the first maximum wins.

    ``weights`` (classes, height, width, input) bool, ``multiplier`` (classes,) int16, ``offset`` (classes,) int32.
    ``scale`` turns a score into the trainer's logit.
    """

    weights: NDArray[np.bool_]
    multiplier: NDArray[np.int16]
    offset: NDArray[np.int32]
    scale: float

    def __post_init__(self) -> None:
        _freeze(self, "weights", bool, 4)
        _freeze(self, "multiplier", np.int16, 1)
        _freeze(self, "offset", np.int32, 1)
        _check_outputs(self, ("weights", "multiplier", "offset"))
        object.__setattr__(self, "scale", float(self.scale))
        if not 0 < self.scale < float("inf"):
            raise NetworkError(f"the scale of the scores is {self.scale}, it must be above 0 and finite")


def block_threshold_bytes(block: Block) -> int:
    """Bytes of a block's thresholds (2 or 4 each, and a bit each where one of them is ``below``) or normalisation."""
    if block.threshold is None:
        return block.outputs * 4 * len(Normalization.FIELDS)
    value, flips = at_least(block.threshold)
    return value.size * value.itemsize + (bits.row_bytes(flips.size) if flips.any() else 0)


def at_least(threshold: Threshold) -> tuple[NDArray[np.int16] | NDArray[np.int32], NDArray[np.bool_]]:
    """The thresholds as the device has them: ``(acc >= value) != flip``, value int16 where all of them fit, else int32.

    ``acc <= t`` is ``not acc >= t + 1``, so a window's maximum passes ``<=`` just where no position passes ``>=``.
    """
    value = threshold.value + threshold.below.astype(np.int32)
    info = np.iinfo(np.int16)
    fits = bool(np.all((value >= info.min) & (value <= info.max)))
    return value.astype(np.int16 if fits else np.int32), threshold.below


def _freeze(owner: object, name: str, dtype: Any, ndim: int) -> None:
    given = np.asarray(getattr(owner, name))
    label = f"{type(owner).__name__.lower()} {name}"
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            array = np.array(given, dtype=dtype, order="C")
    except (TypeError, ValueError, OverflowError):
        raise NetworkError(f"{label} holds a value that {np.dtype(dtype)} cannot") from None
    if array.ndim != ndim or array.size == 0:
        raise NetworkError(f"{label} has shape {array.shape}: it needs {ndim} axes, none of them empty")
    if array.dtype.kind in "bi" and not np.array_equal(array, given):
        raise NetworkError(f"{label} holds a value that {array.dtype} cannot")
    array.setflags(write=False)
    object.__setattr__(owner, name, array)


def _freeze_pair(owner: object, name: str, label: str, least: int) -> None:
    given = getattr(owner, name)
    try:
        pair = tuple(map(operator.index, given))
    except TypeError:
        pair = ()
    if len(pair) != 2 or not all(least <= side <= MAX_SIDE for side in pair):
        raise NetworkError(f"{label} {given} is not a pair (height, width) of whole numbers from {least} to {MAX_SIDE}")
    object.__setattr__(owner, name, pair)


def _check_outputs(owner: object, names: tuple[str, ...]) -> None:
    lengths = {len(getattr(owner, name)) for name in names}
    if len(lengths) != 1:
        raise NetworkError(f"{type(owner).__name__.lower()}: {', '.join(names)} differ in length: {sorted(lengths)}")


def check_shape(name: str, shape: Shape) -> None:
    if not all(1 <= side <= MAX_SIDE for side in shape):
        raise NetworkError(f"{name} is {shape} (channels×height×width): each must be 1 to {MAX_SIDE}")


def _window_count(sides: tuple[int, ...], window: Pair, stride: Pair, pad: Pair, name: str) -> Pair:
    counts = []
    for side, size, step, padding in zip(sides, window, stride, pad, strict=True):
        room = side + 2 * padding
        if room < size:
            raise NetworkError(
                f"a {name} of {window[0]}×{window[1]} does not fit a {sides[0]}×{sides[1]} map padded by "
                f"{pad[0]}×{pad[1]}: use a smaller one or more padding"
            )
        if room > MAX_SIDE:
            raise NetworkError(f"a padded side of {room} is over {MAX_SIDE}: use less padding")
        counts.append((room - size) // step + 1)
    return counts[0], counts[1]
