"""One run at a time in a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import TrainingError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Holds ``folder`` against other runs, where the system has ``flock``; a killed run lets go of it.

    Raises TrainingError where another run is under way in it.
    """
    with (folder / ".lock").open("wb") as handle:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise TrainingError(f"another run is under way in {folder}: wait for it, or name another one") from None
        yield
