"""The painted stack, on simulated processors: what a program has used of its RAM is what it is told."""

import re
import subprocess
from pathlib import Path

import pytest
from support.c_networks import require

from ebnn.firmware_sources import firmware_folder

SOURCES = [Path(__file__).parent / "stack_probe.c", firmware_folder() / "src/stack.c"]
FLAGS = ["-std=gnu99", "-Os", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", f"-I{SOURCES[1].parent}"]
STACK, HEAP = 300, 100  # bytes that the probe uses


def build(compiler, flags, folder):
    elf = folder / "probe.elf"
    command = [require(compiler), *flags, *FLAGS, *SOURCES, "-o", elf]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return elf


def told(command):
    """(untouched, deepest) as the probe prints them, four times."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, stdin=subprocess.DEVNULL)
    return [
        tuple(map(int, pair))
        for pair in re.findall(r"(\d+) (\d+) ?\.?(?:\x1b\S*)?\s*$", done.stdout + done.stderr, re.M)
    ]


def check(lines, slack):
    """The four lines tell what the probe did, to `slack` bytes of return addresses and saved registers."""
    start, again, after_call, after_heap = lines
    assert again[1] >= start[1]  # a measurement takes some stack of its own
    assert STACK <= after_call[1] <= STACK + slack
    assert sum(start) == sum(again) == sum(after_call)
    assert after_heap[1] == after_call[1]
    assert HEAP <= after_call[0] - after_heap[0] <= HEAP + 16


@pytest.mark.parametrize(("mcu", "ram"), [("atmega328p", 2_048), ("atmega2560", 8_192)])
@pytest.mark.parametrize("flags", [[], ["-ffunction-sections", "-Wl,--gc-sections", "-flto"]], ids=["", "lto"])
def test_on_avr(mcu, ram, flags, tmp_path):
    """Static data, untouched RAM and deepest stack are all there is."""
    elf = build("avr-gcc", [f"-mmcu={mcu}", *flags], tmp_path)
    lines = told([require("simavr"), "-m", mcu, "-f", "16000000", elf])
    check(lines, slack=16)
    _, row = subprocess.run(["avr-size", elf], capture_output=True, text=True, check=True).stdout.splitlines()
    _, data, bss, *_ = map(int, row.split()[:3])
    assert sum(lines[0]) == ram - data - bss


@pytest.mark.parametrize(
    ("core", "cpu", "machine"),
    [("SAMD", "cortex-m0plus", "microbit"), ("SAM", "cortex-m3", "mps2-an385"), ("STM32", "cortex-m3", "mps2-an385")],
)
def test_on_cortex_m(core, cpu, machine, tmp_path):
    """As compiled for these Arduino cores, whose only stack lies above the heap."""
    places = {"__flash": "0", "__flash_size": "0x20000", "__ram": "0x20000000", "__ram_size": "0x4000"}
    flags = [f"-mcpu={cpu}", "-mthumb", f"-DARDUINO_ARCH_{core}", "--specs=picolibc.specs"]
    flags += [
        "--oslib=semihost",
        "--crt0=semihost",
        *(f"-Wl,--defsym={name}={value}" for name, value in places.items()),
    ]
    elf = build("arm-none-eabi-gcc", flags, tmp_path)
    machine_options = ["-M", machine, "-semihosting-config", "enable=on,target=native", "-nographic"]
    lines = told([require("qemu-system-arm"), *machine_options, "-monitor", "none", "-serial", "none", "-kernel", elf])
    check(lines, slack=64)
    assert sum(lines[0]) < 0x4000


def test_elsewhere_it_cannot_tell(tmp_path):
    program = build("gcc", [], tmp_path)
    assert told([program]) == [(0xFFFFFFFF, 0xFFFFFFFF)] * 4


def test_without_profiles_nothing_is_painted(tmp_path):
    elf = build("avr-gcc", ["-mmcu=atmega328p", "-DEBNN_NO_PROFILE"], tmp_path)
    assert told([require("simavr"), "-m", "atmega328p", "-f", "16000000", elf]) == [(0xFFFFFFFF, 0xFFFFFFFF)] * 4
