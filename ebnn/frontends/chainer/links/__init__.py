"""Chainer links of binarized networks: layers that own parameters, and eBNN's blocks under their known names."""

from .. import framework  # noqa: F401  (before any other import of Chainer)
from .batch_normalization import BatchNormalization
from .binary_convolution_2d import BinaryConvolution2D
from .binary_linear import BinaryLinear
from .bst import BST
from .c_link import CLink
from .conv_blocks import BinaryConvBNBST, BinaryConvPoolBNBST, ConvBNBST, ConvPoolBNBST
from .float_block import FloatBlock, FloatConvolution2D
from .linear_blocks import BinaryLinearBNBST, BinaryLinearBNSoftmax, BinaryLinearSoftmax, LinearBNBST
from .pool_2d import Pool2D
from .sizing import size_blocks
from .softmax_cross_entropy import SoftmaxCrossEntropy

__all__ = [
    "BST",
    "BatchNormalization",
    "BinaryConvBNBST",
    "BinaryConvPoolBNBST",
    "BinaryConvolution2D",
    "BinaryLinear",
    "BinaryLinearBNBST",
    "BinaryLinearBNSoftmax",
    "BinaryLinearSoftmax",
    "CLink",
    "ConvBNBST",
    "ConvPoolBNBST",
    "FloatBlock",
    "FloatConvolution2D",
    "LinearBNBST",
    "Pool2D",
    "SoftmaxCrossEntropy",
    "size_blocks",
]
