"""Folders to build in: programs in them can be run, and their names mean nothing to a shell or to SCons."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .cache import cache_folder
from .errors import WriteError
from .leftovers import delete, lock_when_free, make_folder, sweep

PREFIX = "ebnn-build-"
"""What the names of temporary folders begin with."""

_PLAIN = re.compile(r"[A-Za-z0-9_./\\:+@=~-]+")
_LOCK = ".lock"


def is_plain(path: Path) -> bool:
    """Whether a path has only letters, digits and signs that need no quotes anywhere."""
    return _PLAIN.fullmatch(str(path)) is not None


def _runs_programs(folder: Path) -> bool:
    """Whether the file system is mounted so that programs on it can be run."""
    return not hasattr(os, "statvfs") or not os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0)


def _is_usable(folder: Path) -> bool:
    try:
        return is_plain(folder) and os.access(folder, os.W_OK | os.X_OK) and _runs_programs(folder)
    except OSError:
        return False


def _temporary_places() -> Iterator[Path]:
    """Where temporary folders may lie, the best first; some may be missing."""
    for name in ("TMPDIR", "TEMP", "TMP"):
        if os.environ.get(name):
            yield Path(os.environ[name])
    with contextlib.suppress(OSError):
        yield Path(tempfile.gettempdir())
    yield Path("/tmp")
    yield Path("/var/tmp")
    if os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(os.environ["XDG_RUNTIME_DIR"])
    with contextlib.suppress(WriteError, OSError):
        folder = cache_folder() / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    yield Path("/dev/shm")


def temporary_place() -> Path:
    """Returns the folder for temporary folders: TMPDIR's, /tmp or another, where one can write and run programs.

    Raises WriteError where there is none.
    """
    for place in _temporary_places():
        with contextlib.suppress(OSError):
            resolved = place.resolve()
            if resolved.is_dir() and _is_usable(resolved):
                return resolved
    raise WriteError(
        "there is no folder to build in: set TMPDIR to one that you can write, whose name has no spaces or signs that "
        "mean something to a shell, on a disk that is not mounted noexec"
    )


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Gives an empty folder of this process alone, deleted at the end of the ``with`` block.

    Those of processes that were killed are deleted first. Raises WriteError where there is no place for one.
    """
    place = temporary_place()
    sweep(place, PREFIX)
    try:
        folder, handle = make_folder(place, PREFIX)
    except OSError as error:
        raise WriteError(
            f"no folder can be made in {place}: {error.strerror or error}; set TMPDIR to one that can be written"
        ) from None
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):
            delete(folder)
        if handle >= 0:
            os.close(handle)


@contextlib.contextmanager
def kept_folder(*names: str) -> Iterator[Path]:
    """Gives the folder of those names in ebnn's cache, to this process alone; others wait.

    Where the cache cannot be written, its path is not plain, or programs on its disk cannot be run, it is a temporary
    folder. A program that is started with ``close_fds=False`` shares the lock: others wait for it too where this
    process is killed. Raises WriteError where there is no place for a folder.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = _open_kept(cache_folder().resolve().joinpath(*names), stack)
        except (OSError, RuntimeError, WriteError):
            folder = stack.enter_context(temporary_folder())
        yield folder


def _open_kept(folder: Path, stack: contextlib.ExitStack) -> Path:
    """Makes a folder and holds its lock. Raises OSError or WriteError where it cannot be used."""
    if not is_plain(folder):
        raise WriteError(f"{folder} cannot be used")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()) or (folder / _LOCK).is_dir():
        delete(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not _is_usable(folder):
        raise WriteError(f"{folder} cannot be used")
    handle = stack.enter_context((folder / _LOCK).open("ab")).fileno()
    os.set_inheritable(handle, True)
    lock_when_free(handle)
    return folder
