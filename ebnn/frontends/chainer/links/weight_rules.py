"""Rules by which a layer's float weights become those of the device: one object for each, in one table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import chainer.functions as F
import numpy as np
import numpy.typing as npt

from ....names import unknown_name
from ..functions import binarize_weights, integer_weights, quantize_weights, weight_steps

Array = Any
Variable = Any


class WeightRule(ABC):
    """How the latent weights W (outputs, …) float32 of a layer become whole numbers, and what one step of them is.

    Attributes:
        binary: whether they are −1 and +1.
    """

    binary: bool

    @abstractmethod
    def steps(self, W: Array) -> npt.NDArray[np.float32]:
        """Returns what a weight of 1 stands for, (outputs,) float32."""

    @abstractmethod
    def integers(self, W: Array) -> npt.NDArray[np.int8]:
        """Returns the weights of the device, int8 in the shape of ``W``; where `binary` they are −1 and +1."""

    @abstractmethod
    def values(self, W: Variable, random: np.random.Generator | None = None) -> Variable:
        """Returns integers · steps, float32 in the shape of ``W``, with straight-through gradients.

        ``random`` is where signs are drawn from, +1 with probability ``clip((w + 1) / 2, 0, 1)``; None takes them as
        they are.
        """


class Int8Weights(WeightRule):
    """Symmetric 8-bit weights; 127 is the largest magnitude of an output, or of the whole layer."""

    binary = False

    def __init__(self, per_output: bool) -> None:
        self.per_output = per_output

    def steps(self, W: Array) -> npt.NDArray[np.float32]:
        found: npt.NDArray[np.float32] = weight_steps(W, self.per_output)
        return found

    def integers(self, W: Array) -> npt.NDArray[np.int8]:
        found: npt.NDArray[np.int8] = integer_weights(W, self.steps(W))
        return found

    def values(self, W: Variable, random: np.random.Generator | None = None) -> Variable:
        return quantize_weights(W, self.steps(W.array))


class BinaryWeights(WeightRule):
    """The signs of latent weights. Courbariaux, Bengio and David, "BinaryConnect", arXiv 1511.00363 (2015).

    Where ``scaled``, times the mean magnitude of each output's latent weights: the binary-weight networks of Rastegari,
    Ordonez, Redmon and Farhadi, "XNOR-Net", arXiv 1603.05279 (2016), section 3.1.
    """

    binary = True

    def __init__(self, scaled: bool) -> None:
        self.scaled = scaled

    def steps(self, W: Array) -> npt.NDArray[np.float32]:
        if not self.scaled:
            return np.ones(len(W), np.float32)
        found: npt.NDArray[np.float32] = np.abs(W).reshape(len(W), -1).mean(axis=1, dtype=np.float32)
        return found

    def integers(self, W: Array) -> npt.NDArray[np.int8]:
        return np.where(W >= 0, 1, -1).astype(np.int8)

    def values(self, W: Variable, random: np.random.Generator | None = None) -> Variable:
        signs = binarize_weights(W, random)
        if not self.scaled:
            return signs
        return F.scale(signs, F.mean(F.absolute(F.reshape(W, (len(W), -1))), axis=1), axis=0)


WEIGHT_RULES: dict[str, WeightRule] = {
    "int8": Int8Weights(per_output=True),
    "int8-layer": Int8Weights(per_output=False),
    "binary": BinaryWeights(scaled=False),
    "bwn": BinaryWeights(scaled=True),
}
"""Names of rules: 8-bit by output, 8-bit by layer, signs, signs times their mean magnitude."""


def weight_rule(name: str) -> WeightRule:
    """Returns the rule called ``name``. Raises UnknownNameError."""
    if name not in WEIGHT_RULES:
        raise unknown_name("kind of weights", name, WEIGHT_RULES)
    return WEIGHT_RULES[name]
