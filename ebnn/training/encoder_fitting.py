"""The encoder of raw samples, fitted to the training part alone: ranges and thresholds of each channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import TrainingError
from ..model.encoders import AFFINE_KINDS, MAX_RAW, Affine, Encoder, Thermometer
from ..model.kinds import InputKind

LEVELS = 8
"""Bits of each raw value, unless others are asked for."""

MAX_LEVELS = 64

TAIL = 0.001
"""Share of a channel's values at each end that may lie far from the others."""

MARGIN = 0.25
"""Of the range of the others by which it is widened before values are clipped."""

_MOST_VALUES = 2_000_000
"""Of a channel, from which quantiles are taken."""


@dataclass(frozen=True)
class Fitted:
    """An encoder and how it came out.

    Attributes:
        encoder: fitted to the training part.
        clipped: how many samples of the training part have a value beyond its range.
        samples: of the training part.
    """

    encoder: Encoder
    clipped: int
    samples: int

    def sentence(self) -> str:
        """What was chosen, in words."""
        channels = f"{self.encoder.channels:,} channel{'s' if self.encoder.channels > 1 else ''}"
        if isinstance(self.encoder, Thermometer):
            return f"{channels} turned to {self.encoder.levels} bits each, thresholds at equal shares of the values"
        kind = self.encoder.kind if isinstance(self.encoder, Affine) else ""
        return f"{channels} scaled to {kind}; {self.clipped:,} samples of {self.samples:,} clipped"


def fit_encoder(images: npt.NDArray[np.float32], kind: InputKind, levels: int = LEVELS) -> Fitted:
    """Returns the encoder that gives a kind of input, fitted to raw samples.

    Args:
        images: (n, channels, height, width) of the training part.
        kind: ``int8`` or ``uint8`` for equal steps, ``bits`` for a thermometer.
        levels: bits of each raw value, for ``bits``.

    Raises:
        TrainingError: no encoder gives that kind, there are too many levels, or values too large to be encoded.
    """
    if kind not in ("bits", *AFFINE_KINDS):
        raise TrainingError(f"no encoder gives {kind!r}: give bits, {' or '.join(AFFINE_KINDS)}")
    if not np.abs(images).max(initial=0) < MAX_RAW:
        raise TrainingError(f"a raw value is over {MAX_RAW:.3g}: leave such samples out, or scale them")
    channels = images.shape[1]
    values = images.transpose(1, 0, 2, 3).reshape(channels, -1)
    values = values[:, :: max(1, values.shape[1] // _MOST_VALUES)].astype(np.float64)
    if kind == "bits":
        if not 1 <= levels <= MAX_LEVELS:
            raise TrainingError(f"{levels} bits for each value: give 1 to {MAX_LEVELS}")
        return Fitted(Thermometer(_thresholds(values, levels)), 0, len(images))
    low, high = _ranges(values)
    clipped = ((images < low[:, None, None]) | (images > high[:, None, None])).any(axis=(1, 2, 3))
    return Fitted(Affine.of_ranges(low, high, kind), int(clipped.sum()), len(images))


def _ranges(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The range of each channel, (channels,) each: all values, but for a few that lie far from the others."""
    low, high = values.min(axis=1), values.max(axis=1)
    inner = np.quantile(values, (TAIL, 1 - TAIL), axis=1)
    room = MARGIN * (inner[1] - inner[0])
    wide = room > 0  # else the values differ in the tails only, and all of them count
    low = np.where(wide, np.maximum(low, inner[0] - room), low)
    high = np.where(wide, np.minimum(high, inner[1] + room), high)
    return low, high


def _thresholds(values: npt.NDArray[np.float64], levels: int) -> npt.NDArray[np.float32]:
    """(channels, levels): between different values, at equal shares of them."""
    thresholds = np.empty((len(values), levels), np.float32)
    for channel, each in enumerate(values):
        unique, counts = np.unique(each, return_counts=True)
        if len(unique) == 1:
            thresholds[channel] = unique[0]
            continue
        middles = (unique[1:] + unique[:-1]) / 2
        shares = np.cumsum(counts)[:-1] / len(each)
        wanted = (np.arange(levels) + 1) / (levels + 1)
        thresholds[channel] = middles[np.abs(shares - wanted[:, None]).argmin(axis=1)]
    return np.sort(thresholds, axis=1)
