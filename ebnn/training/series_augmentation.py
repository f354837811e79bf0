"""Distortions of series of sensors' values, new ones for every batch; they happen to raw values, before the encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..model.encoders import Encoder

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SeriesDistortion:
    """Random jitter, gain, shift and stretch of time, and turning of axes, each sample in its own way, then encoded.

    Um, Pfister, Pichler et al., "Data Augmentation of Wearable Sensor Data", ICMI 2017, have all of these.

    Attributes:
        encoder: what makes raw samples what the network takes.
        spread: (channels,) the standard deviation of each channel, which jitter is counted in.
        jitter: standard deviation of the noise that is added to each value, as a share of its channel's.
        gain: the most by which all values of a channel grow or shrink, as a fraction.
        time_shift: the most rows by which the series is moved; its ends are held.
        time_stretch: the most by which time runs faster or slower, as a fraction.
        turn: the most degrees by which each three channels that follow each other, x, y and z of a sensor, are turned
            about a random axis.
    """

    encoder: Encoder
    spread: FloatArray
    jitter: float = 0.0
    gain: float = 0.0
    time_shift: float = 0.0
    time_stretch: float = 0.0
    turn: float = 0.0

    def __call__(self, images: npt.NDArray[Any], random: np.random.RandomState) -> npt.NDArray[Any]:
        """Returns raw ``images`` (n, channels, height, rows) distorted and encoded; of height 1 where time changes."""
        n, channels = images.shape[:2]
        series = np.array(images, np.float32).reshape(n, channels, -1)
        if self.time_shift or self.time_stretch:
            series = _retimed(series, *self._times(n, random))
        if self.turn:
            for first in range(0, channels - channels % 3, 3):
                turned = _rotations(n, self.turn, random) @ series[:, first : first + 3]
                series[:, first : first + 3] = turned
        if self.gain:
            series *= (1 + random.uniform(-self.gain, self.gain, (n, channels, 1))).astype(np.float32)
        if self.jitter:
            noise = random.standard_normal(series.shape).astype(np.float32)
            series += noise * np.float32(self.jitter) * self.spread[:, None]
        return encoded(self.encoder, series.reshape(images.shape))

    def _times(self, n: int, random: np.random.RandomState) -> tuple[FloatArray, FloatArray]:
        """By how many rows each sample is moved, and how fast its time runs, (n,) each."""
        shift = random.uniform(-self.time_shift, self.time_shift, n)
        speed = 1 + random.uniform(-self.time_stretch, self.time_stretch, n)
        return shift.astype(np.float32), speed.astype(np.float32)


def encoded(encoder: Encoder, raw: FloatArray) -> npt.NDArray[Any]:
    """Returns raw samples encoded, as training takes them: bits as 0 and 1 in uint8."""
    images = encoder.apply(raw)
    return images.astype(np.uint8) if images.dtype == bool else images


def _retimed(series: FloatArray, shift: FloatArray, speed: FloatArray) -> FloatArray:
    """Series read at other times, linear between rows; beyond an end its row is held."""
    n, channels, rows = series.shape
    middle = (rows - 1) / 2
    places = (np.arange(rows, dtype=np.float32) - middle) * speed[:, None] + middle + shift[:, None]
    places = np.clip(places, 0, rows - 1)
    left = np.minimum(places.astype(np.int64), max(0, rows - 2))
    share = (places - left).astype(np.float32)[:, None]
    index = np.broadcast_to(left[:, None], (n, channels, rows))
    low = np.take_along_axis(series, index, axis=2)
    high = np.take_along_axis(series, np.minimum(index + 1, rows - 1), axis=2)
    return np.asarray(low + share * (high - low), np.float32)


def _rotations(n: int, degrees: float, random: np.random.RandomState) -> FloatArray:
    """Rotations about random axes by up to so many degrees, (n, 3, 3), by Rodrigues's formula."""
    axis = random.standard_normal((n, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.deg2rad(random.uniform(-degrees, degrees, n))[:, None, None]
    cross = np.zeros((n, 3, 3))
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    cross -= cross.transpose(0, 2, 1)
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross), np.float32)
