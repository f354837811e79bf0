"""Figures of a compiled network as attributes of Network, which knows no kernel: ``arena_bytes``, ``avr_arena_bytes``.

Importing ``ebnn`` and using a Network by it imports this module.
"""

from ..model.network import Network
from .plan import arena_plan
from .target import AVR, WORDS


def _arena_bytes(network: Network) -> int:
    """Bytes of RAM for the input, the activations and what the kernels need beside them, on cores of 32 bits."""
    return arena_plan(network, WORDS).arena_bytes


def _avr_arena_bytes(network: Network) -> int:
    """Bytes of RAM for the input, the activations and what the kernels need beside them, on an AVR."""
    return arena_plan(network, AVR).arena_bytes


for _name, _function in (("arena_bytes", _arena_bytes), ("avr_arena_bytes", _avr_arena_bytes)):
    setattr(Network, _name, property(_function))
