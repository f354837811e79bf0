"""NumPy's archives: samples and labels, or both in two parts.

The arrays are ``images`` and ``labels``, or ``train_images``, ``train_labels``, ``test_images`` and ``test_labels``;
other usual names do as well (``x`` and ``y``, ``data`` and ``target``, Keras's ``x_train`` …). Samples and labels are
of any form that `ebnn.datasets.Dataset.from_arrays` takes. ``class_names`` may name the classes, ``groups`` the
recording of each sample.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError

from ..dataset import Dataset
from ..read_options import Reading

MAX_BYTES = 2**32
"""Of all arrays together, unpacked."""

MAX_CLASSES = 255
"""As many as a network can tell apart."""

SAMPLES = ("images", "samples", "data", "features", "x")
LABELS = ("labels", "label", "targets", "target", "classes", "y")
_GROUPS = ("groups", "recordings", "subjects")


def recognises(head: bytes) -> bool:
    """Whether a file that begins so is a NumPy archive."""
    return head.startswith(b"PK\x03\x04") and b".npy" in head[:300]


def read(path: Path, reading: Reading) -> Dataset:
    """Returns the data set. One part is split as digits are: every fourth sample of each class is a test sample.

    Raises DatasetError where the archive is damaged, too large, or has other arrays.
    """
    arrays, others = _arrays(path)
    return from_named(str(path), arrays, others)


def from_named(place: str, arrays: dict[str, npt.NDArray[Any]], others: Sequence[str] = ()) -> Dataset:
    """Returns the data set of arrays by name.

    Args:
        place: what messages call them.
        arrays: by name.
        others: names of arrays beside them that are not read.

    Raises:
        DatasetError: an array is missing, or they are of no form that is known.
    """
    known = {key.lower(): value for key, value in arrays.items()}
    samples, labels = _pick(known, SAMPLES, "train"), _pick(known, LABELS, "train")
    test, test_labels = _pick(known, SAMPLES, "test"), _pick(known, LABELS, "test")
    if samples is None or labels is None or (test is None) != (test_labels is None):
        there = ", ".join(sorted([*arrays, *others])) or "none"
        raise DatasetError(
            f"{place}: needs the arrays images and labels, or train_images, train_labels, test_images and test_labels, "
            f"or x and y, x_train and y_train …; it has {there}"
        )
    if not len(labels) or (test_labels is not None and not len(test_labels)):
        test_labels = labels[:0] if test_labels is None else test_labels
        raise DatasetError(f"{place}: there are {len(labels)} training and {len(test_labels)} test samples")
    every = [each for each in (labels, test_labels) if each is not None]
    groups = next((known[key] for key in _GROUPS if key in known), None) if test is None else None
    return Dataset.from_arrays(
        samples, labels, test, test_labels, name=place, class_names=_class_names(place, known, every), groups=groups
    )


def _pick(arrays: dict[str, npt.NDArray[Any]], names: tuple[str, ...], part: str) -> npt.NDArray[Any] | None:
    """The array of one of the names in a part; without a part's name it is the training part's."""
    for name in names:
        keys = [
            f"{part}_{name}",
            f"{name}_{part}",
            f"{part}{name}",
            f"{name}{part}",
            f"{name}_tr" if part == "train" else "",
        ]
        keys += [name] if part == "train" else [f"{name}_te"]
        for key in keys:
            if key in arrays:
                return arrays[key]
    return None


def _arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], list[str]]:
    """The arrays of known names in an archive, and the names of the others."""
    wanted = re.compile(
        r"(train|test|tr|te)?_?(images|samples|data|features|x|labels?|targets?|classes|y)_?(train|test|tr|te)?"
    )
    more = {"class_names", *_GROUPS}
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise DatasetError(f"{path}: its arrays take {size:,} bytes unpacked, {MAX_BYTES:,} are allowed")
        with np.load(path, allow_pickle=False) as archive:
            known = [name for name in archive.files if wanted.fullmatch(name.lower()) or name in more]
            others = [name for name in archive.files if name not in known]
            return {name: _array(path, archive, name) for name in known}, others
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else "its data end too soon"
        raise DatasetError(f"{path}: is damaged: {reason}") from None
    except (OSError, MemoryError) as error:
        raise DatasetError(f"{path}: cannot be read: {error}") from None


def _array(path: Path, archive: Any, name: str) -> npt.NDArray[Any]:
    """An array of an archive. Raises DatasetError where it holds Python objects, which are never read."""
    try:
        array: npt.NDArray[Any] = archive[name]
    except ValueError as error:
        if "Object arrays" not in str(error):
            raise
        numbers = any(_pick({name.lower(): np.empty(0)}, SAMPLES, part) is not None for part in ("train", "test"))
        form = "'float32'" if numbers else "str"
        raise DatasetError(
            f"{path}: the array {name!r} has Python objects in it, as pandas gives: save it with .astype({form})"
        ) from None
    return array


def _class_names(
    place: str, arrays: dict[str, npt.NDArray[Any]], labels: list[npt.NDArray[Any]]
) -> tuple[str, ...] | None:
    """The classes' names; for numbers from 0 without names, 0 up to the largest; None where labels are the names."""
    numbers = [each for each in labels if each.dtype.kind in "iu" and (each.ndim == 1 or each.shape[1:] == (1,))]
    classes = 0
    if len(numbers) == len(labels):
        every = np.concatenate([each.ravel() for each in numbers])
        low, high = (int(every.min()), int(every.max())) if every.size else (0, 0)
        if low < 0 or high >= MAX_CLASSES:
            way_out = "leave others out"
            if low and high - low < MAX_CLASSES:
                way_out = f"subtract {low} from all" if low > 0 else f"add {-low} to all"
            raise DatasetError(
                f"{place}: labels run from {low} to {high}: 0 to {MAX_CLASSES - 1} is allowed, {way_out}"
            )
        classes = max(high + 1, 2) if low == 0 or "class_names" in arrays else 0
    elif all(each.ndim == 2 for each in labels):
        classes = max(labels[0].shape[1], 2)
    if "class_names" in arrays:
        names = tuple(map(str, arrays["class_names"].ravel().tolist()))
        if not max(classes, 2) <= len(names) <= MAX_CLASSES:
            raise DatasetError(f"{place}: class_names has {len(names)} names, the labels need {max(classes, 2)}")
        return names
    return tuple(map(str, range(classes))) if classes else None
