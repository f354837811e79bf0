"""A folder, or a zip archive, of class folders of pictures: PNG, JPEG, BMP and whatever else Pillow reads."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError
from ebnn.extras import import_extra

from ..dataset import Dataset
from ..read_options import Reading
from ..trees import Entry, Tree

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".pgm", ".ppm", ".tif", ".tiff")

USUAL_SIDE = 32
"""To which larger pictures, or pictures of several sizes, are brought."""

LARGEST = 64
"""Side up to which pictures of one size stay as they are."""

MAX_SIDE = 512
MAX_PIXELS = 50_000_000
"""Of one picture as it comes."""
MAX_VALUES = 2**30
"""Of all pictures together, as they are kept."""


def recognises_tree(tree: Tree) -> bool:
    """Whether most of the files are pictures."""
    return 2 * sum(entry.ending in ENDINGS for entry in tree.entries) > len(tree.entries)


def read_tree(tree: Tree, reading: Reading) -> Dataset:
    """Returns the pictures, all of one size, grey or in colour, with their folders' names as labels.

    Raises:
        DatasetError: a picture cannot be read, or lies in no class folder.
        MissingDependencyError: Pillow is not installed.
    """
    entries = [entry for entry in tree.entries if entry.ending in ENDINGS]
    labels = []
    for entry in entries:
        if not entry.folders:
            raise DatasetError(
                f"{tree.place(entry)} lies in no class folder: make a folder for each class, and put its pictures there"
            )
        labels.append(entry.folders[0])
    parts = [entry.part for entry in entries]
    return read_pictures(tree, entries, labels, parts, reading)


def read_pictures(
    tree: Tree, entries: list[Entry], labels: list[str], parts: list[str | None], reading: Reading
) -> Dataset:
    """Returns pictures of given labels as a data set: see :func:`read_tree`."""
    image = import_extra("PIL.Image", "reading pictures")
    import_extra("PIL.ImageOps", "reading pictures")
    sizes, colours = set(), False
    for i, entry in enumerate(entries):
        with _opened(image, tree, entry) as picture:
            sizes.add(picture.size)
            if reading.colour is None and i % max(1, len(entries) // 50) == 0:
                colours = colours or _is_coloured(picture)
    colour = colours if reading.colour is None else reading.colour
    width, height = next(iter(sizes))
    if reading.size is not None:
        height, width = reading.size
    elif len(sizes) > 1 or max(width, height) > LARGEST:
        width = height = USUAL_SIDE
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise DatasetError(f"pictures of {height}×{width}: give a side of 1 to {MAX_SIDE}")
    channels = 3 if colour else 1
    if len(entries) * channels * height * width > MAX_VALUES:
        raise DatasetError(
            f"{tree.path}: {len(entries):,} pictures of {height}×{width} are too many: give a smaller size"
        )
    pixels = np.empty((len(entries), channels, height, width), np.uint8)
    for i, entry in enumerate(entries):
        with _opened(image, tree, entry) as picture:
            pixels[i] = _pixels(tree, entry, picture, colour, (width, height))
    data = Dataset.from_arrays(pixels, labels, parts=parts, name=str(tree.path))
    came = f"of {len(sizes)} sizes" if len(sizes) > 1 else "of {1}×{0}".format(*next(iter(sizes)))
    said = "" if sizes == {(width, height)} else f", brought to {height}×{width}"
    note = f"{len(entries):,} pictures {came}{said}, {'in colour' if colour else 'grey'}"
    object.__setattr__(data, "notes", (note,))
    return data


class _opened:  # noqa: N801
    """A picture, open; what is wrong with it is a DatasetError that names it."""

    def __init__(self, image: Any, tree: Tree, entry: Entry) -> None:
        self.image, self.tree, self.entry = image, tree, entry

    def __enter__(self) -> Any:
        data = self.entry.read()
        place = self.tree.place(self.entry)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of many pixels, which are refused below
                picture = self.image.open(io.BytesIO(data))
        except self.image.DecompressionBombError:
            raise DatasetError(f"{place} has too many pixels: at most {MAX_PIXELS:,} are allowed") from None
        except Exception as error:
            what = (
                "is no picture"
                if isinstance(error, self.image.UnidentifiedImageError)
                else "cannot be read as a picture"
            )
            raise DatasetError(f"{place} {what}: delete it, or replace it") from None
        if picture.width * picture.height > MAX_PIXELS:
            raise DatasetError(
                f"{place} has {picture.width}×{picture.height} pixels: at most {MAX_PIXELS:,} are allowed"
            )
        return picture

    def __exit__(self, *error: object) -> None:
        return None


def _pixels(tree: Tree, entry: Entry, picture: Any, colour: bool, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """(channels, height, width)"""
    try:
        return pixels_of(picture, colour, size)
    except DatasetError:
        raise
    except Exception as error:
        raise DatasetError(f"{tree.place(entry)} is a damaged picture ({error}): delete it, or replace it") from None


def pixels_of(picture: Any, colour: bool, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Returns the pixels of a picture of Pillow, (channels, height, width): three channels, or one of grey.

    Args:
        picture: of any mode; what is transparent lies on white.
        colour: three channels.
        size: (width, height) that it is brought to; what is too long is cut off at both ends alike.

    Raises:
        Exception: the picture is damaged.
    """
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture, np.float64)
        picture = Image.fromarray((values / (256 if values.max() > 255 else 1)).clip(0, 255).astype(np.uint8))
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        under = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(under, picture.convert("RGBA"))
    picture = picture.convert("RGB" if colour else "L")
    if picture.size != size:
        picture = ImageOps.fit(picture, size, Image.Resampling.BOX if min(picture.size) > min(size) else 2)
    array = np.asarray(picture, np.uint8)
    return array.transpose(2, 0, 1) if colour else array[None]


def _is_coloured(picture: Any) -> bool:
    """Whether a picture has more than shades of grey, by a small copy of it."""
    try:
        small = np.asarray(picture.convert("RGB").resize((16, 16)), np.int16)
    except Exception:
        return False
    return bool((small.max(axis=2) - small.min(axis=2)).max() > 24)
