"""Where the C sources are."""

from __future__ import annotations

from pathlib import Path

from .errors import BuildError


def firmware_folder() -> Path:
    """The folder with ``src``, ``host`` and ``lib/ebnn``: inside the package once installed, at the top of a checkout.

    Raises `ebnn.errors.BuildError` if neither is there.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "firmware", package.parent / "firmware"):
        if (folder / "src" / "responder.c").is_file():
            return folder
    raise BuildError(f"the C sources are missing: no firmware folder in {package} or beside it; install ebnn again")
