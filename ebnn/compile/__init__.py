"""Network → Plan → C: which kernels run it on a core, what that takes, and the header that says so.

The room can be called: ``ebnn.compile(network)`` gives the network in machine code of this computer. A function of that
name beside the room would vanish from ``ebnn`` as soon as anything imported the room.
"""

import sys
import types
from typing import TYPE_CHECKING

from . import shortcuts as shortcuts
from .header import flash_bytes, header_text, write_header

if TYPE_CHECKING:
    from ..model.network import Network
    from .linux.shared_library import CompiledNetwork

__all__ = ["flash_bytes", "header_text", "write_header"]


class _Room(types.ModuleType):
    """This package, as something that can be called."""

    def __call__(self, network: "Network", *, threads: int = 1, path: str | None = None) -> "CompiledNetwork":
        """Compiles ``network``: see `ebnn.compile.linux.shared_library.compile_network`."""
        from .linux.shared_library import compile_network

        return compile_network(network, threads=threads, path=path)


sys.modules[__name__].__class__ = _Room
