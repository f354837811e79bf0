"""Post-training quantization of a float chain."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...errors import LoweringError, NetworkError
from ...model.kinds import Input, InputKind
from ...model.samples import check_samples
from ...training.quantization import Quantized, quantize_layers, run_float
from .float_layers import float_layers, steps
from .framework import chainer
from .functions import exact_settings

CHECKED_SAMPLES = 4


def quantize(chain: Any, samples: ArrayLike, input_kind: InputKind | None = None) -> Quantized:
    """Returns the network of 8 bits that a float chain becomes, and what that did to each layer.

    Args:
        chain: see :func:`ebnn.frontends.chainer.float_layers.float_layers`. It is not changed.
        samples: that calibrate it, (n, channels, height, width), a few hundred of those it was trained on.
        input_kind: what the chain was trained on: "uint8", "int8", "bits" or "float". The default is the chain's own;
            without one, the type of the samples. A "float" network takes raw samples by an encoder.

    Raises:
        LoweringError: the chain has a step that the device has not, or its layers do something else than their kinds.
        InputError: samples of the wrong shape, type or range, or none.
    """
    array = np.asarray(samples)
    kind = (
        input_kind or getattr(chain, "input_kind", None) or ("float" if array.dtype.kind == "f" else array.dtype.name)
    )
    try:
        taken = Input(kind, array.shape[1:])  # type: ignore[arg-type]
        array = check_samples(taken, array)
        layers = float_layers(chain, taken.shape)
        _check_layers(chain, taken, array, layers)
        return quantize_layers(layers, taken, array)
    except NetworkError as error:
        raise LoweringError(str(error)) from None


def _check_layers(chain: Any, taken: Input, samples: Any, layers: Any) -> None:
    """Holds the layers against the chain's own forward, or that of its steps."""
    x = taken.values.as_numbers(samples[:CHECKED_SAMPLES])
    h: Any = x
    with exact_settings(), chainer.using_config("train", False), chainer.no_backprop_mode():
        for step in [chain] if isinstance(chain, chainer.Link) else steps(chain):
            h = step(h)
    logits = np.asarray(h.array).reshape(len(x), -1)
    found = run_float(layers, x)
    if found.shape != logits.shape or np.abs(found - logits).max() > 1e-3 * max(1.0, float(np.abs(logits).max())):
        name = type(chain).__name__ if isinstance(chain, chainer.Link) else "the chain"
        raise LoweringError(f"{name} does something else than its layers in their order")
