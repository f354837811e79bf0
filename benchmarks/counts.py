"""Counting on simulated cores: exact cycles on AVR, exact instructions elsewhere, and what a program takes of memory.

A network is measured inside the serial firmware, that is the program that boards run. The same compilers give the same
counts.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from benchmarks.untrained import samples
from ebnn.boards import load_board
from ebnn.cache import cache_folder
from ebnn.compile.header import write_header
from ebnn.device import Device
from ebnn.errors import BuildError
from ebnn.firmware_sources import firmware_folder
from ebnn.model.network import Network
from ebnn.simulation import SimavrSimulator, board_url
from ebnn.simulation.bare import FLAGS, build_bare
from tools.costs import sizes

SAMPLE = 3  # the seed of the one that is run
_AVR_FLAGS = (
    "-std=gnu11",
    "-flto",
    "-fuse-linker-plugin",
    "-ffunction-sections",
    "-fdata-sections",
    "-Wl,--gc-sections",
)
_SKETCH = """\
#define EBNN_STATIC
#include "network.h"
static volatile uint8_t winner;
int main(void)
{
#ifdef PREDICT
    winner = network_predict(network_input());
#else
    winner = 0;
#endif
    return 0;
}
"""


@dataclass(frozen=True)
class Setting:
    """For what a program is built, and how."""

    board: str
    level: str = "-Os"
    """Of the compiler's optimisation."""
    optimize: str = "balanced"
    """What the header is emitted for: "size", "compact", "balanced" or "speed"."""
    arithmetic: str = "integer"

    def __str__(self) -> str:
        words = [self.board, self.level]
        words += [self.optimize] * (self.optimize != "balanced") + [self.arithmetic] * (self.arithmetic != "integer")
        return " ".join(words)


@dataclass(frozen=True)
class Counts:
    """Of one program: cycles or instructions, and bytes."""

    layer: float
    """Cycles or instructions of the functions that were asked for, or of the first layer."""
    whole: float
    """Of one inference."""
    flash: int
    code: int
    """Flash without the network's constants."""
    static: int
    """RAM of variables."""
    stack: int
    """The deepest."""


@dataclass(frozen=True)
class CodeSize:
    """What a prediction adds to the flash of an otherwise empty program, in bytes."""

    code: int
    """Functions: the library's, the header's, and those of the C library and the compiler that they call."""
    tables: int
    """Tables of the library and of the compiler, with the room that their alignment takes."""
    constants: int
    """The network's: weights, thresholds, descriptions of layers."""


def count(network: Network, setting: Setting, function: str = "") -> Counts:
    """Runs one sample on a simulated board.

    ``function`` names the kernel whose calls are counted on AVR; elsewhere that is the first layer.
    """
    counted = _count_avr if load_board(setting.board).simulator == "simavr" else _count_qemu
    with tempfile.TemporaryDirectory(prefix="ebnn-kernels-") as folder:
        header = _emit(network, setting, Path(folder) / "emitted.h")
        return counted(network, setting, header, function)


def _emit(network: Network, setting: Setting, header: Path) -> Path:
    options: dict[str, Any] = {} if setting.optimize == "balanced" else {"optimize": setting.optimize}
    write_header(network, header, name="network", arithmetic=setting.arithmetic, board=setting.board, **options)
    return header


def _count_avr(network: Network, setting: Setting, header: Path, function: str) -> Counts:
    with _built_at(setting.level):
        program = SimavrSimulator.build(load_board(setting.board), header, header.parent)
    names = ["run_network"] + [function] * bool(function)
    url = f"{board_url(setting.board, program=program)}&watch={','.join(names)}"
    with Device(url, network_hash=network.hash32) as device:
        device.predict(network.pack_input(samples(network.input, 1, SAMPLE))[0])
        statistics = device.port.simulator.statistics()  # type: ignore[attr-defined]
    whole, layer = (statistics.function(name).total_cycles for name in (names[0], names[-1]))
    return _counts(program, layer, whole, statistics.deepest_stack_bytes)


@contextlib.contextmanager
def _built_at(level: str) -> Iterator[None]:
    """Has PlatformIO compile everything at another level than its own, which is -Os, in a folder of its own."""
    variables = {
        "PLATFORMIO_BUILD_UNFLAGS": "-Os",
        "PLATFORMIO_BUILD_FLAGS": level,
        "EBNN_CACHE": str(cache_folder() / f"built-at{level}"),
    }
    with mock.patch.dict(os.environ, {} if level == "-Os" else variables):
        yield


def _count_qemu(network: Network, setting: Setting, header: Path, function: str) -> Counts:
    flags = [setting.level if flag == "-Os" else flag for flag in FLAGS]
    program = build_bare(load_board(setting.board), header, header.parent, flags=flags)
    with Device(board_url(setting.board, program=program), network_hash=network.hash32) as device:
        sample = network.pack_input(samples(network.input, 1, SAMPLE))[0]
        whole = device.predict(sample).device_us  # the boards count a microsecond for each instruction
        profile = device.profile(sample)
    assert profile.deepest_stack_bytes is not None
    return _counts(program, profile.layer_us[0], whole, profile.deepest_stack_bytes)


def _counts(program: Path, layer: float, whole: float, stack: int) -> Counts:
    flash, static = sizes(program)
    return Counts(layer, whole, flash, flash - _bytes(program, "STT_OBJECT", "network_"), static, stack)


def _bytes(program: Path, kind: str, prefix: str = "") -> int:
    """Flash of the functions ("STT_FUNC") or of the constants ("STT_OBJECT") whose names start so."""
    with program.open("rb") as file:
        elf = ELFFile(file)
        kept = {
            index
            for index, section in enumerate(elf.iter_sections())
            if section["sh_flags"] & 2 and section["sh_type"] != "SHT_NOBITS"  # SHF_ALLOC
        }
        sizes_at = {
            symbol["st_value"]: symbol["st_size"]
            for table in elf.iter_sections()
            if isinstance(table, SymbolTableSection)
            for symbol in table.iter_symbols()
            if symbol["st_info"]["type"] == kind and symbol["st_shndx"] in kept and symbol.name.startswith(prefix)
        }
    return sum(sizes_at.values())


def code_size(network: Network, setting: Setting) -> CodeSize:
    """Links a program for an AVR that makes a prediction and one that makes none, and takes the difference.

    Raises `ebnn.errors.BuildError` without the compiler.
    """
    with tempfile.TemporaryDirectory(prefix="ebnn-kernels-") as folder:
        header = _emit(network, setting, Path(folder) / "network.h")
        source = header.with_name("main.c")
        source.write_text(_SKETCH)
        empty, full = (_link(source, setting, name) for name in ("EMPTY", "PREDICT"))
        added = sizes(full)[0] - sizes(empty)[0]
        code = _bytes(full, "STT_FUNC") - _bytes(empty, "STT_FUNC")
        constants = _bytes(full, "STT_OBJECT", "network_")
    return CodeSize(code, added - code - constants, constants)


def _link(source: Path, setting: Setting, macro: str) -> Path:
    path = shutil.which("avr-gcc")
    if path is None:
        raise BuildError("avr-gcc is not installed:\n  Debian, Ubuntu:  sudo apt install gcc-avr avr-libc")
    program = source.with_name(f"{macro}.elf")
    mcu = str(load_board(setting.board).mcu).lower()
    include = f"-I{firmware_folder() / 'lib' / 'ebnn' / 'src'}"
    command = [path, f"-mmcu={mcu}", setting.level, *_AVR_FLAGS, include, f"-D{macro}", str(source), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"avr-gcc failed:\n{done.stderr.strip()}")
    return program
