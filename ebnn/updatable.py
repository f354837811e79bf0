"""Firmware that takes pushed networks: what it is built with, and the key that a push shows."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .boards import Board
from .errors import InputError

KEY_HEADER = "push_key.h"
"""What updatable firmware with a key includes."""

SOURCES = ("model.c", "push.c", "sha256.c", "store.c")
"""In ``firmware/src``: what updatable firmware has beside the responder."""

_SHORTEST_KEY = 16
_LONGEST_KEY = 65_536
_LARGEST_POOL = 65_536
_HOST_POOL = 1 << 20
_HAS_STORE = "mps2.c"
"""Of ``firmware/bare``: what brings a store of its own."""
_SMALL_FLASH = 65_536
_SMALL_KERNELS = sum(1 << kernel for kernel in (1, 7, 8, 9, 11, 12, 13, 25, 26))
"""Of boards with less flash: a convolution of bits, dense layers of bits, encoders."""
_POOL_SHARE = 3  # of a board's RAM, one part in so many


@dataclass(frozen=True)
class Updatable:
    """How updatable firmware is built.

    Attributes:
        key: (32 bytes) that a push must show; None takes every network.
        empty: whether the firmware has no network of its own.
        kernels: those of pushed networks, as ``EBNN_MODEL_KERNELS`` of ``ebnn/model.h`` has them, beside the usual ones
            of a board that has no room for all; a board that has the room gets all.
    """

    key: bytes | None = None
    empty: bool = False
    kernels: int = 0

    def flags(self, board: Board | None) -> tuple[str, ...]:
        """Returns the compiler's flags for a board; None is one that ebnn does not know."""
        return tuple(self._flags(board))

    def _flags(self, board: Board | None) -> Iterator[str]:
        yield "-DEBNN_UPDATABLE"
        if self.key is not None:
            yield "-DEBNN_KEYED"
        if self.empty:
            yield "-DEBNN_NO_NETWORK"
        if board is not None and (board.flash_bytes or _SMALL_FLASH) < _SMALL_FLASH:
            yield f"-DEBNN_MODEL_KERNELS=0x{self.kernels | _SMALL_KERNELS:x}ul"
        if board is None or board.core == "avr":
            return
        if board.bare is not None and _HAS_STORE in board.bare.sources:
            yield "-DEBNN_OWN_STORE"
        if board.simulator == "host":
            yield from ("-DEBNN_OWN_STORE", f"-DEBNN_POOL_BYTES={_HOST_POOL}")
        elif board.ram_bytes is not None:
            yield f"-DEBNN_POOL_BYTES={min(board.ram_bytes // _POOL_SHARE // 4 * 4, _LARGEST_POOL)}"

    def beside_example(self, board: Board) -> Updatable:
        """Returns it for firmware with ebnn's own network: empty on a board of little flash, which lacks the room."""
        return replace(self, empty=self.empty or (board.flash_bytes or _SMALL_FLASH) < _SMALL_FLASH)

    def write_key(self, folder: Path) -> None:
        """Writes the header that the firmware's key is in, where there is one."""
        if self.key is not None:
            numbers = ", ".join(map(str, self.key))
            header = folder / KEY_HEADER
            header.touch(mode=0o600)
            header.write_text(f"#define EBNN_PUSH_KEY {numbers}\n", encoding="ascii")


def read_key(path: Path) -> bytes:
    """Returns the key of a file, (32 bytes): the SHA-256 of what is in it.

    Raises InputError for a file that is too short to be a secret, or is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_KEY + 1)
    except OSError as error:
        raise InputError(f"the key file {path} cannot be read: {error.strerror}") from error
    if not _SHORTEST_KEY <= len(content) <= _LONGEST_KEY:
        raise InputError(
            f"{path} is no key file: one has {_SHORTEST_KEY} to {_LONGEST_KEY:,} bytes, as random as can be: "
            "head -c 32 /dev/urandom > key"
        )
    return hashlib.sha256(content).digest()


def tag(key: bytes, command: int, message: bytes) -> bytes:
    """Returns the (32 bytes) that show a board that whoever pushes has its key: HMAC-SHA-256 of command and message."""
    return hmac.digest(key, bytes([command]) + message, "sha256")
