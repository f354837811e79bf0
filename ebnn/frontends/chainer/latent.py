"""The latent weights of binary layers, and their signs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .links import BinaryConvolution2D, BinaryLinear, QuantLayer

Parameter = Any


def latent_weights(model: Any) -> list[Parameter]:
    """Returns the parameters of ``model`` whose sign is a binary weight, always in the same order."""
    return [link.W for link in binary_layers(model)]


def binary_layers(model: Any) -> list[Any]:
    """Returns the links of ``model`` whose weights are the signs of latent ones, always in the same order."""
    return [link for link in model.links() if _is_binary(link)]


def rate_scales(model: Any) -> list[float]:
    """Returns by how much the learning rate of each of `latent_weights` may grow, its inverse Glorot coefficient.

    ``sqrt((inputs + outputs) / 1.5)``, both times the kernel's area. Courbariaux, Bengio and David, "BinaryConnect",
    arXiv 1511.00363 (2015), section 2.5.
    """
    shapes = [weights.shape for weights in latent_weights(model)]
    return [math.sqrt((shape[0] + shape[1]) * math.prod(shape[2:]) / 1.5) for shape in shapes]


def _is_binary(link: Any) -> bool:
    return isinstance(link, BinaryConvolution2D | BinaryLinear) or (isinstance(link, QuantLayer) and link.binary)


def weight_signs(model: Any) -> npt.NDArray[np.bool_]:
    """Returns which binary weights of ``model`` are +1, (weights,) bool; a float network has none."""
    signs = [(weights.array >= 0).ravel() for weights in latent_weights(model)]
    return np.concatenate(signs) if signs else np.zeros(0, np.bool_)
