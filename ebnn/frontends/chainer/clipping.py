"""Bounds for latent weights."""

from __future__ import annotations

from typing import Any

from .latent import latent_weights


class ClipWeights:
    """Optimizer hook that keeps the latent weights of binary layers within [-1, 1], after every update."""

    name = "ClipWeights"
    call_for_each_param = False
    timing = "post"

    def __call__(self, optimizer: Any) -> None:
        for weights in latent_weights(optimizer.target):
            weights.array.clip(-1, 1, out=weights.array)
