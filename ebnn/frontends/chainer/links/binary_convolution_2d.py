"""A convolutional layer with binary weights."""

from __future__ import annotations

from typing import Any

import chainer.links as L
import numpy as np

from ..functions import binary_convolution_2d, exact_settings
from ..functions.pairs import as_pair
from .drawing import drawn_by


class BinaryConvolution2D(L.Convolution2D):  # type: ignore[misc]
    """Convolution with binary weights; owns the latent weights, wraps :func:`ebnn.functions.binary_convolution_2d`.

    Args:
        in_channels: of the input; None takes them from the first input seen.
        out_channels: number of filters.
        ksize: of the kernel, a number or (height, width). As in Chainer, where it is None the first two arguments are
            ``out_channels`` and ``ksize``.
        stride: of the kernel, a number or (vertical, horizontal).
        pad: zeros on each side, a number or (vertical, horizontal).
        nobias: without the float bias.
        initialW: initialiser of the latent weights; None means LeCun's normal distribution.
        initial_bias: initialiser of the bias; None means 0.

    Attributes:
        W: (out_channels, in_channels, height, width) float32 latent weights.
        b: (out_channels,) float32, or None.
        ksize, stride, pad: pairs.
        random: where the weights of training are drawn from; None, as built, takes the signs.

    Raises:
        ValueError: a size is not a whole number, or too small.
    """

    random: np.random.Generator | None = None

    def __init__(
        self,
        in_channels: int | None,
        out_channels: int | tuple[int, int],
        ksize: int | tuple[int, int] | None = None,
        stride: int | tuple[int, int] = 1,
        pad: int | tuple[int, int] = 0,
        nobias: bool = False,
        initialW: Any = None,
        initial_bias: Any = None,
    ) -> None:
        in_channels, outputs, ksize = shift_arguments(in_channels, out_channels, ksize)
        pairs = as_pair("ksize", ksize, 1), as_pair("stride", stride, 1), as_pair("pad", pad, 0)
        with exact_settings():
            super().__init__(in_channels, outputs, *pairs, nobias, initialW, initial_bias)

    def forward(self, x: Any) -> Any:
        """Returns (n, out_channels, out_h, out_w) float32 for ``x`` (n, in_channels, h, w) float32."""
        if self.W.array is None:
            self.in_channels = x.shape[1]
            with exact_settings():
                self._initialize_params(self.in_channels)
        return binary_convolution_2d(x, self.W, self.b, self.stride, self.pad, drawn_by(self.random))


def shift_arguments(in_channels: Any, out_channels: Any, ksize: Any) -> tuple[int | None, int, int | tuple[int, int]]:
    """Returns in_channels, out_channels and ksize, after Chainer's rule for a ``ksize`` left out."""
    return (None, in_channels, out_channels) if ksize is None else (in_channels, out_channels, ksize)
