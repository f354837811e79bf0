"""Two-dimensional average pooling."""

from __future__ import annotations

from typing import Any

import chainer
import numpy as np
from chainer.utils import type_check

from .pairs import as_pair
from .unfolding import Pair, inside, output_size, samples_last, tap

Array = Any
Variable = Any


class SumPooling2D(chainer.FunctionNode):  # type: ignore[misc]
    """The sum of each window of x (n, c, h, w), padded with zeros."""

    def __init__(self, ksize: Pair, stride: Pair, pad: Pair) -> None:
        self.ksize = ksize
        self.stride = stride
        self.pad = pad

    def check_type_forward(self, in_types: Any) -> None:
        type_check._argname(in_types, ("x",))
        type_check.expect(in_types[0].dtype.kind == "f", in_types[0].ndim == 4)

    def forward(self, inputs: tuple[Array]) -> tuple[Array]:
        self.size = inputs[0].shape[2:]
        size = output_size(self.size, self.ksize, self.stride, self.pad)
        images = samples_last(inputs[0], self.pad)  # (c, h, w, n)
        y = np.zeros((len(images), *size, images.shape[3]), images.dtype)
        for i, j in np.ndindex(self.ksize):
            y += tap(images, i, j, self.stride, size)
        return (y.transpose(3, 0, 1, 2),)

    def backward(self, indexes: tuple[int, ...], grad_outputs: tuple[Variable]) -> tuple[Variable]:
        gy = samples_last(grad_outputs[0].array)
        channels, height, width, n = gy.shape
        padded = (channels, *(side + 2 * pad for side, pad in zip(self.size, self.pad, strict=True)), n)
        gimages = np.zeros(padded, gy.dtype)
        for i, j in np.ndindex(self.ksize):
            place = tap(gimages, i, j, self.stride, (height, width))
            place += gy
        return (chainer.as_variable(inside(gimages, self.pad).transpose(3, 0, 1, 2)),)


def sum_pooling_2d(x: Variable, ksize: int | Pair, stride: int | Pair | None = None, pad: int | Pair = 0) -> Variable:
    """Returns the sum of each window, exact in any order while ``x`` holds integers; arguments as for the average."""
    ksize = as_pair("pooling size", ksize, 1)
    stride = ksize if stride is None else as_pair("pooling stride", stride, 1)
    return SumPooling2D(ksize, stride, as_pair("pooling pad", pad, 0)).apply((x,))[0]


def average_pooling_2d(
    x: Variable, ksize: int | Pair, stride: int | Pair | None = None, pad: int | Pair = 0
) -> Variable:
    """Returns the average of each window, (n, c, out_h, out_w); what lies in the padding counts as 0.

    Args:
        x: (n, c, h, w) float.
        ksize: of the window, a number or (height, width).
        stride: of the window, a number or (vertical, horizontal); None means ``ksize``.
        pad: zeros on each side, a number or (vertical, horizontal).

    Raises:
        ValueError: a size is not a whole number, too small, or the window does not fit into the padded image.
    """
    ksize = as_pair("pooling size", ksize, 1)
    return sum_pooling_2d(x, ksize, stride, pad) / (ksize[0] * ksize[1])
