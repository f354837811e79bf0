"""What flows between layers: the kinds of values that lie in memory, in one table, and their shapes.

Whatever is known of a kind stands in its row: no other module asks for a kind by its name.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import NetworkError
from . import bits

Pair: TypeAlias = "tuple[int, int]"  # (height, width)
InputKind: TypeAlias = str  # the name of a kind that a network may take

MAX_SIDE = 32_767  # a coordinate, its padding included, is a 16-bit int on an 8-bit MCU
MAX_FLOAT = 2.0**100  # of a float sample: sums of up to 2**27 of them stay finite, so no maximum meets a NaN


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


@dataclass(frozen=True)
class Kind:
    """A kind of values in memory.

    Attributes:
        name: in files, options and messages.
        low, high: the range of a value.
        largest: the largest magnitude of a value in a sum of integers; None where sums are of floats.
        bits: that one value takes in memory.
        dtype: of samples and activations in NumPy.
        c_type: of the array that holds them in C.
        c_name: what the runtime calls the kind.
        layout: the order in memory, for people.
        pixel: what a network that takes it sees of a pixel from 0 to 255, for people.
        number: in images of networks; EBNN_BITS and so on in the C.
        input: whether a network may take it.
    """

    name: str
    low: float
    high: float
    largest: int | None
    bits: int
    dtype: DTypeLike
    c_type: str
    c_name: str
    layout: str
    pixel: str
    number: int
    input: bool = True

    def __str__(self) -> str:
        return self.name

    @property
    def whole(self) -> bool:
        """Whether sums are of integers."""
        return self.largest is not None

    @property
    def signed(self) -> bool:
        """Whether sums see values below 0."""
        return self.low < 0 or self.packed

    @property
    def offset(self) -> int:
        """What makes whole values, added to them, bytes that are not negative: bits, as −1 and +1, become 0 and 2."""
        return self.largest if self.largest is not None and self.signed else 0

    @property
    def unit(self) -> float:
        """What 1 stands for, where the largest value stands for 1."""
        return 1 / self.high

    @property
    def packed(self) -> bool:
        """Whether values lie in streams of bits, one for each row."""
        return self.bits < 8

    @property
    def channel_first(self) -> bool:
        """Whether memory, and so a dense layer's sum, follows channel after channel; else pixel after pixel."""
        return not self.whole

    def row_bytes(self, shape: Shape) -> int:
        """Bytes from row to row in memory."""
        return bits.row_bytes(shape.width * shape.channels * self.bits)

    def bytes(self, shape: Shape) -> int:
        """Bytes that one activation takes in memory: bits are padded to whole bytes at each row's end."""
        return shape.height * self.row_bytes(shape)

    def as_numbers(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """Values as the sums see them: bits become −1 and +1."""
        return np.asarray(np.where(x, np.float32(1), np.float32(-1)) if self.packed else x, np.float32)


_PIXELS = "row after row, a pixel's channels side by side"
BITS = Kind(
    *("bits", 0, 1, 1, 1, np.bool_, "uint8_t", "EBNN_BITS"),
    "rows of bits, a pixel's channels side by side, least significant bit first, whole bytes a row",
    "a pixel is 1 where it is not 0; eight of them are packed in a byte",
    0,
)
UINT8 = Kind(
    *("uint8", 0, 255, 255, 8, np.uint8, "uint8_t", "EBNN_UINT8", _PIXELS),
    "a pixel is a number from 0 to 255",
    1,
)
INT8 = Kind(
    *("int8", -128, 127, 128, 8, np.int8, "int8_t", "EBNN_INT8", _PIXELS),
    "a pixel is a number from -128 to 127: 128 less than from 0 to 255",
    2,
)
FLOAT = Kind(
    *("float", -MAX_FLOAT, MAX_FLOAT, None, 32, np.float32, "float", "EBNN_FLOAT"),
    "channel after channel, row after row",
    "a pixel is a float, 1/255 of a number from 0 to 255",
    3,
)
INT32 = Kind(
    *("int32", -(2**31), 2**31 - 1, 2**31, 32, np.int32, "int32_t", "EBNN_INT32"),
    "class after class",
    "",
    4,
    input=False,
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in (BITS, UINT8, INT8, FLOAT, INT32)}
INPUT_KINDS: tuple[InputKind, ...] = tuple(kind.name for kind in KINDS.values() if kind.input)


@dataclass(frozen=True)
class Input:
    """What a network or a layer takes: the name of a kind of values, and the ``shape`` of one sample."""

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
    def values(self) -> Kind:
        """What is known of its kind."""
        return KINDS[self.kind]

    @property
    def bytes(self) -> int:
        """Bytes of one sample on the device."""
        return self.values.bytes(self.shape)


def check_shape(name: str, shape: Shape) -> None:
    """Raises NetworkError where a side is not 1 to 32,767."""
    if not all(1 <= side <= MAX_SIDE for side in shape):
        raise NetworkError(f"{name} is {shape} (channels×height×width): each must be 1 to {MAX_SIDE}")
