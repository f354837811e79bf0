"""Labelled samples as training takes them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..datasets.splits import split_groups
from ..errors import InputError, TrainingError
from ..model.axes import as_images, refuse_masked
from ..model.encoders import Encoder
from ..model.kinds import INPUT_KINDS, MAX_FLOAT, InputKind

MAX_LABEL = 254  # a class index is a byte on the board, and there are up to 255 of them


@dataclass(frozen=True, eq=False)
class Samples:
    """Images and their classes; the images stay in their own small type and are made float32 batch by batch.

    Attributes:
        images: (n, c, h, w) uint8, int8 or float32; bits as 0 and 1 in uint8.
        labels: (n,) int32.
        kind: of input, one of :data:`ebnn.model.kinds.INPUT_KINDS`.
        groups: (n,) int32, the recording that each comes from; None where each is its own.
        raw: (n, c, h, w) float32, what ``encoder`` made ``images`` of; None where there is no encoder.
        encoder: of the network.
    """

    images: npt.NDArray[Any]
    labels: npt.NDArray[np.int32]
    kind: InputKind
    groups: npt.NDArray[np.int32] | None = None
    raw: npt.NDArray[np.float32] | None = None
    encoder: Encoder | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        """Yields images and labels, so that samples are a pair too."""
        return iter((self.images, self.labels))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample, (c, h, w)."""
        return self.images.shape[1:]

    def split(self, count: int) -> tuple[Samples, Samples]:
        """Returns all but ``count`` samples, and those: always the same, drawn at random.

        Of raw samples each class has its share on both sides and no recording is on both, so there are about as many.
        """
        if self.raw is None:
            order = np.random.RandomState(0).permutation(len(self))
            return self._only(np.sort(order[count:])), self._only(np.sort(order[:count]))
        rest, held_out = split_groups(self.labels, self.groups, max(2, round(len(self) / count)), seed=1)
        return self._only(rest), self._only(held_out)

    def _only(self, chosen: npt.NDArray[np.intp]) -> Samples:
        groups = None if self.groups is None else self.groups[chosen]
        raw = None if self.raw is None else self.raw[chosen]
        return Samples(self.images[chosen], self.labels[chosen], self.kind, groups, raw, self.encoder)

    def checksum(self) -> int:
        """Returns the CRC-32 of images and labels, by which a resumed run knows its data again."""
        images, labels = (np.ascontiguousarray(array).data for array in (self.images, self.labels))
        return zlib.crc32(labels, zlib.crc32(images))


def as_pair(name: str, given: Any) -> tuple[Any, Any]:
    """Returns the images and labels of a set, which are not looked at; ``name`` is the set's, for messages.

    Raises:
        TrainingError: ``given`` is no pair.
    """
    try:
        images, labels = given
    except (TypeError, ValueError):
        what = "None" if given is None else f"of type {type(given).__name__}"
        if isinstance(given, (tuple, list)):
            what = f"a {type(given).__name__} of {len(given)}"
        raise TrainingError(f"the {name} set is {what}: give a pair, (images, labels)") from None
    return images, labels


def as_samples(name: str, images: Any, labels: Any, kind: InputKind, shape: tuple[int, ...] | None = None) -> Samples:
    """Returns checked samples.

    Args:
        name: of the set, for messages.
        images: (n, c, h, w), or as :mod:`ebnn.model.axes` takes them: uint8 or int8 as ``kind`` says, bits as 0
            and 1 (or bool), float as any float type.
        labels: (n,) integers from 0 on.
        kind: of input.
        shape: of one sample as the network has it, (c, h, w); None where that is not known.

    Raises:
        TrainingError: the set is empty, or an array has another shape, type or range, or a masked value.
    """
    if kind not in INPUT_KINDS:
        raise TrainingError(f"input kind {kind!r} is unknown: use one of {', '.join(INPUT_KINDS)}")
    try:
        images = as_images(images, shape)
        refuse_masked("labels", labels)
    except InputError as error:
        raise TrainingError(f"the {name} set: {error}") from None
    if images.size == 0:
        raise TrainingError(f"the {name} set is empty, its images have shape {images.shape}: give at least one sample")
    try:
        labels = np.asarray(labels)
    except ValueError:
        raise TrainingError(f"the {name} labels differ in shape: give ({len(images)},) integers") from None
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        raise TrainingError(
            f"the {name} labels have shape {labels.shape} and type {labels.dtype}: give ({len(images)},) integers"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high > MAX_LABEL:
        wrong = low if low < 0 else high
        way_out = "leave it out"
        if low and high - low <= MAX_LABEL:
            way_out = f"subtract {low} from all" if low > 0 else f"add {-low} to all"
        raise TrainingError(f"the {name} set has the label {wrong}: classes count from 0 to {MAX_LABEL}, {way_out}")
    return Samples(_as_kind(name, images, kind), labels.astype(np.int32), kind)


def _as_kind(name: str, images: npt.NDArray[Any], kind: InputKind) -> npt.NDArray[Any]:
    if kind == "float":
        if images.dtype.kind != "f":
            raise TrainingError(f"the {name} images are {images.dtype}: float input takes float32")
        # Written so that NaN fails too; in float16 the limit itself would be infinite.
        if not np.all(np.abs(images.astype(np.float64, copy=False)) <= MAX_FLOAT):
            raise TrainingError(
                f"the {name} images hold a value that is not finite, or over {MAX_FLOAT:.3g}: leave such samples out"
            )
        return images.astype(np.float32, copy=False)
    if kind == "bits":
        if images.dtype.kind not in "biuf":
            raise TrainingError(f"the {name} images are {images.dtype}: bits input takes 0 and 1")
        if images.dtype != bool and not np.isin(images, (0, 1)).all():
            raise TrainingError(
                f"the {name} images hold values from {images.min()} to {images.max()}: bits input takes 0 and 1"
            )
        return images.astype(np.uint8)
    if images.dtype != kind:
        raise TrainingError(f"the {name} images are {images.dtype}: {kind} input takes {kind}")
    return images


def to_float32(images: npt.NDArray[Any], kind: InputKind) -> npt.NDArray[np.float32]:
    """Returns images as the network sees them: numbers unscaled, so that sums are exact, and bits as -1 and +1."""
    numbers = images.astype(np.float32, copy=False)
    return numbers * np.float32(2) - np.float32(1) if kind == "bits" else numbers
