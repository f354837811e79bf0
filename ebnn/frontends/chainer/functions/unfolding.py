"""Unfolding of images into columns, with the samples of a batch innermost in memory.

Arrays lie in memory as (channel, height, width, sample), the layout of cuda-convnet (Krizhevsky, 2012). Seen from
outside, an array keeps Chainer's axes (sample, channel, height, width): it is a transposed view. Unfolding then copies
long runs of numbers, and a matrix product takes the columns and gives its result as they lie.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from chainer.utils.conv import get_conv_outsize

FloatArray = npt.NDArray[np.floating]
Pair = tuple[int, int]

_BLOCK_FLOATS = 1 << 18
"""Floats in one block of columns: 1 MB stays in a core's cache, and memory does not grow with the batch."""


def samples_last(x: FloatArray, pad: Pair = (0, 0), value: float = 0.0) -> FloatArray:
    """Returns ``x`` (n, c, h, w) as a contiguous (c, h + 2 pad[0], w + 2 pad[1], n), ``value`` in the border."""
    n, channels, height, width = x.shape
    turned = x.transpose(1, 2, 3, 0)
    if pad == (0, 0):
        return np.ascontiguousarray(turned)
    padded = np.full((channels, height + 2 * pad[0], width + 2 * pad[1], n), value, x.dtype)
    inside(padded, pad)[...] = turned
    return padded


def inside(padded: FloatArray, pad: Pair) -> FloatArray:
    """Returns the view of ``padded`` (c, h, w, n) without its border."""
    _, height, width, _ = padded.shape
    return padded[:, pad[0] : height - pad[0], pad[1] : width - pad[1]]


def output_size(size: Pair, ksize: Pair, stride: Pair, pad: Pair) -> Pair:
    """Returns the height and width of the map that a kernel makes of an image; no kernel reaches beyond the padding.

    Raises:
        ValueError: the kernel does not fit even once.
    """
    height, width = (get_conv_outsize(*along) for along in zip(size, ksize, stride, pad, strict=True))
    if height < 1 or width < 1:
        raise ValueError(
            f"a window of {ksize[0]}x{ksize[1]} does not fit into an image of {size[0]}x{size[1]} padded by "
            f"{pad[0]} and {pad[1]}: use a smaller window or more padding"
        )
    return height, width


def tap(images: FloatArray, row: int, column: int, stride: Pair, size: Pair, first: int = 0) -> FloatArray:
    """Returns the view (c, *size, n) of ``images`` that one tap of a kernel sees, from output row ``first`` on."""
    top = row + first * stride[0]
    rows = slice(top, top + (size[0] - 1) * stride[0] + 1, stride[0])
    return images[:, rows, column : column + (size[1] - 1) * stride[1] + 1 : stride[1]]


def row_blocks(column_floats: int, row_columns: int, first: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yields (first, stop) of consecutive output rows whose columns make one block, for the rows ``first`` to ``stop``.

    Args:
        column_floats: in one column.
        row_columns: columns in one output row, over all samples.
    """
    rows = max(1, _BLOCK_FLOATS // (column_floats * row_columns))
    for start in range(first, stop, rows):
        yield start, min(start + rows, stop)


def unfold(images: FloatArray, ksize: Pair, stride: Pair, out_width: int, first: int, stop: int) -> FloatArray:
    """Returns the columns (c·kh·kw, (stop - first)·out_width·n) of the output rows from ``first`` to ``stop``."""
    channels, _, _, n = images.shape
    size = (stop - first, out_width)
    columns = np.empty((channels, *ksize, *size, n), images.dtype)
    for i in range(ksize[0]):
        for j in range(ksize[1]):
            columns[:, i, j] = tap(images, i, j, stride, size, first)
    return columns.reshape(channels * ksize[0] * ksize[1], -1)


def fold_into(images: FloatArray, columns: FloatArray, ksize: Pair, stride: Pair, out_width: int, first: int) -> None:
    """Adds ``columns`` to the places of ``images`` that :func:`unfold` read them from."""
    channels, _, _, n = images.shape
    columns = columns.reshape(channels, *ksize, -1, out_width, n)
    size = (columns.shape[3], out_width)
    for i in range(ksize[0]):
        for j in range(ksize[1]):
            place = tap(images, i, j, stride, size, first)
            place += columns[:, i, j]
