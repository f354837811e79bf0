"""Simulated boards: ``sim://<board>`` is a port like any other.

Importing this module teaches pySerial the scheme, so that ``serial.serial_for_url("sim://host?header=network.h")``
opens a simulated board; closing the port ends it. For ``sim://host`` the firmware is compiled for this computer and
runs behind a pseudo terminal; on ``dtr`` going from false to true it resets, as an Arduino does.
"""

from __future__ import annotations

import os
import urllib.parse
from pathlib import Path

import serial

from .build import build_host, find_compiler

__all__ = ["build_host", "find_compiler", "host_url", "program_url"]

if __name__ not in serial.protocol_handler_packages:
    serial.protocol_handler_packages.append(__name__)


def host_url(header: str | os.PathLike[str]) -> str:
    """The URL of a simulated board with the network of an emitted header, compiled each time the port is opened."""
    return _url("host", header=header)


def program_url(program: str | os.PathLike[str]) -> str:
    """The URL of a simulated board that runs a program which `build_host` has made."""
    return _url("host", program=program)


def _url(board: str, **paths: str | os.PathLike[str]) -> str:
    query = urllib.parse.urlencode({key: str(Path(path).resolve()) for key, path in paths.items()})
    return f"sim://{board}?{query}"
