"""MNIST handwritten digits, as pixels and as bits."""

from __future__ import annotations

import functools
import hashlib
import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ebnn.datasets.conversion import convert
from ebnn.datasets.dataset import Dataset
from ebnn.datasets.download import Progress, Remote, obtain
from ebnn.datasets.idx import parse_idx, read_bytes
from ebnn.datasets.places import Place, find_place, missing, read_given
from ebnn.errors import DatasetError

CLASS_NAMES = tuple("0123456789")
NOISE = "unknown"
"""The class of noise."""
FLIP = 0.7
"""The probability with which noise flips a pixel, where none is asked for."""


@dataclass(frozen=True)
class IdxFile:
    """One file: its name without ``.gz``, the shape of its array, and the SHA-256 of its decompressed bytes."""

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def bytes(self) -> int:
        """Size of the decompressed file."""
        return 4 + 4 * len(self.shape) + math.prod(self.shape)


@dataclass(frozen=True)
class Source:
    """The four files and the mirrors that have them; a mirror is a URL to put ``NAME.gz`` behind.

    ``timeout`` is in seconds, for each wait on the network. ``name`` is the data set's, and its folder's.
    """

    mirrors: tuple[str, ...]
    train_images: IdxFile
    train_labels: IdxFile
    test_images: IdxFile
    test_labels: IdxFile
    timeout: float = 20.0
    name: str = "mnist"
    class_names: tuple[str, ...] = CLASS_NAMES

    @property
    def files(self) -> tuple[IdxFile, IdxFile, IdxFile, IdxFile]:
        """Training images and labels, test images and labels."""
        return self.train_images, self.train_labels, self.test_images, self.test_labels


PUBLISHED = Source(
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    train_images=IdxFile(
        "train-images-idx3-ubyte",
        (60000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    train_labels=IdxFile(
        "train-labels-idx1-ubyte",
        (60000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    test_images=IdxFile(
        "t10k-images-idx3-ubyte",
        (10000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    test_labels=IdxFile(
        "t10k-labels-idx1-ubyte",
        (10000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
"""MNIST as published by Y. LeCun, C. Cortes and C. J. C. Burges, http://yann.lecun.com/exdb/mnist/."""

FASHION = Source(
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    train_images=IdxFile(
        "train-images-idx3-ubyte",
        (60000, 28, 28),
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    train_labels=IdxFile(
        "train-labels-idx1-ubyte",
        (60000,),
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    test_images=IdxFile(
        "t10k-images-idx3-ubyte",
        (10000, 28, 28),
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    test_labels=IdxFile(
        "t10k-labels-idx1-ubyte",
        (10000,),
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    name="fashion-mnist",
    class_names=(
        *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
)
"""Fashion-MNIST as published by H. Xiao, K. Rasul and R. Vollgraf, arXiv 1708.07747 (2017)."""


def load_mnist(
    folder: str | os.PathLike[str] | None = None,
    *,
    download: bool = True,
    progress: Progress | None = None,
    source: Source = PUBLISHED,
) -> Dataset:
    """Return MNIST: 60,000 training and 10,000 test images, (1, 28, 28), of values 0 .. 255.

    The four files, ``.gz`` or decompressed, are looked for in ``mnist`` in ``folder``, else in the folder that
    ``EBNN_DATA`` names, else in the cache, where they are downloaded. Their contents are verified each time. With
    another source it is that one's data set, in a folder of its own name.

    Raises DatasetError, which names the file, for one that is missing, cut short, damaged or another file.
    """
    place = find_place(folder)
    train_images, train_labels, test_images, test_labels = (
        _array(place, file, source, download, progress) for file in source.files
    )
    return Dataset(
        source.name,
        train_images[:, np.newaxis],
        train_labels.astype(np.int32),
        test_images[:, np.newaxis],
        test_labels.astype(np.int32),
        "uint8",
        source.class_names,
    )


def load_binary(
    folder: str | os.PathLike[str] | None = None,
    *,
    download: bool = True,
    progress: Progress | None = None,
    source: Source = PUBLISHED,
) -> Dataset:
    """Return MNIST with every pixel other than 0 as 1: the same images and labels as ``load``, of kind ``"bits"``."""
    grey = load_mnist(folder, download=download, progress=progress, source=source)
    return Dataset(
        "binary-mnist",
        convert(grey.train_images, grey.kind, "bits"),
        grey.train_labels,
        convert(grey.test_images, grey.kind, "bits"),
        grey.test_labels,
        "bits",
        grey.class_names,
    )


def load_bits(
    folder: str | os.PathLike[str] | None = None,
    *,
    download: bool = True,
    progress: Progress | None = None,
    source: Source = PUBLISHED,
) -> Dataset:
    """Return MNIST with every pixel above the mean of its part's non-zero pixels as 1, of kind ``"bits"``.

    That mean is 174.3 for the training part, 175.3 for the test part.
    """
    grey = load_mnist(folder, download=download, progress=progress, source=source)
    return Dataset(
        "bits-mnist",
        _above_mean(grey.train_images),
        grey.train_labels,
        _above_mean(grey.test_images),
        grey.test_labels,
        "bits",
        grey.class_names,
    )


def _above_mean(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Pixels above the mean of those that are not 0, as 1; else 0."""
    return (images > ink_mean(images)).view(np.uint8)


def ink_mean(images: npt.NDArray[np.uint8]) -> float:
    """Return the mean of the pixels that are not 0; 0 where all are."""
    ink = np.count_nonzero(images)
    return int(images.sum(dtype=np.int64)) / ink if ink else 0.0


def load_noisy(
    folder: str | os.PathLike[str] | None = None,
    *,
    download: bool = True,
    progress: Progress | None = None,
    source: Source = PUBLISHED,
    flip: float = FLIP,
) -> Dataset:
    """Return ``load_bits`` with one more class, ``unknown``: noise, as many samples as a digit has on average.

    Each is an image of its part, no image twice, of which each pixel is flipped with probability ``flip``; always the
    same. A network that learns the class rejects what is no digit.

    Raises DatasetError where ``flip`` is not from 0 to 1, and as ``load``.
    """
    if not 0 <= flip <= 1:
        raise DatasetError(f"flip is {flip}: give a probability from 0 to 1")
    bits = load_bits(folder, download=download, progress=progress, source=source)
    train_images, train_labels = _with_noise(bits.train_images, bits.train_labels, bits.classes, flip, seed=0)
    test_images, test_labels = _with_noise(bits.test_images, bits.test_labels, bits.classes, flip, seed=1)
    names = (*bits.class_names, NOISE)
    return Dataset("noisy-mnist", train_images, train_labels, test_images, test_labels, "bits", names)


def _with_noise(
    images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int32], classes: int, flip: float, seed: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """A part of the data and, as one more class, the noise that some of its images become."""
    random = np.random.default_rng(seed)
    chosen = np.sort(random.permutation(len(images))[: -(-len(images) // classes)])
    noise = flip_pixels(images[chosen], flip, random)
    return np.concatenate([images, noise]), np.concatenate([labels, np.full(len(noise), classes, np.int32)])


def flip_pixels(
    images: npt.NDArray[np.uint8], probability: float, random: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Return images of 0 and 1 of which each pixel is flipped with that probability."""
    return images ^ (random.random(images.shape, np.float32) < probability).view(np.uint8)


def present(place: Place, source: Source = PUBLISHED) -> tuple[list[Path], list[Path]]:
    """Return which files are there and which are missing, without opening any."""
    there: list[Path] = []
    absent: list[Path] = []
    for file in source.files:
        path = _find(place, file, source)
        (there if path.exists() else absent).append(path)
    return there, absent


def read_file(path: Path, file: IdxFile) -> npt.NDArray[np.uint8]:
    """Return the array in ``path``, which must be ``file``, gzip or not. Raises DatasetError where it is not."""
    data = read_bytes(path, file.bytes)
    array = parse_idx(data, str(path))
    if array.shape != file.shape:
        raise DatasetError(f"{path} holds an array of shape {array.shape}, {file.name} has {file.shape}")
    digest = hashlib.sha256(data).hexdigest()
    if digest != file.sha256:
        raise DatasetError(
            f"{path} is not the published {file.name}: the SHA-256 of its contents is {digest}, expected is "
            f"{file.sha256}"
        )
    return array


def _find(place: Place, file: IdxFile, source: Source) -> Path:
    packed = place.path / source.name / f"{file.name}.gz"
    plain = packed.with_suffix("")
    return plain if plain.exists() and not packed.exists() else packed


def _array(
    place: Place, file: IdxFile, source: Source, download: bool, progress: Progress | None
) -> npt.NDArray[np.uint8]:
    path = _find(place, file, source)
    if place.given:
        if not path.exists():
            raise missing(path, place, f"the four files in {source.name}/, as .gz or decompressed")
        return read_given(path, functools.partial(read_file, file=file), place)
    remote = Remote(
        urls=tuple(f"{mirror}{file.name}.gz" for mirror in source.mirrors),
        # gzip adds a header and a few bytes a block to what it cannot compress.
        max_bytes=file.bytes + 65536,
        remedy=f"put the four files into a folder {source.name} and set EBNN_DATA to the folder that holds it",
        timeout=source.timeout,
    )
    return obtain(path, functools.partial(read_file, file=file), remote, download=download, progress=progress)
