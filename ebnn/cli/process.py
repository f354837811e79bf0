"""What a command does as a process: signals, standard streams, the folder that it is in."""

import contextlib
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

_DEFENCE = ("SIGTERM", "SIGHUP")  # that end a process, where they are not ignored


@contextlib.contextmanager
def well_behaved() -> Iterator[None]:
    """Runs a command in the ``with`` block so that every way to end it is one that shells and scripts understand.

    SIGTERM and SIGHUP raise KeyboardInterrupt, so that everything is cleaned up, and the exit code is 128 + the
    signal's number; Ctrl-C's is 130 where it is not how the command is meant to end. Standard output that cannot be
    written, as on a full disk, is one line and exit code 1. Streams that were closed lead nowhere. What the encoding
    of standard output lacks is printed as ``?``.
    """
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    with _noted_signals() as noted, _watched_output():
        code = _code_of_folder()
        if code == 0:
            try:
                yield
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
            except KeyboardInterrupt:
                code = 1
        code = _flushed(code)
    if noted and (code != 0 or noted[0] != signal.SIGINT):
        code = 128 + noted[0]
    sys.exit(code)


class _Output(io.TextIOWrapper):
    """Standard output that knows whether writing it has failed."""

    failed = False

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError:
            self.failed = True
            raise

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            self.failed = True
            raise


def output_failed() -> bool:
    """Returns whether standard output could not be written."""
    return isinstance(sys.stdout, _Output) and sys.stdout.failed


@contextlib.contextmanager
def _watched_output() -> Iterator[None]:
    before = sys.stdout
    if type(before) is not io.TextIOWrapper:  # a test's, or a notebook's
        yield
        return
    output = _Output(
        before.buffer,
        before.encoding,
        errors="replace",
        line_buffering=before.line_buffering,
        write_through=before.write_through,
    )
    sys.stdout = output
    try:
        yield
    finally:
        sys.stdout = before
        with contextlib.suppress(OSError, ValueError):
            output.detach()


def _open_closed_streams() -> None:
    """Keeps files and ports from getting the numbers of closed standard streams."""
    with contextlib.suppress(OSError):
        while True:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle > 2:
                os.close(handle)
                break
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


@contextlib.contextmanager
def _noted_signals() -> Iterator[list[int]]:
    """Gives a list that gets the first signal's number; later ones do not disturb the cleaning up."""
    noted: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not noted:
            noted.append(number)
            _raise_interrupt()

    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in (*_DEFENCE, "SIGINT"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, interrupt)
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise_interrupt() -> NoReturn:
    raise KeyboardInterrupt


def _code_of_folder() -> int:
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        print("Error: the folder that you are in is gone: change to one that exists (cd)", file=sys.stderr)
        return 1
    return 0


def _flushed(code: int) -> int:
    """Writes what standard output still holds; the exit code, which is another one where that fails."""
    try:
        sys.stdout.flush()
    except OSError as error:
        if code == 0:
            code = 1
            if error.errno != errno.EPIPE:
                with contextlib.suppress(OSError):
                    print(f"Error: standard output cannot be written: {error.strerror}", file=sys.stderr)
        with contextlib.suppress(OSError, ValueError):  # so that Python's own last try goes well
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
    return code
