"""What pySerial runs for ``sim://`` URLs: a pseudo terminal with a simulated board at its other end.

``sim://BOARD?header=PATH`` compiles the firmware with the network of that header, ``sim://BOARD?program=PATH`` runs
what is compiled already, and ``sim://BOARD`` takes the header in ``firmware/include``.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import serial

from ebnn.boards import Board, board_names, load_board
from ebnn.errors import PortError
from ebnn.firmware_sources import firmware_folder

from .simulator import Simulator

try:
    import tty
except ImportError:  # Windows
    tty = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Address:
    """What a ``sim://`` URL says."""

    board: Board
    header: Path | None
    program: Path | None


def parse_url(url: str) -> Address:
    """Reads a ``sim://`` URL. Raises `ebnn.errors.PortError` if it is not one, or names a board without a simulator."""
    parts = urllib.parse.urlsplit(url)
    known = [name for name in board_names() if load_board(name).simulator is not None]
    if parts.scheme != "sim" or parts.path not in ("", "/"):
        raise PortError(f"{url!r} is no simulated board: write sim://BOARD, as in sim://host")
    if parts.netloc not in known:
        there = ", ".join(f"sim://{name}" for name in known)
        raise PortError(f"no board {parts.netloc!r} can be simulated; there is {there}")
    options = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - {"header", "program"})
    if unknown:
        raise PortError(f"sim://{parts.netloc} has no option {unknown[0]!r}; it has header and program")
    paths = {key: Path(value) for key, value in options.items()}
    return Address(load_board(parts.netloc), paths.get("header"), paths.get("program"))


def simulator_class(board: Board) -> type[Simulator]:
    """The simulator that runs a board's program."""
    from .host import HostSimulator

    return {"host": HostSimulator}[str(board.simulator)]


class Serial(serial.Serial):  # type: ignore[misc]
    """A serial port with a simulated board plugged in. Closing it ends the board."""

    simulator: Simulator | None = None
    """The simulated board, while the port is open."""
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _dtr_before: bool = True

    def open(self) -> None:
        """Builds, starts and connects the board.

        Raises `ebnn.errors.BuildError` without a compiler or a header, `ebnn.errors.PortError` for a URL that leads
        nowhere.
        """
        if self.is_open:
            raise serial.SerialException("Port is already open.")
        address = parse_url(str(self._port))
        if tty is None:
            raise PortError(
                "sim:// needs a pseudo terminal, which Windows does not have: use WSL, or a real board at a COM port"
            )
        try:
            self._start(address)
        except BaseException:
            self._stop()
            raise

    def _start(self, address: Address) -> None:
        kind = simulator_class(address.board)
        program = address.program
        if program is None:
            self._folder = tempfile.TemporaryDirectory(prefix="ebnn-sim-")
            header = address.header or firmware_folder() / "include" / "network.h"
            program = kind.build(address.board, header, Path(self._folder.name))
        master, slave = os.openpty()
        try:
            tty.setraw(slave)
            self.simulator = kind(address.board, program, master)
            # From here on the board alone holds the terminal's other end: if it dies, the port hangs up; and if this
            # process dies, the board sees its terminal closed, and ends.
            os.close(master)
            master = -1
            self.portstr = os.ttyname(slave)
            super().open()
            self._dtr_before = True
        finally:
            os.close(slave)
            if master >= 0:
                os.close(master)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The simulator's process. Raises `serial.SerialException` while the port is closed."""
        if self.simulator is None:
            raise serial.SerialException("the simulated board is not running")
        return self.simulator.process

    def close(self) -> None:
        """Closes the port and ends the board."""
        super().close()
        self._stop()

    def _stop(self) -> None:
        if self.simulator is not None:
            self.simulator.stop()
            self.simulator = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def reset_board(self) -> None:
        """Presses the board's reset button. Raises `serial.SerialException` if the board is gone."""
        if self.simulator is None or not self.simulator.running:
            raise serial.SerialException("the simulated board has ended")
        self.simulator.reset()

    def _update_dtr_state(self) -> None:
        state = bool(self._dtr_state)
        if self.is_open and state and not self._dtr_before:
            self.reset_board()
        self._dtr_before = state

    def _update_rts_state(self) -> None:
        """A pseudo terminal has no such line."""


def serial_class_for_url(url: str) -> tuple[str, Any]:
    """pySerial asks here for the class that opens a URL."""
    return url, Serial
