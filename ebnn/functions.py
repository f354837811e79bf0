"""Chainer functions of binarized networks: pure, with their gradients.

eBNN's modules of single functions, ``ebnn.functions.function_binary_linear`` and so on, are other names of this one.
"""

import sys

from .frontends.chainer.functions import *  # noqa: F403
from .frontends.chainer.functions import __all__ as __all__

for _name in ("function_binary_convolution_2d", "function_binary_linear", "function_bst"):
    globals()[_name] = sys.modules[f"{__name__}.{_name}"] = sys.modules[__name__]
