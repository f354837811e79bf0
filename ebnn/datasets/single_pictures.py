"""One picture, from a file, as a sample of a network that was trained on pictures."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ebnn.errors import DatasetError, InputError
from ebnn.extras import import_extra
from ebnn.model.network import Network

from .conversion import convert
from .formats.pictures import MAX_PIXELS, pixels_of


def read_picture(path: Path, network: Network, *, invert: bool = False) -> npt.NDArray[Any]:
    """Returns the picture in a file as a network takes it: see :func:`picture_sample`.

    Raises:
        DatasetError: it cannot be read as a picture, or has too many pixels.
        InputError: the network takes no pictures.
        MissingDependencyError: Pillow is not installed.
    """
    check_takes_pictures(network)
    image = import_extra("PIL.Image", "reading pictures")
    import_extra("PIL.ImageOps", "reading pictures")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of many pixels, which are refused below
            with image.open(path) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise DatasetError(
                        f"{path} has {picture.width}×{picture.height} pixels: at most {MAX_PIXELS:,} are allowed"
                    )
                return picture_sample(picture, network, invert=invert)
    except DatasetError:
        raise
    except image.UnidentifiedImageError:
        raise DatasetError(f"{path} is no picture that Pillow reads: give a PNG, JPEG or BMP") from None
    except image.DecompressionBombError:
        raise DatasetError(f"{path} has too many pixels: at most {MAX_PIXELS:,} are allowed") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception as error:
        raise DatasetError(f"{path} is a damaged picture ({error}): save it again") from None


def picture_sample(picture: Any, network: Network, *, invert: bool = False) -> npt.NDArray[Any]:
    """Returns a picture as a network takes it, (channels, height, width) in the type of its input.

    Grey where the network has one channel, else in colour; the middle of it, in the network's size, as the pictures
    of a folder are read; pixels become its kind as :func:`ebnn.datasets.convert` says.

    Args:
        picture: of Pillow.
        network: of one channel or three.
        invert: black becomes white: for dark ink on white paper, where the network knows light strokes on black.

    Raises:
        InputError: the network takes no pictures.
    """
    check_takes_pictures(network)
    channels, height, width = network.input.shape
    pixels = pixels_of(picture, channels == 3, (width, height))
    return convert(255 - pixels if invert else pixels, "uint8", network.input.kind)


def check_takes_pictures(network: Network) -> None:
    """Raises InputError where a network takes no pictures."""
    channels, height, width = network.input.shape
    if network.encoder is not None or channels not in (1, 3) or min(height, width) < 2:
        taken = network.raw_shape if network.encoder is not None else network.input.shape
        raise InputError(
            f"this network takes samples of {taken}, no pictures of one channel or three: ebnn run streams a data set"
        )
