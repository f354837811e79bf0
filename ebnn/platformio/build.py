"""Building the firmware with PlatformIO."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ebnn.cache import cache_folder
from ebnn.errors import BuildError

from .process import build_error, run_platformio
from .project import Project, bundled_project
from .registry import check_platform

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PROGRAMS = ("firmware.elf", "program", "program.exe")


def build_firmware(board: str, header: str | os.PathLike[str], folder: str | os.PathLike[str]) -> Path:
    """Builds the serial firmware with an emitted header for a board and returns the path of the ELF file.

    ``board`` is an environment of ebnn's platformio.ini; ``folder`` receives the ELF file (firmware.elf, and
    firmware.hex where the board has one; for "native" the program). Nothing else is written but ebnn's cache, where
    the compiled Arduino core stays, so that the next build takes a second or two.

    Raises `ebnn.errors.BuildError` with the reason: no such environment or header, a compiler's errors, a network that
    is too big for the board, or a toolchain that PlatformIO cannot get.
    """
    header, folder = Path(header), Path(folder)
    if not header.is_file():
        raise BuildError(f"{header} is missing: emit the network's header with ebnn export MODEL.ebnn -o {header}")
    project = bundled_project()
    project.check_board(board)
    check_platform(project, board)
    try:
        with prepared_workspace(project, board, header) as variables:
            arguments = ["run", "-d", str(project.folder), "-e", board]
            error = build_error(run_platformio(arguments, variables), board, _network(header))
            if error is not None:
                raise error
            return _copy_program(Path(variables["PLATFORMIO_BUILD_DIR"]) / board, folder)
    except OSError as failure:
        raise BuildError(f"the firmware for {board} cannot be built in {folder}: {failure}") from failure


def _network(header: Path) -> str:
    """How messages call a header's network: by the name it was emitted with, else by the file."""
    found = re.search(r'^#define \w+_TITLE "(.+)"$', header.read_text(errors="replace"), re.MULTILINE)
    return f"the network {found[1]!r}" if found else str(header)


@contextlib.contextmanager
def prepared_workspace(project: Project, board: str, header: Path) -> Iterator[dict[str, str]]:
    """Holds, for this process alone, the folder of the cache in which this project is built for this board.

    The header lies there as network.h. Gives the environment variables that keep PlatformIO from writing anywhere
    else.
    """
    key = hashlib.sha256(str(project.folder).encode()).hexdigest()[:12]
    workspace = cache_folder() / "platformio" / key / board
    include = workspace / "include"
    include.mkdir(parents=True, exist_ok=True)
    with (workspace / ".lock").open("wb") as handle:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        shutil.copyfile(header, include / "network.h")
        yield {
            "PLATFORMIO_WORKSPACE_DIR": str(workspace),
            "PLATFORMIO_BUILD_DIR": str(workspace / "build"),
            "PLATFORMIO_LIBDEPS_DIR": str(workspace / "libdeps"),
            "PLATFORMIO_INCLUDE_DIR": str(include),
        }


def _copy_program(build: Path, folder: Path) -> Path:
    """Copies what was built to ``folder`` and returns the program's path there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _PROGRAMS:
        if (build / name).is_file():
            for path in (build / name, build / "firmware.hex"):
                if path.is_file():
                    shutil.copy(path, folder / path.name)
            return folder / name
    raise BuildError(f"PlatformIO built no program in {build}: it has none of {', '.join(_PROGRAMS)}")
