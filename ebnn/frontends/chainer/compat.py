"""Names that Chainer 7.8.1 imports and newer Python or NumPy no longer have.

:func:`supply` supplies them; it never imports Chainer itself. A ``.pth`` file, installed beside the package, runs this
file and calls it at the first ``import chainer`` of a process, so that scripts which import Chainer before ebnn run
unchanged. It finds this file by its place, so nothing but NumPy may be imported here.

- ``numpy.sctypes`` went with NumPy 2.0; Chainer asks it for the integer and float types.
- ``numpy.distutils.system_info`` went with Python 3.12, and before that cannot be imported beside a newer setuptools;
  Chainer asks it, on macOS only, which BLAS is linked.
- ``pkg_resources`` comes from setuptools, which warns on import that it is deprecated.
"""

import contextlib
import importlib
import sys
import types
import warnings

import numpy as np


def _supply_sctypes() -> None:
    if "sctypes" not in vars(np):
        np.sctypes = {  # type: ignore[attr-defined]
            "int": [np.int8, np.int16, np.int32, np.int64],
            "float": [np.float16, np.float32, np.float64],
        }


def _supply_system_info() -> None:
    try:
        importlib.import_module("numpy.distutils.system_info")
    except ImportError:
        system_info = types.ModuleType("numpy.distutils.system_info")
        system_info.get_info = lambda name: {}  # type: ignore[attr-defined]
        distutils = sys.modules.setdefault("numpy.distutils", types.ModuleType("numpy.distutils"))
        distutils.system_info = system_info  # type: ignore[attr-defined]
        np.distutils = distutils  # type: ignore[attr-defined,unused-ignore]
        sys.modules["numpy.distutils.system_info"] = system_info


def supply() -> None:
    """Supplies what is lacking; where pkg_resources is not installed, Chainer's own import says so."""
    _supply_sctypes()
    with warnings.catch_warnings(), contextlib.suppress(ImportError):
        # Imported quietly, once, before Chainer does.
        warnings.simplefilter("ignore")
        _supply_system_info()
        importlib.import_module("pkg_resources")
