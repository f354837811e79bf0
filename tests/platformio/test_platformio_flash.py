"""ebnn flash: through a real bootloader in a simulated board, with PlatformIO and avrdude; and what can go wrong."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from emitted import emit

import ebnn
from ebnn.device import Device
from ebnn.errors import BuildError, DeviceError, PortError, UnknownNameError
from ebnn.flashing import flash as flash_board
from ebnn.flashing import read_hash
from ebnn.platformio import write_project
from ebnn.platformio.running import Outcome
from ebnn.platformio.upload import upload_error
from ebnn.pushing import push
from ebnn.simulation import plugged_in

pytestmark = pytest.mark.usefixtures("platformio_core")
VECTORS = Path(__file__).parents[1] / "vectors"


def flash(*words: str | Path, cwd: Path, code: int = 0) -> str:
    """Output of ebnn flash; standard error is in it."""
    command = [sys.executable, "-m", "ebnn", "flash", *map(str, words)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=200)
    output = done.stdout + done.stderr
    assert done.returncode == code, output
    assert "Traceback" not in output
    assert output.count("Error: ") <= 1 or "avrdude" in output
    return output


def said(output: str) -> str:
    """The one message, without line breaks."""
    return " ".join(output[output.rindex("Error: ") :].split())


@pytest.fixture(scope="module")
def uno(platformio_core) -> Iterator[str]:
    """The port of a simulated Uno with a bootloader."""
    with plugged_in("uno", bootloader=True) as board:
        yield board.port


@pytest.fixture
def silent_port() -> Iterator[str]:
    """A port behind which nobody is."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


@pytest.fixture(scope="module")
def project(tmp_path_factory, small_header) -> Path:
    model = small_header.with_name("network.ebnn")
    folder = tmp_path_factory.mktemp("flash") / "project"
    write_project(folder, "uno", small_header.read_bytes(), model.read_bytes())
    return folder


def test_the_board_answers_with_the_network_that_was_flashed(uno, project, tmp_path):
    """In the current folder's project; the model's header comes in the place of the one that is there."""
    model = emit("conv-small", tmp_path).with_name("network.ebnn")
    model = model.rename(tmp_path / "kiwi.ebnn")
    output = flash(model, "--board", "uno", "--port", uno, "--json", tmp_path / "flash.json", cwd=project)
    network = ebnn.load(model)
    assert "bytes of flash verified" in output
    assert output.count("Processing uno") == output.count("Checking size") == 1
    assert f"board uno runs network kiwi, hash 0x{network.hash32:08x}" in output
    assert read_hash(project / "include/network.h") == network.hash32
    values = json.loads((tmp_path / "flash.json").read_text())
    assert (values["board"], values["network"], values["port"]) == ("uno", "kiwi", uno)
    assert int(values["hash"], 16) == network.hash32


def test_flashing_is_a_call_of_the_library(uno, small_header):
    """The progress is told, nothing is printed, and the board answers with the network."""
    network = ebnn.load(small_header.with_name("network.ebnn"))
    told, shown = [], []
    flashed = flash_board(network, "uno", uno, name="lemon", progress=told.append, show=shown.append)
    assert told == [f"lemon → uno at {uno}", "waiting for the board …"]
    assert "bytes of flash verified" in "".join(shown)
    assert (flashed.port, flashed.info.board, flashed.info.network) == (uno, "uno", "lemon")
    assert flashed.info.network_hash == network.hash32
    assert flashed.values()["hash"] == f"0x{network.hash32:08x}"
    with pytest.raises(PortError, match="no port that a board can be written through"):
        flash_board(network, "uno", "sim://uno")
    with pytest.raises(UnknownNameError, match="no board is called 'toaster'"):
        flash_board(network, "toaster", uno)


def test_an_updatable_board_forgets_what_was_pushed_when_it_is_flashed_again(uno, tmp_path):
    """The EEPROM outlives an upload."""
    first, second = (VECTORS / f"{name}.ebnn" for name in ("uint8-scores", "bits-dense"))
    words = ("--board", "uno", "--port", uno, "--updatable")
    output = flash(first, *words, cwd=tmp_path)
    assert "runs network uint8_scores" in output
    assert re.search(r"it takes networks of up to [\d,]+ B, .* images of up to 1,024 B stay", output)
    assert push(ebnn.load(second), uno, title="second").kept
    with Device(uno, network_hash=ebnn.load(second).hash32) as device:
        assert device.hello().network == "second"
    assert "runs network uint8_scores" in flash(first, *words, cwd=tmp_path)


def test_the_firmware_is_built_for_the_speed_that_was_asked_for(uno, project):
    """The UART's divider, 16 MHz / 8 / baud − 1, is among the constants that are stored in registers."""

    def stored(*words: str) -> list[str]:
        flash("--board", "uno", "--port", uno, *words, cwd=project)
        program = project / ".pio/build/uno/firmware.elf"
        done = subprocess.run(["avr-objdump", "-d", program], capture_output=True, text=True, check=True)
        return re.findall(r"ldi\tr\d+, (0x\w+)\s.*\n.*\bst\tZ, r\d+", done.stdout)

    assert "0x33" in stored("--baud", "38400")
    assert "0x33" not in stored()


def test_without_a_project_the_firmware_in_ebnn_is_built(uno, small_header, tmp_path):
    model = small_header.with_name("network.ebnn")
    output = flash(model, "--board", "uno", "--port", uno, cwd=tmp_path)
    assert "board uno runs network network" in output
    assert list(tmp_path.iterdir()) == []


def edited(project: Path, folder: Path, **options: str) -> Path:
    """A copy of the project with more options for its Uno."""
    write_project(folder, "uno", (project / "include/network.h").read_bytes(), b"")
    text = (folder / "platformio.ini").read_text()
    lines = "".join(f"{key.replace('__', '.')} = {value}\n" for key, value in options.items())
    (folder / "platformio.ini").write_text(text.replace("board = uno\n", f"board = uno\n{lines}"))
    return folder


def test_another_chip_is_not_written_to(uno, project, tmp_path):
    """The project is for an ATmega328, without P; the bootloader says ATmega328P."""
    folder = edited(project, tmp_path / "project", board_build__mcu="atmega328")
    output = flash("--board", "uno", "--port", uno, "--project", folder, cwd=tmp_path, code=1)
    assert f"the board at {uno} is no uno: its chip is m328p (signature 0x1e950f), and uno has ATmega328" in said(
        output
    )


def test_another_board_s_name_is_refused(uno, project, tmp_path):
    folder = edited(project, tmp_path / "project", build_flags="-DEBNN_BOARD=toaster")
    output = flash("--board", "uno", "--port", uno, "--project", folder, cwd=tmp_path, code=1)
    assert "says it is 'toaster', not 'uno'" in said(output)


def test_a_program_that_does_not_answer_is_told(uno, project, tmp_path):
    folder = edited(project, tmp_path / "project")
    for source in (folder / "src").iterdir():
        source.unlink()
    (folder / "src/main.cpp").write_text("#include <Arduino.h>\nvoid setup() {}\nvoid loop() {}\n")
    output = flash("--board", "uno", "--port", uno, "--project", folder, cwd=tmp_path, code=1)
    assert f"{uno} is silent" in said(output)


def test_something_else_at_the_port(project, tmp_path):
    """A terminal that sends back what it gets."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    command = [sys.executable, "-c", "import os\nwhile True: os.write(0, os.read(0, 999))"]
    with subprocess.Popen(command, stdin=master) as echo:
        output = flash("--board", "uno", "--port", os.ttyname(slave), "--project", project, cwd=tmp_path, code=1)
        echo.kill()
    os.close(master)
    os.close(slave)
    assert "no bootloader of a uno answers at /dev/" in said(output)


def test_a_port_that_is_busy_or_missing_is_found_out_before_the_build(silent_port, project, tmp_path):
    with serial.Serial(silent_port, exclusive=True):
        output = flash("--board", "uno", "--port", silent_port, "--project", project, cwd=tmp_path, code=1)
    assert "another program uses it" in said(output)
    assert "Compiling" not in output
    output = flash("--board", "uno", "--port", "/dev/does-not-exist", "--project", project, cwd=tmp_path, code=1)
    assert "there is no such port" in said(output)
    output = flash("--board", "uno", "--port", "sim://uno", "--project", project, cwd=tmp_path, code=1)
    assert "A simulated board needs no flashing" in said(output)


def processes(word: str) -> list[str]:
    """Command lines of the programs with this word in their arguments, environment or current folder."""
    lines = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = (path / "environ").read_bytes().decode(errors="replace") + str((path / "cwd").readlink())
        except OSError:  # it has ended
            continue
        if word in line or word in where:
            lines.append(line)
    return lines


def interrupted(words: list[str | Path], cwd: Path, line: str, program: str, word: str, number: int) -> str:
    """Output of ebnn, which gets a signal once it has printed ``line`` and ``program`` runs with ``word``."""
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("this system has no /proc")
    command = [sys.executable, "-u", "-m", "ebnn", *map(str, words)]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        output = ""
        while line not in output:
            piece = process.stdout.readline()
            assert piece, output
            output += piece
        deadline = time.monotonic() + 120
        while not any(program in one for one in processes(word)):
            assert time.monotonic() < deadline, output
            time.sleep(0.01)
        process.send_signal(number)
        output += process.communicate(timeout=120)[0]
    assert process.returncode == 128 + number, output
    assert "Traceback" not in output
    return output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_build_leaves_no_process_and_the_header_that_was_there(silent_port, project, tmp_path, number):
    folder = edited(project, tmp_path / "project")
    before = (folder / "include/network.h").read_bytes()
    model = emit("conv-small", tmp_path, name="other").with_name("network.ebnn").rename(tmp_path / "kiwi.ebnn")
    words = ["flash", model, "--board", "uno", "--port", silent_port, "--project", folder]
    output = interrupted(words, tmp_path, "Compiling", "scons", str(folder), number)
    assert "half written" not in output
    assert processes(str(folder)) == []
    assert (folder / "include/network.h").read_bytes() == before
    assert [path.name for path in (folder / "include").iterdir()] == ["network.h"]


def test_an_interrupted_upload_frees_the_port_and_says_what_to_do(silent_port, project, tmp_path):
    words = ["flash", "--board", "uno", "--port", silent_port, "--project", project]
    output = interrupted(words, tmp_path, "may try for a minute", "avrdude", silent_port, signal.SIGINT)
    assert "the board may be half written, flash it again" in said(output)
    assert processes(f"-P {silent_port}") == []
    serial.Serial(silent_port, exclusive=True).close()


def test_an_interrupted_build_for_a_simulated_board_leaves_no_process(small_header, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model = small_header.with_name("network.ebnn")
    words = ["profile", model, "--port", "sim://uno"]
    interrupted(words, tmp_path, "compiling the firmware", "scons", str(tmp_path), signal.SIGINT)
    assert processes(str(tmp_path)) == []


def test_a_network_that_does_not_fit_leaves_the_project_as_it_was(silent_port, project, tmp_path):
    before = (project / "include/network.h").read_bytes()
    model = emit("conv", tmp_path).with_name("network.ebnn")
    output = flash(model, "--board", "uno", "--project", project, cwd=tmp_path, code=1)
    assert re.search(r"B of RAM, Arduino Uno has 2,048: .*--board \w+", said(output))
    assert "Compiling" not in output
    assert (project / "include/network.h").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--board", "toaster", "--port", "/dev/null"], "no board is called 'toaster'; ebnn knows bluepill_f103c8, "),
        (["--board", "Uno"], "no board is called 'Uno', did you mean uno?"),
        (["--board", "cortex-m3"], "is simulated only, there is nothing to write to: ebnn run MODEL --port sim://cor"),
        (["--board", "genuino101"], "genuino101 cannot be written to with the folder "),
        (["--board", "native"], "native is this computer"),
        (["--board", "uno", "--project", "."], "is no project: it has no platformio.ini"),
        (["missing.ebnn", "--board", "uno"], "missing.ebnn"),
        (["--board", "uno", "--port", "/dev/null", "--json", "nowhere/x.json"], "nowhere"),
    ],
)
def test_bad_input_gets_one_clear_error(tmp_path, words, message):
    output = flash(*words, cwd=tmp_path, code=1)
    assert message in said(output)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("avrdude OS error: cannot open port /dev/ttyACM0: Permission denied", PortError, "dialout"),
        ("avrdude OS error: cannot open port /dev/ttyACM0: Device or resource busy", PortError, "is busy"),
        ("Error: Couldn't find a board on the selected port.", PortError, "name its --port"),
        ("avrdude stk500v2_ReceiveMessage() error: timeout", DeviceError, "no bootloader of a uno answers"),
        ("Platform Manager: x\nTool Manager: Installing tool-bossac\nHTTPClientError: ", BuildError, "tool-bossac"),
        ("something else\nwent wrong", DeviceError, "something else\nwent wrong"),
    ],
)
def test_what_uploaders_say_is_explained(text, kind, message):
    """Messages of avrdude 7 and of PlatformIO."""
    error = upload_error(Outcome(text, 1), "uno", "/dev/ttyACM0")
    assert type(error) is kind
    assert message in str(error)
