"""What the tests of the boards in QEMU have in common."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest
from support.c_networks import require

from ebnn.boards import board_names, load_board
from ebnn.simulation.bare import build_bare

NAMES = [name for name in board_names() if load_board(name).simulator == "qemu"]
PROBE = Path(__file__).parent / "probe_network.h"
STRICT = ["-std=c99", "-Os", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-Wcast-align=strict"]

# As in probe_network.h.
LOOP, UNALIGNED, WILD, STACK, SUM, STATIC = range(6)


def require_board(name: str) -> None:
    """Skips the test where the board's compiler, its C library or QEMU is missing, unless skipping is forbidden."""
    board = load_board(name)
    assert board.bare is not None
    assert board.machine is not None
    compiler = require(f"{board.bare.tools}gcc")
    require(board.machine.emulator)
    found = subprocess.run([compiler, "-print-file-name=picolibc.specs"], capture_output=True, text=True, check=True)
    if not Path(found.stdout.strip()).is_absolute():
        message = f"picolibc is not installed for {compiler}"
        pytest.fail(message) if os.environ.get("EBNN_NO_SKIP") else pytest.skip(message)


def build_probe(name: str, folder: Path) -> Path:
    """The responder with the probe for a network; ``folder`` gets what each function takes of the stack as well."""
    return build_bare(load_board(name), PROBE, folder, flags=[*STRICT, "-fstack-usage"])


def probe(what: int, amount: int = 0, rest: bytes = bytes(255)) -> bytes:
    """A sample for the probe."""
    return struct.pack("<BI", what, amount) + rest
