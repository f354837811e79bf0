"""The data sets by name: what each is, where its files are, and how to load it."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ebnn.datasets import cifar10, digits, mnist
from ebnn.datasets.dataset import Dataset
from ebnn.datasets.download import Progress
from ebnn.datasets.own import ENDINGS, find_own, load_own, own_names
from ebnn.datasets.places import Place, find_place
from ebnn.datasets.read_options import Reading
from ebnn.errors import UnknownNameError
from ebnn.names import unknown_name

State = Literal["bundled", "present", "partial", "absent"]


@dataclass(frozen=True)
class Info:
    """What a data set is, known without its files. ``shape`` is (channels, height, width).

    ``sliding`` says whether samples are windows that overlap, as those of long recordings do.
    """

    name: str
    summary: str
    shape: tuple[int, int, int]
    classes: int
    train: int
    test: int
    kind: str
    sliding: bool = False


@dataclass(frozen=True)
class Location:
    """Where the files of a data set are, from their names alone: ``load`` is what verifies them.

    ``path`` is the folder, None for data that comes with a library. ``missing`` are the files that are not there.
    """

    state: State
    path: Path | None
    origin: str
    missing: tuple[Path, ...]


@dataclass(frozen=True)
class _Entry:
    info: Info
    load: Callable[[str | os.PathLike[str] | None, bool, Progress | None], Dataset]
    present: Callable[[Place], tuple[list[Path], list[Path]]] | None


_ENTRIES = {
    entry.info.name: entry
    for entry in (
        _Entry(
            Info("digits", "handwritten digits", (1, 8, 8), 10, digits.TRAIN, digits.TEST, "uint8"),
            lambda folder, download, progress: digits.load(),
            None,
        ),
        _Entry(
            Info("mnist", "handwritten digits", (1, 28, 28), 10, 60000, 10000, "uint8"),
            lambda folder, download, progress: mnist.load(folder, download=download, progress=progress),
            mnist.present,
        ),
        _Entry(
            Info("binary-mnist", "handwritten digits, pixel != 0", (1, 28, 28), 10, 60000, 10000, "bits"),
            lambda folder, download, progress: mnist.load_binary(folder, download=download, progress=progress),
            mnist.present,
        ),
        _Entry(
            Info("fashion-mnist", "pictures of clothes", (1, 28, 28), 10, 60000, 10000, "uint8"),
            lambda folder, download, progress: mnist.load(
                folder, download=download, progress=progress, source=mnist.FASHION
            ),
            functools.partial(mnist.present, source=mnist.FASHION),
        ),
        _Entry(
            Info("cifar10", "colour photographs", cifar10.SHAPE, 10, 50000, 10000, "uint8"),
            lambda folder, download, progress: cifar10.load(folder, download=download, progress=progress),
            cifar10.present,
        ),
    )
}


def _entry(name: str) -> _Entry:
    if name not in _ENTRIES:
        raise UnknownNameError(f"{unknown_name('data set', name, [*names(), *own_names()])}; {_said_of_files(name)}")
    return _ENTRIES[name]


def _said_of_files(name: str) -> str:
    """What is here of that name, for one that is no data set's."""
    with contextlib.suppress(OSError, ValueError):  # a name that no file can have
        if Path(name).is_file():
            return f"for the file of that name give ./{name}"
        for ending in ENDINGS:
            if name and Path(name + ending).is_file():
                return f"for the file here give {name}{ending}"
    return "no file or folder of that name is here"


def names() -> tuple[str, ...]:
    """Return the names of the data sets."""
    return tuple(_ENTRIES)


def info(name: str, reading: Reading = Reading()) -> Info:  # noqa: B008
    """Return what a data set is; a user's own is read for it. Raises UnknownNameError for an unknown name."""
    own = find_own(name) if name not in _ENTRIES else None
    if own is not None:
        data = load_own(own, reading)
        parts = len(data.train_labels), len(data.test_labels)
        sliding = data.step is not None and data.step < data.shape[2]
        return Info(name, "your own", data.shape, data.classes, *parts, data.kind, sliding)
    return _entry(name).info


def has_files(name: str) -> bool:
    """Return whether a data set is looked for in a folder; else a library or one file has it. Raises as ``info``."""
    return (name in _ENTRIES or find_own(name) is None) and _entry(name).present is not None


def load(
    name: str,
    *,
    folder: str | os.PathLike[str] | None = None,
    download: bool = True,
    progress: Progress | None = None,
    reading: Reading = Reading(),  # noqa: B008
) -> Dataset:
    """Return a data set, verified: ``name`` is one of `names`, or the path of data of one's own.

    These are a file, a folder or an archive that `ebnn.datasets.formats` recognises, read as ``reading`` says; or a
    Python file whose function ``load()`` returns a Dataset. In the folder that ``EBNN_DATA`` names a file needs no path
    and no ending.

    Its files come from ``folder``, else from the folder that ``EBNN_DATA`` names, else from the cache; only there are
    they downloaded, and only where ``download`` is True, with ``progress(file, bytes so far, bytes in all or None)``
    called along the way. ``digits`` need no files and take no notice of ``folder``.

    Raises UnknownNameError for a name that does not exist, and DatasetError, naming the file, for one that is missing,
    cut short, damaged or another file.
    """
    own = find_own(name) if name not in _ENTRIES else None
    return load_own(own, reading) if own is not None else _entry(name).load(folder, download, progress)


def locate(name: str, *, folder: str | os.PathLike[str] | None = None) -> Location:
    """Return where the files of a data set are, by looking for their names where ``load`` would.

    Raises UnknownNameError for a name that does not exist, DatasetError for a folder that does not.
    """
    entry = _entry(name)
    if entry.present is None:
        return Location("bundled", None, "scikit-learn", ())
    place = find_place(folder)
    there, absent = entry.present(place)
    state: State = "absent" if not there else "partial" if absent else "present"
    return Location(state, (there + absent)[0].parent, place.origin, tuple(absent))
