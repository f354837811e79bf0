"""A user's own data, each format a module of this folder, found by what a file begins with or what a folder holds.

A module has some of these functions:

- ``recognises(head)`` says whether a file that begins with these bytes is its own; ``read(path, reading)`` reads it;
- ``recognises_tree(tree)`` says so of a folder or a zip archive; ``read_tree(tree, reading)`` reads that.

``HAS_COLUMNS`` is True where one of its columns may be named as the label.

They return an `ebnn.datasets.Dataset`, or `ebnn.datasets.recordings.Recordings`, which samples are cut from, both under
the path as their name; what is wrong is a DatasetError. ``reading`` is what the user said:
`ebnn.datasets.read_options.Reading`. A new format is a new module; nothing else.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

from ebnn.errors import DatasetError

from ..dataset import Dataset
from ..read_options import Reading
from ..recordings import Recordings
from ..trees import open_tree

HEAD_BYTES = 4096
"""How much of a file is shown to each format."""

_ZIP = b"PK\x03\x04"


@cache
def format_names() -> tuple[str, ...]:
    """Returns the names of all formats, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def read_data(path: Path, reading: Reading) -> Dataset | Recordings:
    """Returns the data in a file, a folder or an archive.

    Raises:
        DatasetError: no format recognises it, or something in it is wrong.
    """
    try:
        if path.is_dir():
            return _read_tree(path, reading)
        if path.exists() and not path.is_file():
            raise DatasetError(f"{path} is no file: name a data set's file or folder")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from None
    if not head:
        raise DatasetError(f"{path} is empty: give a file with data in it")
    for module in _modules("recognises"):
        if module.recognises(head):
            _check_label(module, path, reading)
            data: Dataset | Recordings = module.read(path, reading)
            return data
    if head.startswith(_ZIP):
        return _read_tree(path, reading)
    raise DatasetError(
        f"{path} is of no format that is known ({', '.join(format_names())}): convert it, or write a Python file with "
        "a function load() that returns a Dataset"
    )


def _read_tree(path: Path, reading: Reading) -> Dataset | Recordings:
    tree = open_tree(path)
    for module in _modules("recognises_tree"):
        if module.recognises_tree(tree):
            _check_label(module, path, reading)
            data: Dataset | Recordings = module.read_tree(tree, reading)
            return data
    shown = ", ".join(entry.path for entry in tree.entries[:3]) + (", …" if len(tree.entries) > 3 else "")
    raise DatasetError(
        f"{path} holds {shown}: give a folder of tables or of class folders of pictures, an export of Edge Impulse, or "
        "the four files of MNIST's format"
    )


def _check_label(module: ModuleType, path: Path, reading: Reading) -> None:
    """Raises DatasetError where a column is named as the label, and a format has no columns."""
    if reading.label is not None and not getattr(module, "HAS_COLUMNS", False):
        refuse_label(path, reading.label)


def refuse_label(path: Path, label: str) -> None:
    """Raises DatasetError: what lies there has no column to be the label."""
    raise DatasetError(f"{path} is no table, so no column {label!r} is its label: leave --label out")


def _modules(function: str) -> list[ModuleType]:
    modules = (importlib.import_module(f"{__name__}.{name}") for name in format_names())
    return [module for module in modules if hasattr(module, function)]
