"""The float counterpart of a block: what binarization is compared with, and what teaches it."""

from __future__ import annotations

from typing import Any

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np

from ..functions import convolution_2d, depthwise_convolution_2d, exact_settings
from .batch_normalization import BatchNormalization
from .c_link import CLink
from .flattening import keep_axes
from .quant_blocks import AveragePoolBlock, QuantBlock
from .quant_layers import QuantConvolution2D, QuantDepthwiseConvolution2D, QuantLayer


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


class FloatDepthwiseConvolution2D(chainer.Link):  # type: ignore[misc]
    """Depthwise convolution with float weights; wraps :func:`ebnn.functions.depthwise_convolution_2d`.

    Args:
        initialW: first weights, (outputs, 1, height, width) float32.
        stride, pad: pairs.
        nobias: without the bias.
    """

    def __init__(self, initialW: Any, stride: tuple[int, int], pad: tuple[int, int], nobias: bool) -> None:
        super().__init__()
        self.ksize, self.stride, self.pad = initialW.shape[2:], stride, pad
        with self.init_scope():
            self.W = chainer.Parameter(initialW.copy())
            self.b = None if nobias else chainer.Parameter(np.zeros(len(initialW), np.float32))

    def forward(self, x: Any) -> Any:
        """Returns (n, outputs, out_h, out_w) float32 for ``x`` (n, c, h, w) float32."""
        return depthwise_convolution_2d(x, self.W, self.b, self.stride, self.pad)


class FloatBlock(chainer.Chain):  # type: ignore[misc]
    """A block of the same shape with float weights, and ReLU in place of the sign; it has no counterpart in C.

    Args:
        block: whose sizes it takes, and whose latent weights are its first ones; it must have its parameters. Blocks
            that give scores, or 8 bits of either sign, end in no ReLU.

    Attributes:
        dropout: fraction of its outputs, other than scores, that are 0 in training, drawn anew for every batch; the
            others grow by as much (Srivastava et al., JMLR 15, 2014).
        last: whether it gives scores.
    """

    def __init__(self, block: CLink) -> None:
        super().__init__()
        self.dropout = 0.0
        self.last = block.last
        self._relu = not block.last
        self._order = ("linear", "pool", "bn")
        with self.init_scope(), exact_settings():
            if isinstance(block, QuantBlock):
                self.linear = _float_layer(block.linear)
                self._relu = block.activation in ("relu", "sign")
                if block.norm == "before":
                    self._order = ("linear", "bn", "pool")
            elif isinstance(block, AveragePoolBlock):
                self._relu = False
            elif hasattr(block, "bconv"):
                given = block.bconv
                self.linear = FloatConvolution2D(*_conv_sizes(given), given.b is None, given.W.array)
            else:
                given = block.bl
                self.linear = FloatLinear(given.W.shape[1], given.out_size, given.b is None, given.W.array)
            if hasattr(block, "pool"):
                self.pool = block.pool.copy()
            if hasattr(block, "bn"):
                self.bn = BatchNormalization(len(block.bn.avg_mean))

    def steps(self) -> list[Any]:
        """Returns the child links, and ReLU, in the order in which they are applied."""
        links = [self[name] for name in self._order if hasattr(self, name)]
        return [*links, F.relu] if self._relu else links

    def forward(self, x: Any) -> Any:
        """Returns what the block returns, as floats, for ``x`` of the same shape."""
        for step in self.steps():
            x = step(x)
        if self.last:
            return F.reshape(x, (len(x), -1))
        return F.dropout(x, self.dropout) if self.dropout else x


def _float_layer(given: QuantLayer) -> Any:
    weights = given.W.array
    if isinstance(given, QuantDepthwiseConvolution2D):
        return FloatDepthwiseConvolution2D(weights, given.stride, given.pad, given.b is None)
    if isinstance(given, QuantConvolution2D):
        return FloatConvolution2D(*_conv_sizes(given), given.b is None, weights)
    return FloatLinear(weights.shape[1], len(weights), given.b is None, weights)


def _conv_sizes(given: Any) -> tuple[Any, ...]:
    return given.W.shape[1], len(given.W), given.ksize, given.stride, given.pad
