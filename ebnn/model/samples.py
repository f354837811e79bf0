"""Samples: checked against what a network takes, and as they reach the device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from . import bits
from .axes import as_images
from .kinds import MAX_FLOAT, Input


def check_samples(taken: Input, x: ArrayLike) -> NDArray[Any]:
    """``x`` as (n, channels, height, width) of the input's type: bool, uint8, int8 or float32.

    ``x`` may be (n, height, width) where there is one channel, and (n, values) where samples are vectors: see
    `ebnn.model.axes`. Raises InputError where axes, type or range differ.
    """
    kind = taken.values
    array = as_images(x, taken.shape)
    if not kind.whole:
        if array.dtype.kind not in "fiub":
            raise InputError(f"samples of type {array.dtype} do not fit: this network takes float32")
        # Written so that NaN fails too.
        if not np.all(np.abs(array.astype(np.float64, copy=False)) <= kind.high):
            raise InputError(
                f"a sample holds a value that is not finite or over {MAX_FLOAT:.3g}: this network takes finite "
                "float32 values whose sums cannot overflow"
            )
        return array.astype(np.float32, copy=False)
    if array.dtype.kind not in "iub":
        raise InputError(f"samples of type {array.dtype} do not fit: this network takes {kind}, as whole numbers")
    if array.size and (array.min() < kind.low or array.max() > kind.high):
        raise InputError(
            f"samples from {array.min()} to {array.max()} do not fit: this network takes {kind}, {kind.low} to "
            f"{kind.high}"
        )
    return array.astype(kind.dtype)


def pack_samples(taken: Input, x: ArrayLike) -> NDArray[np.uint8]:
    """``x``, as in `check_samples`, as the device takes it: (n, input bytes) uint8."""
    array = check_samples(taken, x)
    kind = taken.values
    n, channels, height, width = array.shape
    if kind.channel_first:
        rows = array.reshape(n, channels * height, width)
    else:
        rows = array.transpose(0, 2, 3, 1).reshape(n, height, width * channels)
    rows = bits.pack(rows) if kind.packed else rows.astype(np.dtype(kind.dtype).newbyteorder("<"), copy=False)
    return np.ascontiguousarray(rows).view(np.uint8).reshape(n, taken.bytes)
