"""Chainer functions of binarized and 8-bit networks: pure, with their gradients."""

from ....training import estimators
from ....training.estimators import Estimator, estimator, estimator_names, get_estimator
from .. import framework  # noqa: F401  (before any other import of Chainer)
from .average_pooling import average_pooling_2d, sum_pooling_2d
from .binarization import sign, stochastic_sign
from .binary_weights import binarize_weights, binary_convolution_2d, binary_linear
from .convolution import convolution_2d
from .depthwise import depthwise_convolution_2d
from .parallel import parallel
from .pooling import max_pooling_2d
from .rounding import integer_weights, quantize, quantize_weights, weight_steps
from .settings import exact_settings

__all__ = [
    "Estimator",
    "average_pooling_2d",
    "binarize_weights",
    "binary_convolution_2d",
    "binary_linear",
    "convolution_2d",
    "depthwise_convolution_2d",
    "estimator",
    "estimator_names",
    "estimators",
    "exact_settings",
    "get_estimator",
    "integer_weights",
    "max_pooling_2d",
    "parallel",
    "quantize",
    "quantize_weights",
    "sign",
    "stochastic_sign",
    "sum_pooling_2d",
    "weight_steps",
]
