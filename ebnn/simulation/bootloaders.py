"""The bootloaders of AVR boards, from Debian's Arduino core."""

from __future__ import annotations

from pathlib import Path

from ebnn.boards import Board, board_names, load_board
from ebnn.errors import PortError

_FOLDER = Path("/usr/share/arduino/hardware/arduino/avr/bootloaders")


def find_bootloader(board: Board) -> Path:
    """The bootloader's Intel hex file.

    Raises `ebnn.errors.PortError` for a board that has none here, or where it is not installed.
    """
    if board.bootloader is None:
        there = [name for name in board_names() if load_board(name).bootloader is not None]
        raise PortError(f"there is no bootloader for board {board.name!r}; there is one for {', '.join(there)}")
    path = _FOLDER / board.bootloader
    if not path.is_file():
        raise PortError(
            f"{path} is missing, {board.name}'s bootloader\n  Debian, Ubuntu:  sudo apt install arduino-core-avr"
        )
    return path
