"""The float counterpart of a block: what binarization is compared with, and what teaches it."""

from __future__ import annotations

from typing import Any

import chainer
import chainer.functions as F
import chainer.links as L

from ..functions import convolution_2d, exact_settings
from .batch_normalization import BatchNormalization
from .c_link import CLink
from .flattening import keep_axes


class FloatConvolution2D(L.Convolution2D):  # type: ignore[misc]
    """Chainer's convolution, wraps :func:`ebnn.functions.convolution_2d`."""

    def forward(self, x: Any) -> Any:
        """Returns (n, out_channels, out_h, out_w) float32 for ``x`` (n, in_channels, h, w) float32."""
        return convolution_2d(x, self.W, self.b, self.stride, self.pad)


class FloatLinear(L.Linear):  # type: ignore[misc]
    """Chainer's fully connected layer, held to the axes of its input as :class:`ebnn.links.BinaryLinear` is.

    Attributes:
        axes: shape of one input, of those with more axes than one; None before the first.
    """

    axes: tuple[int, ...] | None = None

    def forward(self, x: Any) -> Any:
        """Returns (n, out_size) float32 for ``x`` (n, ...) float32."""
        keep_axes(self, x)
        return super().forward(x)


class FloatBlock(chainer.Chain):  # type: ignore[misc]
    """A block of the same shape with float weights, and ReLU in place of the sign; it has no counterpart in C.

    Args:
        block: whose sizes it takes, and whose latent weights are its first ones; it must have its parameters. Blocks
            that end in no sign, the last of a network, end in no ReLU either.
    """

    def __init__(self, block: CLink) -> None:
        super().__init__()
        self._relu = hasattr(block, "bst")
        with self.init_scope(), exact_settings():
            if hasattr(block, "bconv"):
                given = block.bconv
                sizes = (given.W.shape[1], given.out_channels, given.ksize, given.stride, given.pad)
                self.linear = FloatConvolution2D(*sizes, given.b is None, given.W.array)
            else:
                given = block.bl
                self.linear = FloatLinear(given.W.shape[1], given.out_size, given.b is None, given.W.array)
            if hasattr(block, "pool"):
                self.pool = block.pool.copy()
            if hasattr(block, "bn"):
                self.bn = BatchNormalization(len(given.W))

    def forward(self, x: Any) -> Any:
        """Returns what the block returns, as floats, for ``x`` of the same shape."""
        for name in ("linear", "pool", "bn"):
            if hasattr(self, name):
                x = self[name](x)
        return F.relu(x) if self._relu else x
