"""The latent weights of binary layers, and their signs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .links import BinaryConvolution2D, BinaryLinear, QuantLayer

Parameter = Any


def latent_weights(model: Any) -> list[Parameter]:
    """Returns the parameters of ``model`` whose sign is a binary weight, always in the same order."""
    return [link.W for link in model.links() if _is_binary(link)]


def _is_binary(link: Any) -> bool:
    return isinstance(link, BinaryConvolution2D | BinaryLinear) or (isinstance(link, QuantLayer) and link.binary)


def weight_signs(model: Any) -> npt.NDArray[np.bool_]:
    """Returns which binary weights of ``model`` are +1, (weights,) bool; a float network has none."""
    signs = [(weights.array >= 0).ravel() for weights in latent_weights(model)]
    return np.concatenate(signs) if signs else np.zeros(0, np.bool_)
