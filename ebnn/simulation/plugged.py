"""A simulated board that stays at a terminal for other programs, as if it were plugged in."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ebnn.boards import Board
from ebnn.build_folders import temporary_folder
from ebnn.errors import PortError, WriteError
from ebnn.updatable import Updatable

from .avr import SimavrSimulator
from .bootloaders import find_bootloader
from .protocol_sim import find_board, make_terminal, simulator_class
from .simulator import Simulator, build_program


@dataclass(frozen=True)
class PluggedBoard:
    """A board at a port."""

    board: Board
    port: str
    """The device that other programs open. Opening it while nobody has it open resets an AVR board."""
    simulator: Simulator

    def check(self) -> None:
        """Raises `ebnn.errors.PortError` if the board has ended."""
        if not self.simulator.running:
            raise PortError(self.simulator.last_words() or f"the simulated {self.board.name} has ended")


@contextlib.contextmanager
def plugged_in(
    board: str,
    *,
    program: str | os.PathLike[str] | None = None,
    header: str | os.PathLike[str] | None = None,
    bootloader: bool = False,
    link: str | os.PathLike[str] | None = None,
    updatable: Updatable | None = None,
    store: str | os.PathLike[str] | None = None,
) -> Iterator[PluggedBoard]:
    """Plugs a simulated board in, until the end of the ``with`` block.

    Args:
        board: its name.
        program: what is in its flash, an ELF file.
        header: an emitted header that the firmware is built with, in the place of `program`. Without both, it is
            `ebnn.firmware_sources.default_header`; with a bootloader the flash is empty.
        bootloader: whether the bootloader is in the flash, so that avrdude can write a program; AVR boards only.
        link: where a symbolic link to the port is kept.
        updatable: how firmware that takes pushed networks is built; None builds the usual one.
        store: the file that keeps pushed networks: an AVR's EEPROM, or what this computer has in its place.

    Raises `ebnn.errors.PortError` for a board or program that cannot be simulated, `ebnn.errors.BuildError` if
    something cannot be built, `ebnn.errors.WriteError` if the link cannot be made.
    """
    known = find_board(board)
    kind = simulator_class(known)
    is_avr = issubclass(kind, SimavrSimulator)
    if bootloader and not is_avr:
        raise PortError(f"the simulated {board} has no bootloader; the AVR boards have")
    if store is not None and "store" not in kind.OPTIONS:
        raise PortError(f"the simulated {board} keeps nothing in a file; the AVR boards and host do")
    options = {} if store is None else {"store": str(store)}
    with contextlib.ExitStack() as stack:
        path = Path(program) if program is not None else None
        if path is None and (header is not None or not bootloader):
            folder = stack.enter_context(temporary_folder())
            path = build_program(kind, known, None if header is None else Path(header), folder, updatable)
        master, slave = make_terminal()
        try:
            port = os.ttyname(slave)
            simulator: Simulator
            if is_avr:
                boot = str(find_bootloader(known)) if bootloader else ""
                simulator = SimavrSimulator(known, path, master, bootloader=boot, plugged=True, **options)
            else:
                assert path is not None
                simulator = kind(known, path, master, **options)
            stack.callback(simulator.stop)
            if not is_avr:  # these end when nobody has the terminal open, so this program has
                stack.callback(os.close, os.dup(slave))
        finally:
            os.close(master)
            os.close(slave)
        if isinstance(simulator, SimavrSimulator):
            simulator.wait_until_closed()
        if link is not None:
            stack.enter_context(_linked(Path(link), port))
        yield PluggedBoard(known, port, simulator)


@contextlib.contextmanager
def _linked(link: Path, port: str) -> Iterator[None]:
    ours = link.is_symlink() and str(link.readlink()).startswith("/dev/pts/")  # of a board that was killed
    if not ours and (link.exists() or link.is_symlink()):
        raise WriteError(f"{link} is there already, and no link to a simulated board: name another --link")
    try:
        link.unlink(missing_ok=True)
        link.symlink_to(port)
    except OSError as error:
        raise WriteError(f"the link {link} cannot be made: {error.strerror}") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if str(link.readlink()) == port:
                link.unlink()
