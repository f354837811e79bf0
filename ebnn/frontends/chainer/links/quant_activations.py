"""Activations of 8 bits, with a range that is learned."""

from __future__ import annotations

import math
from typing import Any

import chainer
import numpy as np
import numpy.typing as npt
from chainer import Parameter

from ....model.thresholds import requantize_constants
from ....model.transforms import Requantize
from ..functions import quantize

FIRST_RANGE = 4.0  # standard deviations of what batch normalisation gives: nearly all of it


class QuantActivation(chainer.Link):  # type: ignore[misc]
    """Rounds to 8 bits; wraps :func:`ebnn.functions.quantize`.

    Args:
        first_range: the largest value that is not clipped, before it is trained.

    Attributes:
        log_range: () float32 parameter, the logarithm of the largest value that is not clipped.
        kind, low, high: what it gives.
    """

    kind: str
    low: int
    high: int

    def __init__(self, first_range: float = FIRST_RANGE) -> None:
        super().__init__()
        with self.init_scope():
            self.log_range = Parameter(np.asarray(math.log(first_range), np.float32))

    def forward(self, x: Any) -> Any:
        """Returns whole numbers from ``low`` to ``high``, in the shape and dtype of ``x``."""
        return quantize(x, self.log_range, self.low, self.high)

    def transform(self, gain: npt.NDArray[np.float64], shift: npt.NDArray[np.float64], reach: int) -> Requantize:
        """Returns what the device does to sums of up to ``reach`` that stand for ``gain · acc + shift``."""
        factor = self.high * math.exp(-float(self.log_range.array))
        return requantize_constants(gain * factor, shift * factor, reach, self.kind, self.low, self.high)


class QuantReLU(QuantActivation):
    """ReLU in 8 bits: 0 to 255."""

    kind, low, high = "uint8", 0, 255


class QuantIdentity(QuantActivation):
    """No more than rounding to 8 bits: −127 to 127."""

    kind, low, high = "int8", -127, 127
