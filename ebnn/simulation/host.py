"""``sim://host``: the firmware as a program of this computer."""

from __future__ import annotations

import signal
from pathlib import Path

from ebnn.boards import Board
from ebnn.errors import PortError

from .host_build import build_host
from .simulator import Simulator, signal_process, start_process


class HostSimulator(Simulator):
    """The responder behind ``firmware/host/main.c``; SIGUSR1 is its reset button."""

    @classmethod
    def build(cls, board: Board, header: Path, folder: Path) -> Path:
        return build_host(header, folder)

    def __init__(self, board: Board, program: Path, terminal: int) -> None:
        if not program.is_file():
            raise PortError(f"{program} is missing: it should be the simulated board's program")
        # The reset signal is blocked until the program is ready for it.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        try:
            self.process = start_process([str(program.resolve())], terminal)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def reset(self) -> None:
        signal_process(self.process, signal.SIGUSR1)
