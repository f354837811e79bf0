"""``sim://uno``, ``sim://nanoatmega328``, ``sim://megaatmega2560``: AVR boards, cycle by cycle, on libsimavr."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ebnn.boards import Board
from ebnn.build_folders import temporary_place
from ebnn.errors import PortError
from ebnn.updatable import Updatable

from .images import Image, read_image
from .simavr_build import simavr_program
from .simulator import Simulator, start_process, store_file

__all__ = ["AvrStatistics", "FunctionStatistics", "SimavrSimulator"]

WATCHED = ("run_network",)
"""Functions of the firmware that are watched where the program has them."""

_ANSWER_SECONDS = 30.0
_ERASED = b"\xff"


@dataclass(frozen=True)
class FunctionStatistics:
    """The calls of a watched function since the reset that have returned.

    A call lasts from the function's first instruction through its return. Cycles are without those of interrupts, so
    they are the same in every run.
    """

    name: str
    calls: int
    last_cycles: int
    least_cycles: int
    most_cycles: int
    total_cycles: int
    elapsed_cycles: int
    """Of all calls, with interrupts."""


@dataclass(frozen=True)
class AvrStatistics:
    """What a simulated AVR has done since its reset."""

    cycles: int
    interrupt_cycles: int
    """Those of them in interrupts."""
    clock_hz: int
    deepest_stack_bytes: int
    """From the end of RAM to the lowest byte that the stack has reached."""
    functions: tuple[FunctionStatistics, ...]

    @property
    def seconds(self) -> float:
        """The board's time since its reset."""
        return self.cycles / self.clock_hz

    def function(self, name: str) -> FunctionStatistics:
        """The watched function of that name. Raises KeyError if there is none."""
        for function in self.functions:
            if function.name == name:
                return function
        raise KeyError(name)


class SimavrSimulator(Simulator):
    """An AVR board.

    Args:
        board: which.
        program: an ELF file, an Intel hex file, or None for an empty flash (with a bootloader).
        terminal: the board's end of the terminal, a file descriptor; the caller closes its own copy.
        watch: functions to count and time, by their names in the ELF file, separated by commas; without it, those of
            `WATCHED` that are there. The compiler must not have inlined them.
        bootloader: an Intel hex file that the board starts with.
        store: a file that is the board's EEPROM; without it, the EEPROM is erased when the board starts.
        plugged: whether the board stays when the terminal's other side is closed, to be reset when it is opened again.

    Raises `ebnn.errors.PortError` if a file cannot be read, or is not for this board, and `ebnn.errors.BuildError`
    without a compiler or libsimavr.
    """

    OPTIONS = frozenset({"watch", "bootloader", "store"})

    @classmethod
    def build(cls, board: Board, header: Path, folder: Path, updatable: Updatable | None = None) -> Path:
        from ebnn.platformio import build_firmware

        return build_firmware(board, header, folder, updatable)

    def __init__(
        self,
        board: Board,
        program: Path | None,
        terminal: int,
        *,
        watch: str = "",
        bootloader: str = "",
        store: str = "",
        plugged: bool = False,
    ) -> None:
        image = Image(b"") if program is None else read_image(program)
        boot = read_image(Path(bootloader)) if bootloader else Image(b"")
        _check(board, image, program, boot)
        self._image = image
        self._board = board
        self._watched = _find_functions(image, program, watch)
        self._crash: dict[str, Any] | None = None
        self._control, control = socket.socketpair()
        with control, tempfile.TemporaryFile(dir=temporary_place()) as flash, _open_store(store) as eeprom:
            flash.write(_ERASED * image.base + image.code)
            if boot.code:
                flash.write(_ERASED * (boot.base - flash.tell()) + boot.code)
            flash.flush()
            fds = (control.fileno(), flash.fileno(), eeprom.fileno())
            arguments = [str(board.mcu).lower(), str(board.clock_hz), *map(str, fds)]
            arguments += [str(boot.start), str(image.data_end), str(int(plugged))]
            arguments += [str(address) for _, address in self._watched]
            try:
                with simavr_program() as simulator:
                    self.process = start_process([str(simulator), *arguments], terminal, fds)
            except BaseException:
                self._control.close()
                raise
        self._control.settimeout(_ANSWER_SECONDS)
        self._lines = self._control.makefile("r", encoding="ascii")
        if self._answer("ready") is None:
            words = self.last_words()
            self.stop()
            raise PortError(words or f"the simulated {board.name} does not start")

    def reset(self) -> None:
        """Presses the reset button: peripherals and program start again, RAM stays. Bytes on their way are lost."""
        self._ask("reset")

    def wait_until_closed(self) -> None:
        """Returns when a board that stays plugged in has seen that nobody has the terminal open."""
        self._answer("closed")

    def statistics(self) -> AvrStatistics:
        """What the board has done since its reset. Raises `ebnn.errors.PortError` if it is gone."""
        facts = self._ask("statistics")
        if facts is None:
            raise PortError(self.last_words() or f"the simulated {self._board.name} has ended")
        assert self._board.clock_hz is not None
        return AvrStatistics(
            cycles=facts["cycles"],
            interrupt_cycles=facts["interrupt_cycles"],
            clock_hz=self._board.clock_hz,
            deepest_stack_bytes=facts["deepest_stack"],
            functions=tuple(
                FunctionStatistics(name, **counts)
                for (name, _), counts in zip(self._watched, facts["functions"], strict=True)
            ),
        )

    def last_words(self) -> str | None:
        """Why the program has crashed; None if it has not."""
        if self._crash is None and not self._lines.closed:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1.0)
                self._answer("")
        return None if self._crash is None else _explain(self._board, self._image, self._crash)

    def stop(self) -> None:
        """Ends the board."""
        super().stop()
        self._lines.close()
        self._control.close()

    def _ask(self, command: str) -> dict[str, Any] | None:
        """Sends a command and returns its answer, None if the board has ended."""
        with contextlib.suppress(OSError):  # where the board has ended, its last words may still be there
            self._control.sendall(command.encode() + b"\n")
        return self._answer(command)

    def _answer(self, event: str) -> dict[str, Any] | None:
        with contextlib.suppress(OSError):
            while line := self._lines.readline():
                message: dict[str, Any] = json.loads(line)
                if message["event"] == event:
                    return message
                if message["event"] == "crash":
                    self._crash = message
        return None


def _open_store(path: str) -> IO[bytes]:
    """Opens the file that is the EEPROM. Raises `ebnn.errors.WriteError`."""
    if not path:
        return tempfile.TemporaryFile(dir=temporary_place())
    return store_file(path).open("r+b")


def _check(board: Board, image: Image, program: Path | None, boot: Image) -> None:
    """Refuses a program that is not for this board, or does not fit it."""
    mcu = str(board.mcu).lower()
    if image.mcu is not None and image.mcu != mcu:
        raise PortError(
            f"{program} is a program for the {image.mcu}, board {board.name!r} has an {mcu}: build it for this board"
        )
    end = image.base + len(image.code)
    limit = boot.start if boot.code else int(board.flash_bytes or 0)
    if end > limit:
        raise PortError(
            f"{program} takes {end:,} B of flash, board {board.name!r} has {limit:,} B for programs: use a smaller "
            "network or a larger board"
        )


def _find_functions(image: Image, program: Path | None, watch: str) -> list[tuple[str, int]]:
    found = []
    for name in filter(None, (part.strip() for part in watch.split(","))) if watch else WATCHED:
        address = image.address_of(name)
        if address is not None:
            found.append((name, address))
        elif watch:
            raise PortError(
                f"{program} has no function {name!r} to watch: the compiler has inlined or renamed it; "
                f"avr-nm {program} lists what is there"
            )
    return found


_REASONS = {
    "stack": "the stack grew into the program's data, which ends at 0x{address:04x} (stack pointer 0x{sp:04x}); "
    "use a smaller network or a board with more RAM",
    "jump": "it jumped out of its flash",
    "erased": "it jumped to 0x{address:05x}, where no program is",
    "opcode": "0x{address:04x} is no instruction of this microcontroller",
    "write": "it wrote to 0x{address:04x}, where no RAM is",
    "read": "it read from 0x{address:04x}, where no RAM is",
    "sleep": "it sleeps with its interrupts off, and nothing can wake it",
    "halted": "the program has stopped itself (abort or exit)",
    "mcu": "libsimavr does not know its microcontroller",
    "uart": "libsimavr knows no serial port of its microcontroller",
    "memory": "there is not enough memory",
}


def _explain(board: Board, image: Image, crash: dict[str, Any]) -> str:
    reason = _REASONS[crash["reason"]].format(**crash)
    function = image.name_at(crash["pc"])
    place = f" (in {function}, at 0x{crash['pc']:05x})" if function else f" (at 0x{crash['pc']:05x})"
    return f"the simulated {board.name} crashed: {reason}{place}"
