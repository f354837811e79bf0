"""First weights, drawn from a distribution by its name."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...training.config import Init
from .framework import chainer

_INITIALIZERS: dict[Init, Any] = {
    "lecun": chainer.initializers.LeCunNormal,
    "glorot": chainer.initializers.GlorotUniform,
    "he": chainer.initializers.HeNormal,
}


def draw_weights(model: Any, name: Init, seed: int) -> None:
    """Draws the weights of every layer anew; ``numpy.random`` is left as it was.

    LeCun et al., "Efficient BackProp" (1998), normal; Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks" (2010), uniform; He et al., arXiv 1502.01852 (2015), normal.

    Args:
        model: chain whose layers have their sizes; latent and float weights ``W`` are changed, nothing else.
        name: of the distribution.
        seed: of the weights, below 2**32.
    """
    initializer = _INITIALIZERS[name](dtype=np.float32)
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        for _, link in sorted(model.namedlinks(), key=lambda each: each[0]):
            weights = getattr(link, "W", None)
            if weights is not None and weights.array is not None:
                initializer(weights.array)
    finally:
        np.random.set_state(state)
