"""The value that every data set is loaded into."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError
from ebnn.model.kinds import InputKind


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images, split into a training and a test part.

    Images are uint8, (n, channels, height, width), C-contiguous; labels are int32, (n,), in 0 .. classes - 1. Both are
    read-only. ``kind`` is the input kind that suits a network for them: ``"uint8"``, or ``"bits"`` where every pixel
    is 0 or 1. ``class_names[k]`` is the name of label k.

    Raises DatasetError for arrays that do not fit together.
    """

    name: str
    train_images: npt.NDArray[np.uint8] = field(repr=False)
    train_labels: npt.NDArray[np.int32] = field(repr=False)
    test_images: npt.NDArray[np.uint8] = field(repr=False)
    test_labels: npt.NDArray[np.int32] = field(repr=False)
    kind: InputKind
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.kind not in ("uint8", "bits"):
            raise DatasetError(f"{self.name}: kind is {self.kind!r}, a data set is 'uint8' or 'bits'")
        for part in ("train", "test"):
            try:
                images = np.ascontiguousarray(getattr(self, f"{part}_images"))
                labels = np.ascontiguousarray(getattr(self, f"{part}_labels"))
            except ValueError:
                raise DatasetError(f"{self.name}: {part} images or labels differ in shape: give arrays") from None
            _check(f"{self.name} {part}", images, labels, self.kind, len(self.class_names))
            for name, array in ((f"{part}_images", images), (f"{part}_labels", labels)):
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


def _check(
    what: str, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int32], kind: InputKind, classes: int
) -> None:
    if images.dtype != np.uint8 or images.ndim != 4:
        raise DatasetError(
            f"{what} images are {images.dtype} of shape {images.shape}: uint8 (n, channels, height, width) is needed"
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
