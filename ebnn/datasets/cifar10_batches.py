"""Reading CIFAR's pickled batches without running anything that is in them."""

from __future__ import annotations

import io
import math
import pickle
from typing import Any

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError


class _Dtype:
    """Stands in for numpy.dtype: keeps the type's code, such as u1."""

    def __init__(self, code: str | bytes, *_: object) -> None:
        self.code = code.decode("ascii") if isinstance(code, bytes) else code

    def __setstate__(self, state: object) -> None:
        """Byte order and alignment say nothing about single bytes."""


class _Array:
    """Stands in for numpy.ndarray: takes bytes in C order, and nothing else."""

    pixels: npt.NDArray[np.uint8] | None = None

    def __setstate__(self, state: tuple[int, tuple[int, ...], _Dtype, bool, bytes]) -> None:
        _, shape, dtype, fortran, raw = state
        if isinstance(raw, bytes) and dtype.code == "u1" and not fortran and len(raw) == math.prod(shape):
            self.pixels = np.frombuffer(raw, np.uint8).reshape(shape)


def _reconstruct(*_: object) -> _Array:
    return _Array()


_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
}


class _Unpickler(pickle.Unpickler):
    """Knows the names that an array of bytes is pickled with, and no other; even those are stand-ins."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no CIFAR batch needs") from None


def parse_batch(
    data: bytes, name: str, rows: int, columns: int, classes: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Return the images, (rows, columns) uint8, read-only, and the labels, (rows,) int32, of a pickled batch.

    The batches were pickled by Python 2: their keys are bytes. Nothing from the pickle is imported or called; NumPy's
    names are replaced by stand-ins, from whose plain bytes the array is made.

    Raises DatasetError, which calls the data ``name``, for a pickle that is cut short or damaged, names anything else,
    or holds another number of images, pixels or labels, or a label that is not in 0 .. classes - 1.
    """
    try:
        batch = _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except Exception as error:
        raise DatasetError(f"{name} is refused: its pickle cannot be read ({error})") from None
    if not isinstance(batch, dict) or b"data" not in batch or b"labels" not in batch:
        raise DatasetError(f"{name} is not a CIFAR batch: it has no entries 'data' and 'labels'")
    images = getattr(batch[b"data"], "pixels", None)
    if images is None:
        raise DatasetError(f"{name} is not a CIFAR batch: its entry 'data' is not an array of bytes in rows")
    if images.shape != (rows, columns):
        raise DatasetError(f"{name} holds images of shape {images.shape}, expected is {(rows, columns)}")
    labels = batch[b"labels"]
    if not isinstance(labels, list) or len(labels) != rows:
        count = len(labels) if isinstance(labels, list) else 0
        raise DatasetError(f"{name} holds {count:,} labels for {rows:,} images")
    if not all(isinstance(label, int) and 0 <= label < classes for label in labels):
        raise DatasetError(f"{name} holds a label that is not a number from 0 to {classes - 1}")
    return images, np.array(labels, np.int32)
