"""A user's own data set: a file that a format recognises, or a Python file with a function ``load``."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from ebnn.errors import DatasetError
from ebnn.user_code import call, function_of, load_module

from .dataset import Dataset
from .formats import read_file

_ENDINGS = (".npz", ".py")
"""Of the files that are looked for by name in the folder that EBNN_DATA names."""


def find_own(name: str) -> Path | None:
    """Returns the file that a user means: a path, or a name of a file in EBNN_DATA; None where there is none.

    A path has a folder before the name or an ending behind it.
    """
    if "." in name or "/" in name or os.sep in name:
        return Path(name).expanduser()
    folder = os.environ.get("EBNN_DATA")
    for ending in _ENDINGS if folder and name else ():
        try:
            path = Path(str(folder)).expanduser() / f"{name}{ending}"
            if path.is_file():
                return path
        except (OSError, ValueError):
            return None
    return None


def own_names() -> list[str]:
    """Returns the names of the user's data sets in the folder that EBNN_DATA names, in alphabetical order."""
    folder = os.environ.get("EBNN_DATA")
    if not folder or not Path(folder).expanduser().is_dir():
        return []
    return sorted({path.stem for path in Path(folder).expanduser().iterdir() if path.suffix in _ENDINGS})


def load_own(path: Path) -> Dataset:
    """Returns the data set of a file, read once for as long as the file stays as it is.

    Raises DatasetError, naming the file, where it cannot be read or is wrong.
    """
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return _load(path.absolute(), facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=1)
def _load(path: Path, changed: int, size: int) -> Dataset:
    return _run(path) if path.suffix == ".py" else read_file(path)


def _run(path: Path) -> Dataset:
    """What the function ``load`` of a Python file returns."""
    data = call(path, DatasetError, function_of(path, load_module(path, DatasetError), "load", DatasetError))
    if not isinstance(data, Dataset):
        raise DatasetError(f"{path}: load() returns {type(data).__name__}, it must return an ebnn.datasets.Dataset")
    return data
