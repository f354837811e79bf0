"""The kernels of ``firmware/lib/ebnn``, in the order of preference: the first that takes a layer runs it.

One file here for each header there that holds kernels, of the same name.
"""

from . import add, columns, conv, conv_float, dense, dense_float, depthwise, multiply, output, tables
from .kernel import Kernel

KERNELS: tuple[Kernel, ...] = (
    *conv_float.KERNELS,
    columns.COLUMNS,
    tables.TABLES,
    *conv.KERNELS,
    *dense_float.KERNELS,
    *dense.KERNELS,
    *output.KERNELS,
    *multiply.KERNELS,
    *depthwise.KERNELS,
    *add.KERNELS,
)
