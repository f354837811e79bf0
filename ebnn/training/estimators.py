"""Pseudo-gradients for the sign function: what training uses where the true derivative is zero.

Every estimator goes with the same forward rule, ``sign(x) = +1 if x >= 0 else -1``, and differs in the gradient that
it lets pass to ``x``. It is a function of two arrays of one shape and dtype, NumPy's or such as NumPy's functions take:
the input ``x`` of the sign and the gradient ``gy`` that arrives at its output; it returns the gradient for ``x``, again
of that shape and dtype. A new one is added by decorating a function with :func:`estimator`; its name is then known to
:func:`ebnn.functions.sign` and to every block. No framework is imported here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..names import unknown_name

Array = Any
Estimator = Callable[[Array, Array], Array]

_estimators: dict[str, Estimator] = {}


def estimator(function: Estimator) -> Estimator:
    """Makes ``function`` known as an estimator under its own name, and returns it."""
    _estimators[function.__name__] = function
    return function


def estimator_names() -> tuple[str, ...]:
    """Returns the names of all known estimators, in the order in which they were added."""
    return tuple(_estimators)


def get_estimator(name: str) -> Estimator:
    """Returns the estimator called ``name``.

    Raises:
        UnknownNameError: there is none of that name; the message lists those there are.
    """
    if name not in _estimators:
        raise unknown_name("estimator", name, _estimators)
    return _estimators[name]


@estimator
def identity(x: Array, gy: Array) -> Array:
    """Straight-through: ``gx = gy``.

    For weights, which the optimiser keeps bounded itself. Bengio, Léonard and Courville, "Estimating or Propagating
    Gradients Through Stochastic Neurons for Conditional Computation", arXiv 1308.3432 (2013).
    """
    return gy


@estimator
def hard_tanh(x: Array, gy: Array) -> Array:
    """Straight-through inside a window: ``gx = gy`` where ``|x| <= 1``, else 0; the derivative of hard tanh.

    The estimator of eBNN. Hubara, Courbariaux, Soudry, El-Yaniv and Bengio, "Binarized Neural Networks",
    arXiv 1602.02830 (2016).
    """
    return gy * (abs(x) <= 1)


@estimator
def approx_sign(x: Array, gy: Array) -> Array:
    """Triangular window: ``gx = gy * (2 - 2|x|)`` where ``|x| <= 1``, else 0; the derivative of a piecewise quadratic.

    Liu, Wu, Luo, Yang, Liu and Cheng, "Bi-Real Net", arXiv 1808.00278 (2018).
    """
    window = abs(x)
    window *= -2
    window += 2
    return gy * np.maximum(window, 0, out=window)


SWISH_BETA = 5.0
"""The sharpness that the BNN+ paper uses in its experiments."""


@estimator
def swish_sign(x: Array, gy: Array) -> Array:
    """Derivative of the SignSwish: ``gx = gy * b(2 - bx tanh(bx/2)) / (1 + cosh(bx))`` with ``b = 5``.

    Unlike the windows it is negative for ``|x|`` beyond about 0.48 and pushes values outwards there.
    Darabi, Belbahri, Courbariaux and Partovi Nia, "BNN+: Improved Binary Network Training", arXiv 1812.11800 (2018).
    """
    # Beyond 30 the factor is below 1e-10; the clip keeps cosh from overflowing float32.
    bx = np.clip(x * SWISH_BETA, -30, 30)
    return gy * (SWISH_BETA * (2 - bx * np.tanh(bx / 2)) / (1 + np.cosh(bx)))


@estimator
def tanh(x: Array, gy: Array) -> Array:
    """Smooth window without an edge: ``gx = gy * (1 - tanh(x)^2)``.

    The error decay estimator of IR-Net held at ``k = t = 1``. Qin, Gong, Liu, Shen, Wei, Yu and Song, "Forward and
    Backward Information Retention for Accurate Binary Neural Networks", arXiv 1909.10788 (2020).
    """
    window = np.tanh(x)
    window *= -window
    window += 1
    return gy * window
