"""When random numbers make signs stochastic."""

from __future__ import annotations

import chainer
import numpy as np


def drawn_by(random: np.random.Generator | None) -> np.random.Generator | None:
    """Returns ``random`` while gradients are computed in train mode, else None.

    Statistics and evaluation take signs, as the device does.
    """
    return random if chainer.config.train and chainer.config.enable_backprop else None
