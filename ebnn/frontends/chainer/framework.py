"""Chainer and its usual short names, imported after what it needs from newer Pythons and NumPys is supplied.

Importing this module raises :class:`ebnn.errors.MissingDependencyError` where Chainer is absent or does not work.
"""

from ...extras import import_extra
from . import compat

compat.supply()
for _package in ("chainer", "threadpoolctl"):
    import_extra(_package, "training a network, or lowering a Chainer chain,")

import chainer  # noqa: E402
import chainer.functions as F  # noqa: E402
import chainer.links as L  # noqa: E402

__all__ = ["F", "L", "chainer"]
