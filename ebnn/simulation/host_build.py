"""Compiling the firmware for this computer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from ebnn.boards import load_board
from ebnn.c_compiler import find_compiler, run_compiler
from ebnn.errors import BuildError
from ebnn.firmware_sources import firmware_folder
from ebnn.updatable import SOURCES, Updatable

FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra")


def build_host(
    header: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    include: Iterable[str | os.PathLike[str]] = (),
    flags: Sequence[str] = FLAGS,
    compiler: Sequence[str] | None = None,
    updatable: Updatable | None = None,
) -> Path:
    """Compiles the responder with an emitted header for this computer and returns the program's path.

    `folder` receives the program, `responder`, and a copy of the header; `include` are further folders to search for
    what the header includes; `updatable` is for firmware that takes pushed networks. Raises `ebnn.errors.BuildError` if
    the header is missing, there is no compiler, or it fails.
    """
    header, folder = Path(header).resolve(), Path(folder).resolve()
    if not header.is_file():
        raise BuildError(f"{header} is missing: emit the network's header with ebnn export MODEL.ebnn -o {header}")
    firmware = firmware_folder()
    shutil.copyfile(header, folder / "network.h")
    program = folder / "responder"
    searched = [folder, firmware / "src", firmware / "lib" / "ebnn" / "src", header.parent, *map(Path, include)]
    sources = [firmware / "src" / "frames.c", firmware / "src" / "responder.c", firmware / "host" / "main.c"]
    more: tuple[str, ...] = ()
    if updatable is not None:
        updatable.write_key(folder)
        more = updatable.flags(load_board("host"))
        sources += [*(firmware / "src" / name for name in SOURCES), firmware / "host" / "file_store.c"]
    command = [
        *(find_compiler() if compiler is None else compiler),
        *more,
        *flags,
        "-DEBNN_BOARD=host",
        *(f"-I{path}" for path in searched),
        *map(str, sources),
        "-o",
        str(program),
    ]
    run_compiler(command, header, folder)
    return program
