"""Linear functions with binary weights.

The gradient passes the sign of the weights unchanged. Sums are exact, whatever their order, while the input holds
integers and their absolute values under a kernel, or in a row, sum to less than 2**24.

Courbariaux, Bengio and David, "BinaryConnect", arXiv 1511.00363 (2015).
"""

from __future__ import annotations

from typing import Any

import chainer.functions as F
import numpy as np

from .binarization import sign, stochastic_sign
from .convolution import convolution_2d
from .unfolding import Pair

Variable = Any


def binarize_weights(W: Variable, random: np.random.Generator | None = None) -> Variable:
    """Returns the binary weights of latent ones, −1 and +1 in the shape of ``W``; the gradient passes unchanged.

    Args:
        W: latent weights, float32.
        random: where they are drawn from, +1 with probability ``clip((w + 1) / 2, 0, 1)``; None takes the signs.
    """
    return sign(W, "identity") if random is None else stochastic_sign(W, random, "identity")


def binary_linear(
    x: Variable, W: Variable, b: Variable | None = None, random: np.random.Generator | None = None
) -> Variable:
    """Returns ``x @ sign(W).T + b``.

    Args:
        x: (n, ...) float32; axes behind the first are flattened.
        W: (outputs, inputs) float32 latent weights.
        b: (outputs,) float32 or None.
        random: see :func:`binarize_weights`.

    Returns:
        (n, outputs) float32.
    """
    return F.linear(x, binarize_weights(W, random), b)


def binary_convolution_2d(
    x: Variable,
    W: Variable,
    b: Variable | None = None,
    stride: int | Pair = 1,
    pad: int | Pair = 0,
    random: np.random.Generator | None = None,
) -> Variable:
    """Returns the convolution of ``x`` with ``sign(W)``; a tap in the padding contributes 0.

    Args:
        x: (n, c, h, w) float32.
        W: (outputs, c, kh, kw) float32 latent weights.
        b: (outputs,) float32 or None.
        stride: of the kernel, a number or (vertical, horizontal).
        pad: zeros on each side, a number or (vertical, horizontal).
        random: see :func:`binarize_weights`.

    Returns:
        (n, outputs, out_h, out_w) float32.

    Raises:
        ValueError: the kernel does not fit into the padded image.
    """
    return convolution_2d(x, binarize_weights(W, random), b, stride, pad)
