"""The value that every data set is loaded into."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError

from .labels import number_labels, ordered_names, read_labels
from .splits import Indices, fold_indices, split_groups

RAW = "raw"
"""The kind of samples that a network takes through its encoder only."""

PICTURE_SIDE = 16
"""Of raw samples of two axes, from which on they are pictures: series have fewer channels."""

Images = npt.NDArray[Any]
Groups = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled samples, split into a training and a test part.

    Images are (n, channels, height, width), C-contiguous, uint8, or float32 where ``kind`` is ``"raw"``; labels are
    int32, (n,), in 0 .. classes - 1. All arrays are read-only.

    Attributes:
        kind: the input kind that suits a network for them: ``"uint8"``, or ``"bits"`` where every pixel is 0 or 1; or
            ``"raw"``: numbers of any range, which a network takes through its encoder.
        class_names: the name of each label.
        train_groups, test_groups: (n,) int32, the recording that each sample comes from; None where each is its own.
        group_names: names of the recordings.
        channels, units: names of the channels of raw samples and of what they are measured in; empty where not known.
        rate: rows of a sample a second; None where not known.
        step: rows from a sample to the next one of a recording; None where samples are no windows.
        own_split: whether the data themselves say which samples test.
        notes: how the data were understood, in words, a line each.

    Raises DatasetError for arrays that do not fit together.
    """

    name: str
    train_images: Images = field(repr=False)
    train_labels: npt.NDArray[np.int32] = field(repr=False)
    test_images: Images = field(repr=False)
    test_labels: npt.NDArray[np.int32] = field(repr=False)
    kind: str
    class_names: tuple[str, ...]
    train_groups: Groups | None = field(default=None, repr=False)
    test_groups: Groups | None = field(default=None, repr=False)
    group_names: tuple[str, ...] = field(default=(), repr=False)
    channels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    rate: float | None = None
    step: int | None = None
    own_split: bool = False
    notes: tuple[str, ...] = ()

    @classmethod
    def from_arrays(
        cls,
        samples: Any,
        labels: Any,
        test_samples: Any = None,
        test_labels: Any = None,
        *,
        name: str = "arrays",
        class_names: Sequence[str] | None = None,
        groups: Any = None,
        parts: Sequence[str | None] | None = None,
        group_names: Sequence[str] = (),
    ) -> Dataset:
        """Returns the data set of arrays; every fourth sample of a class tests, unless the test part is given.

        Args:
            samples: pictures, (n, height, width), (n, height, width, 1 or 3) or (n, channels, height, width); rows of
                any numbers, (n, values); or series of them, (n, rows, channels). Of (n, a, b) uint8 are pictures, and
                so are others that are square or from 16×16 on.
            labels: (n,) whole numbers or names, or (n, classes) one-hot.
            test_samples, test_labels: the part to test on, in the same forms; None to split.
            name: of the data.
            class_names: the name of each class that the labels count from 0; None takes the labels themselves.
            groups: (n,) the recording of each sample, numbers or names: none is on both sides of the split.
            parts: (n,) ``train`` or ``test`` for each sample; None to split.
            group_names: names of the recordings, where groups are their indices.

        Raises:
            DatasetError: the arrays are of other forms or lengths, or there is but one class.
        """
        images = as_images(name, samples)
        texts = read_labels(f"{name}: labels", labels)
        if len(texts) != len(images):
            raise DatasetError(f"{name}: there are {len(images):,} samples and {len(texts):,} labels")
        test = None
        if test_samples is not None or test_labels is not None:
            test = as_images(name, test_samples)
            more = read_labels(f"{name}: test labels", test_labels)
            if len(more) != len(test):
                raise DatasetError(f"{name}: there are {len(test):,} test samples and {len(more):,} labels")
            if test.shape[1:] != images.shape[1:]:
                raise DatasetError(
                    f"{name}: training samples are {images.shape[1:]}, test samples {test.shape[1:]}: give one shape"
                )
            parts = ["train"] * len(images) + ["test"] * len(more)
            images = np.concatenate([images, test.astype(images.dtype) if test.dtype == np.uint8 else test])
            texts += more
        names = None if class_names is None else tuple(map(str, class_names))
        if names is not None and not set(texts) <= set(names):
            texts = _named(name, texts, names)
        numbers, names = number_labels(name, texts, names)
        members = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int32)
        if members is not None and not group_names:
            group_names = [str(each) for each in np.unique(np.asarray(groups))]
        own = parts is not None and any(parts)
        if own and parts is not None:
            testing = np.array([part == "test" for part in parts])
            first, second = np.flatnonzero(~testing), np.flatnonzero(testing)
        else:
            first, second = split_groups(numbers, members)
        if not (len(first) and len(second)):
            raise DatasetError(
                f"{name}: there are {len(first):,} training and {len(second):,} test samples: give more samples or "
                "recordings of each class"
            )
        return cls(
            name,
            images[first],
            numbers[first],
            images[second],
            numbers[second],
            RAW if images.dtype != np.uint8 else "bits" if int(images.max(initial=0)) <= 1 else "uint8",
            names,
            None if members is None else members[first],
            None if members is None else members[second],
            tuple(group_names),
            own_split=own,
        )

    def __post_init__(self) -> None:
        if self.kind not in ("uint8", "bits", RAW):
            raise DatasetError(f"{self.name}: kind is {self.kind!r}, a data set is 'uint8', 'bits' or 'raw'")
        for part in ("train", "test"):
            try:
                images = np.ascontiguousarray(getattr(self, f"{part}_images"))
                labels = np.ascontiguousarray(getattr(self, f"{part}_labels"))
            except ValueError:
                raise DatasetError(f"{self.name}: {part} images or labels differ in shape: give arrays") from None
            _check(f"{self.name} {part}", images, labels, self.kind, len(self.class_names))
            arrays = {f"{part}_images": images, f"{part}_labels": labels}
            groups = getattr(self, f"{part}_groups")
            if groups is not None:
                arrays[f"{part}_groups"] = groups = np.ascontiguousarray(groups, np.int32)
                if groups.shape != labels.shape:
                    raise DatasetError(
                        f"{self.name}: {part} groups have shape {groups.shape}: give one for each sample"
                    )
            for name, array in arrays.items():
                view = array.view()
                view.flags.writeable = False
                object.__setattr__(self, name, view)
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise DatasetError(
                f"{self.name}: training images are {self.train_images.shape[1:]}, test images are "
                f"{self.test_images.shape[1:]}: both must have one shape"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        _, channels, height, width = self.train_images.shape
        return channels, height, width

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @property
    def labels(self) -> npt.NDArray[np.int32]:
        """Of all samples, those of the training part first."""
        return np.concatenate([self.train_labels, self.test_labels])

    @property
    def groups(self) -> Groups | None:
        """Of all samples, those of the training part first; None where each sample is its own."""
        if self.train_groups is None or self.test_groups is None:
            return None
        return np.concatenate([self.train_groups, self.test_groups])

    def with_unknown(self, names: Sequence[str]) -> Dataset:
        """Returns the data set with some of its classes as one class, ``unknown``.

        Raises:
            DatasetError: there is no class of such a name, or but one class would be left.
        """
        for name in names:
            if name not in self.class_names:
                raise DatasetError(f"there is no class {name!r}, of {', '.join(self.class_names)}")
        if not names:
            return self
        texts = ["unknown" if name in names else name for name in self.class_names]
        left = ordered_names(set(texts))
        if len(left) < 2:
            raise DatasetError(f"{self.name}: every class is unknown: leave one that is not")
        numbers = np.array([left.index(text) for text in texts], np.int32)
        return dataclasses.replace(
            self,
            train_labels=numbers[self.train_labels],
            test_labels=numbers[self.test_labels],
            class_names=left,
        )

    def folds(self, count: int, seed: int = 0) -> list[Dataset]:
        """Returns so many data sets of the same samples, each tested on another part; no recording is in two of these.

        Raises:
            DatasetError: there are fewer than two, or a class has fewer recordings.
        """
        return [self._parted(first, second) for first, second in fold_indices(self.labels, self.groups, count, seed)]

    def _parted(self, first: Indices, second: Indices) -> Dataset:
        images = np.concatenate([self.train_images, self.test_images])
        labels, groups = self.labels, self.groups
        return dataclasses.replace(
            self,
            train_images=images[first],
            train_labels=labels[first],
            test_images=images[second],
            test_labels=labels[second],
            train_groups=None if groups is None else groups[first],
            test_groups=None if groups is None else groups[second],
        )


def as_images(name: str, samples: Any) -> Images:
    """Returns samples as (n, channels, height, width): uint8 as they are, other numbers as float32.

    Args:
        name: of the data, for messages.
        samples: as :meth:`Dataset.from_arrays` takes them.

    Raises:
        DatasetError: they are of another form, not numbers, or not finite.
    """
    try:
        array = np.asarray(samples)
    except ValueError:
        raise DatasetError(f"{name}: samples differ in shape: give one array") from None
    if array.dtype.kind not in "biuf" or not 2 <= array.ndim <= 4 or 0 in array.shape[1:]:
        raise DatasetError(
            f"{name}: samples are {array.dtype} of shape {array.shape}: give numbers, (n, values), (n, height, width), "
            "(n, rows, channels) or (n, channels, height, width)"
        )
    pixels = array.dtype.kind in "bu" and array.dtype.itemsize == 1
    if array.ndim == 2:
        array = array[:, :, None, None]
    elif array.ndim == 3:
        picture = pixels or array.shape[1] == array.shape[2] or min(array.shape[1:]) >= PICTURE_SIDE
        array = array[:, None] if picture else array.transpose(0, 2, 1)[:, :, None]
    elif array.shape[3] in (1, 3, 4) and array.shape[1] not in (1, 3, 4) and array.shape[2] > 1:
        array = array.transpose(0, 3, 1, 2)
    if pixels:
        return np.ascontiguousarray(array, np.uint8)
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(array).all():
        raise DatasetError(f"{name}: a sample holds a value that is not finite, or too large: leave such samples out")
    return array


def _named(name: str, texts: list[str], names: tuple[str, ...]) -> list[str]:
    """Labels that count the classes from 0, by name."""
    if not all(text.isdecimal() and int(text) < len(names) for text in texts):
        wrong = next(text for text in texts if not (text.isdecimal() and int(text) < len(names)))
        raise DatasetError(
            f"{name}: class_names has {len(names)} names, and a label is {wrong}: give numbers from 0 to "
            f"{len(names) - 1}"
        )
    return [names[int(text)] for text in texts]


def _check(what: str, images: Images, labels: npt.NDArray[np.int32], kind: str, classes: int) -> None:
    dtype = np.float32 if kind == RAW else np.uint8
    if images.dtype != dtype or images.ndim != 4:
        raise DatasetError(
            f"{what} images are {images.dtype} of shape {images.shape}: {np.dtype(dtype)} (n, channels, height, width) "
            "is needed"
        )
    if labels.dtype != np.int32 or labels.shape != images.shape[:1]:
        raise DatasetError(
            f"{what} labels are {labels.dtype} of shape {labels.shape}: int32 of shape {images.shape[:1]} is needed, "
            "one for each image"
        )
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise DatasetError(f"{what} labels run from {labels.min()} to {labels.max()}: 0 to {classes - 1} is allowed")
    if kind == "bits" and images.size and int(images.max()) > 1:
        raise DatasetError(f"{what} images hold the value {images.max()}: bits are 0 and 1")
    if kind == RAW and not np.isfinite(images).all():
        raise DatasetError(f"{what} images hold a value that is not finite: leave such samples out")
