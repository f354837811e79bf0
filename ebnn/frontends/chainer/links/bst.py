"""The binary activation."""

from __future__ import annotations

from typing import Any

import chainer
import numpy as np

from ..functions import get_estimator, sign, stochastic_sign
from .drawing import drawn_by


class BST(chainer.Link):  # type: ignore[misc]
    """Binary activation with a straight-through estimator; wraps :func:`ebnn.functions.sign`.

    Args:
        estimator: name of the pseudo-gradient.

    Attributes:
        estimator: as given.
        random: where :func:`ebnn.functions.stochastic_sign`, which replaces the sign while gradients are computed in
            train mode, takes its random numbers from; None, as built, for none.

    Raises:
        ValueError: no estimator has that name.
    """

    def __init__(self, estimator: str = "hard_tanh") -> None:
        super().__init__()
        get_estimator(estimator)
        self.estimator = estimator
        self.random: np.random.Generator | None = None

    def forward(self, x: Any) -> Any:
        """Returns -1 and +1 in the shape and dtype of ``x``."""
        random = drawn_by(self.random)
        return sign(x, self.estimator) if random is None else stochastic_sign(x, random, self.estimator)
