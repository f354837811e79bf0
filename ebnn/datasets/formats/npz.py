"""NumPy's archives: ``images`` and ``labels``, or both in two parts, ``train_…`` and ``test_…``.

Images are uint8, (n, height, width) or (n, channels, height, width); labels are whole numbers from 0. Keras's names
(``x_train``, ``y_train``, ``x_test``, ``y_test``) do as well. ``class_names`` may name the classes.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError

from ..dataset import Dataset
from ..digits import split

MAX_BYTES = 2**32
"""Of all arrays together, unpacked."""

MAX_CLASSES = 255
"""As many as a network can tell apart."""

_PARTS = ("train_images", "train_labels", "test_images", "test_labels")
_KERAS = ("x_train", "y_train", "x_test", "y_test")
_WHOLE = ("images", "labels")


def recognises(head: bytes) -> bool:
    """Whether a file that begins so is a NumPy archive."""
    return head.startswith(b"PK\x03\x04") and b".npy" in head[:300]


def read(path: Path) -> Dataset:
    """Returns the data set. One part is split as digits are: every fourth sample of each class is a test sample.

    Raises DatasetError where the archive is damaged, too large, or has other arrays.
    """
    arrays = _arrays(path)
    names = next((names for names in (_PARTS, _KERAS) if set(names) <= arrays.keys()), None)
    if names is not None:
        train, train_labels, test, test_labels = (arrays[name] for name in names)
        train_labels, test_labels = _labels(path, train_labels), _labels(path, test_labels)
        train, test = _images(path, train), _images(path, test)
    elif set(_WHOLE) <= arrays.keys():
        images, labels = _images(path, arrays["images"]), _labels(path, arrays["labels"])
        if len(images) != len(labels):
            raise DatasetError(f"{path}: there are {len(images):,} images and {len(labels):,} labels")
        first, second = split(labels)
        train, train_labels, test, test_labels = images[first], labels[first], images[second], labels[second]
    else:
        there = ", ".join(sorted(arrays)) or "none"
        raise DatasetError(f"{path}: needs the arrays images and labels, or {', '.join(_PARTS)}; it has {there}")
    if not (len(train_labels) and len(test_labels)):
        raise DatasetError(f"{path}: there are {len(train_labels)} training and {len(test_labels)} test samples")
    class_names = _class_names(path, arrays, int(max(train_labels.max(), test_labels.max())) + 1)
    is_bits = max(int(train.max(initial=0)), int(test.max(initial=0))) <= 1
    return Dataset(path.stem, train, train_labels, test, test_labels, "bits" if is_bits else "uint8", class_names)


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    wanted = {*_PARTS, *_KERAS, *_WHOLE, "class_names"}
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise DatasetError(f"{path}: its arrays take {size:,} bytes unpacked, {MAX_BYTES:,} are allowed")
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files if name in wanted}
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else "its data end too soon"
        raise DatasetError(f"{path}: is damaged, or has arrays of objects: {reason}") from None
    except (OSError, MemoryError) as error:
        raise DatasetError(f"{path}: cannot be read: {error}") from None


def _images(path: Path, images: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """(n, channels, height, width)"""
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or 0 in images.shape[1:]:
        raise DatasetError(
            f"{path}: images are {images.dtype} of shape {images.shape}: give uint8, (n, height, width) or "
            "(n, channels, height, width)"
        )
    return images[:, None] if images.ndim == 3 else images


def _labels(path: Path, labels: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """(n,)"""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if not np.issubdtype(labels.dtype, np.integer) or labels.ndim != 1:
        raise DatasetError(f"{path}: labels are {labels.dtype} of shape {labels.shape}: give whole numbers, (n,)")
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if not 0 <= low <= high < MAX_CLASSES:
        way_out = "leave others out"
        if low and high - low < MAX_CLASSES:
            way_out = f"subtract {low} from all" if low > 0 else f"add {-low} to all"
        raise DatasetError(f"{path}: labels run from {low} to {high}: 0 to {MAX_CLASSES - 1} is allowed, {way_out}")
    return labels.astype(np.int32)


def _class_names(path: Path, arrays: dict[str, npt.NDArray[Any]], classes: int) -> tuple[str, ...]:
    if "class_names" not in arrays:
        return tuple(map(str, range(max(classes, 2))))
    names = tuple(map(str, arrays["class_names"].ravel().tolist()))
    if not max(classes, 2) <= len(names) <= MAX_CLASSES:
        raise DatasetError(f"{path}: class_names has {len(names)} names, the labels need {max(classes, 2)}")
    return names
