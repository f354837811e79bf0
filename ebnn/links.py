"""Chainer links of binarized networks: layers that own parameters, and eBNN's blocks under their known names.

``import ebnn.links as BL`` is how scripts written for eBNN take them. All weights are binary; the word "Binary" in the
name of a block says that its *input* is binary too. eBNN's modules of single links, ``ebnn.links.link_bst`` and so on,
are other names of this one.
"""

import sys

from .frontends.chainer.c_chain_mixin import CChainMixin
from .frontends.chainer.links import *  # noqa: F403
from .frontends.chainer.links import __all__ as _LINKS

__all__ = ["CChainMixin", *_LINKS]

_MODULES = (
    *("link_bst", "link_pool", "link_batch_normalization", "link_softmax_cross_entropy"),
    *("link_binary_convolution", "link_binary_linear"),
    *("link_conv_BN_BST", "link_conv_pool_BN_BST", "link_binary_conv_BN_BST", "link_binary_conv_pool_BN_BST"),
    *("link_linear_BN_BST", "link_binary_linear_BN_BST"),
    *("link_binary_linear_BN_softmax_layer", "link_binary_linear_softmax_layer"),
)

for _name in _MODULES:
    globals()[_name] = sys.modules[f"{__name__}.{_name}"] = sys.modules[__name__]
