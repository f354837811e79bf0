"""Boards that ebnn knows: one TOML file each, in this folder."""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from ebnn.names import unknown_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found]

__all__ = ["Board", "Costs", "board_names", "load_board", "load_costs"]


@dataclass(frozen=True)
class Board:
    """What ebnn knows about a board. What this computer has no figure for, as a board, is None."""

    name: str
    """As PlatformIO calls it; "host", or the core's name of a board that exists in QEMU only."""
    title: str
    """As people call it."""
    mcu: str | None = None
    core: str | None = None
    """Whose instructions it runs: "avr", "cortex-m0", "cortex-m3", "cortex-m4", "rv32", "arc", "xtensa"."""
    clock_hz: int | None = None
    flash_bytes: int | None = None
    """For the program, the bootloader's share left out."""
    ram_bytes: int | None = None
    reserved_ram: int = 0
    """Bytes that the linker keeps for heap and stacks whatever they need; variables have the rest."""
    usb: tuple[str, ...] = ()
    """Ids of its serial port, "vendor:product" in hexadecimal."""
    environment: str | None = None
    """Of platformio.ini, or None."""
    simulator: str | None = None
    """What runs its firmware behind ``sim://<name>``: "host", "simavr", "qemu", or None where nothing does."""
    costs: str | None = None
    """The core whose `Costs` estimates are made with, or None."""
    cycles_per_instruction: float = 1.0
    """Where costs are counted in instructions and have no bounds of their own."""
    firmware_flash: int = 0
    """Bytes that the board's core and the serial firmware take without a network and its kernels."""
    firmware_ram: int = 0
    """Likewise, without the stack."""
    measured: bool = False
    """Whether those figures were measured on a build and a simulator; otherwise they are taken from similar boards."""


@dataclass(frozen=True)
class Costs:
    """What the kernels take on a core, by their names in `ebnn.workload`.

    Attributes:
        flash: bytes of code that each part of the library brings along, and of each layer of a kind.
        stack: bytes of the deepest stack while a kernel runs in the firmware, an interrupt included.
        time: for each kernel, cycles (AVR) or instructions (elsewhere) for one of each count of its work.
        cycles: for each kernel, the fewest and the most cycles that one of its instructions may take, where its
            instructions were counted and their latencies are known within bounds only.
    """

    flash: dict[str, float]
    stack: dict[str, int]
    time: dict[str, dict[str, float]]
    cycles: dict[str, tuple[float, float]] = field(default_factory=dict)


def board_names() -> list[str]:
    """The names of all boards, in alphabetical order."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml"))


@cache
def load_board(name: str) -> Board:
    """The board of that name. Raises `ebnn.errors.UnknownNameError`, with the names there are, if there is none."""
    if name not in board_names():
        raise unknown_name("board", name, board_names(), near=_similar(name), listed="ebnn knows")
    facts = read_toml(f"{name}.toml")
    return Board(**{**facts, "usb": tuple(facts.get("usb", ()))})


def _similar(name: str) -> list[str]:
    """Up to three boards that may be meant, by their names and titles."""
    wanted = _plain(name)
    known = {_plain(text): board for board in board_names() for text in (load_board(board).title, board)}
    starting = [plain for plain in known if wanted and plain.removeprefix("arduino").startswith(wanted)]
    near = [wanted] if wanted in known else starting or difflib.get_close_matches(wanted, known)
    return list(dict.fromkeys(known[plain] for plain in near))[:3]


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


@cache
def load_costs(core: str) -> Costs:
    """The kernels' costs on a core; ``benchmarks/costs.py`` measures them."""
    return Costs(**read_toml(f"costs/{core}.toml"))


def read_toml(name: str) -> dict[str, Any]:
    """A TOML file of this folder."""
    facts: dict[str, Any] = tomllib.loads(resources.files(__name__).joinpath(name).read_text(encoding="utf-8"))
    return facts
