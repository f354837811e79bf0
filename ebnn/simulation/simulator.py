"""What a simulator is: a process that runs a board's program at the far end of a pseudo terminal."""

from __future__ import annotations

import contextlib
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, ClassVar

from ebnn.boards import Board
from ebnn.errors import PortError, WriteError
from ebnn.firmware_sources import bundled_header, default_header
from ebnn.updatable import Updatable

_STORES = (0, 512, 1_024, 2_048, 4_096, 65_536)  # bytes


class Simulator(ABC):
    """A simulated board, from its start until `stop`.

    Args:
        board: which.
        program: what `build` has made.
        terminal: the board's end of the terminal, a file descriptor; the caller closes its own copy.

    Raises `ebnn.errors.PortError` if the program cannot be run.
    """

    process: subprocess.Popen[bytes]

    OPTIONS: ClassVar[frozenset[str]] = frozenset()
    """Options of a URL that go to the constructor, by name, as text."""

    @classmethod
    @abstractmethod
    def build(cls, board: Board, header: Path, folder: Path, updatable: Updatable | None = None) -> Path:
        """Compiles the firmware with an emitted header in `folder`, returns the program.

        `updatable` is for firmware that takes pushed networks. Raises `ebnn.errors.BuildError`.
        """

    @abstractmethod
    def __init__(self, board: Board, program: Path, terminal: int, **options: Any) -> None: ...

    @abstractmethod
    def reset(self) -> None:
        """Presses the reset button."""

    @property
    def running(self) -> bool:
        """Whether the board is still there."""
        return self.process.poll() is None

    def last_words(self) -> str | None:
        """Why the board has ended by itself, None where nothing is known."""
        return None

    def stop(self) -> None:
        """Ends the board."""
        self.process.kill()
        self.process.wait()


def build_program(
    kind: type[Simulator], board: Board, header: Path | None, folder: Path, updatable: Updatable | None
) -> Path:
    """Compiles what a board runs, without a header with `ebnn.firmware_sources.default_header`.

    Updatable firmware of a small board is then without a network, if the header would be ebnn's own. Raises BuildError.
    """
    if header is None:
        header = default_header()
        if updatable is not None and header == bundled_header():
            updatable = updatable.beside_example(board)
    return kind.build(board, header, folder, updatable)


def store_file(path: str) -> Path:
    """Makes the file that keeps what a board keeps, where there is none; returns its absolute path.

    Raises `ebnn.errors.WriteError` where it cannot be that, or is another kind of file.
    """
    file = Path(path).resolve()
    try:
        file.touch(mode=0o600)
        size = file.stat().st_size if file.is_file() else -1
    except OSError as error:
        raise WriteError(f"{path} cannot keep what a board keeps: {error.strerror}") from error
    if size not in _STORES:
        raise WriteError(f"{path} is there already, and no file of a board's EEPROM: name another one")
    return file


def start_process(
    command: Sequence[str], terminal: int, pass_fds: Sequence[int] = (), stderr: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Starts a simulator with the terminal for its standard input and output.

    The session of its own keeps a Ctrl-C in the user's terminal from the board. Raises `ebnn.errors.PortError`.
    """
    try:
        return subprocess.Popen(
            command,
            stdin=terminal,
            stdout=terminal,
            stderr=stderr,
            start_new_session=True,
            pass_fds=tuple(pass_fds),
        )
    except OSError as error:
        raise PortError(f"the simulator {command[0]} cannot be run: {error}") from error


def signal_process(process: subprocess.Popen[bytes], number: int) -> None:
    """Sends a signal to a process that may just have ended."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
