"""Distortions of training images, new ones for every batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import TrainingError
from ..model.kinds import InputKind
from .config import TrainConfig
from .labelled_samples import Samples
from .series_augmentation import SeriesDistortion

FloatArray = npt.NDArray[np.float32]

_BUMP_SIGMA = 4.0
"""Pixels: the smoothness that Simard et al. use for images of 28×28."""

_BUMP_SPACING = 4


@dataclass(frozen=True)
class Shift:
    """Random shift by whole pixels; 0 where no image was.

    Attributes:
        most: pixels along each axis.
    """

    most: int

    def __call__(self, images: npt.NDArray[Any], random: np.random.RandomState) -> npt.NDArray[Any]:
        """Returns ``images`` (n, c, h, w) shifted, each in its own way, in the same type."""
        n, _, height, width = images.shape
        border = (self.most, self.most)
        padded = np.pad(images, ((0, 0), (0, 0), border, border))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(2, 3))
        down, right = random.randint(0, 2 * self.most + 1, (2, n))
        return np.ascontiguousarray(windows[np.arange(n), :, down, right])


@dataclass(frozen=True)
class Mirror:
    """Random mirroring, left for right, of half of the images.

    Attributes:
        then: what is done to all of them after that; None for nothing.
    """

    then: Shift | Distortion | None = None

    def __call__(self, images: npt.NDArray[Any], random: np.random.RandomState) -> npt.NDArray[Any]:
        """Returns ``images`` (n, c, h, w), each mirrored or not, in the same type."""
        mirrored = random.randint(0, 2, len(images)).astype(bool)
        result = np.where(mirrored[:, None, None, None], images[..., ::-1], images)
        return result if self.then is None else self.then(result, random)


@dataclass(frozen=True)
class Distortion:
    """Random shift, scale, rotation and elastic deformation in one resampling, bilinear; 0 where no image was.

    The place from which a pixel is read is a sum of few smooth functions of the pixel's own place: three for shift,
    scale and rotation, and a grid of Gaussian bumps, each pushing in a random direction. So all places of a batch are
    one matrix product. Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks Applied to
    Visual Document Analysis", ICDAR 2003, smooth a random field to the same end.

    Attributes:
        shape: of an image, (c, h, w).
        kind: of input; bits are set where half of the light falls on them, integers rounded.
        shift: the most pixels along each axis.
        rotation: the most degrees, in both directions.
        scale: the most by which each axis grows or shrinks, as a fraction.
        elastic: standard deviation of a pixel's displacement along each axis, in pixels.
    """

    shape: tuple[int, int, int]
    kind: InputKind
    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    elastic: float = 0.0

    @cached_property
    def _basis(self) -> FloatArray:
        """The smooth functions, (functions, h·w): 1, row and column from the centre, then the bumps."""
        _, height, width = self.shape
        row, column = (axis.ravel() for axis in np.mgrid[:height, :width].astype(np.float64))
        functions = [np.ones_like(row), row - (height - 1) / 2, column - (width - 1) / 2]
        if self.elastic:
            centres = (np.arange(-_BUMP_SPACING, size + _BUMP_SPACING + 1, _BUMP_SPACING) for size in (height, width))
            bumps = np.stack(
                [
                    np.exp(-((row - y) ** 2 + (column - x) ** 2) / (2 * _BUMP_SIGMA**2))
                    for y, x in np.stack(np.meshgrid(*centres), axis=-1).reshape(-1, 2)
                ]
            )
            functions += list(bumps * (self.elastic / np.sqrt((bumps**2).sum(axis=0))))
        return np.stack(functions).astype(np.float32)

    def _places(self, n: int, random: np.random.RandomState) -> FloatArray:
        """Rows and columns from which the pixels of ``n`` images are read, (2, n, h·w)."""
        angle = np.deg2rad(random.uniform(-self.rotation, self.rotation, n))
        stretch = 1 + random.uniform(-self.scale, self.scale, (2, n))
        coefficients = random.standard_normal((2, n, len(self._basis)))
        centre = (np.array(self.shape[1:]) - 1) / 2
        coefficients[:, :, 0] = random.uniform(-self.shift, self.shift, (2, n)) + centre[:, None]
        coefficients[0, :, 1], coefficients[0, :, 2] = np.cos(angle) * stretch[0], np.sin(angle) * stretch[1]
        coefficients[1, :, 1], coefficients[1, :, 2] = -np.sin(angle) * stretch[0], np.cos(angle) * stretch[1]
        places: FloatArray = coefficients.astype(np.float32).reshape(2 * n, -1) @ self._basis
        return places.reshape(2, n, -1)

    def __call__(self, images: npt.NDArray[Any], random: np.random.RandomState) -> npt.NDArray[Any]:
        """Returns ``images`` (n, c, h, w) distorted, each in its own way, in the same type."""
        resampled = resample(images, self._places(len(images), random))
        if self.kind == "bits":
            return (resampled >= 0.5).astype(images.dtype)
        if images.dtype.kind in "iu":
            np.rint(resampled, out=resampled)
        return resampled.astype(images.dtype, copy=False)


@dataclass(frozen=True, eq=False)
class GroundedDistortion:
    """A picture's distortion of int8 images, whose black is not 0.

    Attributes:
        ground: (channels,) what lies where no image was: the least value of each channel.
        picture: what is done to the images.
    """

    ground: npt.NDArray[np.int8]
    picture: Shift | Distortion | Mirror

    def __call__(self, images: npt.NDArray[Any], random: np.random.RandomState) -> npt.NDArray[Any]:
        """Returns int8 ``images`` (n, c, h, w) distorted, each in its own way."""
        ground = self.ground.astype(np.int16)[:, None, None]
        return np.asarray(self.picture(images - ground, random) + ground).astype(np.int8)


@dataclass(frozen=True, eq=False)
class RawPictureDistortion:
    """A picture's distortion of raw values, then that of their size, then the encoder.

    Attributes:
        ground: (channels,) what lies where no image was: the least value of each channel.
        picture: what is done to the pictures.
        values: what is done to their values, and encodes them.
    """

    ground: FloatArray
    picture: Shift | Distortion | Mirror
    values: SeriesDistortion

    def __call__(self, images: npt.NDArray[Any], random: np.random.RandomState) -> npt.NDArray[Any]:
        """Returns raw ``images`` (n, c, h, w) distorted, each in its own way, and encoded."""
        ground = self.ground[:, None, None]
        return self.values(self.picture(images - ground, random) + ground, random)


def distortion(
    config: TrainConfig, samples: Samples
) -> Shift | Distortion | Mirror | GroundedDistortion | RawPictureDistortion | SeriesDistortion | None:
    """Returns what ``config`` asks to be done to the images of ``samples``; None where it is nothing.

    Raises:
        TrainingError: a series' distortion is asked for and the samples are none, or a picture's and they are none.
    """
    series = [config.jitter, config.gain, config.time_shift, config.time_stretch, config.turn]
    if samples.raw is not None and samples.encoder is not None:
        _, channels, height, width = samples.raw.shape
        flat = min(height, width) == 1
        picture = None if flat else _picture_distortion(config, (channels, height, width), "float")
        if flat and (config.shift or config.rotation or config.scale or config.elastic or config.mirror):
            raise TrainingError(
                "shift, rotation, scale, elastic and mirror distort pictures: other raw samples take jitter, gain, …"
            )
        if samples.raw.shape[2] > 1 and (config.time_shift or config.time_stretch or config.turn):
            raise TrainingError(
                f"time_shift, time_stretch and turn distort series: samples of {samples.raw.shape[2]} rows and "
                f"{samples.raw.shape[3]} columns take jitter and gain"
            )
        spread = samples.raw.std(axis=(0, 2, 3))
        values = SeriesDistortion(samples.encoder, spread, *series)
        if picture is not None:
            return RawPictureDistortion(samples.raw.min(axis=(0, 2, 3)), picture, values)
        return values if any(series) else None
    if any(series):
        raise TrainingError(
            "jitter, gain, time_shift, time_stretch and turn distort raw samples: pictures take shift, …"
        )
    channels, height, width = samples.shape
    picture = _picture_distortion(config, (channels, height, width), samples.kind)
    if picture is not None and samples.kind == "int8":
        return GroundedDistortion(samples.images.min(axis=(0, 2, 3)), picture)
    return picture


def _picture_distortion(
    config: TrainConfig, shape: tuple[int, int, int], kind: InputKind
) -> Shift | Distortion | Mirror | None:
    chosen: Shift | Distortion | None = Shift(config.shift) if config.shift else None
    if config.rotation or config.scale or config.elastic:
        chosen = Distortion(shape, kind, config.shift, config.rotation, config.scale, config.elastic)
    return Mirror(chosen) if config.mirror else chosen


def resample(images: npt.NDArray[Any], places: FloatArray) -> FloatArray:
    """Returns what lies at ``places`` of each image, bilinear between pixels, 0 outside.

    Args:
        images: (n, c, h, w).
        places: rows and columns, (2, n, h·w); they are overwritten.

    Returns:
        (n, c, h, w) float32.
    """
    n, channels, height, width = images.shape
    padded = np.zeros((channels, n, height + 3, width + 3), np.float32)
    padded[:, :, 1:-2, 1:-2] = images.transpose(1, 0, 2, 3)
    places += 1
    np.clip(places[0], 0, height + 1, out=places[0])
    np.clip(places[1], 0, width + 1, out=places[1])
    whole = places.astype(np.int32)  # rounds down: no place is negative
    below, right = places - whole
    area = (height + 3) * (width + 3)
    index = (whole[0] * np.int32(width + 3) + whole[1] + np.arange(0, n * area, area)[:, None]).astype(np.intp)
    resampled = np.empty((n, channels, height * width), np.float32)
    for channel in range(channels):
        light = padded[channel].reshape(-1)
        upper = _between(light, index, right)
        index += width + 3
        lower = _between(light, index, right)
        index -= width + 3
        lower -= upper
        lower *= below
        np.add(upper, lower, out=resampled[:, channel])
    return resampled.reshape(images.shape)


def _between(light: FloatArray, index: npt.NDArray[np.intp], right: FloatArray) -> FloatArray:
    """Returns the light between each indexed pixel and its right neighbour."""
    left, following = light[index], light[1:][index]
    following -= left
    following *= right
    following += left
    return following
