"""Files of a user's own data set, each format a module of this folder, found by what a file begins with.

A module has two functions: ``recognises(head)`` says whether a file that begins with these bytes is its own, and
``read(path)`` returns the `ebnn.datasets.Dataset` or raises DatasetError. A new format is a new module; nothing else.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

from ebnn.errors import DatasetError

from ..dataset import Dataset

HEAD_BYTES = 4096
"""How much of a file is shown to each format."""


@cache
def format_names() -> tuple[str, ...]:
    """Returns the names of all formats, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def read_file(path: Path) -> Dataset:
    """Returns the data set in a file. Raises DatasetError where no format recognises it, or it is wrong."""
    try:
        if path.exists() and not path.is_file():
            raise DatasetError(f"{path} is no file: name a data set's file")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from None
    for name in format_names():
        module: ModuleType = importlib.import_module(f"{__name__}.{name}")
        if module.recognises(head):
            data: Dataset = module.read(path)
            return data
    raise DatasetError(
        f"{path} is of no format that is known ({', '.join(format_names())}): convert it, or write a Python file with "
        "a function load() that returns a Dataset"
    )
