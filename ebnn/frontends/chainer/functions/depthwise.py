"""Depthwise convolution: each channel has filters of its own."""

from __future__ import annotations

from typing import Any

import chainer
import chainer.functions as F
import numpy as np
from chainer.utils import type_check

from .pairs import as_pair
from .unfolding import Pair, inside, output_size, samples_last, tap

Array = Any
Variable = Any


class DepthwiseConvolution2D(chainer.FunctionNode):  # type: ignore[misc]
    """Convolution of NumPy arrays x (n, c, h, w) with W (outputs, 1, kh, kw), outputs a multiple of c."""

    def __init__(self, stride: Pair, pad: Pair) -> None:
        self.stride = stride
        self.pad = pad

    def check_type_forward(self, in_types: Any) -> None:
        type_check._argname(in_types, ("x", "W"))
        x, w = in_types
        type_check.expect(x.dtype.kind == "f", w.dtype == x.dtype, x.ndim == 4, w.ndim == 4, w.shape[1] == 1)
        type_check.expect(w.shape[0] % x.shape[1] == 0)

    def forward(self, inputs: tuple[Array, Array]) -> tuple[Array]:
        self.retain_inputs((0, 1))
        x, w = inputs
        size = output_size(x.shape[2:], w.shape[2:], self.stride, self.pad)
        images = samples_last(x, self.pad)  # (c, h, w, n)
        filters = w.reshape(len(images), -1, *w.shape[2:])
        y = np.zeros((*filters.shape[:2], *size, images.shape[3]), x.dtype)
        for i, j in np.ndindex(w.shape[2:]):
            seen = tap(images, i, j, self.stride, size)
            for each in range(filters.shape[1]):
                y[:, each] += seen * filters[:, each, i, j, None, None, None]
        return (y.reshape(len(w), *size, -1).transpose(3, 0, 1, 2),)

    def backward(self, indexes: tuple[int, ...], grad_outputs: tuple[Variable]) -> tuple[Variable, ...]:
        x, w = (variable.array for variable in self.get_retained_inputs())
        images = samples_last(x, self.pad)
        filters = w.reshape(len(images), -1, *w.shape[2:])
        gy = samples_last(grad_outputs[0].array)  # (outputs, height, width, n)
        size = (gy.shape[1], gy.shape[2])
        gy = gy.reshape(*filters.shape[:2], *gy.shape[1:])
        gw = np.empty_like(filters)
        gimages = np.zeros_like(images)
        for i, j in np.ndindex(w.shape[2:]):
            seen, place = (tap(array, i, j, self.stride, size) for array in (images, gimages))
            for each in range(filters.shape[1]):
                gw[:, each, i, j] = np.einsum("cyxn,cyxn->c", seen, gy[:, each])
                if 0 in indexes:
                    place += gy[:, each] * filters[:, each, i, j, None, None, None]
        gradients = {0: inside(gimages, self.pad).transpose(3, 0, 1, 2), 1: gw.reshape(w.shape)}
        return tuple(chainer.as_variable(gradients[index]) for index in indexes)


def depthwise_convolution_2d(
    x: Variable, W: Variable, b: Variable | None = None, stride: int | Pair = 1, pad: int | Pair = 0
) -> Variable:
    """Returns the convolution of each channel with filters of its own, padded with zeros: (n, outputs, out_h, out_w).

    Args:
        x: (n, c, h, w) float.
        W: (outputs, 1, kh, kw) of x's dtype; output ``o`` is of channel ``o // (outputs / c)``.
        b: (outputs,) or None.
        stride: of the kernel, a number or (vertical, horizontal).
        pad: zeros on each side, a number or (vertical, horizontal).

    Raises:
        ValueError: the kernel does not fit into the padded image.
    """
    y = DepthwiseConvolution2D(as_pair("stride", stride, 1), as_pair("pad", pad, 0)).apply((x, W))[0]
    return y if b is None else F.bias(y, b, axis=1)
