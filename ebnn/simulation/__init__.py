"""Simulated boards: ``sim://<board>`` is a port like any other.

Importing this module teaches pySerial the scheme, so that ``serial.serial_for_url("sim://host?header=network.h")``
opens a simulated board; closing the port ends it. The board runs behind a pseudo terminal; on ``dtr`` going from false
to true it resets, as an Arduino does. On ``sim://host`` the firmware is compiled for this computer; AVR boards
(``sim://uno``) run what PlatformIO builds, cycle by cycle. `plugged_in` keeps a board at a port for other programs.
"""

from __future__ import annotations

import os
import urllib.parse
from pathlib import Path

import serial

from ebnn.c_compiler import find_compiler

from .avr import AvrStatistics, FunctionStatistics, SimavrSimulator
from .host_build import build_host
from .plugged import PluggedBoard, plugged_in

__all__ = [
    "AvrStatistics",
    "FunctionStatistics",
    "PluggedBoard",
    "SimavrSimulator",
    "board_url",
    "build_host",
    "find_compiler",
    "host_url",
    "plugged_in",
    "program_url",
]

if __name__ not in serial.protocol_handler_packages:
    serial.protocol_handler_packages.append(__name__)


def board_url(
    board: str, *, header: str | os.PathLike[str] | None = None, program: str | os.PathLike[str] | None = None
) -> str:
    """The URL of a simulated board.

    Args:
        board: its name, "host" or another of ``ebnn boards`` that has a simulator, or the path of a user's board file.
        header: an emitted header, compiled with the firmware each time the port is opened.
        program: what is compiled already, an ELF file.
    """
    paths = {"header": header, "program": program}
    query = urllib.parse.urlencode({key: str(Path(path).resolve()) for key, path in paths.items() if path is not None})
    place = urllib.parse.quote(board)
    return f"sim://{place}?{query}" if query else f"sim://{place}"


def host_url(header: str | os.PathLike[str]) -> str:
    """The URL of this computer in the place of a board, with the network of an emitted header."""
    return board_url("host", header=header)


def program_url(program: str | os.PathLike[str]) -> str:
    """The URL of this computer in the place of a board, with a program that `build_host` has made."""
    return board_url("host", program=program)
