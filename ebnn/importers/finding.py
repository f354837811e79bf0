"""Which importer reads a file: found by what the file begins with, those of the user first."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FileFormatError, InputError
from ..model.network import Network
from ..names import unknown_name
from ..user_code import call, function_of, load_module
from . import formats
from .imported import Imported

HEAD_BYTES = 4096
"""How much of a file is shown to each importer."""

FOLDER_VARIABLE = "EBNN_IMPORTERS"

_LAST = "ebnn_header"  # it takes every text, and says what is wrong with it


@dataclass(frozen=True)
class Importer:
    """A reader of one format.

    Attributes:
        name: its file's, without the ending.
        recognises: whether a file that begins with these bytes is its own.
        read: the Network, or the Imported, of the file at a path.
        file: of a user's importer; None for one that comes with ebnn.
    """

    name: str
    recognises: Callable[[bytes], bool]
    read: Callable[..., Network | Imported]
    file: Path | None = None


def importers() -> list[Importer]:
    """Returns all importers: those in the folder that EBNN_IMPORTERS names, then those that come with ebnn.

    Raises FileFormatError where one of the user's cannot be loaded.
    """
    return [*map(load_importer, _own_files()), *_bundled()]


def load_importer(path: Path) -> Importer:
    """Returns the importer in a user's Python file. Raises FileFormatError where it cannot be loaded."""
    path = path.expanduser().absolute()
    module = load_module(path, FileFormatError)
    recognises, read = (function_of(path, module, name, FileFormatError) for name in ("recognises", "read"))
    return Importer(path.stem, recognises, read, path)


def find_importer(name: str) -> Importer:
    """Returns the importer of that name, or of the user's Python file at that path."""
    if name.endswith(".py") or "/" in name or os.sep in name:
        return load_importer(Path(name))
    there = {importer.name: importer for importer in reversed(importers())}
    if name not in there:
        raise unknown_name("importer", name, sorted(there))
    return there[name]


def import_network(path: str | os.PathLike[str], importer: str | None = None, **options: Any) -> Imported:
    """Returns the Network in a file of another format.

    Args:
        path: of the file.
        importer: name of an importer, or path of a user's Python file; None finds it by the file's first bytes, or
            where an ``architecture`` is given takes the file for one without a header, flat weights.
        options: of the importer, such as ``input_kind``, ``shape`` and ``nearest``; None and False are left out.

    Raises:
        FileFormatError: the file cannot be read, no importer recognises it, or it is wrong.
        UnknownNameError: there is no importer of that name.
        InputError: the importer has no such option.
        LoweringError: the file has no exact Network.
    """
    path = Path(path)
    if importer is None and options.get("architecture") is not None:
        importer = "flat_weights"
    chosen = find_importer(importer) if importer is not None else _recognise(path)
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    taken = inspect.signature(chosen.read).parameters
    for name in given:
        if name not in taken:
            raise InputError(f"the importer {chosen.name} has no option {name}: leave it out")
    if chosen.file is None:
        result = chosen.read(path, **given)
    else:
        result = call(chosen.file, FileFormatError, chosen.read, path, **given)
    if isinstance(result, Network):
        return Imported(result, ())
    if not isinstance(result, Imported):
        raise FileFormatError(f"{chosen.file}: read() returns {type(result).__name__}, it must return a Network")
    return result


def _recognise(path: Path) -> Importer:
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            return _bundled()[-1]  # it refuses what is no file, and reads a pipe that somebody writes to
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from None
    known = importers()
    for importer in known:
        if importer.file is None:
            if importer.recognises(head):
                return importer
        elif call(importer.file, FileFormatError, importer.recognises, head):
            return importer
    raise FileFormatError(f"{path}: no importer recognises it; there are {', '.join(one.name for one in known)}")


def _bundled() -> list[Importer]:
    found = (module.name for module in pkgutil.iter_modules(formats.__path__))
    names = sorted(found, key=lambda name: (name == _LAST, name))
    modules = {name: importlib.import_module(f"{formats.__name__}.{name}") for name in names}
    return [Importer(name, module.recognises, module.read) for name, module in modules.items()]


def _own_files() -> Iterator[Path]:
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        try:
            yield from sorted(path for path in Path(folder).expanduser().iterdir() if path.suffix == ".py")
        except OSError as error:
            raise FileFormatError(f"{FOLDER_VARIABLE} names {folder}, no folder: {error.strerror}") from None
