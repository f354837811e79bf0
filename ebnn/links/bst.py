"""The binary activation."""

from __future__ import annotations

from typing import Any

import chainer

from ..functions import get_estimator, sign


class BST(chainer.Link):  # type: ignore[misc]
    """Binary activation with a straight-through estimator; wraps :func:`ebnn.functions.sign`.

    Args:
        estimator: name of the pseudo-gradient.

    Raises:
        ValueError: no estimator has that name.
    """

    def __init__(self, estimator: str = "hard_tanh") -> None:
        super().__init__()
        get_estimator(estimator)
        self.estimator = estimator

    def forward(self, x: Any) -> Any:
        """Returns -1 and +1 in the shape and dtype of ``x``."""
        return sign(x, self.estimator)
