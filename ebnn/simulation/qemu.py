"""``sim://cortex-m0``, ``sim://cortex-m3``, ``sim://cortex-m4``, ``sim://rv32``: the bare-metal firmware in QEMU.

Every instruction takes the same time, and the firmware's clock counts one microsecond for each. So a prediction's
``device_us`` is the number of instructions between the two readings of the clock around the network, the same in every
run. The readings take some of them; ``firmware/bare`` has the formula of each board.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import termios
from pathlib import Path
from typing import Any

from ebnn.boards import Board, Machine
from ebnn.build_folders import temporary_place
from ebnn.errors import PortError
from ebnn.updatable import Updatable

from .bare import build_bare
from .simulator import Simulator, start_process

_RESET_SECONDS = 5.0


class QemuSimulator(Simulator):
    """The responder on a bare-metal port (``firmware/bare``), in QEMU. The reset button is QEMU's own."""

    @classmethod
    def build(cls, board: Board, header: Path, folder: Path, updatable: Updatable | None = None) -> Path:
        return build_bare(board, header, folder, updatable=updatable)

    def __init__(self, board: Board, program: Path, terminal: int) -> None:
        machine = board.machine
        assert machine is not None, board.name
        _check_program(program, board, machine)
        emulator = shutil.which(machine.emulator)
        if emulator is None:
            raise PortError(
                f"sim://{board.name} needs {machine.emulator}, which is not installed:\n"
                f"  Debian, Ubuntu:  sudo apt install {machine.package}"
            )
        self._board = board
        _pass_all_bytes(terminal)
        option, before = machine.load
        path = str(program.resolve())
        with contextlib.ExitStack() as opened:
            self._errors = opened.enter_context(tempfile.TemporaryFile(dir=temporary_place()))
            self._control, control = map(opened.enter_context, socket.socketpair())
            self._replies = opened.enter_context(self._control.makefile("rb"))
            self._control.settimeout(_RESET_SECONDS)
            self._greeted = False
            _, alive = map(opened.enter_context, socket.socketpair())  # hangs up when this program dies
            command = [
                *(emulator, *machine.options),
                *("-icount", f"shift={machine.shift}"),
                *("-no-user-config", "-nodefaults", "-display", "none", "-nic", "none"),
                *("-chardev", "stdio,id=uart,signal=off", "-serial", "chardev:uart"),
                *("-chardev", f"socket,id=control,fd={control.fileno()}", "-mon", "chardev=control,mode=control"),
                *("-semihosting-config", "enable=on,target=native"),
                # Inside a list of options, two commas are a comma.
                *(option, before + (path.replace(",", ",,") if before else path)),
            ]
            self.process = start_process(command, terminal, (control.fileno(), alive.fileno()), self._errors)
            _kill_at_hangup(alive, self.process)
            control.close()
            alive.close()
            self._open = opened.pop_all()

    def reset(self) -> None:
        """Returns when the processor is at its first instruction again."""
        with contextlib.suppress(OSError):  # of a board that has ended, which the port tells
            if not self._greeted:
                self._await("QMP")
                self._say("qmp_capabilities")
                self._await("return")
                self._greeted = True
            self._say("system_reset")
            while self._await("event")["event"] != "RESET":
                pass

    def _say(self, command: str) -> None:
        self._control.sendall(json.dumps({"execute": command}).encode() + b"\n")

    def _await(self, key: str) -> dict[str, Any]:
        """The next message that has this key."""
        while True:
            line = self._replies.readline()
            if not line:
                raise ConnectionResetError
            message: dict[str, Any] = json.loads(line)
            if key in message:
                return message

    def last_words(self) -> str | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1.0)
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip().splitlines()
            fatal = [line for line in said if "fatal: " in line]  # followed by all registers
            reason = (fatal or said or ["QEMU ended without a word"])[-1]
            return f"the simulated {self._board.name} stopped: {reason}"
        return None

    def stop(self) -> None:
        super().stop()
        self._open.close()


def _check_program(program: Path, board: Board, machine: Machine) -> None:
    try:
        start = program.open("rb").read(20)
    except OSError as error:
        raise PortError(
            f"{program} is missing: it should be the simulated board's program ({error.strerror})"
        ) from None
    # Of an ELF file with 32-bit addresses: magic number, class, ...; at 18 the machine.
    if start[:5] != b"\x7fELF\x01" or int.from_bytes(start[18:20], "little") != machine.elf_machine:
        raise PortError(f"{program} is no program for {board.name}: give an ELF file that was compiled for it")


def _pass_all_bytes(terminal: int) -> None:
    """Leaves no work to the terminal's driver when QEMU switches its output processing on."""
    attributes = termios.tcgetattr(terminal)
    attributes[1] = 0
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)


def _kill_at_hangup(end: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """Has the kernel kill the process when the other end of a socket pair is closed. Only Linux can."""
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(end, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(end, fcntl.F_SETOWN, process.pid)
        fcntl.fcntl(end, fcntl.F_SETFL, fcntl.fcntl(end, fcntl.F_GETFL) | os.O_ASYNC)
