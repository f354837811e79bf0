"""What pySerial runs for ``sim://`` URLs: a pseudo terminal with a simulated board at its other end.

``sim://BOARD?header=PATH`` compiles the firmware with the network of that header, ``sim://BOARD?program=PATH`` runs
what is compiled already, and ``sim://BOARD`` takes the project's header in a project's folder, else ebnn's own.
With ``updatable=1`` the firmware takes pushed networks, with ``updatable=empty`` it has no other; ``key=PATH`` is the
key file that a push must show, and ``store=PATH`` the file that keeps pushed networks.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import serial

from ebnn.boards import Board, board_names, load_board
from ebnn.build_folders import temporary_folder
from ebnn.errors import PortError
from ebnn.names import similar_names, unknown_name
from ebnn.updatable import Updatable, read_key

from .simulator import Simulator, build_program

try:
    import termios
    import tty
except ImportError:  # Windows
    tty = None  # type: ignore[assignment]
    _FAILURES: tuple[type[Exception], ...] = (OSError,)
else:
    _FAILURES = (OSError, termios.error)  # serial.SerialException is an OSError


@dataclass(frozen=True)
class Address:
    """What a ``sim://`` URL says."""

    board: Board
    header: Path | None
    program: Path | None
    updatable: Updatable | None
    options: dict[str, str]
    """The simulator's own."""


def parse_url(url: str) -> Address:
    """Reads a ``sim://`` URL. Raises `ebnn.errors.PortError` if it is not one.

    `ebnn.errors.UnknownNameError` tells a board that is not simulated.
    """
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:  # [ without ]
        raise PortError(f"{url!r} is no simulated board: write sim://BOARD, as in sim://host") from None
    place = urllib.parse.unquote(parts.netloc + parts.path)
    if parts.scheme != "sim" or (parts.path not in ("", "/") and not place.endswith(".toml")):
        raise PortError(f"{url!r} is no simulated board: write sim://BOARD, as in sim://host, or sim://./BOARD.toml")
    board = find_board(place.removesuffix("/"))
    options = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    known = ["header", "program", "updatable", "key", *sorted(simulator_class(board).OPTIONS)]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise PortError(f"sim://{board.name} has no option {unknown[0]!r}; it has {', '.join(known)}")
    header, program = (Path(options.pop(key)) if key in options else None for key in ("header", "program"))
    return Address(board, header, program, _updatable(board, options), options)


def _updatable(board: Board, options: dict[str, str]) -> Updatable | None:
    """What a URL says of updatable firmware; takes it out of the options."""
    kind, key = options.pop("updatable", None), options.pop("key", None)
    if kind is None:
        if key is not None:
            raise PortError(f"sim://{board.name}: key needs updatable=1")
        return None
    if kind not in ("1", "empty"):
        raise PortError(f"sim://{board.name}: updatable is 1 or empty, not {kind!r}")
    return Updatable(None if key is None else read_key(Path(key)), kind == "empty")


def takes_header(port: str) -> bool:
    """Whether a port is a simulated board that is not told what to run: then it is built with a header."""
    try:
        parts = urllib.parse.urlsplit(port)
    except ValueError:  # [ without ]
        return False
    return parts.scheme == "sim" and not parts.query


def find_board(name: str) -> Board:
    """The board of that name. Raises `ebnn.errors.UnknownNameError` if no simulated board is called so."""
    if name.endswith(".toml"):
        own = load_board(name)
        if own.simulator is None:
            raise PortError(f"{name} says no simulator, so the board is not simulated: simavr or qemu")
        return own
    known = [board for board in board_names() if load_board(board).simulator is not None]
    if name not in known:
        there = [f"sim://{board}" for board in known]
        near = [f"sim://{board}" for board in similar_names(name, known)]
        raise unknown_name("simulated board", name, there, near=near, listed="there is")
    return load_board(name)


def make_terminal() -> tuple[int, int]:
    """A pseudo terminal that passes every byte as it is: the board's end, and the end that is the port.

    Raises `ebnn.errors.PortError` where there is no such thing.
    """
    if tty is None:
        raise PortError(
            "sim:// needs a pseudo terminal, which Windows does not have: use WSL, or a real board at a COM port"
        )
    master, slave = os.openpty()
    tty.setraw(slave)
    return master, slave


def simulator_class(board: Board) -> type[Simulator]:
    """The simulator that runs a board's program."""
    # Each is imported where it is asked for: they use what Windows does not have.
    if board.simulator == "simavr":
        from .avr import SimavrSimulator

        return SimavrSimulator
    if board.simulator == "qemu":
        from .qemu import QemuSimulator

        return QemuSimulator
    from .host import HostSimulator

    return HostSimulator


class Serial(serial.Serial):  # type: ignore[misc]
    """A serial port with a simulated board plugged in. Closing it ends the board."""

    simulator: Simulator | None = None
    """The simulated board, while the port is open."""
    _folder: contextlib.ExitStack | None = None
    _dtr_before: bool = True

    def open(self) -> None:
        """Builds, starts and connects the board.

        Raises `ebnn.errors.BuildError` without a compiler or a header, `ebnn.errors.PortError` for a URL that leads
        nowhere.
        """
        if self.is_open:
            raise serial.SerialException("Port is already open.")
        address = parse_url(str(self._port))
        try:
            self._start(address)
        except BaseException:
            self._stop()
            raise

    def _start(self, address: Address) -> None:
        kind = simulator_class(address.board)
        program = address.program
        if program is None:
            self._folder = contextlib.ExitStack()
            folder = self._folder.enter_context(temporary_folder())
            program = build_program(kind, address.board, address.header, folder, address.updatable)
        master, slave = make_terminal()
        try:
            self.portstr = os.ttyname(slave)
            self.simulator = kind(address.board, program, master, **address.options)
            # From here on the board alone holds the terminal's other end: if it dies, the port hangs up; and if this
            # process dies, the board sees its terminal closed, and ends.
            os.close(master)
            master = -1
            with self._explaining():
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
            self._folder.close()
            self._folder = None

    def reset_board(self) -> None:
        """Presses the board's reset button. Raises `serial.SerialException` if the board is gone."""
        if self.simulator is None or not self.simulator.running:
            raise serial.SerialException("the simulated board has ended")
        self.simulator.reset()

    def read(self, size: int = 1, /) -> bytes:
        """As of any port; where the board has ended by itself, PortError says why if that is known."""
        with self._explaining():
            data: bytes = super().read(size)
            return data

    def write(self, data: bytes, /) -> int | None:
        """As of any port; where the board has ended by itself, PortError says why if that is known."""
        with self._explaining():
            count: int | None = super().write(data)
            return count

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        with self._explaining():
            count: int = super().in_waiting
            return count

    def _reconfigure_port(self, force_update: bool = False) -> None:
        with self._explaining():
            super()._reconfigure_port(force_update)

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except serial.SerialTimeoutException:
            raise
        except _FAILURES as error:
            reason = self.simulator.last_words() if self.simulator is not None else None
            if reason is None:
                raise
            raise PortError(reason) from error

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
