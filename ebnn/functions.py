"""Chainer functions of binarized networks: pure, with their gradients."""

from .frontends.chainer.functions import *  # noqa: F403
from .frontends.chainer.functions import __all__ as __all__
