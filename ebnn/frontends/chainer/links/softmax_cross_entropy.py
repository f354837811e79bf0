"""The loss of a classifier."""

from __future__ import annotations

from typing import Any

import chainer
import chainer.functions as F


class SoftmaxCrossEntropy(chainer.Link):  # type: ignore[misc]
    """Wraps ``chainer.functions.softmax_cross_entropy``; has no parameters."""

    def forward(self, x: Any, t: Any) -> Any:
        """Returns the mean cross entropy, () float32, of logits ``x`` (n, classes) and labels ``t`` (n,) int32."""
        return F.softmax_cross_entropy(x, t)
