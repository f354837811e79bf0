"""Chainer and its usual short names, imported after what it needs from newer Pythons and NumPys is supplied.

From then on its own data sets are read from ``EBNN_DATA`` where that has them: see
:mod:`ebnn.frontends.chainer.local_data`. Importing this module raises :class:`ebnn.errors.MissingDependencyError` where
Chainer is absent or does not work.
"""

from ...extras import import_extra
from . import compat
from .local_data import reads_local

compat.supply()
for _package in ("chainer", "threadpoolctl"):
    import_extra(_package, "training a network, or lowering a Chainer chain,")

import chainer  # noqa: E402
import chainer.functions as F  # noqa: E402
import chainer.links as L  # noqa: E402
from chainer.dataset import download as _download  # noqa: E402

_download.cached_download = reads_local(_download.cached_download, _download.get_dataset_directory)

__all__ = ["F", "L", "chainer"]
