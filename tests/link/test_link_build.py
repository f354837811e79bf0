"""The firmware compiles everywhere it must, and sim://host says what is missing where it cannot."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial
import stub_network
from support.c_networks import require

from ebnn.device import Device
from ebnn.errors import BuildError, PortError
from ebnn.firmware_sources import firmware_folder
from ebnn.simulation import build_host, find_compiler, host_url, program_url, protocol_sim

HERE = Path(__file__).parent
STUB = HERE / "stub"
SOURCE = firmware_folder() / "src"
LIBRARY = firmware_folder() / "lib" / "ebnn" / "src"
UPDATABLE = ["-DEBNN_UPDATABLE", f"-I{firmware_folder() / 'include'}"]  # whose network has an arena of its own
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow"]


def compile_file(command: list[str], source: Path, folder: Path) -> Path:
    """Compiles one file without linking, and returns the object."""
    require(command[0])
    output = folder / f"{source.stem}.o"
    include = [f"-I{STUB}", f"-I{SOURCE}", f"-I{HERE / 'arduino'}", f"-I{LIBRARY}"]
    whole = [*command, *WARNINGS, *include, "-c", str(source), "-o", str(output)]
    result = subprocess.run(whole, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return output


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(
    "extra",
    [
        [],
        ["-fshort-enums", "-DEBNN_BOARD=nano_33_iot"],
        [*UPDATABLE, "-DEBNN_KEYED"],
        ["-DEBNN_UPDATABLE", "-DEBNN_NO_NETWORK", "-DEBNN_NO_PROFILE", "-DEBNN_OWN_STORE"],
    ],
)
def test_no_warning_as_c99(compiler: str, extra: list[str], tmp_path: Path) -> None:
    (tmp_path / "push_key.h").write_text("#define EBNN_PUSH_KEY 1, 2, 3\n")
    for source in (*sorted(SOURCE.glob("*.c")), *sorted((firmware_folder() / "host").glob("*.c"))):
        compile_file([compiler, "-std=c99", "-pedantic", "-O2", *extra, f"-I{tmp_path}"], source, tmp_path)


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_no_warning_as_cpp11(compiler: str, tmp_path: Path) -> None:
    """The headers are part of main.cpp."""
    compile_file([compiler, "-std=c++11", "-pedantic"], SOURCE / "main.cpp", tmp_path)
    both = tmp_path / "headers.cpp"
    names = ("frames", "protocol", "push", "responder", "sha256", "stack", "store")
    both.write_text("".join(f'#include "{name}.h"\n' for name in names))
    for extra in ([], ["-DEBNN_UPDATABLE"]):
        compile_file([compiler, "-std=c++11", "-pedantic", *extra], both, tmp_path)


def test_on_avr(tmp_path: Path) -> None:
    """Compiles where int has 16 bits; beside arena and scores the link takes at most 64 bytes of RAM, static."""
    (tmp_path / "push_key.h").write_text("#define EBNN_PUSH_KEY 1, 2, 3\n")
    flags = ["-mmcu=atmega328p", "-Os", "-fshort-enums", "-DEBNN_BOARD=uno"]
    compile_c = ["avr-gcc", "-std=c99", *flags]
    objects = [compile_file(compile_c, SOURCE / name, tmp_path) for name in ("frames.c", "responder.c", "stack.c")]
    compile_file(["avr-g++", "-std=c++11", *flags], SOURCE / "main.cpp", tmp_path)
    used = 0
    sizes = subprocess.run(["avr-size", *objects], capture_output=True, text=True, check=True).stdout
    for line in sizes.splitlines()[1:]:
        _, data, bss, *_ = line.split()
        used += int(data) + int(bss)
    assert used - 64 - 4 * 10 <= 64
    for name in ("responder.c", "push.c", "sha256.c", "store.c", "model.c"):
        compile_file(
            [*compile_c, *UPDATABLE, "-DEBNN_NO_NETWORK", "-DEBNN_KEYED", f"-I{tmp_path}"], SOURCE / name, tmp_path
        )


@pytest.mark.parametrize("compiler", ["cc", "gcc", "clang"])
def test_any_compiler_will_do(compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require(compiler)
    monkeypatch.setenv("CC", compiler)
    program = build_host(stub_network.HEADER, tmp_path)
    with Device(program_url(program), network_hash=stub_network.HASH) as device:
        assert device.hello().board == "host"


def test_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BuildError) as caught:
        Device(host_url(stub_network.HEADER))
    for part in ("sudo apt install gcc", "xcode-select --install", "WSL"):
        assert part in str(caught.value)


def test_cc_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O3")
    with pytest.raises(BuildError, match="no-such-compiler"):
        find_compiler()


def test_a_compiler_that_fails_is_quoted(tmp_path: Path) -> None:
    header = tmp_path / "broken.h"
    header.write_text("#error this header is broken\n")
    with pytest.raises(BuildError, match="this header is broken"):
        Device(host_url(header))


def test_a_missing_header(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="ebnn export"):
        Device(host_url(tmp_path / "nothing.h"))


def test_a_header_may_include_its_neighbours(tmp_path: Path) -> None:
    shutil.copy(stub_network.HEADER, tmp_path / "inner.h")
    (tmp_path / "with a space & more.h").write_text('#include "inner.h"\n')
    with Device(host_url(tmp_path / "with a space & more.h")) as device:
        assert device.hello().network == "stub"


def test_windows_is_told(monkeypatch: pytest.MonkeyPatch, stub_url: str) -> None:
    monkeypatch.setattr(protocol_sim, "tty", None)
    with pytest.raises(PortError, match="WSL"):
        Device(stub_url)


def ended(pid: int) -> bool:
    """Whether the process has ended, or is about to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@needs_proc
def test_closing_the_port_ends_the_board(stub_url: str) -> None:
    port = serial.serial_for_url(stub_url)
    pid = port.process.pid
    assert not ended(pid)
    port.close()
    assert ended(pid)
    port.open()
    assert not ended(port.process.pid)
    port.close()


@needs_proc
def test_the_board_ends_when_python_is_killed(stub_url: str) -> None:
    program = (
        "import ebnn.simulation, os, serial, signal, sys\n"
        f"port = serial.serial_for_url({stub_url!r})\n"
        "print(port.process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    pid = int(result.stdout)
    end = time.monotonic() + 120
    while not ended(pid):
        assert time.monotonic() < end, "the simulated board outlived its Python"
        time.sleep(0.01)


def test_two_boards_at_once(stub_url: str) -> None:
    sample = stub_network.draw_samples(1, seed=9)[0]
    with Device(stub_url) as first, Device(stub_url) as second:
        for _ in range(10):
            first.predict(sample)
        second.predict(sample)
        assert (first.hello().inferences, second.hello().inferences) == (10, 1)


def test_the_network_that_a_checkout_comes_with_is_built_and_answers() -> None:
    """sim://host without a header takes firmware/include/network.h, whichever network lies there."""
    header = (firmware_folder() / "include/network.h").read_text()
    stated = re.search(r"^#define \w+_HASH 0x([0-9A-F]{8})ul$", header, re.MULTILINE)
    assert stated is not None
    with Device("sim://host") as device:
        info = device.hello()
    assert info.board == "host"
    assert info.network_hash == int(stated[1], 16)
