"""Where ebnn keeps what can be downloaded or built again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from .errors import WriteError


def cache_folder(environ: Mapping[str, str] | None = None, *, windows: bool | None = None) -> Path:
    """Return the folder for downloads and builds; it need not exist.

    It is ``EBNN_CACHE`` where that is set, else ``ebnn`` in ``LOCALAPPDATA`` on Windows and in ``XDG_CACHE_HOME``
    elsewhere (an absolute path, as the XDG base directory specification asks), else ``~/.cache/ebnn``.

    Raises WriteError where there is no home folder.
    """
    environ = os.environ if environ is None else environ
    windows = os.name == "nt" if windows is None else windows
    if environ.get("EBNN_CACHE"):
        try:
            return Path(environ["EBNN_CACHE"]).expanduser()
        except RuntimeError:
            raise WriteError(
                f"EBNN_CACHE names {environ['EBNN_CACHE']}, and there is no such user: set it right"
            ) from None
    base = Path(environ.get("LOCALAPPDATA" if windows else "XDG_CACHE_HOME", ""))
    if base.is_absolute():
        return base / "ebnn"
    try:
        home = Path.home()
    except RuntimeError:
        home = Path()
    if not home.is_absolute():
        raise WriteError("this user has no home folder to keep downloads in: set EBNN_CACHE to a folder")
    return home / ".cache" / "ebnn"
