"""Rounding to 8-bit numbers, with straight-through gradients."""

from __future__ import annotations

from typing import Any

import chainer
import numpy as np
from chainer.utils import type_check

Array = Any
Variable = Any

LARGEST_WEIGHT = 127  # symmetric: −128 is not used, so that a filter can be negated


class QuantizeWeights(chainer.FunctionNode):  # type: ignore[misc]
    """``W`` in whole steps, (outputs, …) and (outputs,); the gradient passes unchanged, as no weight is clipped."""

    def __init__(self, steps: Array) -> None:
        self.steps = steps

    def check_type_forward(self, in_types: Any) -> None:
        type_check._argname(in_types, ("W",))
        type_check.expect(in_types[0].dtype.kind == "f", in_types[0].ndim >= 2)

    def forward(self, inputs: tuple[Array]) -> tuple[Array]:
        (w,) = inputs
        steps = _by_output(self.steps, w)
        return ((np.rint(w / steps) * steps).astype(w.dtype, copy=False),)

    def backward(self, indexes: tuple[int, ...], grad_outputs: tuple[Variable]) -> tuple[Variable]:
        return grad_outputs


def weight_steps(W: Array, per_output: bool = True) -> Array:
    """Returns the step of symmetric 8-bit weights, (outputs,) float32: 127 steps are the largest magnitude.

    Args:
        W: (outputs, …) float32.
        per_output: for each output a step of its own, else one for all. Where all weights are 0, it is 1.
    """
    largest = np.abs(W).reshape(len(W), -1).max(axis=1)
    if not per_output:
        largest = np.full_like(largest, largest.max())
    steps: Array = np.where(largest > 0, largest / np.float32(LARGEST_WEIGHT), np.float32(1)).astype(np.float32)
    return np.maximum(steps, np.finfo(np.float32).tiny)


def integer_weights(W: Array, steps: Array) -> Array:
    """Returns 8-bit weights, int8 in the shape of ``W`` (outputs, …), for ``steps`` (outputs,)."""
    return np.clip(np.rint(W / _by_output(steps, W)), -LARGEST_WEIGHT, LARGEST_WEIGHT).astype(np.int8)


def quantize_weights(W: Variable, steps: Array) -> Variable:
    """Returns weights (outputs, …) rounded to whole ``steps`` (outputs,); the gradient passes straight through.

    Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
    arXiv 1712.05877 (2018), section 3.
    """
    return QuantizeWeights(steps).apply((W,))[0]


class Quantize(chainer.FunctionNode):  # type: ignore[misc]
    """``clip(rint(x · high / exp(log_range)), low, high)``; the gradient is that of the clip alone."""

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high

    def check_type_forward(self, in_types: Any) -> None:
        type_check._argname(in_types, ("x", "log_range"))
        type_check.expect(in_types[0].dtype.kind == "f", in_types[1].dtype.kind == "f", in_types[1].ndim == 0)

    def forward(self, inputs: tuple[Array, Array]) -> tuple[Array]:
        self.retain_inputs((0, 1))
        x, log_range = inputs
        y = x * self._factor(x, log_range)
        np.rint(y, out=y)
        np.clip(y, self.low, self.high, out=y)
        return (y,)

    def backward(self, indexes: tuple[int, ...], grad_outputs: tuple[Variable]) -> tuple[Variable, Variable]:
        x, log_range = (variable.array for variable in self.get_retained_inputs())
        factor = self._factor(x, log_range)
        scaled = x * factor
        gy = grad_outputs[0].array * ((scaled >= self.low) & (scaled <= self.high))
        grange = np.asarray(-(gy * scaled).sum(dtype=np.float64), log_range.dtype)
        gy *= factor
        return chainer.as_variable(gy), chainer.as_variable(grange)

    def _factor(self, x: Array, log_range: Array) -> Any:
        return x.dtype.type(self.high * np.exp(-np.float64(log_range)))


def quantize(x: Variable, log_range: Variable, low: int, high: int) -> Variable:
    """Returns ``x`` as whole numbers from ``low`` to ``high``, of which ``high`` stands for ``exp(log_range)``.

    The gradient passes straight through inside the range, and the range learns from it: what is clipped widens it, as
    the layer behind divides by its own scale. Choi et al., "PACT", arXiv 1805.06085 (2018); that the logarithm is
    learned keeps the range positive and its steps in proportion: Jain et al., "Trained Quantization Thresholds",
    arXiv 1903.08066 (2019), section 3.

    Args:
        x: float of any shape.
        log_range: () float32.
    """
    return Quantize(low, high).apply((x, log_range))[0]


def _by_output(steps: Array, w: Array) -> Array:
    return steps.reshape(-1, *[1] * (w.ndim - 1))
