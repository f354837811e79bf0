"""PlatformIO without its registry: real builds with the system's compilers, real limits, and what is refused."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from support.platformio_core import pio

from ebnn.boards import load_board
from ebnn.errors import BuildError, MissingDependencyError, WriteError
from ebnn.platformio import TooBigError, prepare_offline
from ebnn.platformio.running import Outcome, build_error

TOP = Path(__file__).parents[2]
MACHINES = {  # environment: the ELF file's machine
    "uno": "EM_AVR",
    "nanoatmega328": "EM_AVR",
    "leonardo": "EM_AVR",
    "megaatmega2560": "EM_AVR",
    "genuino101": "EM_ARC_COMPACT2",
    "native": None,  # this computer's
}
STACK = 320  # bytes: the deepest call's frames on an AVR, return addresses and an interrupt
STRICT = {"PLATFORMIO_BUILD_SRC_FLAGS": "-Wall -Wextra -Werror"}
TINY_SKETCH = "#include <Arduino.h>\nvoid setup() { Serial.begin(9600); }\nvoid loop() { Serial.write('a'); }\n"


@pytest.fixture(scope="module")
def workspace(platformio_core, tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("workspace")


def sections(elf: Path) -> tuple[str, dict[str, int]]:
    """Machine, and sizes of the sections that take memory."""
    with elf.open("rb") as file:
        read = ELFFile(file)
        sizes = {one.name: one["sh_size"] for one in read.iter_sections() if one["sh_flags"] & 2}
        return read.header["e_machine"], sizes


@pytest.mark.parametrize("environment", MACHINES)
def test_pio_run_builds_the_firmware(small_header, workspace, environment):
    """Without a warning, with room for the stack; the sizes that PlatformIO prints are the ELF file's."""
    variables = {
        "PLATFORMIO_WORKSPACE_DIR": str(workspace),
        "PLATFORMIO_INCLUDE_DIR": str(small_header.parent),
        **STRICT,
    }
    output = pio("run", "-d", TOP, "-e", environment, environment=variables)
    assert "SUCCESS" in output
    assert "warning" not in output.lower().replace("-werror", "")
    build = workspace / "build" / environment
    if MACHINES[environment] is None:
        assert (build / "program").is_file()
        return
    machine, sizes = sections(build / "firmware.elf")
    assert machine == MACHINES[environment]
    board = load_board(environment)
    used, limit = map(int, re.search(r"RAM: .*used (\d+) bytes from (\d+) bytes", output).groups())
    variables = (".data", ".bss", ".noinit", ".core_variables")
    assert (used, limit) == (sum(sizes.get(name, 0) for name in variables), board.ram_bytes)
    assert used + STACK <= limit
    used, limit = map(int, re.search(r"Flash: .*used (\d+) bytes from (\d+) bytes", output).groups())
    assert (used, limit) == (sum(sizes.get(name, 0) for name in (".text", ".core", ".data")), board.flash_bytes)


def test_the_committed_network_builds_by_default(workspace):
    """As in a fresh checkout, for the default board."""
    output = pio("run", "-d", TOP, environment={"PLATFORMIO_WORKSPACE_DIR": str(workspace / "committed")})
    assert re.search(r"genuino101 +SUCCESS", output)


def sketch(folder: Path, platform: str, board: str, source: str) -> Path:
    """A project of one file."""
    (folder / "src").mkdir(parents=True)
    (folder / "src/main.cpp").write_text(source)
    (folder / "platformio.ini").write_text(
        f"[env:{board}]\nplatform = {platform}\nboard = {board}\nframework = arduino\n"
    )
    return folder


@pytest.mark.parametrize(("platform", "board"), [("atmelavr", "leonardo"), ("intel_arc32", "genuino101")])
def test_a_sketch_of_one_s_own_builds(platformio_core, tmp_path, platform, board):
    """PlatformIO with this folder is of use beyond ebnn's firmware."""
    assert "SUCCESS" in pio("run", "-d", sketch(tmp_path, platform, board, TINY_SKETCH))


def filled(flash: int, ram: int) -> str:
    """A sketch with constants and variables of so many bytes that the linker cannot drop."""
    return (
        "#include <Arduino.h>\n#ifndef PROGMEM\n#define PROGMEM\n#endif\n#ifdef __AVR__\n#include <avr/pgmspace.h>\n"
        f"#endif\nextern const uint8_t constants[{flash}] PROGMEM = {{1}};\nuint8_t variables[{ram}];\n"
        "void setup() { Serial.begin(9600); }\n"
        f"void loop() {{ volatile const uint8_t *c = constants; for (long i = 0; i < {flash}; i++) "
        f"variables[i % {ram}] += c[i]; for (long i = 0; i < {ram}; i++) Serial.write(variables[i]); }}\n"
    )


def test_a_sketch_that_exceeds_the_flash_fails(platformio_core, tmp_path):
    """The bootloader's share of the flash is the linker's, not the sketch's."""
    output = pio("run", "-d", sketch(tmp_path, "atmelavr", "nanoatmega328", filled(30_000, 10)), code=1)
    assert re.search(r"program size \(\d+ bytes\) is greater than maximum allowed \(30720 bytes\)", output)
    assert "B of flash; there are 30,720" in str(build_error(Outcome(output, 1), "nanoatmega328", "it"))


@pytest.mark.parametrize(("flash", "ram", "memory"), [(32_700, 10, "flash"), (10, 2_048, "RAM")])
def test_the_linker_knows_an_avr_s_memory(platformio_core, tmp_path, flash, ram, memory):
    output = pio("run", "-d", sketch(tmp_path, "atmelavr", "uno", filled(flash, ram)), code=1)
    error = build_error(Outcome(output, 1), "uno", "it")
    assert isinstance(error, TooBigError)
    assert f"more {memory} than there is" in str(error)


@pytest.mark.parametrize(("flash", "ram", "region"), [(117_500, 10, "flash"), (10, 9_600, "ram")])
def test_the_linker_knows_the_arduino_101_s_memory(platformio_core, tmp_path, flash, ram, region):
    output = pio("run", "-d", sketch(tmp_path, "intel_arc32", "genuino101", filled(flash, ram)), code=1)
    assert re.search(rf"region `{region}' overflowed by \d+ bytes", output)
    error = build_error(Outcome(output, 1), "genuino101", "it")
    assert isinstance(error, TooBigError)
    assert re.search(rf"[\d,]+ B more {region} than there is", str(error), re.IGNORECASE)


def test_up_to_the_limits_it_builds(platformio_core, tmp_path):
    output = pio("run", "-d", sketch(tmp_path, "intel_arc32", "genuino101", filled(115_000, 9_500)))
    assert "SUCCESS" in output


def test_the_arduino_101_is_not_uploaded_to(platformio_core, tmp_path):
    folder = sketch(tmp_path, "intel_arc32", "genuino101", TINY_SKETCH)
    output = pio("run", "-d", folder, "-t", "upload", "--upload-port", "/dev/null", code=1)
    assert "the Arduino 101 is written by a tool that PlatformIO's registry has" in output


def test_a_folder_is_brought_up_to_date_and_a_stranger_s_is_left_alone(platformio_core, tmp_path):
    assert prepare_offline(platformio_core) == platformio_core
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(WriteError, match="is not empty: name a new folder"):
        prepare_offline(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def command(*arguments: str | Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """ebnn platformio-offline as a user calls it, with nothing but the folder ``path`` to look for programs in."""
    words = [sys.executable, "-m", "ebnn", "platformio-offline", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, env=path and {"PATH": str(path)})


def test_missing_compilers_are_named_with_the_line_that_installs_them(tmp_path):
    done = command(tmp_path / "core", "--platform", "atmelavr", path=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("Error:") == 1
    assert "avr-gcc" in done.stderr
    line = next(line for line in done.stderr.splitlines() if "apt install" in line)
    assert {"gcc-avr", "binutils-avr", "avrdude"} <= set(line.split())
    assert not (tmp_path / "core").exists()


def test_one_platform_needs_its_own_compiler_only(platformio_core, tmp_path):
    for name in ("gcc", "g++"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = command(tmp_path / "core", "--platform", "native", path=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"export PLATFORMIO_CORE_DIR={tmp_path / 'core'}" in done.stdout
    assert [path.name for path in (tmp_path / "core/platforms").iterdir()] == ["native"]


def test_an_unknown_platform_lists_those_there_are(tmp_path):
    with pytest.raises(BuildError, match=r"'espressif32'.*there is atmelavr, intel_arc32, native"):
        prepare_offline(tmp_path / "core", ["espressif32"])
    assert "espressif32" in command(tmp_path / "core", "--platform", "espressif32").stderr


def test_without_scons_it_says_how_to_get_it(platformio_core, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "SCons", None)
    with pytest.raises(MissingDependencyError, match=r'run pip install "ebnn\[offline\]"'):
        prepare_offline(tmp_path / "core")
