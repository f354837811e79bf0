"""Simulated boards in tests: what they need, and what happens without it."""

import pytest

from ebnn.boards import load_board

from .c_networks import require

_TOOLS = {
    "avr": ("avr-gcc", "cc"),
    "cortex-m0": ("arm-none-eabi-gcc", "qemu-system-arm"),
    "cortex-m3": ("arm-none-eabi-gcc", "qemu-system-arm"),
    "cortex-m4": ("arm-none-eabi-gcc", "qemu-system-arm"),
    "rv32": ("riscv64-unknown-elf-gcc", "qemu-system-riscv32"),
}


def require_board(name: str, request: pytest.FixtureRequest) -> None:
    """Sees that a simulated board can be built and run here; the test is skipped, or fails, where it can't."""
    board = load_board(name)
    for tool in _TOOLS[str(board.core)]:
        require(tool)
    if board.simulator == "simavr":
        request.getfixturevalue("platformio_core")
