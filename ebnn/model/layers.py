"""A layer: linear part → pool → transform, of its own or at its place in a network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from ..errors import NetworkError
from . import bits
from .kinds import Input, Kind, Shape, check_shape
from .linear import MAX_TAPS, NO_POOL, Conv, Dense, Depthwise, Identity, Linear, Pool, Weighted, Windowed
from .transforms import Transform
from .weights import BINARY, WeightKind

__all__ = ["NO_POOL", "Block", "Conv", "Dense", "Depthwise", "Identity", "Layer", "Linear", "Pool", "Windowed"]

MAX_ROW_BITS = MAX_TAPS  # a bit's place in a row is a uint16_t
MAX_EXACT_SUM = 2**24  # float32 holds every integer up to here: beyond it the trainer's sums of ±1 would round
MAX_SUM = 2**30  # of the accumulator, an int32, so that a threshold beyond all sums fits one too


@dataclass(frozen=True, eq=False)
class Block:
    """linear → pool → transform, wherever it may stand; a `Layer` is one at its place in a network."""

    linear: Linear
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
        return self.linear.outputs

    @property
    def weights(self) -> NDArray[Any]:
        """The weights of a linear part that has some, (output, height, width, input)."""
        assert isinstance(self.linear, Weighted)
        return self.linear.weights

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
        self.transform.check(called, self.kind, self.reach if self.kind.whole else 0)
        check_shape(f"the output of {called}", shape)
        if self.transform.last and shape[1:] != (1, 1):
            raise NetworkError(f"{called} gives a map of {shape}: scores are of one place, so pool it or make it dense")

    def _check_input(self, name: str) -> None:
        kind, shape = self.kind, self.input.shape
        if kind.packed and shape.width * shape.channels > MAX_ROW_BITS:
            row = shape.width * shape.channels
            raise NetworkError(f"a row of {name}'s input has {row} bits, {MAX_ROW_BITS} fit")
        self.linear.check(name, shape)
        if not kind.whole:
            if not self.binary or (self.pool is not None and self.pool.sums):
                raise NetworkError(
                    f"{name} takes float input: it needs weights of ±1, and no average pool; or use uint8 or int8 input"
                )
            return
        if self.binary and self.taps * (kind.largest or 0) > MAX_EXACT_SUM:
            raise NetworkError(
                f"a sum of {name} can reach {self.taps * (kind.largest or 0):,}, the trainer's float32 is exact to "
                f"{MAX_EXACT_SUM:,}: use fewer inputs"
            )
        if self.reach > MAX_SUM:
            raise NetworkError(
                f"a sum of {name} can reach {self.reach:,}, {MAX_SUM:,} fit the accumulator: use fewer inputs"
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
    def weight_kind(self) -> WeightKind | None:
        """What it multiplies by; None without weights."""
        return self.linear.weight_kind if isinstance(self.linear, Weighted) else None

    @property
    def binary(self) -> bool:
        """Whether its weights are ±1."""
        return self.weight_kind is BINARY

    @property
    def output_kind(self) -> Kind:
        """What it gives."""
        return self.transform.output_kind

    @cached_property
    def map_shape(self) -> Shape:
        """Shape of the linear part's map, before pooling."""
        return self.linear.map_shape(self.input.shape)

    @cached_property
    def output_shape(self) -> Shape:
        """Shape of what it gives."""
        return self.map_shape if self.pool is None else self.pool.shape(self.map_shape)

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
        return self.linear.taps

    @cached_property
    def reach(self) -> int:
        """The largest magnitude of a pooled sum of integers."""
        assert self.kind.largest is not None
        terms = self.pool.terms if self.pool is not None else 1
        return int(self.linear.magnitudes.max()) * self.kind.largest * terms

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one sample: over the whole map, before pooling."""
        return self.taps * self.outputs * self.map_shape.height * self.map_shape.width

    @property
    def filter_stream_bits(self) -> int:
        """Bits of one filter in memory up to its last: a dense one follows its input's rows, padding included."""
        if self.weight_kind is None:
            return 0
        if self.is_dense and self.kind.packed and self.weight_kind.packed:
            _, height, width = self.input.shape
            return height * bits.row_bytes(width * self.input.shape.channels) * 8
        return self.taps * self.weight_kind.bits

    @property
    def filter_words(self) -> int:
        """32-bit words of one filter in memory."""
        return bits.round_to_words(bits.row_bytes(self.filter_stream_bits)) // bits.WORD_BYTES

    @property
    def weight_bytes(self) -> int:
        """Bytes of the packed weights in flash: filters of ±1 take whole words each, others are not padded."""
        if self.weight_kind is None:
            return 0
        if self.weight_kind.packed:
            return self.filter_words * bits.WORD_BYTES * self.outputs
        return bits.row_bytes(self.taps * self.outputs * self.weight_kind.bits)
