"""Bop, an optimizer that flips binary weights instead of moving latent ones.

Helwegen, Widdicombe, Geiger, Liu, Cheng and Nusselder, "Latent Weights Do Not Exist: Rethinking Binarized Neural
Network Optimization", arXiv 1906.02107 (2019), algorithm 1.
"""

from __future__ import annotations

from typing import Any

from .framework import chainer
from .latent import latent_weights

Parameter = Any


class BopRule(chainer.UpdateRule):  # type: ignore[misc]
    """Keeps ``m = (1 - gamma) m + gamma gradient``; a weight flips where ``m`` has its sign and ``|m| >= threshold``.

    The first update makes -1 and +1 of the weights. ``gamma`` is the hyperparameter ``bop_rate`` times ``alpha``, so it
    follows Adam's learning rate.

    Args:
        hyperparam: the optimizer's: ``alpha``, ``bop_rate`` and ``bop_threshold``.
    """

    def init_state(self, param: Parameter) -> None:
        with chainer.using_device(param.device):
            self.state["m"] = param.device.xp.zeros_like(param.array)

    def update_core(self, param: Parameter) -> None:
        gradient = param.grad
        if gradient is None:
            return
        xp = param.device.xp
        m, weights = self.state["m"], param.array
        m += self.hyperparam.alpha * self.hyperparam.bop_rate * (gradient - m)
        signs = xp.where(weights >= 0, weights.dtype.type(1), weights.dtype.type(-1))
        weights[...] = xp.where(signs * m >= self.hyperparam.bop_threshold, -signs, signs)


class Bop(chainer.optimizers.Adam):  # type: ignore[misc]
    """Bop for the weights of binary layers, Adam for every other parameter.

    Args:
        alpha: Adam's learning rate. Gamma is scaled with it where it is changed later.
        gamma: share of the newest gradient in the moving average, above 0, up to 1.
        threshold: how large the average must be for a weight to flip, above 0.
    """

    def __init__(self, alpha: float, gamma: float, threshold: float) -> None:
        super().__init__(alpha)
        self.hyperparam.bop_rate = gamma / alpha
        self.hyperparam.bop_threshold = threshold

    def setup(self, link: Any) -> Bop:
        super().setup(link)
        for weights in latent_weights(link):
            weights.update_rule = BopRule(self.hyperparam)
        return self
