"""Bytes of flash that an encoder's code takes in the serial firmware: what a build has more than one without it."""

from __future__ import annotations

from ..model.network import Network

_CODE = {
    "avr": {("affine", "float"): 1128, ("affine", "int16"): 1248, ("thermometer", "float"): 422,
            ("thermometer", "int16"): 350},
    "cortex-m0": {("affine", "float"): 2608, ("affine", "int16"): 2736, ("thermometer", "float"): 564,
                  ("thermometer", "int16"): 500},
    "cortex-m3": {("affine", "float"): 1392, ("affine", "int16"): 1376, ("thermometer", "float"): 260,
                  ("thermometer", "int16"): 228},
    "cortex-m4": {("affine", "float"): 208, ("affine", "int16"): 208, ("thermometer", "float"): 260,
                  ("thermometer", "int16"): 244},
    "rv32": {("affine", "float"): 2936, ("affine", "int16"): 3208, ("thermometer", "float"): 300,
             ("thermometer", "int16"): 268},
}  # fmt: skip
"""By core, and by an encoder's name and the type of raw values; routines of the float library are in it."""


def encoder_code_bytes(network: Network, core: str) -> int:
    """Bytes of code that a network's encoder takes on a core of `ebnn.boards`' costs; 0 without an encoder.

    Of a core that was not measured, the most that any takes.
    """
    if network.encoder is None:
        return 0
    which = network.encoder.name, network.encoder.raw
    if core in _CODE:
        return _CODE[core][which]
    return max(sizes[which] for sizes in _CODE.values())
