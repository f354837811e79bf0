"""Batch normalisation."""

from __future__ import annotations

from typing import Any

import chainer.links as L
import numpy as np


class BatchNormalization(L.BatchNormalization):  # type: ignore[misc]
    """Chainer's batch normalisation with eBNN's settings, decay 0.9 and eps 2e-5, in float32.

    In test mode it takes the running statistics and leaves them as they are. Ioffe and Szegedy, "Batch Normalization",
    arXiv 1502.03167 (2015).

    Args:
        size: number of channels; None, with ``axis``, where the first input decides.
        **kwargs: those of ``chainer.links.BatchNormalization``.
    """

    def __init__(self, size: int | None, **kwargs: Any) -> None:
        super().__init__(size, **({"decay": 0.9, "eps": 2e-5, "dtype": np.float32} | kwargs))
