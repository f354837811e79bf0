"""NumPy's arrays: one ``.npy`` with a column for the label, or samples in one and labels in another."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError

from ..dataset import Dataset
from ..gathering import Labelled, gather
from ..read_options import Reading
from ..recordings import Recordings
from ..text_table import Table
from ..trees import Tree, read_bounded
from .npz import LABELS, SAMPLES, from_named

_MAGIC = b"\x93NUMPY"


def recognises(head: bytes) -> bool:
    """Whether a file that begins so is an array of NumPy's."""
    return head.startswith(_MAGIC)


def read(path: Path, reading: Reading) -> Dataset | Recordings:
    """Returns the data of an array.

    It is a table with fields, or one whose last column is the label; or samples, whose labels lie beside it as
    ``labels.npy`` or ``y.npy``, or under its own name with ``labels`` or ``y`` in it.

    Raises:
        DatasetError: the array is damaged or of objects, or there are no labels.
    """
    array = load_array(read_bounded(path), str(path))
    if array.dtype.names is None and (beside := _labels_beside(path)) is not None:
        labels = load_array(read_bounded(beside), str(beside))
        return Dataset.from_arrays(array, labels, name=str(path))
    if array.dtype.names is not None:
        return gather(str(path), [Labelled(_fields(array, str(path)))], reading)
    if array.ndim == 2 and array.shape[1] >= 2 and array.dtype.kind in "biuf":
        last = array[:, -1].astype(np.float64)
        if np.array_equal(last, np.rint(last)) and 2 <= len(np.unique(last)) <= 255:
            return Dataset.from_arrays(array[:, :-1], last, name=str(path))
    raise DatasetError(
        f"{path} is {array.dtype} of shape {array.shape} and there are no labels: put labels.npy beside it, or make an "
        ".npz of samples and labels"
    )


def recognises_tree(tree: Tree) -> bool:
    """Whether there are arrays in a folder."""
    return any(entry.ending == ".npy" for entry in tree.entries)


def read_tree(tree: Tree, reading: Reading) -> Dataset:
    """Returns the data of a folder of arrays, named as in an archive, or a file for each class. Raises DatasetError."""
    arrays = {
        entry.stem: load_array(entry.read(), tree.place(entry)) for entry in tree.entries if entry.ending == ".npy"
    }
    named = {name.lower() for name in arrays}
    if not named & set(LABELS) and len(arrays) > 1 and not any("label" in name or "y_" in name for name in named):
        shapes = {array.shape[1:] for array in arrays.values()}
        if len(shapes) != 1:
            raise DatasetError(f"{tree.path}: its arrays hold samples of {len(shapes)} shapes: give one shape")
        labels = [label for label, array in arrays.items() for _ in range(len(array))]
        return Dataset.from_arrays(np.concatenate(list(arrays.values())), labels, name=str(tree.path))
    return from_named(str(tree.path), arrays)


def load_array(data: bytes, place: str) -> npt.NDArray[Any]:
    """Returns the array in the bytes of a ``.npy``. Raises DatasetError where it is damaged or of objects."""
    try:
        array: npt.NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
        if array.ndim == 0:
            raise ValueError("it has no axes")
        return array
    except Exception as error:
        if "Object arrays" in str(error):
            raise DatasetError(
                f"{place}: has Python objects in it, as pandas gives: save labels with .astype(str), samples with "
                ".astype('float32')"
            ) from None
        raise DatasetError(f"{place}: is damaged: {str(error).splitlines()[0]}") from None


def _labels_beside(path: Path) -> Path | None:
    stem = path.stem
    names = [f"{label}.npy" for label in LABELS] + [f"{stem}_labels.npy", f"{stem}-labels.npy", f"{stem}_y.npy"]
    for sample in SAMPLES:
        if stem.lower().startswith(sample) or stem.lower().endswith(sample):
            names += [f"{stem.replace(sample, label).replace(sample.upper(), label)}.npy" for label in LABELS]
    return next((path.with_name(name) for name in names if name != path.name and path.with_name(name).is_file()), None)


def _fields(array: npt.NDArray[Any], place: str) -> Table:
    """A table of an array with fields."""
    names = tuple(array.dtype.names or ())
    if array.ndim != 1 or any(array.dtype[name].kind not in "biufUS" for name in names) or not len(array):
        raise DatasetError(f"{place}: its fields are no plain numbers and texts: give a table of these, (n,)")
    numbers = np.full((len(array), len(names)), np.nan)
    text: dict[int, list[str]] = {}
    for c, name in enumerate(names):
        if array.dtype[name].kind in "US":
            text[c] = [each.decode(errors="replace") if isinstance(each, bytes) else str(each) for each in array[name]]
        else:
            numbers[:, c] = array[name]
            if not np.isfinite(numbers[:, c]).all():
                raise DatasetError(f"{place}: its field {name!r} holds a value that is not finite: leave such rows out")
    return Table(place, names, True, numbers, text, (), np.arange(1, len(array) + 1))
