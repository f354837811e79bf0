"""Chainer's settings as the arithmetic needs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import chainer
import numpy as np

_EXACT = {"dtype": np.float32, "type_check": True, "use_ideep": "never", "lazy_grad_sum": False}
"""What decides sums or hides errors. The caller, CHAINER_DTYPE and its like may have set it to something else."""


@contextmanager
def exact_settings() -> Iterator[None]:
    """Computes in float32, on NumPy, with every type checked, as long as the context lasts."""
    with ExitStack() as stack:
        for name, value in _EXACT.items():
            stack.enter_context(chainer.using_config(name, value))
        yield
