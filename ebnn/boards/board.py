"""What is known of a board, and of a core's kernels."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["BareBuild", "Board", "Costs", "Machine"]


@dataclass(frozen=True)
class BareBuild:
    """How the program of a board without an operating system or Arduino core is compiled, for QEMU."""

    tools: str
    """What the names of the compiler and its companions start with."""
    packages: str
    """Debian's, with compiler and C library."""
    processor: tuple[str, ...]
    """Flags that name it."""
    sources: tuple[str, ...]
    """C files of the board's own: names in ``firmware/bare``, or absolute paths."""
    script: str
    """The linker's: a name in ``firmware/bare``, or an absolute path."""


@dataclass(frozen=True)
class Machine:
    """How QEMU runs a board."""

    emulator: str
    package: str
    """Debian's."""
    options: tuple[str, ...]
    elf_machine: int
    """Which processor's programs it runs, as an ELF file numbers them."""
    shift: int
    """An instruction takes 2^shift nanoseconds of the machine's time: enough for a tick or more of its clock."""
    load: tuple[str, str] = ("-kernel", "")
    """The option that loads the program, and what its argument has before the program's path."""


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
    platformio: dict[str, str] = field(default_factory=dict)
    """The options of that environment."""
    simulator: str | None = None
    """What runs its firmware behind ``sim://<name>``: "host", "simavr", "qemu", or None where nothing does."""
    bare: BareBuild | None = None
    """For "qemu"."""
    machine: Machine | None = None
    """For "qemu"."""
    bootloader: str | None = None
    """For "simavr": an Intel hex file, in the folder of Debian's Arduino core or at an absolute path."""
    costs: str | None = None
    """The core whose `Costs` estimates are made with, or None."""
    cycles_per_instruction: float = 1.0
    """Where costs are counted in instructions and have no bounds of their own."""
    firmware_flash: int = 0
    """Bytes that the board's core and the serial firmware take without a network and its kernels."""
    firmware_ram: int = 0
    """Bytes of RAM that the board's core and the serial firmware take without a network, the stack left out."""
    stack_less: int = 0
    """Bytes by which its stacks are less deep than on the board that its `Costs` were measured on."""
    measured: bool = False
    """Whether those figures were measured on a build and a simulator; otherwise they are taken from similar boards."""
    file: str | None = None
    """The absolute path of a user's board file; None for a board that comes with ebnn."""


@dataclass(frozen=True)
class Costs:
    """What the kernels take on a core, by their names in `ebnn.compile.kernels`.

    Attributes:
        flash: bytes of code that each part of the library brings along, and of each layer of a kind.
        stack: bytes of the deepest stack while a kernel runs in the firmware, an interrupt included.
        rest_stack: of a kernel that takes filters four at a time, where the last ones, fewer than four, take a call
            more.
        time: for each kernel, cycles (AVR) or instructions (elsewhere) for one of each count of its work.
        cycles: for each kernel, the fewest and the most cycles that one of its instructions may take, where its
            instructions were counted and their latencies are known within bounds only.
    """

    flash: dict[str, float]
    stack: dict[str, int]
    time: dict[str, dict[str, float]]
    cycles: dict[str, tuple[float, float]] = field(default_factory=dict)
    rest_stack: dict[str, int] = field(default_factory=dict)
