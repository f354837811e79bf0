"""Compiling the firmware for the bare-metal boards of ``firmware/bare``, and what the program takes of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ebnn.boards import BareBuild, Board
from ebnn.c_compiler import run_compiler
from ebnn.errors import BuildError
from ebnn.firmware_sources import firmware_folder
from ebnn.updatable import SOURCES, Updatable

FLAGS = ("-std=c99", "-Os", "-Wall", "-Wextra")


_COMMON = ("main.c", "memory.c", "stop.c")


def _build_of(board: Board) -> BareBuild:
    if board.bare is None:
        raise BuildError(f"{board.name} has no table [bare]: the firmware is not built for it without an Arduino core")
    return board.bare


def find_tool(board: Board, tool: str = "gcc") -> str:
    """The path of a board's compiler, or of a tool that comes with it.

    Raises `ebnn.errors.BuildError`, saying how to get it, if it is missing.
    """
    target = _build_of(board)
    path = shutil.which(target.tools + tool)
    if path is None:
        raise BuildError(
            f"the firmware for {board.name} needs {target.tools}{tool}, which is not installed:\n"
            f"  Debian, Ubuntu:  sudo apt install {target.packages}"
        )
    return path


def build_bare(
    board: Board,
    header: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    include: Iterable[str | os.PathLike[str]] = (),
    flags: Sequence[str] = FLAGS,
    updatable: Updatable | None = None,
) -> Path:
    """Compiles the responder with an emitted header for a bare-metal board and returns the program's path, an ELF file.

    `folder` receives the program and a copy of the header; `include` are further folders to search for what the header
    includes; `updatable` is for firmware that takes pushed networks. Raises `ebnn.errors.BuildError` if the header, the
    compiler or its C library is missing, if the compiler fails, or if the network does not fit the board.
    """
    header, folder = Path(header).resolve(), Path(folder).resolve()
    if not header.is_file():
        raise BuildError(f"{header} is missing: emit the network's header with ebnn export MODEL.ebnn -o {header}")
    target, firmware = _build_of(board), firmware_folder()
    shutil.copyfile(header, folder / "network.h")
    program = folder / "responder.elf"
    sources, more = ["frames.c", "responder.c"], tuple[str, ...]()
    if updatable is not None:
        updatable.write_key(folder)
        sources += SOURCES
        more = updatable.flags(board)
    searched = [
        folder,
        firmware / "src",
        firmware / "lib" / "ebnn" / "src",
        firmware / "bare",
        header.parent,
        *map(Path, include),
    ]
    command = [
        find_tool(board),
        *target.processor,
        *flags,
        "-ffunction-sections",
        "-fdata-sections",
        f"-DEBNN_BOARD={board.name}",
        *more,
        *(f"-I{path}" for path in searched),
        *(str(firmware / "src" / name) for name in sources),
        *(str(firmware / "bare" / name) for name in (*_COMMON, *target.sources)),
        "-specs=picolibc.specs",
        "--oslib=semihost",
        f"-L{firmware / 'bare'}",
        f"-T{firmware / 'bare' / target.script}",
        "-o",
        str(program),
    ]
    try:
        run_compiler(command, header, folder)
    except BuildError as error:
        raise _explained(board, header, str(error)) or error from None
    return program


def _explained(board: Board, header: Path, said: str) -> BuildError | None:
    """What lies behind a compiler's words, where that is the user's to mend."""
    if "picolibc.specs" in said:
        return BuildError(
            f"the firmware for {board.name} needs the C library picolibc, which is not installed:\n"
            f"  Debian, Ubuntu:  sudo apt install {_build_of(board).packages}"
        )
    overflow = re.search(r"region `(\w+)' overflowed by (\d+) bytes", said)
    if overflow is None:
        return None
    memory, size = ("flash", board.flash_bytes) if overflow[1] == "flash" else ("RAM", board.ram_bytes)
    return BuildError(
        f"the firmware with the network of {header} needs {int(overflow[2]):,} B of {memory} more than the {size:,} B "
        f"of {board.name}: use fewer filters or a larger board"
    )


@dataclass(frozen=True)
class ProgramSize:
    """What a program takes of a board, in bytes."""

    text: int
    """Code and constants."""
    data: int
    """Variables with a first value, which lies in flash as well."""
    bss: int
    """Other variables; the stack is not among them."""
    constants: int
    """The network's weights, thresholds and descriptions, part of `text`."""

    @property
    def flash(self) -> int:
        return self.text + self.data

    @property
    def ram(self) -> int:
        return self.data + self.bss

    @property
    def code(self) -> int:
        """Flash without the network's constants."""
        return self.flash - self.constants


# Lines of readelf: [number] name type address offset size; value size OBJECT ... section's number name.
_SECTION = re.compile(r"^ *\[ *(\d+)\] (\S+) +\S+ +[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) ", re.MULTILINE)
_OBJECT = re.compile(r"^ *\d+: [0-9a-f]+ +(\d+) OBJECT .* (\d+) (\S+)$", re.MULTILINE)


def program_size(board: Board, program: str | os.PathLike[str]) -> ProgramSize:
    """The sizes of a program that `build_bare` has made.

    Raises `ebnn.errors.BuildError` if the file is no such program or the tools are missing.
    """
    command = [find_tool(board, "readelf"), "-SsW", str(program)]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    sections = _SECTION.findall(result.stdout)
    sizes = {section: int(size, 16) for _, section, size in sections}
    if result.returncode != 0 or ".text" not in sizes:
        raise BuildError(f"{program} is no program for {board.name}")
    text = next(number for number, section, _ in sections if section == ".text")
    objects = _OBJECT.findall(result.stdout)
    # All that a header defines begins with its network's name; its arena is the one symbol that ends so.
    names = tuple(symbol.removesuffix("arena") for _, _, symbol in objects if symbol.endswith("_arena"))
    return ProgramSize(
        text=sizes.get(".init", 0) + sizes[".text"],
        data=sizes.get(".data", 0),
        bss=sizes.get(".tbss_space", 0) + sizes.get(".bss", 0),
        constants=sum(int(size) for size, number, symbol in objects if number == text and symbol.startswith(names)),
    )
