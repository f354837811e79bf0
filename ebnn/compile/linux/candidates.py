"""Networks of one shape, compiled once: their weights and constants change from call to call."""

from __future__ import annotations

import ctypes
import weakref

import numpy as np
from numpy.typing import NDArray

from ...errors import BuildError
from ...model.network import Network
from .program import ALIGNMENT, LinuxProgram, linux_program
from .shared_library import build_library


class _Network(ctypes.Structure):
    """``ebnn_linux_network_t``."""

    _fields_ = [
        ("hash", ctypes.c_char_p),
        ("layers", ctypes.c_void_p),
        ("layer_count", ctypes.c_uint32),
        ("classes", ctypes.c_uint32),
        ("sample_bytes", ctypes.c_uint64),
        ("constant_bytes", ctypes.c_uint64),
        ("constants", ctypes.c_void_p),
    ]


class CandidateRunner:
    """Runs networks of one shape in machine code: whoever changes `constants` changes the network.

    Attributes:
        program: of the network that it was made of; ``program.places`` says what lies where in the block.
        constants: the block of constants, uint8, that the next call of `scores` runs with.
    """

    def __init__(self, network: Network, threads: int = 1) -> None:
        """Builds the library of the shape, or finds it in the cache.

        Raises:
            BuildError: there is no compiler, it fails, or the library does not run here.
        """
        self.program: LinuxProgram = linux_program(network)
        self.classes = network.classes
        block = np.frombuffer(self.program.constants, np.uint8)
        memory = np.empty(len(block) + ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % ALIGNMENT
        self.constants: NDArray[np.uint8] = memory[start : start + len(block)]
        self.constants[:] = block
        self._library = build_library(network, constants=False)
        self._network = _Network.from_buffer_copy(_Network.in_dll(self._library, "net_network"))
        if self._network.constant_bytes != len(block):
            raise BuildError("the compiled shape has constants of another size: delete ebnn's cache")
        self._network.constants = self.constants.ctypes.data
        handle = ctypes.c_void_p()
        error = self._library.ebnn_linux_open(
            ctypes.byref(handle), ctypes.byref(self._network), None, ctypes.c_uint32(threads), None
        )
        if error:
            raise BuildError(f"the compiled shape cannot be opened: {self._library.ebnn_linux_error(error).decode()}")
        self._handle = handle
        self._close = weakref.finalize(self, self._library.ebnn_linux_close, handle)

    def scores(self, packed: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores, (n, classes) int32, of samples as `Network.pack_input` gives them, C-contiguous."""
        scores = np.empty((len(packed), self.classes), np.int32)
        samples, found = (ctypes.c_void_p(array.ctypes.data) for array in (packed, scores))
        self._library.ebnn_linux_scores(self._handle, samples, len(packed), found)
        return scores
