"""The kernels of ``firmware/lib/ebnn``, in the order of preference: the first that takes a layer runs it."""

from . import conv, dense
from .columns import COLUMNS
from .kernel import Kernel
from .tables import TABLES

KERNELS: tuple[Kernel, ...] = (*conv.FLOAT_KERNELS, COLUMNS, TABLES, *conv.KERNELS, *dense.KERNELS)
