"""A layer: linear part → max-pool → transform, of its own or at its place in a network.

Arrays are in the order of the device's memory: filters are (output, height, width, input). Weights are truth values:
True is +1, False is −1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import NetworkError
from . import bits
from .arrays import freeze, freeze_pair
from .kinds import MAX_SIDE, Input, Kind, Pair, Shape, check_shape
from .transforms import Transform

MAX_ROW_BITS = 65_535  # a bit's place in a row or a patch is a uint16_t
MAX_EXACT_SUM = 2**24  # float32 holds every integer up to here: beyond it the trainer's own sums would round


@dataclass(frozen=True, eq=False)
class Conv:
    """A binary convolution. ``weights`` (output, height, width, input) bool; a tap outside the image contributes 0."""

    weights: NDArray[np.bool_]
    stride: Pair = (1, 1)
    pad: Pair = (0, 0)

    name = "conv"

    def __post_init__(self) -> None:
        freeze(self, "weights", bool, 4)
        freeze_pair(self, "stride", "stride", least=1)
        freeze_pair(self, "pad", "pad", least=0)

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

    name = "dense"

    def __post_init__(self) -> None:
        freeze(self, "weights", bool, 4)


@dataclass(frozen=True)
class Pool:
    """A max-pooling window; what lies outside the map never wins. ``pad`` is smaller than ``size``."""

    size: Pair
    stride: Pair
    pad: Pair = (0, 0)

    def __post_init__(self) -> None:
        freeze_pair(self, "size", "pool size", least=1)
        freeze_pair(self, "stride", "pool stride", least=1)
        freeze_pair(self, "pad", "pool pad", least=0)
        for size, pad in zip(self.size, self.pad, strict=True):
            if pad >= size:
                raise NetworkError(f"pool pad {pad} leaves windows of size {size} empty: use a pad below the size")


NO_POOL = Pool((1, 1), (1, 1))


@dataclass(frozen=True, eq=False)
class Block:
    """linear → max-pool → transform, wherever it may stand; a `Layer` is one at its place in a network."""

    linear: Conv | Dense
    pool: Pool | None
    transform: Transform

    def __post_init__(self) -> None:
        if self.pool is not None and isinstance(self.linear, Dense):
            raise NetworkError("a dense block cannot pool: drop the pool or use a convolution")
        if self.transform.outputs != self.outputs:
            raise NetworkError(
                f"a block of {self.outputs} outputs cannot end in {self.transform.name} of {self.transform.outputs}"
            )

    @property
    def outputs(self) -> int:
        return int(self.linear.weights.shape[0])

    def at(self, index: int, source: Input) -> Layer:
        """The layer that this block is as number ``index`` (from 0) of a network. Raises NetworkError."""
        return Layer(self.linear, self.pool, self.transform, index, source)


@dataclass(frozen=True, eq=False)
class Layer(Block):
    """A block at its place: number ``index`` (from 0) of a network, on the values of ``input``.

    Raises NetworkError, naming the layer, the value and the limit, where it cannot take them.
    """

    index: int
    input: Input

    def __post_init__(self) -> None:
        super().__post_init__()
        called = "the last layer" if self.transform.last else self.name
        try:
            shape = self.output_shape
        except NetworkError as error:
            raise NetworkError(f"{self.name}: {error}") from None
        self._check_input(called)
        self.transform.check(called, self.kind, self.taps)
        check_shape(f"the output of {called}", shape)

    def _check_input(self, name: str) -> None:
        kind, shape, weights = self.kind, self.input.shape, self.linear.weights
        if kind.packed and shape.width * shape.channels > MAX_ROW_BITS:
            row = shape.width * shape.channels
            raise NetworkError(f"a row of {name}'s input has {row} bits, {MAX_ROW_BITS} fit")
        if isinstance(self.linear, Conv):
            if weights.shape[3] != shape.channels:
                raise NetworkError(f"{name} takes {weights.shape[3]} channels, its input has {shape.channels}")
            if self.taps > MAX_ROW_BITS:
                raise NetworkError(f"a filter of {name} has {self.taps} taps, {MAX_ROW_BITS} fit")
        elif weights.shape[1:] != (shape.height, shape.width, shape.channels):
            raise NetworkError(
                f"{name} takes {weights.shape[1:]} values (height, width, channels), its input is {shape}"
            )
        largest = self.taps * kind.largest if kind.largest is not None else 0
        if largest > MAX_EXACT_SUM:
            raise NetworkError(
                f"a sum of {name} can reach {largest:,}, the trainer's float32 is exact to {MAX_EXACT_SUM:,}: "
                "use fewer inputs"
            )

    @property
    def name(self) -> str:
        """The layer's name in messages, tables and the emitted C: conv1, dense2, …, output."""
        return "output" if self.transform.last else f"{self.linear.name}{self.index + 1}"

    @property
    def is_dense(self) -> bool:
        return isinstance(self.linear, Dense)

    @property
    def kind(self) -> Kind:
        """What it takes."""
        return self.input.values

    @property
    def output_kind(self) -> Kind:
        """What it gives."""
        return self.transform.output_kind

    @cached_property
    def map_shape(self) -> Shape:
        """Shape of the linear part's map, before pooling."""
        if isinstance(self.linear, Dense):
            return Shape(self.outputs, 1, 1)
        linear = self.linear
        sides = _window_count(self.input.shape[1:], linear.kernel, linear.stride, linear.pad, "kernel")
        return Shape(self.outputs, *sides)

    @cached_property
    def output_shape(self) -> Shape:
        """Shape of what it gives."""
        if self.pool is None:
            return self.map_shape
        pool = self.pool
        sides = _window_count(self.map_shape[1:], pool.size, pool.stride, pool.pad, "pooling window")
        return Shape(self.outputs, *sides)

    @property
    def output(self) -> Input:
        """What the layer after this one takes. Raises NetworkError where there cannot be one."""
        if self.transform.last:
            raise NetworkError(f"layer {self.index + 1} gives scores, but more layers follow")
        return Input(self.output_kind.name, self.output_shape)

    @property
    def output_bytes(self) -> int:
        """Bytes of what it gives in the device's memory."""
        return self.output_kind.bytes(self.output_shape)

    @property
    def taps(self) -> int:
        """Values in one sum."""
        return int(self.linear.weights[0].size)

    @property
    def reach(self) -> int:
        """The largest magnitude of a sum of integers."""
        assert self.kind.largest is not None
        return self.taps * self.kind.largest

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one sample: over the whole map, before pooling."""
        return int(self.linear.weights.size) * self.map_shape.height * self.map_shape.width

    @property
    def filter_stream_bits(self) -> int:
        """Bits of one filter in memory up to its last: a dense one follows its input's rows, padding included."""
        height, width, channels = map(int, self.linear.weights.shape[1:])
        if isinstance(self.linear, Dense) and self.kind.packed:
            return height * bits.row_bytes(width * channels) * 8
        return height * width * channels

    @property
    def filter_words(self) -> int:
        """32-bit words of one filter in memory."""
        return bits.round_to_words(bits.row_bytes(self.filter_stream_bits)) // bits.WORD_BYTES

    @property
    def weight_bytes(self) -> int:
        """Bytes of the packed weights in flash."""
        return self.filter_words * bits.WORD_BYTES * self.outputs


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
