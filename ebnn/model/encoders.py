"""Encoders: what turns a raw sample, a sensor's numbers, into what a network takes.

Raw samples are (n, channels, height, width), a series as height 1. Each step is one float32 operation, rounded once, so
Python and C give the same. A new encoder is a subclass of `Encoder` with a row in `ENCODERS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError, NetworkError
from .arrays import check_lengths, freeze
from .axes import as_images
from .kinds import BITS, KINDS, Input, Kind, Shape

RAW_TYPES = {"float": np.float32, "int16": np.int16}  # of raw values on the device
AFFINE_KINDS = ("uint8", "int8")
MAX_RAW = 2.0**100  # of an offset, a scale, a threshold: no product of them is lost below the normal floats

Values = dict[str, Any]
Arrays = dict[str, NDArray[Any]]


class Encoder(ABC):
    """What turns raw samples into what a network takes.

    Attributes:
        name: in files.
        raw: the type of raw values on the device, a name in `RAW_TYPES`.
    """

    name: ClassVar[str]
    raw: str

    @property
    @abstractmethod
    def channels(self) -> int:
        """Channels of a raw sample."""

    @property
    @abstractmethod
    def constant_bytes(self) -> int:
        """Bytes of its constants in the device's flash."""

    @property
    @abstractmethod
    def ranges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The ends of each channel's range, (channels,) float64 each: beyond it all values are encoded alike."""

    @abstractmethod
    def output(self, raw: Shape) -> Input:
        """What it makes of raw samples of shape ``raw``."""

    @abstractmethod
    def raw_shape(self, input: Shape) -> Shape:
        """The shape of raw samples whose encoding has shape ``input``. Raises NetworkError where there is none."""

    @abstractmethod
    def apply(self, x: NDArray[np.float32]) -> NDArray[Any]:
        """Encoded samples (n, channels, height, width) of raw ones."""

    @abstractmethod
    def describe(self) -> tuple[Values, Arrays]:
        """Its whole content as JSON values and named arrays."""

    @classmethod
    @abstractmethod
    def rebuild(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Encoder:
        """The encoder that `describe` described. Raises KeyError, TypeError or ValueError where it is another."""

    def encode(self, x: ArrayLike, shape: Shape | None = None) -> NDArray[Any]:
        """Encoded samples for raw ones, (n, channels, height, width) or as `ebnn.model.axes` takes them.

        What is beyond the range of the encoder takes its end; NaN is the least of all. Raises InputError where the
        axes are others than ``shape``, or the values no numbers; of raw int16, also where they are not whole or beyond.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return self.apply(self.check_raw(x, shape).astype(np.float32, copy=False))

    def pack_raw(self, x: ArrayLike, shape: Shape | None = None) -> NDArray[Any]:
        """``x``, as in `encode`, as the device takes it: (n, values) float32 or int16, reading after reading."""
        array = self.check_raw(x, shape)
        with np.errstate(over="ignore", invalid="ignore"):
            rows = array.transpose(0, 2, 3, 1).astype(RAW_TYPES[self.raw])
        return np.ascontiguousarray(rows).reshape(len(rows), -1)

    def check_raw(self, x: ArrayLike, shape: Shape | None = None) -> NDArray[Any]:
        """``x`` as (n, channels, height, width), in its own type. Raises InputError as `encode` does."""
        array = as_images(x, shape)
        if array.dtype.kind not in "fiub":
            raise InputError(f"raw samples of type {array.dtype} do not fit: give numbers")
        if array.shape[1] != self.channels:
            raise InputError(f"raw samples have {array.shape[1]} channels, the network takes {self.channels}")
        if self.raw == "int16":
            whole = array.astype(np.float64)
            if not np.all((whole == np.rint(whole)) & (np.abs(whole + 0.5) < 2**15)):
                raise InputError("raw samples are not whole numbers from -32768 to 32767: this network takes int16")
        return array


@dataclass(frozen=True, eq=False)
class Affine(Encoder):
    """Equal steps for each channel: ``low + floor(clamp((x − offset) · scale, 0, high − low))``.

    ``offset`` and ``scale`` (channels,) float32; ``low`` and ``high`` are the ends of ``kind``, "uint8" or "int8".
    """

    offset: NDArray[np.float32]
    scale: NDArray[np.float32]
    kind: str = "int8"
    raw: str = "float"

    name = "affine"

    def __post_init__(self) -> None:
        freeze(self, "offset", np.float32, 1)
        freeze(self, "scale", np.float32, 1)
        check_lengths(self, ("offset", "scale"))
        _check_raw(self.raw)
        if self.kind not in AFFINE_KINDS:
            raise NetworkError(f"an affine encoder cannot give {self.kind!r}: use {' or '.join(AFFINE_KINDS)}")
        if not np.all(np.abs(self.offset) <= MAX_RAW):
            raise NetworkError(f"an offset of the encoder is not finite, or over {MAX_RAW:.3g}")
        if not np.all((self.scale >= 1 / MAX_RAW) & (self.scale <= MAX_RAW)):
            raise NetworkError(f"a scale of the encoder is not between {1 / MAX_RAW:.3g} and {MAX_RAW:.3g}")

    @classmethod
    def of_ranges(cls, low: ArrayLike, high: ArrayLike, kind: str = "int8", raw: str = "float") -> Affine:
        """The encoder whose steps part low … high of each channel, both (channels,), evenly.

        A channel whose ends are equal gives the middle for its one value. Raises NetworkError.
        """
        least, most = np.asarray(low, np.float64), np.asarray(high, np.float64)
        width = most - least
        flat = ~(width > 0)
        least, width = np.where(flat, least - 0.5, least), np.where(flat, 1.0, width)
        steps = KINDS[kind].high - KINDS[kind].low + 1 if kind in AFFINE_KINDS else 1
        return cls(least.astype(np.float32), (steps / width).astype(np.float32), kind, raw)

    @property
    def channels(self) -> int:
        return len(self.offset)

    @property
    def constant_bytes(self) -> int:
        return 8 * self.channels

    @property
    def ranges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        low = self.offset.astype(np.float64)
        return low, low + (self.values.high - self.values.low + 1) / self.scale.astype(np.float64)

    @property
    def values(self) -> Kind:
        """What is known of the kind that it gives."""
        return KINDS[self.kind]

    def output(self, raw: Shape) -> Input:
        return Input(self.kind, raw)

    def raw_shape(self, input: Shape) -> Shape:
        if input.channels != self.channels:
            raise NetworkError(f"the encoder has {self.channels} channels, the network's input {input.channels}")
        return input

    def steps(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw samples counted in steps from the range's low end, neither clamped nor floored."""
        y = x - self.offset[:, None, None]
        y *= self.scale[:, None, None]
        return y

    def apply(self, x: NDArray[np.float32]) -> NDArray[Any]:
        low, high = int(self.values.low), int(self.values.high)
        y = self.steps(x)
        y = np.where(y >= 0, np.minimum(y, np.float32(high - low)), np.float32(0))  # NaN is not >= 0
        return np.asarray(y.astype(np.int16) + np.int16(low), self.values.dtype)

    def describe(self) -> tuple[Values, Arrays]:
        return {"kind": self.kind, "raw": self.raw}, {"offset": self.offset, "scale": self.scale}

    @classmethod
    def rebuild(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Affine:
        return cls(arrays["offset"], arrays["scale"], values["kind"], values["raw"])


@dataclass(frozen=True, eq=False)
class Thermometer(Encoder):
    """Bits: ``x >= threshold`` for each threshold of a channel. ``thresholds`` (channels, levels) float32, rising.

    The bits of channel ``c`` are channels ``c · levels`` … of the network's input.
    """

    thresholds: NDArray[np.float32]
    raw: str = "float"

    name = "thermometer"

    def __post_init__(self) -> None:
        freeze(self, "thresholds", np.float32, 2)
        _check_raw(self.raw)
        if not np.all(np.abs(self.thresholds) <= MAX_RAW):
            raise NetworkError(f"a threshold of the encoder is not finite, or over {MAX_RAW:.3g}")
        if np.any(np.diff(self.thresholds, axis=1) < 0):
            raise NetworkError("the thresholds of an encoder's channel must rise")

    @property
    def channels(self) -> int:
        return int(self.thresholds.shape[0])

    @property
    def levels(self) -> int:
        """Bits of each raw value."""
        return int(self.thresholds.shape[1])

    @property
    def constant_bytes(self) -> int:
        return int(4 * self.thresholds.size)

    @property
    def ranges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.thresholds[:, 0].astype(np.float64), self.thresholds[:, -1].astype(np.float64)

    def output(self, raw: Shape) -> Input:
        return Input(BITS.name, Shape(raw.channels * self.levels, raw.height, raw.width))

    def raw_shape(self, input: Shape) -> Shape:
        if input.channels != self.channels * self.levels:
            raise NetworkError(
                f"the encoder makes {self.channels * self.levels} channels, the network's input has {input.channels}"
            )
        return Shape(self.channels, input.height, input.width)

    def apply(self, x: NDArray[np.float32]) -> NDArray[np.bool_]:
        n, _, height, width = x.shape
        encoded: NDArray[np.bool_] = x[:, :, None] >= self.thresholds[:, :, None, None]
        return encoded.reshape(n, -1, height, width)

    def describe(self) -> tuple[Values, Arrays]:
        return {"raw": self.raw}, {"thresholds": self.thresholds}

    @classmethod
    def rebuild(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Thermometer:
        return cls(arrays["thresholds"], values["raw"])


ENCODERS: dict[str, type[Encoder]] = {encoder.name: encoder for encoder in (Affine, Thermometer)}


def check_encoder(encoder: Encoder, taken: Input) -> None:
    """Raises NetworkError where an encoder gives something else than a network takes."""
    given = encoder.output(encoder.raw_shape(taken.shape))
    if given != taken:
        raise NetworkError(
            f"the encoder gives {given.kind} of {given.shape}, the network takes {taken.kind} of {taken.shape}"
        )


def _check_raw(raw: str) -> None:
    if raw not in RAW_TYPES:
        raise NetworkError(f"raw values of type {raw!r} are unknown: use {' or '.join(RAW_TYPES)}")
