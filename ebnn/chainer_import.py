"""Chainer and its usual short names, imported after what it needs from newer Pythons and NumPys is supplied.

Importing this module raises :class:`ebnn.errors.MissingDependencyError` where Chainer is absent or does not work.
"""

from . import chainer_compat
from .extras import import_extra

chainer_compat.supply()
_PURPOSE = "training a network, or lowering a Chainer chain,"
chainer = import_extra("chainer", _PURPOSE)
F = import_extra("chainer.functions", _PURPOSE)
L = import_extra("chainer.links", _PURPOSE)
import_extra("threadpoolctl", _PURPOSE)

__all__ = ["F", "L", "chainer"]
