"""The sign of an array, as -1 and +1, with a pseudo-gradient."""

from __future__ import annotations

from typing import Any

import chainer
from chainer.utils import type_check

from .estimators import Estimator, get_estimator

Array = Any
Variable = Any


class Sign(chainer.FunctionNode):  # type: ignore[misc]
    """``y = +1`` where ``x >= 0``, else ``-1``; the gradient is the estimator's. It has no second derivative."""

    def __init__(self, estimator: Estimator) -> None:
        self.estimator = estimator

    def check_type_forward(self, in_types: Any) -> None:
        type_check._argname(in_types, ("x",))
        type_check.expect(in_types[0].dtype.kind == "f")

    def forward(self, inputs: tuple[Array]) -> tuple[Array]:
        self.retain_inputs((0,))
        y = (inputs[0] >= 0).astype(inputs[0].dtype)
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
