"""Bounds for latent weights."""

from __future__ import annotations

from typing import Any

from ..links import BinaryConvolution2D, BinaryLinear


class ClipWeights:
    """Optimizer hook that keeps the latent weights of binary layers within [-1, 1], after every update."""

    name = "ClipWeights"
    call_for_each_param = False
    timing = "post"

    def __call__(self, optimizer: Any) -> None:
        for link in optimizer.target.links():
            if isinstance(link, BinaryConvolution2D | BinaryLinear):
                weights = link.W.array
                weights.clip(-1, 1, out=weights)
