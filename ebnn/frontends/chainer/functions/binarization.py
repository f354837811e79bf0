"""The sign of an array, as -1 and +1, deterministic or stochastic, with a pseudo-gradient."""

from __future__ import annotations

from typing import Any

import chainer
import numpy as np
from chainer.utils import type_check

from ....training.estimators import Estimator, get_estimator

Array = Any
Variable = Any


class Sign(chainer.FunctionNode):  # type: ignore[misc]
    """``y = +1`` where ``x >= threshold``, else ``-1``; the gradient is the estimator's, with no further derivative."""

    def __init__(self, estimator: Estimator, threshold: float | Array = 0) -> None:
        self.estimator = estimator
        self.threshold = threshold

    def check_type_forward(self, in_types: Any) -> None:
        type_check._argname(in_types, ("x",))
        type_check.expect(in_types[0].dtype.kind == "f")

    def forward(self, inputs: tuple[Array]) -> tuple[Array]:
        self.retain_inputs((0,))
        y = (inputs[0] >= self.threshold).astype(inputs[0].dtype)
        y *= 2
        y -= 1
        return (y,)

    def backward(self, indexes: tuple[int, ...], grad_outputs: tuple[Variable]) -> tuple[Variable]:
        (x,) = self.get_retained_inputs()
        return (chainer.as_variable(self.estimator(x.array, grad_outputs[0].array)),)


def sign(x: Variable, estimator: str = "hard_tanh") -> Variable:
    """Returns the sign of ``x`` as -1 and +1, with ``sign(0) = +1``, in the shape and dtype of ``x``.

    Args:
        x: variable or array of any shape, float.
        estimator: name of the pseudo-gradient, one of :func:`ebnn.functions.estimator_names`.

    Raises:
        ValueError: no estimator has that name.
    """
    return Sign(get_estimator(estimator)).apply((x,))[0]


def stochastic_sign(x: Variable, random: np.random.Generator, estimator: str = "hard_tanh") -> Variable:
    """Returns -1 and +1 drawn at random, in the shape and dtype of ``x``.

    +1 has the probability ``clip((x + 1) / 2, 0, 1)``, the hard sigmoid.
    Courbariaux, Hubara, Soudry, El-Yaniv and Bengio, "Binarized Neural Networks", arXiv 1602.02830 (2016), section 1.1.

    Args:
        x: variable or array of any shape, float, on the CPU.
        random: where the random numbers come from, one for each value.
        estimator: name of the pseudo-gradient, one of :func:`ebnn.functions.estimator_names`.

    Raises:
        ValueError: no estimator has that name.
    """
    array = chainer.as_variable(x).array
    threshold = np.empty_like(array, np.float32)  # in the memory order of x
    random.random(dtype=np.float32, out=threshold.ravel(order="K"))
    threshold *= -2
    threshold += 1  # above -1, up to +1
    return Sign(get_estimator(estimator), threshold).apply((x,))[0]
