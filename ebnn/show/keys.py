"""Keys that are pressed while a command runs, without Enter."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Callable, Iterator

try:
    import termios
    import tty
except ImportError:  # Windows
    termios = None  # type: ignore[assignment]

__all__ = ["pressed_keys"]


@contextlib.contextmanager
def pressed_keys() -> Iterator[Callable[[], str]]:
    """Yields a function that returns the keys pressed since its last call; none where standard input is no terminal."""
    if not sys.stdin.isatty():
        yield lambda: ""
        return
    if termios is None:
        yield _windows_keys
        return
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        tty.setcbreak(handle)
        yield lambda: _waiting_keys(handle)
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)


def _waiting_keys(handle: int) -> str:
    keys = b""
    while select.select([handle], [], [], 0)[0]:
        data = os.read(handle, 64)
        if not data:
            break
        keys += data
    return keys.decode("utf-8", "replace")


def _windows_keys() -> str:
    import msvcrt

    keys = ""
    while msvcrt.kbhit():  # type: ignore[attr-defined]
        keys += msvcrt.getwch()  # type: ignore[attr-defined]
    return keys
