"""The bootloaders of AVR boards, from Debian's Arduino core."""

from __future__ import annotations

from pathlib import Path

from ebnn.boards import Board
from ebnn.errors import PortError

_FOLDER = Path("/usr/share/arduino/hardware/arduino/avr/bootloaders")
_ATMEGA_BOOT = "atmega/ATmegaBOOT_168_atmega328.hex"
# Each speaks to avrdude the protocol that PlatformIO's board of that name asks for. An Uno has optiboot, but Debian's
# build of it is 20 bytes longer than its section of the flash; the Nano's bootloader speaks the same protocol.
_FILES = {
    "uno": _ATMEGA_BOOT,  # arduino
    "nanoatmega328": _ATMEGA_BOOT,  # arduino
    "megaatmega2560": "stk500v2/stk500boot_v2_mega2560.hex",  # wiring
}


def find_bootloader(board: Board) -> Path:
    """The bootloader's Intel hex file.

    Raises `ebnn.errors.PortError` for a board that has none here, or where it is not installed.
    """
    if board.name not in _FILES:
        raise PortError(
            f"there is no bootloader for board {board.name!r}; there is one for {', '.join(sorted(_FILES))}"
        )
    path = _FOLDER / _FILES[board.name]
    if not path.is_file():
        raise PortError(
            f"{path} is missing, {board.name}'s bootloader\n  Debian, Ubuntu:  sudo apt install arduino-core-avr"
        )
    return path
