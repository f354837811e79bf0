"""Chainer links of binarized and 8-bit networks: layers that own parameters, blocks, eBNN's under their known names."""

from .. import framework  # noqa: F401  (before any other import of Chainer)
from .average_pool_2d import AveragePool2D
from .batch_normalization import BatchNormalization
from .binary_convolution_2d import BinaryConvolution2D
from .binary_linear import BinaryLinear
from .bst import BST
from .c_link import CLink
from .conv_blocks import BinaryConvBNBST, BinaryConvPoolBNBST, ConvBNBST, ConvPoolBNBST
from .float_block import FloatBlock, FloatConvolution2D
from .linear_blocks import BinaryLinearBNBST, BinaryLinearBNSoftmax, BinaryLinearSoftmax, LinearBNBST
from .pool_2d import Pool2D
from .quant_activations import QuantActivation, QuantIdentity, QuantReLU
from .quant_blocks import (
    AveragePoolBlock,
    DeviceBlock,
    QuantBlock,
    QuantConvBlock,
    QuantDepthwiseBlock,
    QuantLinearBlock,
    QuantLinearSoftmax,
)
from .quant_layers import QuantConvolution2D, QuantDepthwiseConvolution2D, QuantLayer, QuantLinear
from .sizing import size_blocks
from .softmax_cross_entropy import SoftmaxCrossEntropy

__all__ = [
    "BST",
    "AveragePool2D",
    "AveragePoolBlock",
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
    "DeviceBlock",
    "FloatBlock",
    "FloatConvolution2D",
    "LinearBNBST",
    "Pool2D",
    "QuantActivation",
    "QuantBlock",
    "QuantConvBlock",
    "QuantConvolution2D",
    "QuantDepthwiseBlock",
    "QuantDepthwiseConvolution2D",
    "QuantIdentity",
    "QuantLayer",
    "QuantLinear",
    "QuantLinearBlock",
    "QuantLinearSoftmax",
    "QuantReLU",
    "SoftmaxCrossEntropy",
    "size_blocks",
]
