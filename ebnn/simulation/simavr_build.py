"""Compiling ``simavr/board.c``, the program that simulates AVR boards with libsimavr."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path

from ebnn.cache import cache_folder
from ebnn.errors import BuildError

from .build import find_compiler

_SOURCE = Path(__file__).parent / "simavr" / "board.c"
_FLAGS = ("-std=gnu99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Wshadow")
_LIBRARIES = ("-Wl,-Bstatic", "-lsimavr", "-Wl,-Bdynamic", "-lelf")

_NO_LIBRARY = """\
libsimavr is not installed; AVR boards are simulated with it.
  Debian, Ubuntu:  sudo apt install libsimavr-dev libelf-dev gcc"""


def build_simavr() -> Path:
    """The program that simulates AVR boards, compiled if ebnn's cache does not have it yet.

    Raises `ebnn.errors.BuildError`, saying what to install, without a compiler or libsimavr.
    """
    compiler = find_compiler()
    words = "\0".join((*compiler, *_FLAGS, *_LIBRARIES)).encode()
    key = hashlib.sha256(words + b"\0" + _SOURCE.read_bytes()).hexdigest()[:16]
    program = cache_folder() / "simavr" / f"board-{key}"
    if program.is_file():
        return program
    try:
        program.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=program.parent)
    except OSError as error:
        raise BuildError(
            f"{program.parent} cannot be written ({error.strerror}): set EBNN_CACHE to a folder of yours"
        ) from error
    os.close(handle)
    try:
        _compile([*compiler, *_FLAGS, str(_SOURCE), "-o", name, *_LIBRARIES])
        Path(name).chmod(0o755)
        Path(name).replace(program)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
    return program


def _compile(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
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
