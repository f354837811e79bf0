"""A user's own data: a file, folder or archive that a format recognises, or a Python file with a function ``load``."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from ebnn.errors import DatasetError
from ebnn.user_code import call, function_of, load_module

from .dataset import Dataset
from .formats import read_data, refuse_label
from .read_options import Reading
from .recordings import Recordings
from .windows import cut

ENDINGS = (".npz", ".py", ".csv", ".zip")
"""Of the files that are looked for by name in the folder that EBNN_DATA names."""

_MOST_LOOKED_AT = 10_000
"""Files of a folder whose times and sizes say whether it has changed."""


def find_own(name: str) -> Path | None:
    """Returns the file or folder that a user means: a path, or a name of a file in EBNN_DATA; None where there is none.

    A path has a folder before the name or an ending behind it, or is that of a folder that is there.
    """
    if "." in name or "/" in name or os.sep in name:
        return Path(name).expanduser()
    folder = os.environ.get("EBNN_DATA")
    try:
        if name and Path(name).is_dir():
            return Path(name)
        for ending in ENDINGS if folder and name else ():
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
    return sorted({path.stem for path in Path(folder).expanduser().iterdir() if path.suffix in ENDINGS})


def load_own(path: Path, reading: Reading = Reading()) -> Dataset:  # noqa: B008
    """Returns the data set of a file, folder or archive, read once for as long as that stays as it is.

    Raises DatasetError, naming the file, where it cannot be read or is wrong.
    """
    try:
        state = tuple(_state(path))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return _load(path, Path.cwd(), state, reading)


def load_recordings(path: Path, reading: Reading = Reading()) -> Recordings | Dataset:  # noqa: B008
    """Returns the recordings of a file, folder or archive, before samples are cut from them; else its data set.

    Raises as :func:`load_own`.
    """
    if path.suffix != ".py":
        return read_data(path, reading)
    if reading.label is not None:
        refuse_label(path, reading.label)
    return _run(path)


def _state(path: Path) -> Iterator[tuple[int, int]]:
    """Time and size of a file, or of the files in a folder."""
    facts = path.stat()
    yield facts.st_mtime_ns, facts.st_size
    if path.is_dir():
        for _, file in zip(range(_MOST_LOOKED_AT), sorted(path.rglob("*")), strict=False):
            try:
                facts = file.stat()
            except OSError:
                continue  # a link to nothing is no data
            yield facts.st_mtime_ns, facts.st_size


@lru_cache(maxsize=1)
def _load(path: Path, folder: Path, state: tuple[tuple[int, int], ...], reading: Reading) -> Dataset:
    data = load_recordings(path, reading)
    if path.suffix == ".py" and isinstance(data, Dataset):
        return data.with_unknown(reading.unknown)
    samples = cut(data, reading) if isinstance(data, Recordings) else data.with_unknown(reading.unknown)
    return dataclasses.replace(samples, name=path.stem or path.resolve().stem)


def _run(path: Path) -> Dataset:
    """What the function ``load`` of a Python file returns."""
    data = call(path, DatasetError, function_of(path, load_module(path, DatasetError), "load", DatasetError))
    if not isinstance(data, Dataset):
        raise DatasetError(f"{path}: load() returns {type(data).__name__}, it must return an ebnn.datasets.Dataset")
    return data
