"""C text of constant arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LINE = 110  # characters of a line of values

_C_TYPES = {
    "uint8": "uint8_t",
    "uint16": "uint16_t",
    "uint32": "uint32_t",
    "int16": "int16_t",
    "int32": "int32_t",
    "float32": "float",
}


def constant_array(name: str, values: NDArray[Any], comment: str) -> str:
    """``values`` (any shape, flattened) as a constant array in flash; ``comment`` says its shape."""
    flat = np.ascontiguousarray(values).ravel()
    lines = [""]
    for literal in map(_literal, flat):
        if lines[-1] and len(lines[-1]) + len(literal) > LINE:
            lines.append("")
        lines[-1] += literal + ", "
    body = "\n".join("    " + line.rstrip() for line in lines).rstrip(",")
    c_type = _C_TYPES[flat.dtype.name]
    return f"/* {comment} */\nstatic const {c_type} {name}[{len(flat)}] EBNN_FLASH = {{\n{body}\n}};\n"


def _literal(value: Any) -> str:
    if isinstance(value, np.uint32):
        return f"0x{value:08X}ul"
    if isinstance(value, np.uint8):
        return f"0x{value:02X}"
    if isinstance(value, np.float32):
        return float_literal(value)
    if value == -(2**31):
        return "(-2147483647l - 1)"  # 2147483648 does not fit the type of its own literal
    return f"{value}l" if isinstance(value, np.int32) else str(value)


def float_literal(value: float | np.float32) -> str:
    """``value`` as a constant of C's type float, rounded to float32."""
    text = f"{np.float32(value):.9g}"
    return (text if "." in text or "e" in text else text + ".0") + "f"
