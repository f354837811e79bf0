"""Running PlatformIO, and what its output means."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ebnn.errors import BuildError

from .availability import needs_download

_QUOTED_LINES = 12  # of a compiler's errors
_END_SECONDS = 2.0  # for programs to end by themselves
# No telemetry, no look for a newer PlatformIO, no advice.
_QUIET = {
    "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
    "PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL": "36500",
    "PLATFORMIO_SETTING_CHECK_PRUNE_SYSTEM_THRESHOLD": "0",
    "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
    "PLATFORMIO_NO_ANSI": "true",
}


class TooBigError(BuildError):
    """The firmware does not fit the board."""


@dataclass(frozen=True)
class Outcome:
    """What PlatformIO said, standard error included, and how it ended."""

    text: str
    code: int


def run_platformio(
    arguments: Sequence[str], variables: Mapping[str, str] | None = None, show: Callable[[str], None] | None = None
) -> Outcome:
    """Runs PlatformIO with this Python, with ``variables`` beside the environment's; ``show`` gets its output live.

    Whatever interrupts it, Ctrl-C included, ends PlatformIO first, with the compilers and uploaders that it runs.
    Raises `ebnn.errors.BuildError` if PlatformIO cannot be started.
    """
    command = [sys.executable, "-m", "platformio", *arguments]
    environment = {**os.environ, **_QUIET, **(variables or {}), "PYTHONIOENCODING": "utf-8", "PYTHONSAFEPATH": "1"}
    pieces: list[str] = []
    try:
        with (
            interrupted_by_signals(),
            subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                bufsize=1,
                start_new_session=True,
                close_fds=os.name != "posix",  # it shares the lock of the folder that it builds in
            ) as process,
        ):
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    pieces.append(line)
                    if show is not None:
                        show(line)
                process.wait()
            except BaseException:
                _end(process)
                raise
    except OSError as error:
        raise BuildError(f"PlatformIO cannot be run with {sys.executable}: {error}") from error
    return Outcome("".join(pieces), process.returncode)


@contextlib.contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP raise KeyboardInterrupt, as Ctrl-C does, where they would end this process at once."""
    kinds = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        kinds = []
    kinds = [kind for kind in kinds if signal.getsignal(kind) is signal.SIG_DFL]
    for kind in kinds:
        signal.signal(kind, _interrupt)
    try:
        yield
    finally:
        for kind in kinds:
            signal.signal(kind, signal.SIG_DFL)


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt


def _end(process: subprocess.Popen[str]) -> None:
    """Ends a process and all that it has started; it leads a session of its own."""
    if os.name != "posix":
        process.kill()
        return
    try:
        _signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _END_SECONDS
        while time.monotonic() < deadline:
            process.poll()
            if not _signal_group(process.pid, 0):
                return
            time.sleep(0.02)
    finally:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


def _signal_group(group: int, number: int) -> bool:
    """Whether there was somebody to get the signal."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def build_error(outcome: Outcome, board: str, network: str) -> BuildError | None:
    """Why a build gave no program that can be written to the board; None if it gave one.

    ``network`` names the header or the model that was built, for the message.
    """
    text = outcome.text
    limit = _exceeded_limit(text)
    if limit is not None:
        return TooBigError(
            f"{network} is too big for the board {board}: {limit}. Use fewer filters, a smaller architecture, or a "
            "larger board"
        )
    if outcome.code == 0:
        return None
    if re.search(r"No module named '?platformio", text):
        return BuildError(f"PlatformIO is not installed for {sys.executable}: pip install platformio")
    if re.search(r"HTTPClientError|InternetConnectionError|not connected to the Internet", text):
        wanted = re.findall(r"Manager: (?:Installing|Updating) (\S+(?: @ \S+)?)", text)
        return BuildError(needs_download(wanted[-1] if wanted else "a package"))
    found = re.search(
        r"Unknown board ID.*|UnknownPackageError.*|UnknownPlatform.*|.*doesn't support \w+ framework.*", text
    )
    if found:
        return BuildError(f"PlatformIO cannot build for the board {board}: {found[0].strip()}")
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\berror:|undefined reference|: not found", line, re.IGNORECASE)]
    said = "\n".join(errors[:_QUOTED_LINES] or lines[-_QUOTED_LINES:])
    return BuildError(f"PlatformIO could not build {network} for the board {board}:\n{said}")


def _exceeded_limit(text: str) -> str | None:
    """Which of the board's limits is exceeded, in words. PlatformIO itself only warns of too little RAM."""
    for pattern, what in (
        (r"data size \((\d+) bytes\) is greater than maximum allowed \((\d+) bytes\)", "RAM, the stack not counted"),
        (r"program size \((\d+) bytes\) is greater than maximum allowed \((\d+) bytes\)", "flash"),
    ):
        found = re.search(pattern, text)
        if found:
            needed, there = map(int, found.groups())
            return f"the firmware with it takes {needed:,} B of {what}; there are {there:,}"
    found = re.search(r"region [`'\"]?(\w+)[`'\"]? overflowed by (\d+) bytes", text)
    if found:
        return f"the firmware with it takes {int(found[2]):,} B more {_memory(found[1])} than there is"
    found = re.search(r"(?:not within|will not fit in) region [`'\"]?(\w+)", text)
    if found:
        return f"the firmware with it takes more {_memory(found[1])} than there is"
    if "do not fit the board's RAM" in text:
        return "its arena, the firmware and the stack do not fit the RAM"
    if re.search(r"size of array .* is too large", text):
        return "the weights of a layer take more than the 32,767 B that one array can have there"
    return None


def _memory(region: str) -> str:
    """What a linker's region is."""
    return "RAM" if re.search(r"ram|data", region, re.IGNORECASE) else "flash"
