"""Compiling the firmware for this computer."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from ebnn.errors import BuildError
from ebnn.firmware_sources import firmware_folder

_QUOTED_LINES = 10  # of a compiler's first and last words
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra")

_NO_COMPILER = """\
no C compiler was found: neither $CC nor cc, gcc or clang. The simulated board is the firmware, compiled here.
  Debian, Ubuntu:  sudo apt install gcc
  Fedora:          sudo dnf install gcc
  macOS:           xcode-select --install
  Windows:         install WSL (wsl --install) and gcc in it"""


def find_compiler() -> list[str]:
    """The command that compiles C: ``$CC`` if it is set, else the first of cc, gcc and clang.

    Raises `ebnn.errors.BuildError`, saying how to get one, if there is none.
    """
    chosen = shlex.split(os.environ.get("CC", ""))
    if chosen:
        if shutil.which(chosen[0]) is None:
            raise BuildError(f"$CC names the C compiler {chosen[0]!r}, which is not there: set it right, or unset it")
        return chosen
    for name in ("cc", "gcc", "clang"):
        path = shutil.which(name)
        if path is not None:
            return [path]
    raise BuildError(_NO_COMPILER)


def build_host(
    header: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    include: Iterable[str | os.PathLike[str]] = (),
    flags: Sequence[str] = FLAGS,
    compiler: Sequence[str] | None = None,
) -> Path:
    """Compiles the responder with an emitted header for this computer and returns the program's path.

    `folder` receives the program, `responder`, and a copy of the header; `include` are further folders to search for
    what the header includes. Raises `ebnn.errors.BuildError` if the header is missing, there is no compiler, or it
    fails.
    """
    header, folder = Path(header).resolve(), Path(folder).resolve()
    if not header.is_file():
        raise BuildError(f"{header} is missing: emit the network's header with ebnn export MODEL.ebnn -o {header}")
    firmware = firmware_folder()
    shutil.copyfile(header, folder / "network.h")
    program = folder / "responder"
    searched = [folder, firmware / "src", firmware / "lib" / "ebnn" / "src", header.parent, *map(Path, include)]
    sources = [firmware / "src" / "frames.c", firmware / "src" / "responder.c", firmware / "host" / "main.c"]
    command = [
        *(find_compiler() if compiler is None else compiler),
        *flags,
        "-DEBNN_BOARD=host",
        *(f"-I{path}" for path in searched),
        *map(str, sources),
        "-o",
        str(program),
    ]
    run_compiler(command, header, folder)
    return program


def run_compiler(command: Sequence[str], header: Path, folder: Path) -> None:
    """Runs a compiler on the firmware with that header; its temporary files lie in `folder`.

    Raises `ebnn.errors.BuildError`, with the compiler's words, if it fails.
    """
    try:
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, "TMPDIR": str(folder)},
        )
    except OSError as error:
        raise BuildError(f"the C compiler {command[0]} cannot be run: {error}") from error
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines()
        if len(lines) > 2 * _QUOTED_LINES:  # the first error is the cause of many others
            lines = [*lines[:_QUOTED_LINES], "...", *lines[-_QUOTED_LINES:]]
        said = "\n".join(lines)
        raise BuildError(f"the C compiler {command[0]} failed on {header} with exit code {result.returncode}:\n{said}")
