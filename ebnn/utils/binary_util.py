"""Arrays as C text in eBNN's own layout, under the names that scripts written for it import.

Bits are packed most significant first; samples so packed are what ``ebnn_compute`` of a header with an input of bits
takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..frontends.chainer.original_c import byte_array, float_array

storage_ts = ["row_major", "col_major"]
"""Known orders: as the array is, and transposed."""


def binarize(W: Any) -> NDArray[np.float32]:  # noqa: N803
    """Returns +1 where a value is 0 or above, else −1, float32 of the same shape."""
    return np.where(np.asarray(W) >= 0, 1, -1).astype(np.float32)


def binarize_real(W: Any) -> NDArray[np.int64]:  # noqa: N803
    """Returns 1 where a value is 0 or above, else 0, of the same shape."""
    return (np.asarray(W) >= 0).astype(np.int64)


def np_to_floatC(xs: Any, name: str, storage_t: str = "row_major") -> str:  # noqa: N802
    """Returns ``float NAME[n] = {…};`` of an array of any shape. Raises InputError for an unknown ``storage_t``."""
    return float_array(_ordered(xs, storage_t), name)


def np_to_uint8C(xs: Any, name: str, storage_t: str = "row_major", pad: str = "0") -> str:  # noqa: N802
    """Returns ``uint8_t NAME[n] = {…};`` of rows of 0 and 1, (rows, bits), each row in whole bytes filled with ``pad``.

    Raises InputError for an unknown ``storage_t``, or where the array is not one of rows.
    """
    rows = _ordered(xs, storage_t)
    if rows.ndim != 2:
        raise InputError(f"{name} has {rows.ndim} axes: give rows of bits, (rows, bits)")
    return byte_array(rows, name, pad)


def np_to_packed_uint8C(xs: Any, name: str, storage_t: str = "row_major", pad: str = "0") -> str:  # noqa: N802
    """Returns ``uint8_t NAME[n] = {…};`` of 0 and 1 in an array of any shape, one bit after the other.

    Raises InputError for an unknown ``storage_t``.
    """
    return byte_array(_ordered(xs, storage_t).reshape(1, -1), name, pad)


def unpack(packed: Any, shape: Sequence[int]) -> NDArray[np.uint8]:
    """Returns samples as networks of ebnn take them, (n, channels, height, width) of 0 and 1, from eBNN's packed bytes.

    Args:
        packed: bytes, (n × bytes of a sample) in any shape, each sample one bit after the other in whole bytes.
        shape: of a sample, (channels, height, width).

    Raises InputError where the bytes are not those of whole samples.
    """
    size = int(np.prod(tuple(shape)))
    flat = np.asarray(packed, np.uint8).ravel()
    if flat.size % -(-size // 8):
        raise InputError(f"{flat.size:,} bytes are no whole samples: one has {-(-size // 8):,}")
    rows = flat.reshape(-1, -(-size // 8))
    return np.unpackbits(rows, axis=1)[:, :size].reshape(-1, *shape)


def _ordered(xs: Any, storage: str) -> NDArray[Any]:
    if storage not in storage_ts:
        raise InputError(f"storage_t is {storage!r}: use one of {', '.join(storage_ts)}")
    array = np.asarray(xs)
    return array.T if storage == "col_major" else array
