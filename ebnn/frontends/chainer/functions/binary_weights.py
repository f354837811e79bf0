"""Linear functions with binary weights.

The gradient passes the sign of the weights unchanged. Sums are exact, whatever their order, while the input holds
integers and their absolute values under a kernel, or in a row, sum to less than 2**24.

Courbariaux, Bengio and David, "BinaryConnect", arXiv 1511.00363 (2015).
"""

from __future__ import annotations

from typing import Any

import chainer.functions as F

from .binarization import sign
from .convolution import convolution_2d
from .unfolding import Pair

Variable = Any


def binary_linear(x: Variable, W: Variable, b: Variable | None = None) -> Variable:
    """Returns ``x @ sign(W).T + b``.

    Args:
        x: (n, ...) float32; axes behind the first are flattened.
        W: (outputs, inputs) float32 latent weights.
        b: (outputs,) float32 or None.

    Returns:
        (n, outputs) float32.
    """
    return F.linear(x, sign(W, "identity"), b)


def binary_convolution_2d(
    x: Variable,
    W: Variable,
    b: Variable | None = None,
    stride: int | Pair = 1,
    pad: int | Pair = 0,
) -> Variable:
    """Returns the convolution of ``x`` with ``sign(W)``; a tap in the padding contributes 0.

    Args:
        x: (n, c, h, w) float32.
        W: (outputs, c, kh, kw) float32 latent weights.
        b: (outputs,) float32 or None.
        stride: of the kernel, a number or (vertical, horizontal).
        pad: zeros on each side, a number or (vertical, horizontal).

    Returns:
        (n, outputs, out_h, out_w) float32.

    Raises:
        ValueError: the kernel does not fit into the padded image.
    """
    return convolution_2d(x, sign(W, "identity"), b, stride, pad)
