"""One run at a time in a folder."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from ..errors import TrainingError, WriteError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK_NAME = ".lock"
_held: set[tuple[int, Path]] = set()  # threads and the folders that they hold


@contextlib.contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Holds ``folder`` against other runs, where the system has ``flock``; a killed run lets go of it.

    The folder is made where it is missing. A thread that holds it already goes on.

    Raises:
        TrainingError: another run is under way in it, or it cannot be made.
        WriteError: nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"cannot make the folder {folder} ({error.strerror}): give another") from error
    key = threading.get_ident(), folder.resolve()
    if key in _held:
        yield
        return
    try:
        handle = (folder / LOCK_NAME).open("ab")
    except OSError as error:
        raise WriteError(f"{folder} cannot be written ({error.strerror}): give another folder") from error
    with handle:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TrainingError(f"another run is under way in {folder}: wait for it, or name another one") from None
            except OSError:  # a file system that cannot lock
                pass
        _held.add(key)
        try:
            yield
        finally:
            _held.discard(key)
