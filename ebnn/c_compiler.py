"""The C compiler of this computer."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .errors import BuildError

SIMULATED = "The simulated board is the firmware, compiled here."
_QUOTED_LINES = 10  # of a compiler's first and last words
_NO_COMPILER = """\
no C compiler was found: neither $CC nor cc, gcc or clang. {reason}
  Debian, Ubuntu:  sudo apt install gcc
  Fedora:          sudo dnf install gcc
  macOS:           xcode-select --install
  Windows:         install WSL (wsl --install) and gcc in it"""


def find_compiler(reason: str = SIMULATED) -> list[str]:
    """The command that compiles C: ``$CC`` if it is set, else the first of cc, gcc and clang.

    Raises `ebnn.errors.BuildError`, saying for which ``reason`` one is needed and how to get it, if there is none.
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
    raise BuildError(_NO_COMPILER.format(reason=reason))


def run_compiler(command: Sequence[str], source: Path, folder: Path) -> None:
    """Runs a compiler on a ``source``, or on the firmware with that header; its temporary files lie in `folder`.

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
        raise BuildError(f"the C compiler {command[0]} failed on {source} with exit code {result.returncode}:\n{said}")
