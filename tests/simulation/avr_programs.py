"""Programs for simulated AVR boards, compiled with avr-gcc."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.c_networks import RUNTIME, require

from ebnn.errors import BuildError
from ebnn.simulation.simavr_build import simavr_program

SOURCES = Path(__file__).parent / "avr"
MCUS = {"uno": "atmega328p", "nanoatmega328": "atmega328p", "megaatmega2560": "atmega2560"}
FLAGS = ["-Os", "-Wall", "-Wextra", "-Werror", "-DF_CPU=16000000UL"]


def require_simavr() -> None:
    """Skips the test where libsimavr or avr-gcc is missing, unless skipping is forbidden."""
    require("avr-gcc")
    try:
        with simavr_program():
            pass
    except BuildError as error:
        pytest.fail(str(error)) if os.environ.get("EBNN_NO_SKIP") else pytest.skip(str(error))


def compile_avr(board: str, source: str, folder: Path, flags: Sequence[str] = ()) -> Path:
    """The ELF file of a source beside this file."""
    program = folder / "program.elf"
    command = [require("avr-gcc"), f"-mmcu={MCUS[board]}", *FLAGS, *flags, f"-I{folder}", f"-I{RUNTIME}"]
    done = subprocess.run(
        [*command, SOURCES / source, "-o", program], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return program


def wait_for(what: Callable[[], Any], seconds: float = 120.0) -> Any:
    """The first true value that comes in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.01)
    pytest.fail(f"nothing came in {seconds} s")
