"""Turning the images of a data set into what a network takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ebnn.errors import InputError
from ebnn.model.kinds import INPUT_KINDS, KINDS, InputKind


def convert(images: npt.NDArray[np.uint8], source_kind: InputKind, kind: InputKind) -> npt.NDArray[Any]:
    """Return ``images`` as the input of a network of kind ``kind``, in the same shape, C-contiguous.

    ``source_kind`` is what the images are: the ``kind`` of their Dataset.

    ========  =============================  ==========================
    ``kind``  from ``"uint8"`` (0 .. 255)    from ``"bits"`` (0 and 1)
    ========  =============================  ==========================
    uint8     the pixel, uint8               the bit, 0 or 1, uint8
    bits      pixel != 0, as 0 or 1, uint8   the bit, 0 or 1, uint8
    int8      pixel - 128, int8              -1 or +1, int8
    float     pixel / 255, float32           -1 or +1, float32
    ========  =============================  ==========================

    A bit stands for -1 or +1 in a network, so the signed kinds spell that out and the sums stay those of a network
    that takes bits. Pixels as floats are in 0 .. 1, as in eBNN (McDanel, Teerapittayanon and Kung, 2017).

    Raises InputError for a kind that does not exist, images that are not uint8, or bits other than 0 and 1.
    """
    try:
        images = np.asarray(images)
    except ValueError:
        raise InputError("images that differ in shape cannot be converted: give them as one array") from None
    if kind not in INPUT_KINDS:
        raise InputError(f"input kind {kind!r} does not exist: choose one of {', '.join(INPUT_KINDS)}")
    if source_kind not in ("uint8", "bits"):
        raise InputError(f"images cannot be converted from {source_kind!r}: they are 'uint8' or 'bits'")
    if images.dtype != np.uint8:
        raise InputError(f"images are {images.dtype}: uint8 is needed")
    if source_kind == "bits" and images.size and int(images.max()) > 1:
        raise InputError(f"images hold the value {images.max()}: bits are 0 and 1")

    if kind == "uint8":
        result: npt.NDArray[Any] = images
    elif kind == "bits":
        result = images if source_kind == "bits" else (images != 0).view(np.uint8)
    elif source_kind == "bits":
        result = images.astype(np.int8) * np.int8(2) - np.int8(1)
    elif kind == "int8":
        result = (images ^ np.uint8(0x80)).view(np.int8)  # flipping the top bit subtracts 128 in two's complement
    else:
        result = images.astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(result, dtype=np.uint8 if KINDS[kind].packed else KINDS[kind].dtype)
