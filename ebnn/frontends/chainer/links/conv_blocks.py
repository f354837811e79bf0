"""eBNN's convolutional blocks."""

from __future__ import annotations

from typing import Any

from .batch_normalization import BatchNormalization
from .binary_convolution_2d import BinaryConvolution2D, shift_arguments
from .bst import BST
from .c_link import CLink
from .pool_2d import Pool2D

Size = int | tuple[int, int]


class ConvBNBST(CLink):
    """Convolution with binary weights, batch normalisation, sign; takes numbers.

    Args:
        in_channels: of the input; None takes them from the first input seen.
        out_channels: number of filters.
        ksize: of the kernel, a number or (height, width). As in Chainer, where it is None the first two arguments are
            ``out_channels`` and ``ksize``.
        stride: of the kernel, a number or (vertical, horizontal).
        pad: zeros on each side, a number or (vertical, horizontal).
        estimator: name of the sign's pseudo-gradient.
        nobias: without the float bias of the convolution, which batch normalisation makes redundant.

    Raises:
        ValueError: a size is not a whole number or too small, or no estimator has that name.
    """

    cname = "l_conv_bn_bst"

    def __init__(
        self,
        in_channels: int | None,
        out_channels: Size,
        ksize: Size | None = None,
        stride: Size = 1,
        pad: Size = 0,
        *,
        estimator: str = "hard_tanh",
        nobias: bool = False,
    ) -> None:
        super().__init__()
        _, outputs, _ = shift_arguments(in_channels, out_channels, ksize)
        with self.init_scope():
            self.bconv = BinaryConvolution2D(in_channels, out_channels, ksize, stride, pad, nobias)
            self.bn = BatchNormalization(outputs)
            self.bst = BST(estimator)


class BinaryConvBNBST(ConvBNBST):
    """As :class:`ConvBNBST`; takes -1 and +1."""

    binary_input = True
    cname = "l_b_conv_bn_bst"


class ConvPoolBNBST(ConvBNBST):
    """Convolution with binary weights, max-pool, batch normalisation, sign; takes numbers.

    Args:
        in_channels, out_channels, ksize, stride, pad: as for :class:`ConvBNBST`.
        pksize: of the pooling window, a number or (height, width).
        pstride: of the pooling window, a number or (vertical, horizontal).
        ppad: -inf on each side before pooling, a number or (vertical, horizontal).
        **options: ``estimator`` and ``nobias``, as for :class:`ConvBNBST`.
    """

    cname = "l_conv_pool_bn_bst"

    def __init__(
        self,
        in_channels: int | None,
        out_channels: Size,
        ksize: Size | None = None,
        stride: Size = 1,
        pad: Size = 0,
        pksize: Size = 3,
        pstride: Size = 2,
        ppad: Size = 0,
        **options: Any,
    ) -> None:
        super().__init__(in_channels, out_channels, ksize, stride, pad, **options)
        with self.init_scope():
            self.pool = Pool2D(pksize, pstride, ppad)


class BinaryConvPoolBNBST(ConvPoolBNBST):
    """As :class:`ConvPoolBNBST`; takes -1 and +1."""

    binary_input = True
    cname = "l_b_conv_pool_bn_bst"
