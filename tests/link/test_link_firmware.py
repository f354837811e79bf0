"""The firmware as boards get it: PlatformIO's configuration, and a link against Debian's Arduino core for AVR."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.c_networks import require

TOP = Path(__file__).parents[2]
FIRMWARE = TOP / "firmware"
CORE = Path("/usr/share/arduino/hardware/arduino/avr")
SIZES = "-Os -ffunction-sections -fdata-sections -DF_CPU=16000000L -DARDUINO=10819 -DARDUINO_ARCH_AVR"
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


@pytest.mark.parametrize("board", BOARDS)
def test_the_firmware_links_for_arduino(tmp_path, board):
    """The committed network, the responder and the real core, without a warning from ours; what they take in RAM."""
    require("avr-gcc")
    if not CORE.is_dir():
        message = "Debian's arduino-core-avr is not installed"
        pytest.fail(message) if os.environ.get("EBNN_NO_SKIP") else pytest.skip(message)
    mcu, variant, ram = BOARDS[board]
    core = CORE / "cores/arduino"
    flags = [f"-mmcu={mcu}", *SIZES.split(), f"-I{core}", f"-I{CORE / 'variants' / variant}"]
    ours = ["-Wall", "-Wextra", "-Werror", f"-DEBNN_BOARD={board}"]
    ours += [f"-I{FIRMWARE / 'include'}", f"-I{FIRMWARE / 'lib/ebnn/src'}"]
    # Debian's avr-gcc 5.4 lacks DECIMAL_DIG in C++, which the core's WString.cpp asks for.
    theirs = ["-w", "-fpermissive", "-DDECIMAL_DIG=10"]
    objects = []
    for source in [*sorted((FIRMWARE / "src").glob("*.c*")), *sorted(core.glob("*.c*"))]:
        plus_plus = source.suffix == ".cpp"
        mine = source.is_relative_to(FIRMWARE)
        compiler, standard = ("avr-g++", "-std=gnu++11") if plus_plus else ("avr-gcc", "-std=gnu11")
        extra = ours if mine else [flag for flag in theirs if plus_plus or flag != "-fpermissive"]
        exceptions = ["-fno-exceptions", "-fno-threadsafe-statics"] if plus_plus else []
        objects.append(tmp_path / f"{len(objects)}-{source.name}.o")
        command = [compiler, standard, *exceptions, *flags, *extra, "-c", source, "-o", objects[-1]]
        subprocess.run(command, check=True)
    elf = tmp_path / "firmware.elf"
    subprocess.run(["avr-gcc", f"-mmcu={mcu}", "-Os", "-Wl,--gc-sections", *objects, "-o", elf], check=True)
    _, row = subprocess.run(["avr-size", elf], capture_output=True, text=True, check=True).stdout.splitlines()
    _, data, bss = map(int, row.split()[:3])
    assert data + bss < ram
