"""The kernels of ``firmware/lib/ebnn``: which of them runs a layer, its scratch, and the constants of its own."""

from .choice import ARITHMETICS, GROUP, OPTIMIZE, Arithmetic, Optimize, kernel_functions, layer_kernel, scratch_bytes

__all__ = [
    "ARITHMETICS",
    "GROUP",
    "OPTIMIZE",
    "Arithmetic",
    "Optimize",
    "kernel_functions",
    "layer_kernel",
    "scratch_bytes",
]
