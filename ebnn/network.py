"""Network: a trained binarized network as a frozen value of small integers and packed bits.

Arrays are in the order of the device's memory: filters are (output, height, width, input). Weights are truth values:
True is +1, False is −1. Nothing here knows Chainer or C; ``SPEC.md`` holds the arithmetic.
"""

from __future__ import annotations

import hashlib
import json
import operator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import bits
from .errors import InputError, NetworkError
from .memory import MemoryPlan, plan_memory

if TYPE_CHECKING:
    from os import PathLike

InputKind = Literal["bits", "uint8", "int8", "float"]
Pair: TypeAlias = "tuple[int, int]"  # (height, width)

INPUT_KINDS: tuple[InputKind, ...] = get_args(InputKind)
MAX_SIDE = 32_767  # a coordinate, its padding included, is a 16-bit int on an 8-bit MCU
MAX_ROW_BITS = 65_535  # a bit's place in a row or a patch is a uint16_t
MAX_EXACT_SUM = 2**24  # float32 holds every integer up to here: beyond it the trainer's own sums would round
MAX_FLOAT = 2.0**100  # of a float sample: sums of up to 2**27 of them stay finite, so no maximum meets a NaN
MAX_CLASSES = 255  # a class index is a uint8_t on the device

_VALUE_RANGE: dict[InputKind, tuple[int, int]] = {"bits": (0, 1), "uint8": (0, 255), "int8": (-128, 127)}


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
        _check_shape("input", self.shape)

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

    def scratch_bytes(self, kind: InputKind, shape: Shape) -> int:
        """Bytes of the patch under the kernel, and of its mask where taps can lie outside the image."""
        if isinstance(self.linear, Dense):
            return 0
        taps = int(self.linear.weights[0].size)
        if kind == "bits":
            return bits.round_to_words(bits.row_bytes(taps)) * (2 if self.linear.padded else 1)
        return taps * (4 if kind == "float" else 1)


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


@dataclass(frozen=True, eq=False)
class Network:
    """A binarized network: ``input``, the ``blocks`` in order, and the last layer, ``output``. Compared by hash."""

    input: Input
    blocks: tuple[Block, ...]
    output: Scores

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))
        self._check()

    # Shapes and sizes

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Shape of the input, then of each block's output."""
        shapes = [self.input.shape]
        for i, block in enumerate(self.blocks):
            try:
                shapes.append(block.output_shape(shapes[-1]))
            except NetworkError as error:
                raise NetworkError(f"{self.block_name(i)}: {error}") from None
        return tuple(shapes)

    @property
    def kinds(self) -> tuple[InputKind, ...]:
        """Kind of the input, then of each block's output."""
        hidden: list[InputKind] = ["bits"] * len(self.blocks)
        return (self.input.kind, *hidden)

    @property
    def classes(self) -> int:
        return len(self.output.offset)

    def block_name(self, index: int) -> str:
        """The name of block ``index`` in messages, tables and the emitted C: conv1, dense2, …"""
        return f"{self.blocks[index].kind}{index + 1}"

    @property
    def layer_weights(self) -> tuple[NDArray[np.bool_], ...]:
        """Weights of every block, then of the last layer, each (output, height, width, input)."""
        return (*[block.linear.weights for block in self.blocks], self.output.weights)

    @property
    def layer_weight_bytes(self) -> tuple[int, ...]:
        """Bytes of the packed weights of every block, then of the last layer."""
        return tuple(
            self.filter_bits(i, weights[0].shape) * len(weights) // 8 for i, weights in enumerate(self.layer_weights)
        )

    def filter_bits(self, layer: int, shape: tuple[int, ...]) -> int:
        """Bits of one filter of (height, width, input) ``shape`` in memory, a multiple of 32."""
        height, width, channels = shape
        count = height * width * channels
        if not self.is_conv(layer) and self.kinds[layer] == "bits":
            count = height * bits.row_bytes(width * channels) * 8
        return bits.round_to_words(bits.row_bytes(count)) * 8

    def is_conv(self, layer: int) -> bool:
        return layer < len(self.blocks) and isinstance(self.blocks[layer].linear, Conv)

    @property
    def weight_bytes(self) -> int:
        """Bytes of all packed weights in flash."""
        return sum(self.layer_weight_bytes)

    @property
    def layer_threshold_bytes(self) -> tuple[int, ...]:
        """Bytes of each block's thresholds; of a block on float input, its normalisation's."""
        return tuple(block_threshold_bytes(block) for block in self.blocks)

    @property
    def threshold_bytes(self) -> int:
        """Bytes of all thresholds in flash, in the integer arithmetic."""
        return sum(self.layer_threshold_bytes)

    @property
    def score_bytes(self) -> int:
        """Bytes of the last layer's multipliers and offsets in flash."""
        return self.classes * (2 + 4)

    @cached_property
    def memory_plan(self) -> MemoryPlan:
        """Where each activation lies in the arena."""
        sizes = [activation_bytes(kind, shape) for kind, shape in zip(self.kinds, self.shapes, strict=True)]
        scratch = [b.scratch_bytes(k, s) for b, k, s in zip(self.blocks, self.kinds, self.shapes, strict=False)]
        return plan_memory(sizes, scratch)

    @property
    def arena_bytes(self) -> int:
        """Bytes of RAM for the input, the activations and the patch under the kernel."""
        return self.memory_plan.arena_bytes

    @property
    def layer_macs(self) -> tuple[int, ...]:
        """Multiply-accumulates of every block (over its whole map, before pooling), then of the last layer."""
        positions = [block.map_shape(shape)[1:] for block, shape in zip(self.blocks, self.shapes, strict=False)]
        return tuple(
            weights.size * height * width
            for weights, (height, width) in zip(self.layer_weights, [*positions, (1, 1)], strict=True)
        )

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one prediction."""
        return sum(self.layer_macs)

    # Identity

    def describe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The network as plain JSON values and named arrays, its whole content; weights as packed bits."""
        arrays: dict[str, NDArray[Any]] = {}
        blocks = []
        for i, block in enumerate(self.blocks):
            entry: dict[str, Any] = {"linear": block.kind, "weights": list(block.linear.weights.shape)}
            arrays[f"block{i}.weights"] = bits.pack(block.linear.weights.ravel())
            if isinstance(block.linear, Conv):
                entry |= {"stride": list(block.linear.stride), "pad": list(block.linear.pad)}
            pool = block.pool
            entry["pool"] = pool and {"size": list(pool.size), "stride": list(pool.stride), "pad": list(pool.pad)}
            if block.threshold is not None:
                arrays[f"block{i}.threshold"] = block.threshold.value
                arrays[f"block{i}.below"] = bits.pack(block.threshold.below)
            if block.normalization is not None:
                for name in Normalization.FIELDS:
                    arrays[f"block{i}.{name}"] = getattr(block.normalization, name)
            blocks.append(entry)
        arrays["output.weights"] = bits.pack(self.output.weights.ravel())
        arrays["output.multiplier"] = self.output.multiplier
        arrays["output.offset"] = self.output.offset
        description = {
            "input": {"kind": self.input.kind, "shape": list(self.input.shape)},
            "blocks": blocks,
            "output": {"weights": list(self.output.weights.shape), "scale": self.output.scale},
        }
        return description, arrays

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the content, 64 hexadecimal digits: the same network has the same hash everywhere."""
        description, arrays = self.describe()
        digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
        for name in sorted(arrays):
            array = arrays[name]
            digest.update(f"\n{name} {array.dtype.newbyteorder('<').str} {array.shape}\n".encode())
            digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()

    @property
    def hash32(self) -> int:
        """The first 32 bits of the hash: what a board answers in the handshake."""
        return int(self.hash[:8], 16)

    def __eq__(self, other: object) -> bool:
        return self.hash == other.hash if isinstance(other, Network) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"<Network {self.input.kind} {self.input.shape} → {self.classes} classes, hash {self.hash[:8]}>"

    # Samples

    def check_samples(self, x: ArrayLike) -> NDArray[Any]:
        """``x`` as (n, channels, height, width) of the input's type: bool, uint8, int8 or float32.

        ``x`` may be (n, height, width) where there is one channel. Raises InputError where shape, type or range differ.
        """
        kind, shape = self.input.kind, self.input.shape
        try:
            array = np.asarray(x)
        except ValueError:
            raise InputError("samples that differ in shape do not fit: give them as one array") from None
        if array.ndim == 3 and shape.channels == 1:
            array = array[:, None]
        if array.ndim != 4 or array.shape[1:] != shape:
            raise InputError(
                f"samples of shape {array.shape} do not fit: this network takes (n, {', '.join(map(str, shape))})"
            )
        if kind == "float":
            if array.dtype.kind not in "fiub":
                raise InputError(f"samples of type {array.dtype} do not fit: this network takes float32")
            # Written so that NaN fails too.
            if not np.all(np.abs(array.astype(np.float64, copy=False)) <= MAX_FLOAT):
                raise InputError(
                    f"a sample holds a value that is not finite or over {MAX_FLOAT:.3g}: this network takes finite "
                    "float32 values whose sums cannot overflow"
                )
            return array.astype(np.float32, copy=False)
        if array.dtype.kind not in "iub":
            raise InputError(f"samples of type {array.dtype} do not fit: this network takes {kind}, as whole numbers")
        low, high = _VALUE_RANGE[kind]
        if array.size and (array.min() < low or array.max() > high):
            raise InputError(
                f"samples from {array.min()} to {array.max()} do not fit: this network takes {kind}, {low} to {high}"
            )
        return array.astype(bool if kind == "bits" else kind)

    def pack_input(self, x: ArrayLike) -> NDArray[np.uint8]:
        """``x`` as the device takes it: (n, input bytes) uint8. ``x`` as in :meth:`predict`."""
        array = self.check_samples(x)
        n, channels, height, width = array.shape
        if self.input.kind == "float":
            return np.ascontiguousarray(array, dtype="<f4").reshape(n, channels * height * width).view(np.uint8)
        rows = array.transpose(0, 2, 3, 1).reshape(n, height, width * channels)
        if self.input.kind == "bits":
            rows = bits.pack(rows)
        return np.ascontiguousarray(rows).reshape(n, self.input.bytes).view(np.uint8)

    def predict(self, x: ArrayLike) -> NDArray[np.int64]:
        """Classes of the samples, (n,) int64.

        ``x`` (n, channels, height, width), or (n, height, width) with one channel, in the input's type, bits as 0
        and 1. Raises InputError where it does not fit.
        """
        classes: NDArray[np.int64] = np.argmax(self.scores(x), axis=1)
        return classes

    def scores(self, x: ArrayLike) -> NDArray[np.int32]:
        """Integer scores of the samples, (n, classes) int32; ``x`` as in :meth:`predict`."""
        from .reference import scores  # the interpreter knows Network, so it is imported late

        return scores(self, x)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes a ``.ebnn`` file."""
        from .files import save  # likewise

        save(self, path)

    # Validation

    def _check(self) -> None:
        for i, (shape, kind) in enumerate(zip(self.shapes, self.kinds, strict=True)):
            name = self.block_name(i) if i < len(self.blocks) else "the last layer"
            weights = self.layer_weights[i]
            _check_shape(f"the input of {name}", shape)
            if kind == "bits" and shape.width * shape.channels > MAX_ROW_BITS:
                row = shape.width * shape.channels
                raise NetworkError(f"a row of {name}'s input has {row} bits, {MAX_ROW_BITS} fit")
            if self.is_conv(i):
                if weights.shape[3] != shape.channels:
                    raise NetworkError(f"{name} takes {weights.shape[3]} channels, its input has {shape.channels}")
                if weights[0].size > MAX_ROW_BITS:
                    raise NetworkError(f"a filter of {name} has {weights[0].size} taps, {MAX_ROW_BITS} fit")
            elif weights.shape[1:] != (shape.height, shape.width, shape.channels):
                raise NetworkError(
                    f"{name} takes {weights.shape[1:]} values (height, width, channels), its input is {shape}"
                )
            largest = 0 if kind == "float" else weights[0].size * largest_value(kind)
            if largest > MAX_EXACT_SUM:
                raise NetworkError(
                    f"a sum of {name} can reach {largest:,}, the trainer's float32 is exact to {MAX_EXACT_SUM:,}: "
                    "use fewer inputs"
                )
            if i < len(self.blocks):
                self._check_block(name, kind, self.blocks[i])
        self._check_output()

    def _check_block(self, name: str, kind: InputKind, block: Block) -> None:
        if kind == "float" and block.normalization is None:
            raise NetworkError(f"{name} takes float input and needs its normalisation")
        if kind == "float" and block.threshold is not None:
            raise NetworkError(f"{name} takes float input and cannot have integer thresholds")
        if kind != "float" and block.threshold is None:
            raise NetworkError(f"{name} needs its thresholds")
        if block.threshold is not None:
            limit = block.linear.weights[0].size * largest_value(kind) + 1
            value = np.abs(block.threshold.value.astype(np.int64)).max()
            if value > limit:
                raise NetworkError(f"{name} has a threshold of {value:,}, its sums end at {limit - 1:,}")

    def _check_output(self) -> None:
        if not 1 <= self.classes <= MAX_CLASSES:
            raise NetworkError(f"the network has {self.classes} classes, 1 to {MAX_CLASSES} fit")
        if self.kinds[-1] == "float":
            raise NetworkError(
                "the last layer takes float input, but scores are integers: put a block that ends in a sign before it, "
                "or use uint8 input"
            )
        largest = self.output.weights[0].size * largest_value(self.kinds[-1])
        reach = np.abs(self.output.multiplier.astype(np.int64)) * largest + np.abs(self.output.offset.astype(np.int64))
        if reach.max() >= 2**31:
            raise NetworkError(f"a score can reach {reach.max():,}, an int32 ends at {2**31 - 1:,}")


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


def _check_shape(name: str, shape: Shape) -> None:
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
