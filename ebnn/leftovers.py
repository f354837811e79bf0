"""Temporary files and folders whose owner is known: what a killed process has left is removed, nobody else's.

The owner holds a lock on what it makes (``flock``), which the system takes back when the process ends, however it ends.
Where there are no such locks (Windows, some network file systems), nothing is removed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_TRIES = 100  # to find a name that is free, and to get the lock before somebody removes what was made


def new_name(prefix: str) -> str:
    """Returns a name that nobody else has: the prefix and 12 hexadecimal digits."""
    return prefix + secrets.token_hex(6)


def lock(handle: int) -> bool:
    """Takes the lock of an open file or folder until it is closed; False where another process holds it.

    Raises OSError where the file system has no locks.
    """
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_when_free(handle: int) -> None:
    """Takes the lock of an open file until it is closed, as soon as nobody else has it."""
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)


def make_folder(parent: Path, prefix: str, mode: int = 0o700) -> tuple[Path, int]:
    """Makes a folder in ``parent``; returns its path and a file descriptor that holds it, -1 on Windows.

    Raises OSError.
    """

    def make(path: Path) -> int:
        path.mkdir(mode)
        return -1 if fcntl is None else os.open(path, os.O_RDONLY)

    return _make(parent, prefix, make)


def make_file(parent: Path, prefix: str) -> tuple[Path, int]:
    """Makes an empty file in ``parent``; returns its path and a file descriptor, open for writing, that holds it.

    Raises OSError.
    """
    return _make(parent, prefix, lambda path: os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o666))


_BINARY = getattr(os, "O_BINARY", 0)


def _make(parent: Path, prefix: str, make: Callable[[Path], int]) -> tuple[Path, int]:
    for _ in range(_TRIES):
        path = parent / new_name(prefix)
        try:
            handle = make(path)
        except FileExistsError:
            continue
        if fcntl is None:
            return path, handle
        with contextlib.suppress(OSError):  # a file system without locks, where nobody sweeps
            lock(handle)
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(handle), path.lstat()):
                return path, handle
        os.close(handle)  # somebody took it for a leftover before it was locked
    raise FileExistsError(f"no name beginning with {prefix} is free in {parent}")


def sweep(parent: Path, prefix: str, remove: Callable[[Path], None] | None = None) -> None:
    """Removes what dead processes of this user have made in ``parent`` with that prefix; never fails.

    ``remove`` is called with each path, while it is locked, in the place of deleting it.
    """
    if fcntl is None:
        return
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(prefix):
                with contextlib.suppress(OSError):
                    _sweep_one(Path(entry.path), remove or delete)


def _sweep_one(path: Path, remove: Callable[[Path], None]) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if os.fstat(handle).st_uid == os.geteuid() and lock(handle):
            remove(path)
    finally:
        os.close(handle)


def delete(path: Path) -> None:
    """Deletes a file, or a folder with all that is in it. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
