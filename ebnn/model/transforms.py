"""What ends a layer: a transform makes its outputs of its sums.

A new one is a subclass of `Transform` with a row in `TRANSFORMS`; files, the reference and the table of layers find
everything that they need in it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import NetworkError
from . import bits
from .arrays import check_lengths, freeze
from .kinds import BITS, INT32, KINDS, Kind

MAX_SCORE = 2**31 - 1
MAX_SCALE = 2.0**127  # of scores: in C a float
REQUANTIZED = ("uint8", "int8")  # kinds that sums may become
MIN_SHIFT, MAX_SHIFT = 16, 62


class Transform(ABC):
    """What ends a layer.

    Attributes:
        name: in files.
        last: whether its outputs are the scores of classes: the last layer has such a transform, no other one.
    """

    name: ClassVar[str]
    last: ClassVar[bool] = False

    @property
    @abstractmethod
    def output_kind(self) -> Kind:
        """What it gives."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """How many outputs it has constants for."""

    @property
    @abstractmethod
    def constant_bytes(self) -> int:
        """Bytes of its constants in the device's flash."""

    @property
    def content_bytes(self) -> int:
        """Bytes of all its constants, for whichever arithmetic, as a file holds them."""
        return sum(array.nbytes for array in self.describe()[1].values())

    @abstractmethod
    def check(self, name: str, kind: Kind, reach: int) -> None:
        """Raises NetworkError where it cannot end layer ``name``.

        Its sums are of values of ``kind``; integers among them have a magnitude of at most ``reach``.
        """

    @abstractmethod
    def apply(self, acc: NDArray[Any]) -> NDArray[Any]:
        """Outputs for sums (…, outputs), int32 or float32; of the same shape, in the NumPy type of its kind."""

    @abstractmethod
    def describe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Its whole content as JSON values and named arrays."""

    @classmethod
    @abstractmethod
    def rebuild(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Transform:
        """The transform of what `describe` gave. Raises KeyError or ValueError where it is something else."""


@dataclass(frozen=True, eq=False)
class Normalize(Transform):
    """Bias, batch normalisation and sign in float32, each constant (outputs,): the paper's float arithmetic.

    The bit is ``((acc + bias) − mean) · inv_std · gamma + beta >= 0``, rounded to float32 after each operation, in this
    order.
    """

    bias: NDArray[np.float32]
    mean: NDArray[np.float32]
    inv_std: NDArray[np.float32]
    gamma: NDArray[np.float32]
    beta: NDArray[np.float32]

    name = "normalize"
    FIELDS = ("bias", "mean", "inv_std", "gamma", "beta")

    def __post_init__(self) -> None:
        for name in self.FIELDS:
            freeze(self, name, np.float32, 1)
            if not np.isfinite(getattr(self, name)).all():
                raise NetworkError(f"normalisation {name} holds a value that is not finite: train with a lower rate")
        check_lengths(self, self.FIELDS)

    @property
    def output_kind(self) -> Kind:
        return BITS

    @property
    def outputs(self) -> int:
        return len(self.bias)

    @property
    def constant_bytes(self) -> int:
        return self.outputs * 4 * len(self.FIELDS)

    def check(self, name: str, kind: Kind, reach: int) -> None:
        if kind.whole:
            raise NetworkError(f"{name} needs its thresholds")

    def normalized(self, acc: NDArray[Any]) -> NDArray[np.float32]:
        """Bias and batch normalisation of sums (…, outputs), before the sign."""
        with np.errstate(over="ignore", invalid="ignore"):  # infinite, as on the device
            y = acc.astype(np.float32) + self.bias
            y -= self.mean
            y *= self.inv_std
            y *= self.gamma
            y += self.beta
        return y

    def apply(self, acc: NDArray[Any]) -> NDArray[np.bool_]:
        return self.normalized(acc) >= 0

    def table(self) -> NDArray[np.float32]:
        """(outputs, 5) float32: bias, mean, 1 / standard deviation, gamma, beta of each output."""
        return np.stack([getattr(self, name) for name in self.FIELDS], axis=1)

    def describe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {}, {name: getattr(self, name) for name in self.FIELDS}

    @classmethod
    def rebuild(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Normalize:
        return cls(*(arrays[name] for name in cls.FIELDS))


@dataclass(frozen=True, eq=False)
class Sign(Transform):
    """Batch normalisation and sign as one comparison per output.

    ``value`` (outputs,) int32 and ``below`` (outputs,) bool: the bit is ``acc <= value`` where ``below``, else
    ``acc >= value``. ``normalize`` says the same in the float arithmetic; None where only the thresholds are known.
    """

    value: NDArray[np.int32]
    below: NDArray[np.bool_]
    normalize: Normalize | None = None

    name = "sign"

    def __post_init__(self) -> None:
        freeze(self, "value", np.int32, 1)
        freeze(self, "below", bool, 1)
        check_lengths(self, ("value", "below"))
        if self.normalize is not None and self.normalize.outputs != self.outputs:
            raise NetworkError(f"{self.outputs} thresholds cannot have {self.normalize.outputs} normalisations")

    @property
    def output_kind(self) -> Kind:
        return BITS

    @property
    def outputs(self) -> int:
        return len(self.value)

    @property
    def constant_bytes(self) -> int:
        """2 or 4 for each output, and a bit each where one of them is ``below``."""
        value, flips = self.at_least()
        return value.size * value.itemsize + (bits.row_bytes(flips.size) if flips.any() else 0)

    def at_least(self) -> tuple[NDArray[np.int16] | NDArray[np.int32], NDArray[np.bool_]]:
        """The thresholds as the device has them: ``(acc >= value) != flip``, int16 where all of them fit, else int32.

        ``acc <= t`` is ``not acc >= t + 1``, so a window's maximum passes ``<=`` just where no position passes ``>=``.
        """
        value = self.value + self.below.astype(np.int32)
        info = np.iinfo(np.int16)
        fits = bool(np.all((value >= info.min) & (value <= info.max)))
        return value.astype(np.int16 if fits else np.int32), self.below

    def check(self, name: str, kind: Kind, reach: int) -> None:
        if not kind.whole and self.normalize is None:
            raise NetworkError(f"{name} takes float input and needs its normalisation")
        if not kind.whole:
            raise NetworkError(f"{name} takes float input and cannot have integer thresholds")
        value = np.abs(self.value.astype(np.int64)).max()
        if value > reach + 1:
            raise NetworkError(f"{name} has a threshold of {value:,}, its sums end at {reach:,}")

    def apply(self, acc: NDArray[Any]) -> NDArray[np.bool_]:
        return np.where(self.below, acc <= self.value, acc >= self.value)

    def describe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        arrays: dict[str, NDArray[Any]] = {"threshold": self.value, "below": bits.pack(self.below)}
        return {}, arrays | (self.normalize.describe()[1] if self.normalize is not None else {})

    @classmethod
    def rebuild(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Sign:
        value = arrays["threshold"]
        normalize = Normalize.rebuild(values, arrays) if "bias" in arrays else None
        return cls(value, bits.unpack_shape(arrays["below"], [len(value)]), normalize)


@dataclass(frozen=True, eq=False)
class Scores(Transform):
    """Scores of classes: ``score[k] = multiplier[k] · acc[k] + offset[k]`` in int32; the first maximum wins.

    ``multiplier`` (classes,) int16, ``offset`` (classes,) int32. ``scale`` turns a score into the trainer's logit.
    """

    multiplier: NDArray[np.int16]
    offset: NDArray[np.int32]
    scale: float

    name = "scores"
    last = True

    def __post_init__(self) -> None:
        freeze(self, "multiplier", np.int16, 1)
        freeze(self, "offset", np.int32, 1)
        check_lengths(self, ("multiplier", "offset"))
        object.__setattr__(self, "scale", float(self.scale))
        if not 0 < self.scale <= MAX_SCALE:
            raise NetworkError(
                f"the scale of the scores is {self.scale}, it must be above 0 and at most {MAX_SCALE:.3g}"
            )

    @property
    def output_kind(self) -> Kind:
        return INT32

    @property
    def outputs(self) -> int:
        return len(self.offset)

    @property
    def constant_bytes(self) -> int:
        return self.outputs * (2 + 4)

    def check(self, name: str, kind: Kind, reach: int) -> None:
        if not kind.whole:
            raise NetworkError(
                f"{name} takes float input, but scores are integers: put a block that ends in a sign before it, "
                "or use uint8 input"
            )
        multiplier, offset = self.multiplier.astype(np.int64), self.offset.astype(np.int64)
        largest = (np.abs(multiplier) * reach + np.abs(offset)).max()
        if largest > MAX_SCORE:
            raise NetworkError(f"a score can reach {largest:,}, an int32 ends at {MAX_SCORE:,}")

    def apply(self, acc: NDArray[Any]) -> NDArray[np.int32]:
        return (acc.astype(np.int64) * self.multiplier + self.offset).astype(np.int32)

    def describe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {"scale": self.scale}, {"multiplier": self.multiplier, "offset": self.offset}

    @classmethod
    def rebuild(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Scores:
        return cls(arrays["multiplier"], arrays["offset"], values["scale"])


@dataclass(frozen=True, eq=False)
class Requantize(Transform):
    """Sums as small integers: ``clamp(((acc + bias) · multiplier + 2^(shift − 1)) >> shift, low, high)``.

    The shift rounds half up, once, as TensorFlow Lite's single rounding does (gemmlowp, "Efficient handling of
    offsets"; Jacob et al., arXiv 1712.05877, section 2.2). ``bias`` and ``multiplier`` (outputs,) int32, ``shift``
    (outputs,) uint8. ``kind`` is "uint8" or "int8"; ``low`` and ``high`` are within its range, so that a ReLU is a
    clamp.
    """

    bias: NDArray[np.int32]
    multiplier: NDArray[np.int32]
    shift: NDArray[np.uint8]
    kind: str
    low: int | None = None
    high: int | None = None

    name = "requantize"

    def __post_init__(self) -> None:
        freeze(self, "bias", np.int32, 1)
        freeze(self, "multiplier", np.int32, 1)
        freeze(self, "shift", np.uint8, 1)
        check_lengths(self, ("bias", "multiplier", "shift"))
        if self.kind not in REQUANTIZED:
            raise NetworkError(f"requantize cannot give {self.kind!r}: use {' or '.join(REQUANTIZED)}")
        kind = self.output_kind
        for name, limit in (("low", int(kind.low)), ("high", int(kind.high))):
            value = limit if getattr(self, name) is None else getattr(self, name)
            if not isinstance(value, int | np.integer) or not kind.low <= value <= kind.high:
                raise NetworkError(f"requantize {name} is {value!r}: {kind} has {kind.low} to {kind.high}")
            object.__setattr__(self, name, int(value))
        if self.range[0] > self.range[1]:
            raise NetworkError(
                f"requantize clamps to {self.low} to {self.high}: the first must not be above the second"
            )
        if not np.all((self.shift >= MIN_SHIFT) & (self.shift <= MAX_SHIFT)):
            raise NetworkError(
                f"requantize shifts by {self.shift.min()} to {self.shift.max()}: use {MIN_SHIFT} to {MAX_SHIFT}"
            )

    @property
    def output_kind(self) -> Kind:
        return KINDS[self.kind]

    @property
    def outputs(self) -> int:
        return len(self.bias)

    @property
    def range(self) -> tuple[int, int]:
        """The least and the most that it gives."""
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high

    @property
    def narrow(self) -> bool:
        """Whether every multiplier fits 16 bits, so that the device has them so."""
        return bool(np.all(np.abs(self.multiplier.astype(np.int64)) < 2**15))

    @property
    def constant_bytes(self) -> int:
        return self.outputs * (4 + (2 if self.narrow else 4) + 1)

    def check(self, name: str, kind: Kind, reach: int) -> None:
        if not kind.whole:
            raise NetworkError(f"{name} takes float input and cannot be requantized: use uint8 or int8 input")
        largest = int(np.abs(self.bias.astype(np.int64)).max()) + reach
        if largest > MAX_SCORE:
            raise NetworkError(f"a sum of {name} can reach {largest:,} with its bias, an int32 ends at {MAX_SCORE:,}")

    def apply(self, acc: NDArray[Any]) -> NDArray[Any]:
        # |acc + bias| < 2^31 and |multiplier| <= 2^31, and half of the shift is at most 2^61: within int64.
        product = (acc.astype(np.int64) + self.bias) * self.multiplier
        shift = self.shift.astype(np.int64)
        rounded = (product + (np.int64(1) << (shift - 1))) >> shift
        return np.asarray(np.clip(rounded, *self.range), self.output_kind.dtype)

    def describe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        values = {"kind": self.kind, "low": self.low, "high": self.high}
        return values, {"bias": self.bias, "multiplier": self.multiplier, "shift": self.shift}

    @classmethod
    def rebuild(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Requantize:
        return cls(arrays["bias"], arrays["multiplier"], arrays["shift"], values["kind"], values["low"], values["high"])


TRANSFORMS: dict[str, type[Transform]] = {
    transform.name: transform for transform in (Sign, Normalize, Requantize, Scores)
}
