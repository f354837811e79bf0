"""Finding the serial port of a board by its USB ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from serial.tools import list_ports

from ..boards import Board
from ..errors import PortError

__all__ = ["find_port"]


def find_port(board: Board, ports: Iterable[Any] | None = None) -> str:
    """The device of the one port that has one of the board's USB ids.

    ``ports`` are pySerial's descriptions of ports (``device``, ``description``, ``vid``, ``pid``); None takes those
    that this computer has. Raises `ebnn.errors.PortError`, with the ports there are, if none or several fit.
    """
    there = sorted(list_ports.comports() if ports is None else ports, key=lambda port: str(port.device))
    fitting = [port for port in there if _usb_id(port) in board.usb]
    if len(fitting) == 1:
        return str(fitting[0].device)
    if fitting:
        raise PortError(f"{len(fitting)} ports can be the {board.title}: {_listed(fitting)}. Choose one with --port")
    if not there:
        raise PortError(
            f"there is no serial port: plug the {board.title} in (some USB cables only charge), or name the port with "
            "--port"
        )
    raise PortError(
        f"no port has the USB ids of the {board.title} ({', '.join(board.usb) or 'it has none'}); there is "
        f"{_listed(there)}. Plug the board in, or name its port with --port"
    )


def _usb_id(port: Any) -> str | None:
    return None if port.vid is None else f"{port.vid:04x}:{port.pid:04x}"


def _listed(ports: Iterable[Any]) -> str:
    return ", ".join(f"{port.device} ({port.description}{_known_as(port)})" for port in ports)


def _known_as(port: Any) -> str:
    usb_id = _usb_id(port)
    return "" if usb_id is None else f", {usb_id}"
