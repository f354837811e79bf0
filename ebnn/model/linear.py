"""The linear part of a layer, and the pool behind it.

Arrays are in the order of the device's memory: filters are (output, height, width, input). Weights are truth values,
of which True is +1 and False −1, or int8. A new part is a subclass of `Linear` with a row in `LINEARS`; how it is
summed up stands in ``reference.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..errors import NetworkError
from .arrays import freeze_pair
from .kinds import MAX_SIDE, Pair, Shape
from .weights import WEIGHT_KINDS, WeightKind, freeze_weights, weight_kind

MAX_TAPS = 65_535  # a tap's place in a patch is a uint16_t
MAX_SIZE = 65_535  # of the outputs of a part without weights

Values = dict[str, Any]
Arrays = dict[str, NDArray[Any]]


class Linear(ABC):
    """What makes the sums of a layer.

    Attributes:
        name: in files; with a layer's number it is the layer's name.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def outputs(self) -> int:
        """How many outputs it has at each place of its map."""

    @property
    @abstractmethod
    def taps(self) -> int:
        """Values in one sum."""

    @property
    @abstractmethod
    def magnitudes(self) -> NDArray[np.int64]:
        """The largest magnitude of each output's sum over values of at most 1, (outputs,)."""

    @abstractmethod
    def map_shape(self, source: Shape) -> Shape:
        """The shape of its map. Raises NetworkError where it does not fit ``source``."""

    @abstractmethod
    def check(self, name: str, source: Shape) -> None:
        """Raises NetworkError where layer ``name`` cannot take an input of shape ``source``."""

    @abstractmethod
    def describe(self) -> tuple[Values, Arrays]:
        """Its whole content as JSON values and named arrays."""

    @classmethod
    @abstractmethod
    def rebuild(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Linear:
        """The part that `describe` described. Raises KeyError, TypeError or ValueError where it is something else."""


@dataclass(frozen=True, eq=False)
class Weighted(Linear):
    """What has weights, (output, height, width, input): truth values or int8."""

    weights: NDArray[Any]

    def __post_init__(self) -> None:
        freeze_weights(self)

    @property
    def outputs(self) -> int:
        return int(self.weights.shape[0])

    @property
    def taps(self) -> int:
        return int(self.weights[0].size)

    @property
    def weight_kind(self) -> WeightKind:
        """What is known of its kind of weights."""
        return weight_kind(self.weights)

    @property
    def magnitudes(self) -> NDArray[np.int64]:
        return self.weight_kind.magnitudes(self.weights)

    def describe(self) -> tuple[Values, Arrays]:
        kind = self.weight_kind
        return {"weights": {"kind": kind.name, "shape": list(self.weights.shape)}}, {"weights": kind.pack(self.weights)}

    @classmethod
    def rebuild(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Weighted:
        return cls(unpack_weights(values, arrays))


@dataclass(frozen=True, eq=False)
class Windowed(Weighted):
    """What slides a kernel over its input; a tap outside the image contributes 0."""

    stride: Pair = (1, 1)
    pad: Pair = (0, 0)

    def __post_init__(self) -> None:
        super().__post_init__()
        freeze_pair(self, "stride", "stride", least=1)
        freeze_pair(self, "pad", "pad", least=0)

    @property
    def kernel(self) -> Pair:
        return self.weights.shape[1], self.weights.shape[2]

    @property
    def padded(self) -> bool:
        return self.pad != (0, 0)

    def map_shape(self, source: Shape) -> Shape:
        return Shape(self.outputs, *window_count(source[1:], self.kernel, self.stride, self.pad, "kernel"))

    def check(self, name: str, source: Shape) -> None:
        if self.taps > MAX_TAPS:
            raise NetworkError(f"a filter of {name} has {self.taps} taps, {MAX_TAPS} fit")

    def describe(self) -> tuple[Values, Arrays]:
        values, arrays = super().describe()
        return values | {"stride": list(self.stride), "pad": list(self.pad)}, arrays

    @classmethod
    def rebuild(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Windowed:
        return cls(unpack_weights(values, arrays), pair(values["stride"]), pair(values["pad"]))


@dataclass(frozen=True, eq=False)
class Conv(Windowed):
    """A convolution."""

    name = "conv"

    def check(self, name: str, source: Shape) -> None:
        if self.weights.shape[3] != source.channels:
            raise NetworkError(f"{name} takes {self.weights.shape[3]} channels, its input has {source.channels}")
        super().check(name, source)


@dataclass(frozen=True, eq=False)
class Depthwise(Windowed):
    """A convolution of each channel alone, ``weights`` (outputs, height, width, 1).

    Output ``o`` is of channel ``o // (outputs / channels)``: each channel has one filter, or as many as the others.
    """

    name = "depthwise"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weights.shape[3] != 1:
            raise NetworkError(f"a depthwise filter has {self.weights.shape[3]} channels: it takes 1")

    def check(self, name: str, source: Shape) -> None:
        if self.outputs % source.channels != 0:
            raise NetworkError(
                f"{name} has {self.outputs} filters for {source.channels} channels: give each channel equally many"
            )
        super().check(name, source)


@dataclass(frozen=True, eq=False)
class Dense(Weighted):
    """A dense layer: one weight for each value of its input."""

    name = "dense"

    def map_shape(self, source: Shape) -> Shape:
        return Shape(self.outputs, 1, 1)

    def check(self, name: str, source: Shape) -> None:
        if self.weights.shape[1:] != (source.height, source.width, source.channels):
            raise NetworkError(
                f"{name} takes {self.weights.shape[1:]} values (height, width, channels), its input is {source}"
            )


@dataclass(frozen=True)
class Identity(Linear):
    """No weights: each sum is one value of the input, of ``channels`` channels. A pool of its own stands behind it."""

    channels: int

    name = "pool"

    def __post_init__(self) -> None:
        if not 1 <= self.channels <= MAX_SIZE:
            raise NetworkError(f"a layer without weights has {self.channels} channels: 1 to {MAX_SIZE} fit")

    @property
    def outputs(self) -> int:
        return self.channels

    @property
    def taps(self) -> int:
        return 1

    @property
    def magnitudes(self) -> NDArray[np.int64]:
        return np.ones(self.channels, np.int64)

    def map_shape(self, source: Shape) -> Shape:
        return source

    def check(self, name: str, source: Shape) -> None:
        if source.channels != self.channels:
            raise NetworkError(f"{name} takes {self.channels} channels, its input has {source.channels}")

    def describe(self) -> tuple[Values, Arrays]:
        return {"channels": self.channels}, {}

    @classmethod
    def rebuild(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Identity:
        return cls(values["channels"])


LINEARS: dict[str, type[Linear]] = {linear.name: linear for linear in (Conv, Depthwise, Dense, Identity)}

PoolKind = Literal["max", "average"]


@dataclass(frozen=True)
class Pool:
    """A pooling window, ``size``, ``stride`` and ``pad`` as (height, width); ``pad`` is smaller than ``size``.

    By "max" the largest sum of a window is taken: what lies outside the map never wins. By "average" the sum of them:
    what lies outside is 0, and the transform divides by the window's size.
    """

    size: Pair
    stride: Pair
    pad: Pair = (0, 0)
    kind: PoolKind = "max"

    def __post_init__(self) -> None:
        freeze_pair(self, "size", "pool size", least=1)
        freeze_pair(self, "stride", "pool stride", least=1)
        freeze_pair(self, "pad", "pool pad", least=0)
        if self.kind not in get_args(PoolKind):
            raise NetworkError(f"a pool of kind {self.kind!r} is unknown: use {' or '.join(get_args(PoolKind))}")
        for size, pad in zip(self.size, self.pad, strict=True):
            if pad >= size:
                raise NetworkError(f"pool pad {pad} leaves windows of size {size} empty: use a pad below the size")

    @property
    def sums(self) -> bool:
        """Whether the sum of a window is taken."""
        return self.kind == "average"

    @property
    def terms(self) -> int:
        """How many sums are added up to one."""
        return self.size[0] * self.size[1] if self.sums else 1

    def shape(self, source: Shape) -> Shape:
        """The shape of what it makes of a map. Raises NetworkError where it does not fit."""
        return Shape(source.channels, *window_count(source[1:], self.size, self.stride, self.pad, "pooling window"))

    def describe(self) -> Values:
        """Its content as JSON values."""
        sides = {"size": list(self.size), "stride": list(self.stride), "pad": list(self.pad)}
        return sides if self.kind == "max" else sides | {"kind": self.kind}

    @classmethod
    def rebuild(cls, values: Mapping[str, Any]) -> Pool:
        """The pool that `describe` described."""
        return cls(pair(values["size"]), pair(values["stride"]), pair(values["pad"]), values.get("kind", "max"))


NO_POOL = Pool((1, 1), (1, 1))


def unpack_weights(values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """The weights of a description."""
    given = values["weights"]
    return WEIGHT_KINDS[given["kind"]].unpack(arrays["weights"], given["shape"])


def pair(values: list[int]) -> Pair:
    """A description's two numbers."""
    first, second = values
    return first, second


def window_count(sides: tuple[int, ...], window: Pair, stride: Pair, pad: Pair, name: str) -> Pair:
    """How many places a window, called ``name``, has along height and width. Raises NetworkError where it has none."""
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
