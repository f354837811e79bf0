"""Two-dimensional max-pooling, several times faster on the CPU than Chainer's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import chainer
import chainer.functions as F
import numpy as np
from chainer.utils import type_check

from .pairs import as_pair
from .parallel import in_parts
from .unfolding import FloatArray, Pair, inside, output_size, samples_last, tap

Array = Any
Variable = Any

_BLOCK_FLOATS = 1 << 17
"""Floats in one block of channels: 512 kB, with maxima and gradients beside them."""


class MaxPooling2D(chainer.FunctionNode):  # type: ignore[misc]
    """Max-pooling of a NumPy array x (n, c, h, w), padded with -inf. It has no second derivative.

    The gradient goes to the first maximum of a window, row by row: sums of signs are integers, so ties are common.
    """

    def __init__(self, ksize: Pair, stride: Pair, pad: Pair) -> None:
        self.ksize = ksize
        self.stride = stride
        self.pad = pad

    def check_type_forward(self, in_types: Any) -> None:
        type_check._argname(in_types, ("x",))
        type_check.expect(in_types[0].dtype.kind == "f", in_types[0].ndim == 4)

    def forward(self, inputs: tuple[Array]) -> tuple[Array]:
        self.retain_inputs((0,))
        self.retain_outputs((0,))
        size = output_size(inputs[0].shape[2:], self.ksize, self.stride, self.pad)
        images = samples_last(inputs[0], self.pad, -np.inf)  # (c, h, w, n)
        y = np.empty((len(images), *size, images.shape[3]), images.dtype)

        def channels(begin: int, end: int) -> None:
            for some in _blocks(images, begin, end):
                part = y[some]
                part[...] = tap(images[some], 0, 0, self.stride, size)
                for i, j in np.ndindex(self.ksize):
                    np.maximum(part, tap(images[some], i, j, self.stride, size), out=part)

        in_parts(channels, len(y))
        return (y.transpose(3, 0, 1, 2),)

    def backward(self, indexes: tuple[int, ...], grad_outputs: tuple[Variable]) -> tuple[Variable]:
        images = samples_last(self.get_retained_inputs()[0].array, self.pad, -np.inf)
        y = samples_last(self.get_retained_outputs()[0].array)
        gy = samples_last(grad_outputs[0].array)
        size = y.shape[1:3]
        tiled = self.ksize == self.stride and images.shape[1:3] == (size[0] * self.ksize[0], size[1] * self.ksize[1])
        gimages = np.empty_like(images) if tiled else np.zeros_like(images)

        def channels(begin: int, end: int) -> None:
            for some in _blocks(images, begin, end):
                waiting = np.ones(y[some].shape, bool)
                for i, j in np.ndindex(self.ksize):
                    first = tap(images[some], i, j, self.stride, size) == y[some]
                    first &= waiting
                    waiting ^= first
                    place = tap(gimages[some], i, j, self.stride, size)
                    if tiled:  # every place belongs to one window
                        np.multiply(gy[some], first, out=place)
                    else:
                        place += gy[some] * first

        in_parts(channels, len(y))
        return (chainer.as_variable(inside(gimages, self.pad).transpose(3, 0, 1, 2)),)


def _blocks(images: FloatArray, begin: int, end: int) -> Iterator[slice]:
    """Yields the channels ``begin`` to ``end`` of ``images`` in slices that stay in a core's cache."""
    step = max(1, _BLOCK_FLOATS // images[0].size)
    for first in range(begin, end, step):
        yield slice(first, min(first + step, end))


def max_pooling_2d(x: Variable, ksize: int | Pair, stride: int | Pair | None = None, pad: int | Pair = 0) -> Variable:
    """Returns the maxima of windows of ``x``, as ``chainer.functions.max_pooling_2d(..., cover_all=False)`` does.

    Arrays that are not NumPy's go to Chainer's function.

    Args:
        x: (n, c, h, w) float.
        ksize: of the window, a number or (height, width).
        stride: of the window, a number or (vertical, horizontal); None means ``ksize``.
        pad: -inf on each side, a number or (vertical, horizontal), smaller than ``ksize``.

    Returns:
        (n, c, out_h, out_w) of x's dtype.

    Raises:
        ValueError: the window does not fit into the padded image, or fits into the padding alone.
    """
    ksize, pad = as_pair("ksize", ksize, 1), as_pair("pad", pad, 0)
    stride = ksize if stride is None else as_pair("stride", stride, 1)
    if pad[0] >= ksize[0] or pad[1] >= ksize[1]:
        raise ValueError(f"a pooling window of {ksize} can lie wholly in a padding of {pad}: use less padding")
    if not isinstance(chainer.as_variable(x).array, np.ndarray):
        return F.max_pooling_2d(x, ksize, stride, pad, cover_all=False)
    return MaxPooling2D(ksize, stride, pad).apply((x,))[0]
