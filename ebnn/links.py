"""Chainer links of binarized networks: layers that own parameters, and eBNN's blocks under their known names.

``import ebnn.links as BL`` is how scripts written for eBNN take them. All weights are binary; the word "Binary" in the
name of a block says that its *input* is binary too.
"""

from .frontends.chainer.c_chain_mixin import CChainMixin
from .frontends.chainer.links import *  # noqa: F403
from .frontends.chainer.links import __all__ as _LINKS

__all__ = ["CChainMixin", *_LINKS]
