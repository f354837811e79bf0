"""Files of Torch7 (``.t7``), read with torchfile, as plain layers of NumPy arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError
from ..extras import import_extra

_MAX_FILE = 2**31
_TENSORS = {"Byte": np.uint8, "Float": np.float32, "Double": np.float64, "Cuda": np.float32, "CudaDouble": np.float64}
_NAMESPACES = ("nn.", "cudnn.")
_CONTAINER = "Sequential"


@dataclass(frozen=True)
class Module:
    """One module.

    Attributes:
        name: its class without nn or cudnn.
        place: where it stands, as in "6.2", counted from 1.
        values: its fields: numbers, arrays.
    """

    name: str
    place: str
    values: dict[str, Any]

    def number(self, name: str, default: int | None = None) -> int:
        """A whole number among the fields. Raises FileFormatError."""
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or int(value) != value:
            raise FileFormatError(f"{self}: {name} is {value!r}, no whole number")
        return int(value)

    def array(self, name: str) -> NDArray[np.float64] | None:
        """An array among the fields, None where there is none. Raises FileFormatError."""
        value = self.values.get(name)
        if value is None or (isinstance(value, np.ndarray) and not value.size):
            return None
        if not isinstance(value, np.ndarray) or not np.isfinite(value).all():
            raise FileFormatError(f"{self}: {name} is no array of finite numbers")
        found: NDArray[np.float64] = value.astype(np.float64)
        return found

    def __str__(self) -> str:
        return f"module {self.place} ({self.name})"


def read_modules(path: Path) -> list[Module]:
    """The modules of the network in a file, in order; containers that run one after the other are opened.

    Raises FileFormatError where the file is damaged or holds no such network, MissingDependencyError without torchfile.
    """
    torchfile: Any = import_extra("torchfile", f"reading {path}")
    known = dict(torchfile.type_handlers)
    try:
        if path.stat().st_size > _MAX_FILE:
            raise FileFormatError(f"{path}: is over {_MAX_FILE:,} B, no network of ours")
        for name, dtype in _TENSORS.items():
            torchfile.type_handlers[f"torch.{name}Tensor".encode()] = _tensor_reader(dtype)
        with path.open("rb") as file:
            found = torchfile.T7Reader(file, utf8_decode_strings=True).read_obj()
    except FileFormatError:
        raise
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from None
    except Exception as error:  # of torchfile, which takes every file for a whole one
        what = " ".join(str(error).split())[:80]
        raise FileFormatError(f"{path}: is damaged, or no file of Torch7 ({what})") from None
    finally:
        torchfile.type_handlers.clear()
        torchfile.type_handlers.update(known)
    if isinstance(found, dict):
        models = [value for value in found.values() if _class_of(value) == _CONTAINER]
        if len(models) != 1:
            raise FileFormatError(f"{path}: is a table with {len(models)} networks: save the network alone")
        found = models[0]
    if _class_of(found) is None:
        raise FileFormatError(f"{path}: holds a {type(found).__name__}, no network")
    try:
        return list(_opened(found, "", set()))
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from None


def _tensor_reader(dtype: Any) -> Any:
    """What reads a tensor, and looks at its sizes first: torchfile's own reads beyond the storage where they lie."""

    def read(reader: Any, _: Any) -> NDArray[Any]:
        axes = reader.read_int()
        if not 0 <= axes <= 8:
            raise ValueError(f"a tensor of {axes} axes")
        sizes, strides = reader.read_long_array(axes), reader.read_long_array(axes)
        first = reader.read_long() - 1
        storage = reader.read_obj()
        if storage is None or not axes:
            return np.empty(0, dtype)
        if min(sizes) < 0 or min(strides) < 0 or first < 0:
            raise ValueError("a tensor with a negative size")
        if 0 in sizes:
            return np.empty(0, dtype)
        last = first + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
        if not isinstance(storage, np.ndarray) or last >= len(storage) or math.prod(sizes) > len(storage):
            raise ValueError("a tensor beyond its storage")
        steps = [stride * storage.itemsize for stride in strides]
        tensor: NDArray[Any] = np.lib.stride_tricks.as_strided(storage[first:], sizes, steps, writeable=False)
        return tensor

    return read


def _class_of(value: Any) -> str | None:
    """The class of a module without its namespace; None for what is none."""
    if not hasattr(value, "torch_typename"):
        return None
    name = value.torch_typename()
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
    for namespace in _NAMESPACES:
        text = text.removeprefix(namespace)
    return text


def _opened(module: Any, place: str, above: set[int]) -> Iterator[Module]:
    name = _class_of(module)
    fields = getattr(module, "_obj", None)
    if isinstance(fields, list) and not fields:
        fields = {}  # an empty table is an empty list
    if name is None or not isinstance(fields, dict) or id(module) in above:
        raise FileFormatError(f"module {place or 'at the top'} is no module")
    if name == _CONTAINER or name == "DataParallelTable":
        inside = fields.get("modules")
        if not isinstance(inside, list) or len(above) > 20:
            raise FileFormatError(f"module {place or 'at the top'} ({name}) has no list of modules")
        for index, each in enumerate(inside[:1] if name == "DataParallelTable" else inside):
            yield from _opened(each, f"{place}.{index + 1}".lstrip("."), above | {id(module)})
        return
    yield Module(name, place, {str(key): value for key, value in fields.items()})
