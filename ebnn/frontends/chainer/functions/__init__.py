"""Chainer functions of binarized networks: pure, with their gradients."""

from ....training import estimators
from ....training.estimators import Estimator, estimator, estimator_names, get_estimator
from .. import framework  # noqa: F401  (before any other import of Chainer)
from .binarization import sign, stochastic_sign
from .binary_weights import binary_convolution_2d, binary_linear
from .convolution import convolution_2d
from .parallel import parallel
from .pooling import max_pooling_2d
from .settings import exact_settings

__all__ = [
    "Estimator",
    "binary_convolution_2d",
    "binary_linear",
    "convolution_2d",
    "estimator",
    "estimator_names",
    "estimators",
    "exact_settings",
    "get_estimator",
    "max_pooling_2d",
    "parallel",
    "sign",
    "stochastic_sign",
]
