"""The data sets by name: what each is, where its files are, and how to load it."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ebnn.datasets import cifar10, digits, mnist
from ebnn.datasets.dataset import Dataset
from ebnn.datasets.download import Progress
from ebnn.datasets.own import ENDINGS, find_own, load_own, own_names
from ebnn.datasets.places import Place, find_place
from ebnn.datasets.read_options import Reading
from ebnn.datasets.subset import kept_classes, samples_of_each, take_part
from ebnn.errors import UnknownNameError
from ebnn.names import unknown_name

State = Literal["bundled", "present", "partial", "absent"]


@dataclass(frozen=True)
class Info:
    """What a data set is, known without its files. ``shape`` is (channels, height, width).

    ``sliding`` says whether samples are windows that overlap, as those of long recordings do. Of a part of the classes
    ``train`` and ``test`` are about as many as there are.
    """

    name: str
    summary: str
    shape: tuple[int, int, int]
    classes: int
    train: int
    test: int
    kind: str
    sliding: bool = False
    class_names: tuple[str, ...] = ()


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
    load: Callable[[str | os.PathLike[str] | None, bool, Progress | None, Reading], Dataset]
    present: Callable[[Place], tuple[list[Path], list[Path]]] | None


_DIGITS = mnist.CLASS_NAMES


def _digits(name: str, summary: str) -> Info:
    """MNIST's digits as bits."""
    return Info(name, summary, (1, 28, 28), 10, 60000, 10000, "bits", class_names=_DIGITS)


_ENTRIES = {
    entry.info.name: entry
    for entry in (
        _Entry(
            Info(
                "digits", "handwritten digits", (1, 8, 8), 10, digits.TRAIN, digits.TEST, "uint8", class_names=_DIGITS
            ),
            lambda folder, download, progress, reading: digits.load_digits(),
            None,
        ),
        _Entry(
            Info("mnist", "handwritten digits", (1, 28, 28), 10, 60000, 10000, "uint8", class_names=_DIGITS),
            lambda folder, download, progress, reading: mnist.load_mnist(folder, download=download, progress=progress),
            mnist.present,
        ),
        _Entry(
            _digits("binary-mnist", "handwritten digits, pixel != 0"),
            lambda folder, download, progress, reading: mnist.load_binary(folder, download=download, progress=progress),
            mnist.present,
        ),
        _Entry(
            _digits("bits-mnist", "handwritten digits, pixel > mean of those that are not 0"),
            lambda folder, download, progress, reading: mnist.load_bits(folder, download=download, progress=progress),
            mnist.present,
        ),
        _Entry(
            Info(
                *("noisy-mnist", "bits-mnist, and noise as the class unknown", (1, 28, 28), 11, 66000, 11000, "bits"),
                class_names=(*_DIGITS, mnist.NOISE),
            ),
            lambda folder, download, progress, reading: mnist.load_noisy(
                folder,
                download=download,
                progress=progress,
                flip=mnist.FLIP if reading.flip is None else reading.flip,
            ),
            mnist.present,
        ),
        _Entry(
            Info(
                *("fashion-mnist", "pictures of clothes", (1, 28, 28), 10, 60000, 10000, "uint8"),
                class_names=mnist.FASHION.class_names,
            ),
            lambda folder, download, progress, reading: mnist.load_mnist(
                folder, download=download, progress=progress, source=mnist.FASHION
            ),
            functools.partial(mnist.present, source=mnist.FASHION),
        ),
        _Entry(
            Info(
                *("cifar10", "colour photographs", cifar10.SHAPE, 10, 50000, 10000, "uint8"),
                class_names=cifar10.CLASS_NAMES,
            ),
            lambda folder, download, progress, reading: cifar10.load_cifar10(
                folder, download=download, progress=progress
            ),
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
    """Return what a data set is, or the part of it that ``reading`` asks for; a user's own is read for it.

    Raises UnknownNameError for an unknown name, DatasetError for a class that it has not.
    """
    own = find_own(name) if name not in _ENTRIES else None
    if own is not None:
        return replace(info_of(take_part(load_own(own, reading.whole), reading)), name=name)
    return _part_of(_entry(name).info, reading)


def info_of(data: Dataset) -> Info:
    """Return what a loaded data set is."""
    parts = len(data.train_labels), len(data.test_labels)
    sliding = data.step is not None and data.step < data.shape[2]
    return Info(data.name, "your own", data.shape, data.classes, *parts, data.kind, sliding, data.class_names)


def _part_of(about: Info, reading: Reading) -> Info:
    """What is known of a part of a data set without its files."""
    kept = kept_classes(about.name, about.class_names, reading.classes) if reading.classes else about.class_names
    train, test = (count * len(kept) // about.classes for count in (about.train, about.test))
    if reading.fraction is not None:
        train = min(train, len(kept) * samples_of_each(reading.fraction, about.train, len(kept)))
    return replace(about, classes=len(kept), train=train, test=test, class_names=kept)


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
    called along the way. ``digits`` need no files and take no notice of ``folder``. Of any data set ``reading`` may
    ask for some classes and a balanced sample of the training part.

    Raises UnknownNameError for a name that does not exist, and DatasetError, naming the file, for one that is missing,
    cut short, damaged or another file.
    """
    own = find_own(name) if name not in _ENTRIES else None
    if own is not None:
        return take_part(load_own(own, reading.whole), reading)
    return take_part(_entry(name).load(folder, download, progress, reading), reading)


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
