"""One layer as the original eBNN's generator prints it: arrays of its header, and the function that calls its C."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import LoweringError

_LAYER_FUNCTIONS: Mapping[str, str] = {
    "l_conv_bn_bst": "fconv_layer",
    "l_conv_pool_bn_bst": "fconv_layer",
    "l_b_conv_bn_bst": "bconv_layer",
    "l_b_conv_pool_bn_bst": "bconv_layer",
    "l_b_linear_bn_bst": "blinear_layer",
    "l_b_linear_bn_softmax": "blinear_sm_layer",
}


def float_array(values: Any, name: str) -> str:
    """Returns ``float NAME[n] = {…};`` of an array of any shape, each value as short as reads back the same."""
    flat = np.asarray(values).ravel()
    return f"float {name}[{flat.size}] = {{{','.join(map(str, flat))}}};"


def byte_array(rows: Any, name: str, pad: str = "0") -> str:
    """Returns ``uint8_t NAME[n] = {…};`` of rows of 0 and 1, each packed into whole bytes, most significant bit first.

    Args:
        rows: (rows, bits), numbers that are 0 or 1.
        name: of the array.
        pad: "0" or "1", what fills the last byte of each row.
    """
    packed: list[str] = []
    for row in np.asarray(rows):
        digits = "".join(str(int(bit)) for bit in row)
        digits = digits.ljust(-(-len(digits) // 8) * 8, pad)
        packed += [str(int(digits[i : i + 8], 2)) for i in range(0, len(digits), 8)]
    return f"uint8_t {name}[{len(packed)}] = {{{','.join(packed)}}};"


def layer_text(link: Any, index: int, shape: Sequence[int]) -> str:
    """Returns the layer's part of a header of eBNN's.

    Args:
        link: a block with its parameters, on the CPU.
        index: of the layer in the network; it is part of every name.
        shape: of its input, (n, channels, rows, columns), or (n, inputs).

    Raises LoweringError where eBNN's C has no such layer.
    """
    function = _function_of(link)
    name = f"{link.cname}{index}"
    linear, linear_name = _linear(link)
    weights = linear.W.array >= 0
    per_channel = function == "bconv_layer"
    rows = weights.reshape(weights.shape[0] * weights.shape[1] if per_channel else weights.shape[0], -1)
    arrays = {
        f"{linear_name}_b": np.zeros(len(weights), np.float32) if linear.b is None else linear.b.array,
        "bn_beta": link.bn.beta.array,
        "bn_gamma": link.bn.gamma.array,
        "bn_mean": link.bn.avg_mean,
        "bn_std": np.sqrt(link.bn.avg_var),
    }
    lines = [float_array(values, f"{name}_{key}") for key, values in arrays.items()]
    lines.insert(1, byte_array(rows, f"{name}_{linear_name}_W", "1"))
    used = [f"{name}_{key}" for key in (f"{linear_name}_b", "bn_gamma", "bn_beta", "bn_mean", "bn_std")]
    numbers = _conv_numbers(link, shape) if weights.ndim == 4 else (1, weights.shape[1], weights.shape[0])
    call = ", ".join(["input", f"{name}_{linear_name}_W", "output", *used, *map(str, numbers)])
    taken = "float" if function == "fconv_layer" else "uint8_t"
    return "\n".join([*lines, f"void {name}({taken}* input, uint8_t* output){{", f"  {function}({call});", "}", "", ""])


def parameter_bytes(link: Any) -> int:
    """Returns the bytes of a layer's arrays in a header of eBNN's. Raises LoweringError as :func:`layer_text` does."""
    function = _function_of(link)
    shape = _linear(link)[0].W.shape
    rows, bits = (shape[1], shape[2:]) if function == "bconv_layer" else (1, shape[1:])
    return int(shape[0] * (rows * -(-math.prod(bits) // 8) + 5 * 4))  # five floats beside the weights


def _function_of(link: Any) -> str:
    function = _LAYER_FUNCTIONS.get(link.cname)
    if function is None or link.binary_input == (function == "fconv_layer"):
        raise LoweringError(
            f"{type(link).__name__} has no counterpart in eBNN's own C: use generate_c(filename, shape) of the network"
        )
    return function


def _linear(link: Any) -> tuple[Any, str]:
    return (link.bconv, "bconv") if hasattr(link, "bconv") else (link.bl, "bl")


def _conv_numbers(link: Any, shape: Sequence[int]) -> tuple[int, ...]:
    outputs, channels, *kernel = link.bconv.W.shape
    size, stride, pad = link.pool.window if hasattr(link, "pool") else ((1, 1), (1, 1), (0, 0))
    window = (*kernel, *link.bconv.stride, *link.bconv.pad, *size, *stride, *pad)
    return (1, outputs, *shape[2:4], channels, *window)
