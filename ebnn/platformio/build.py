"""Building the firmware with PlatformIO."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ebnn.atomic import copy_tree
from ebnn.boards import Board, is_board, load_board
from ebnn.build_folders import kept_folder, temporary_folder
from ebnn.errors import BuildError, EbnnError
from ebnn.firmware_sources import firmware_folder
from ebnn.leftovers import delete
from ebnn.updatable import Updatable

from .availability import check_platform, core_variables, toolchain_stamp
from .project import Project, bundled_project, environment_text
from .running import build_error, run_platformio

_PARTS = ("src", "host", "lib")  # of the firmware that PlatformIO compiles
_PROGRAMS = ("firmware.elf", "program", "program.exe")


def build_firmware(
    board: str | Board,
    header: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    updatable: Updatable | None = None,
) -> Path:
    """Builds the serial firmware with an emitted header for a board and returns the path of the ELF file.

    ``board`` is an environment of ebnn's platformio.ini, or a user's board; ``folder`` receives the ELF file
    (firmware.elf, and firmware.hex where the board has one; for "native" the program). Nothing else is written but
    ebnn's cache, where the compiled Arduino core stays, so that the next build takes a second or two; without a cache,
    and for ``updatable`` firmware with a key, nothing.

    Raises `ebnn.errors.BuildError` with the reason: no such environment or header, a compiler's errors, a network that
    is too big for the board, or a toolchain that PlatformIO cannot get.
    """
    header, folder = Path(header), Path(folder)
    if not header.is_file():
        raise BuildError(f"{header} is missing: emit the network's header with ebnn export MODEL.ebnn -o {header}")
    known = board if isinstance(board, Board) else None
    name = board if isinstance(board, str) else board.environment or board.name
    project = bundled_project(known)
    project.check_board(name)
    check_platform(project, name)
    try:
        with prepared_workspace(name, header, known, updatable) as workspace:
            arguments = ["run", "-d", str(workspace.project), "-e", name]
            error = build_error(run_platformio(arguments, workspace.variables), name, _network(header))
            if error is not None:
                raise error
            return _copy_program(workspace.build / name, folder)
    except OSError as failure:
        raise BuildError(f"the firmware for {name} cannot be built in {folder}: {failure}") from failure


def _network(header: Path) -> str:
    """How messages call a header's network: by the name it was emitted with, else by the file."""
    found = re.search(r'^#define \w+_TITLE "(.+)"$', header.read_text(errors="replace"), re.MULTILINE)
    return f"the network {found[1]!r}" if found else str(header)


@contextlib.contextmanager
def prepared_workspace(
    board: str, header: Path, own: Board | None = None, updatable: Updatable | None = None
) -> Iterator[Workspace]:
    """Holds, for this process alone, a folder with a copy of ebnn's firmware in which it is built for this board.

    ``own`` is a user's board, which ebnn's platformio.ini does not have; ``updatable`` is for firmware that takes
    pushed networks.

    It is in ebnn's cache, or a temporary folder where the cache cannot be used, or a key must not stay. The header lies
    there as network.h. What another version of the firmware or of the compilers has built is not taken, nor what is
    not whole.

    Raises OSError.
    """
    bundled = bundled_project()
    environment = environment_text(own)
    flags = () if updatable is None else updatable.flags(known_board(board, own))
    words = f"{_content(bundled)}\n{toolchain_stamp()}{environment}{' '.join(flags)}"
    names = hashlib.sha256(words.encode()).hexdigest()[:16], board
    secret = updatable is not None and updatable.key is not None
    with temporary_folder() if secret else kept_folder("platformio", *names) as folder:
        mark = folder / ".built"
        if not mark.is_file() or mark.read_text() != _state(folder):
            for entry in folder.iterdir():
                if entry.name != ".lock":
                    delete(entry)
            (folder / "include").mkdir()
            (folder / "tmp").mkdir()
            _copy_firmware(bundled, folder / "project", environment)
        mark.unlink(missing_ok=True)
        shutil.copyfile(header, folder / "include" / "network.h")
        if updatable is not None:
            updatable.write_key(folder / "include")
        try:
            variables = {**build_variables(folder), **core_variables(folder), **with_build_flags(flags)}
            yield Workspace(folder / "project", folder / "build", variables)
        except EbnnError:  # PlatformIO has ended by itself, and knows what it has built
            mark.write_text(_state(folder))
            raise
        mark.write_text(_state(folder))


@dataclass(frozen=True)
class Workspace:
    """A place where the firmware is built."""

    project: Path
    """What PlatformIO takes as the project's folder."""
    build: Path
    """Receives what is built, in a folder for each board."""
    variables: dict[str, str]
    """Of the environment, which keep PlatformIO from writing anywhere else."""


def build_variables(folder: Path) -> dict[str, str]:
    """Returns the environment variables that have PlatformIO build in ``folder``, and find network.h in its include."""
    return {
        "PLATFORMIO_WORKSPACE_DIR": str(folder),
        "PLATFORMIO_BUILD_DIR": str(folder / "build"),
        "PLATFORMIO_LIBDEPS_DIR": str(folder / "libdeps"),
        "PLATFORMIO_INCLUDE_DIR": str(folder / "include"),
        "TMPDIR": str(folder / "tmp"),
    }


def with_build_flags(flags: Sequence[str]) -> dict[str, str]:
    """Returns the variable that gives PlatformIO flags beside those of the project and of the user."""
    name = "PLATFORMIO_BUILD_FLAGS"
    return {name: " ".join([os.environ.get(name, ""), *flags]).strip()} if flags else {}


def known_board(board: str, own: Board | None) -> Board | None:
    """Returns the board that an environment is for, a user's own where it is one; None for one that ebnn has not."""
    return own or (load_board(board) if is_board(board) else None)


def _content(project: Project) -> str:
    """The names and digests of all that is compiled but the network."""
    files = [project.folder / "platformio.ini"]
    files += sorted(path for part in _PARTS for path in (firmware_folder() / part).rglob("*") if path.is_file())
    return "\n".join(
        f"{path.relative_to(project.folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in files
        if "__pycache__" not in path.parts
    )


def _copy_firmware(bundled: Project, target: Path, environment: str) -> None:
    """Lays ebnn's project out as in a checkout, without a network; its platformio.ini ends with ``environment``."""
    for part in _PARTS:
        copy_tree(firmware_folder() / part, target / "firmware" / part)
    configuration = (bundled.folder / "platformio.ini").read_text(encoding="utf-8")
    (target / "platformio.ini").write_text(configuration + environment, encoding="utf-8")


def _state(folder: Path) -> str:
    """The names, sizes and times of all files of a workspace but the network's header."""
    lines = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.parent != folder and path.parent.name != "tmp" and path.parent != folder / "include":
            facts = path.lstat()
            lines.append(f"{path.relative_to(folder)} {facts.st_size} {facts.st_mtime_ns}")
    return "\n".join(lines)


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
