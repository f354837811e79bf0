"""Compiling ``simavr/board.c``, the program that simulates AVR boards with libsimavr."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ebnn.build_folders import kept_folder, temporary_folder
from ebnn.c_compiler import find_compiler
from ebnn.errors import BuildError
from ebnn.leftovers import delete

_SOURCE = Path(__file__).parent / "simavr" / "board.c"
_FLAGS = ("-std=gnu99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Wshadow")
_LIBRARIES = ("-Wl,-Bstatic", "-lsimavr", "-Wl,-Bdynamic", "-lelf")

_NO_LIBRARY = """\
libsimavr is not installed; AVR boards are simulated with it.
  Debian, Ubuntu:  sudo apt install libsimavr-dev libelf-dev gcc"""


@contextlib.contextmanager
def simavr_program() -> Iterator[Path]:
    """Gives the program that simulates AVR boards, compiled if ebnn's cache does not have it whole.

    Raises `ebnn.errors.BuildError`, saying what to install, without a compiler or libsimavr.
    """
    compiler = find_compiler()
    words = "\0".join((*compiler, _version(compiler), *_FLAGS, *_LIBRARIES)).encode()
    key = hashlib.sha256(words + b"\0" + _SOURCE.read_bytes()).hexdigest()[:16]
    with kept_folder("simavr") as folder:
        program, digest = folder / f"board-{key}", folder / f"board-{key}.sha256"
        if not _is_whole(program, digest):
            delete(program)
            delete(digest)
            with temporary_folder() as temporary:
                _compile([*compiler, *_FLAGS, str(_SOURCE), "-o", str(program), *_LIBRARIES], temporary)
            digest.write_text(_digest(program))
        yield program


def _version(compiler: list[str]) -> str:
    """What a compiler says of itself."""
    try:
        done = subprocess.run([*compiler, "--version"], capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise BuildError(f"the C compiler {compiler[0]} cannot be run: {error}") from error
    return done.stdout


def _digest(program: Path) -> str:
    return hashlib.sha256(program.read_bytes()).hexdigest()


def _is_whole(program: Path, digest: Path) -> bool:
    try:
        return os.access(program, os.X_OK) and digest.read_text() == _digest(program)
    except (OSError, ValueError):
        return False


def _compile(command: list[str], temporary: Path) -> None:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, "TMPDIR": str(temporary)},
        )
    except OSError as error:
        raise BuildError(f"the C compiler {command[0]} cannot be run: {error}") from error
    if done.returncode == 0:
        return
    if re.search(r"simavr/\w+\.h|-lsimavr|-lelf", done.stderr):
        raise BuildError(_NO_LIBRARY)
    last = (done.stderr or done.stdout).strip().splitlines()[-10:]
    raise BuildError(
        f"the C compiler {command[0]} failed on {_SOURCE} with exit code {done.returncode}:\n" + "\n".join(last)
    )
