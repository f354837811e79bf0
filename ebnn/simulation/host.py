"""``sim://host``: the firmware as a program of this computer."""

from __future__ import annotations

import signal
from pathlib import Path

from ebnn.boards import Board
from ebnn.errors import PortError
from ebnn.updatable import Updatable

from .host_build import build_host
from .simulator import Simulator, signal_process, start_process, store_file


class HostSimulator(Simulator):
    """The responder behind ``firmware/host/main.c``; SIGUSR1 is its reset button.

    Of updatable firmware ``store`` is the file that keeps pushed networks, and ``writes`` after how many bytes that are
    written there the power fails; without them, networks are gone after a reset, and it never does.
    """

    OPTIONS = frozenset({"store", "writes"})

    @classmethod
    def build(cls, board: Board, header: Path, folder: Path, updatable: Updatable | None = None) -> Path:
        return build_host(header, folder, updatable=updatable)

    def __init__(self, board: Board, program: Path, terminal: int, *, store: str = "", writes: str = "") -> None:
        if not program.is_file():
            raise PortError(f"{program} is missing: it should be the simulated board's program")
        # The reset signal is blocked until the program is ready for it.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        try:
            more = [str(store_file(store)), *([writes] if writes else [])] if store else []
            self.process = start_process([str(program.resolve()), *more], terminal)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def reset(self) -> None:
        signal_process(self.process, signal.SIGUSR1)
