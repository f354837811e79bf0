"""The firmware as boards get it: PlatformIO's configuration, and a link against Debian's Arduino core for AVR."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.c_networks import require

import ebnn
from ebnn.training import build_network

TOP = Path(__file__).parents[2]
FIRMWARE = TOP / "firmware"
CORE = Path("/usr/share/arduino/hardware/arduino/avr")
SIZES = "-Os -ffunction-sections -fdata-sections -DF_CPU=16000000L -DARDUINO=10819 -DARDUINO_ARCH_AVR"
STACK = 320  # bytes: the deepest call's frames (gcc -fstack-usage), return addresses and an interrupt
BOARDS = {  # name: (MCU, variant, RAM in bytes)
    "uno": ("atmega328p", "standard", 2_048),
    "megaatmega2560": ("atmega2560", "mega", 8_192),
}


def test_platformio_reads_the_configuration():
    command = [sys.executable, "-m", "platformio", "project", "config", "--json-output", "-d", TOP]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    sections = {name: dict(options) for name, options in json.loads(done.stdout)}
    assert sections["platformio"]["default_envs"] == ["genuino101"]
    assert Path(sections["platformio"]["src_dir"]) == FIRMWARE / "src"
    for board in ("genuino101", *BOARDS):
        assert sections[f"env:{board}"]["board"] == board
        assert f"-DEBNN_BOARD={board}" in " ".join(sections[f"env:{board}"]["build_flags"])


def emit(architecture, folder):
    """network.h of an untrained network for MNIST's images."""
    chain = build_network(architecture, (1, 28, 28), 10, "uint8")
    ebnn.write_header(ebnn.lower(chain, (1, 28, 28), "uint8"), folder / "network.h")


def compile_for(board, source, folder):
    """Compiles a source of ours, with all warnings as errors, or of the core. Returns the process and the object."""
    mcu, variant, _ = BOARDS[board]
    plus_plus = source.suffix == ".cpp"
    compiler, standard = ("avr-g++", "-std=gnu++11") if plus_plus else ("avr-gcc", "-std=gnu11")
    flags = [f"-mmcu={mcu}", *SIZES.split(), f"-I{CORE / 'cores/arduino'}", f"-I{CORE / 'variants' / variant}"]
    if source.is_relative_to(FIRMWARE):
        flags += [
            "-Wall",
            "-Wextra",
            "-Werror",
            f"-DEBNN_BOARD={board}",
            f"-I{folder}",
            f"-I{FIRMWARE / 'lib/ebnn/src'}",
        ]
    else:
        # Debian's avr-gcc 5.4 lacks DECIMAL_DIG in C++, which the core's WString.cpp asks for.
        flags += ["-w", "-DDECIMAL_DIG=10", *(["-fpermissive"] if plus_plus else [])]
    flags += ["-fno-exceptions", "-fno-threadsafe-statics"] if plus_plus else []
    target = folder / f"{source.parent.name}-{source.name}.o"
    command = [require(compiler), standard, *flags, "-c", source, "-o", target]
    return subprocess.run(command, capture_output=True, text=True, check=False), target


@pytest.fixture(autouse=True)
def _core():
    if not CORE.is_dir():
        message = "Debian's arduino-core-avr is not installed"
        pytest.fail(message) if os.environ.get("EBNN_NO_SKIP") else pytest.skip(message)


@pytest.mark.parametrize(("board", "architecture"), [("uno", "conv-small"), ("megaatmega2560", "conv")])
def test_the_firmware_links_for_arduino(tmp_path, board, architecture):
    """A network, the responder and the real core, without a warning from ours; there is room for the stack."""
    emit(architecture, tmp_path)
    objects = []
    for source in [*sorted((FIRMWARE / "src").glob("*.c*")), *sorted((CORE / "cores/arduino").glob("*.c*"))]:
        done, target = compile_for(board, source, tmp_path)
        assert done.returncode == 0, done.stderr
        objects.append(target)
    mcu, _, ram = BOARDS[board]
    elf = tmp_path / "firmware.elf"
    subprocess.run(["avr-gcc", f"-mmcu={mcu}", "-Os", "-Wl,--gc-sections", *objects, "-o", elf], check=True)
    _, row = subprocess.run(["avr-size", elf], capture_output=True, text=True, check=True).stdout.splitlines()
    _, data, bss = map(int, row.split()[:3])
    assert data + bss + STACK <= ram


def test_a_network_too_large_for_the_board_stops_the_compiler(tmp_path):
    """Its arena would fit, the stack beside it would not."""
    emit("conv", tmp_path)
    done, _ = compile_for("uno", FIRMWARE / "src/responder.c", tmp_path)
    assert done.returncode != 0
    assert "do not fit the board's RAM" in done.stderr
