"""Where the C sources are, and the header that is built where none is named."""

from __future__ import annotations

import configparser
from pathlib import Path

from .errors import BuildError


def firmware_folder() -> Path:
    """Returns the folder with ``src``, ``host`` and ``lib/ebnn``: in the package once installed, at a checkout's top.

    Raises `ebnn.errors.BuildError` if neither is there.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "firmware", package.parent / "firmware"):
        if (folder / "src" / "responder.c").is_file():
            return folder
    raise BuildError(f"the C sources are missing: no firmware folder in {package} or beside it; install ebnn again")


def linux_library() -> Path:
    """Returns the folder with the library for Linux: ``include``, ``src``. Raises as `firmware_folder` does."""
    return firmware_folder() / "lib" / "ebnn-linux"


def bundled_header() -> Path:
    """Returns the header of the user's own network in a checkout, where there is one, else of the one in ebnn."""
    firmware = firmware_folder()
    own = firmware / "own" / "network.h"
    return own if own.is_file() else firmware / "include" / "network.h"


def default_header() -> Path:
    """Returns the header that a simulated board runs where none is named.

    In a project's folder it is the project's network.h, elsewhere `bundled_header`.
    """
    header = project_header(Path())
    return bundled_header() if header is None else header.resolve()


def project_header(folder: Path) -> Path | None:
    """Returns the network.h of the PlatformIO project in a folder; None where there is none that ebnn has emitted."""
    configuration = configparser.ConfigParser(interpolation=None, strict=False, inline_comment_prefixes=("#", ";"))
    try:
        configuration.read_string((folder / "platformio.ini").read_text(encoding="utf-8"))
        header = folder / configuration.get("platformio", "include_dir", fallback="include") / "network.h"
        return header if b"ebnn.h" in header.read_bytes() else None
    except (OSError, ValueError, configparser.Error):
        return None


def bundled_network() -> tuple[bytes, bytes]:
    """Returns the header and the file of the network that ebnn brings along.

    Raises BuildError where they cannot be read.
    """
    include = firmware_folder() / "include"
    try:
        return (include / "network.h").read_bytes(), (include / "network.ebnn").read_bytes()
    except OSError as error:
        raise BuildError(
            f"ebnn's own network cannot be read ({error}): install ebnn again, or give a --model"
        ) from None
