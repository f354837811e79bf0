"""ebnn init: the project builds as it is, for people who installed the package."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from emitted import emit
from support.boards import require_board
from support.platformio_core import pio

import ebnn
from ebnn.device import Device
from ebnn.platformio import build_firmware, bundled_project
from ebnn.simulation import program_url

TOP = Path(__file__).parents[2]


def run(*words: str | Path, cwd: Path, code: int = 0) -> str:
    """Output of a Python program; standard error is in it."""
    done = subprocess.run([sys.executable, *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == code, output
    assert "Traceback" not in output
    return output


@pytest.fixture(scope="module")
def project(tmp_path_factory, small_header) -> Path:
    folder = tmp_path_factory.mktemp("init")
    model = small_header.with_name("network.ebnn")
    output = run("-m", "ebnn", "init", "mine", "--board", "uno", "--model", model, cwd=folder)
    assert "ebnn flash --board uno --project mine" in output
    return folder / "mine"


@pytest.mark.usefixtures("platformio_core")
def test_pio_run_builds_it_for_the_board_that_was_named(project):
    output = pio("run", "-d", project)
    assert re.search(r"uno +SUCCESS", output)
    assert "warning" not in output.lower()


@pytest.mark.usefixtures("platformio_core")
def test_stream_py_finds_no_difference(project):
    """Through the project's own program for this computer."""
    assert "SUCCESS" in pio("run", "-d", project, "-e", "native")
    url = program_url(project / ".pio/build/native/program")
    output = run("stream.py", "--port", url, cwd=project)
    assert "native runs network" in output
    assert output.count(" on this computer\n") == 10
    assert "0 of 10 answers differ from Python's" in output


def test_stream_py_says_instructions_where_a_board_counts_those(project, request):
    """QEMU's boards have no time: their figure is never one in milliseconds."""
    require_board("cortex-m3", request)
    output = run("stream.py", "--port", "sim://cortex-m3", cwd=project)
    assert "sim://cortex-m3: cortex-m3 runs network" in output
    assert re.search(r"sample 9: class \d, [\d.]+ k instructions on the board\n0 of 10 answers differ", output)
    assert not re.search(r"\d (µs|ms|s)\b", output)


def test_stream_py_says_what_is_wrong(project):
    assert "Error: " in run("stream.py", "--port", "/dev/does-not-exist", cwd=project, code=1)


def test_its_configuration_has_every_board_and_nothing_of_ours(project):
    text = (project / "platformio.ini").read_text()
    assert "default_envs = uno\n" in text
    assert "firmware/" not in text
    assert "free from linting errors" in pio("project", "config", "--lint", "-d", project)
    assert text.count("[env:") == len(bundled_project().environments)
    assert "ebnn flash --board uno" in (project / "README.md").read_text()


def test_a_board_s_name_may_be_no_name_in_python(tmp_path):
    run("-m", "ebnn", "init", "mine", "--board", "esp32-c3-devkitm-1", cwd=tmp_path)
    assert "--samples" in run("mine/stream.py", "--help", cwd=tmp_path)
    assert 'BOARD = "esp32-c3-devkitm-1"' in (tmp_path / "mine/stream.py").read_text()


def test_without_a_model_it_has_the_network_that_ebnn_brings_along(tmp_path):
    output = run("-m", "ebnn", "init", tmp_path / "mine", cwd=tmp_path)
    assert "a project for genuino101" in output
    header = (TOP / "firmware/include/network.h").read_bytes()
    assert (tmp_path / "mine/include/network.h").read_bytes() == header
    network = ebnn.load(tmp_path / "mine/network.ebnn")
    assert f"0x{network.hash32:08X}ul" in header.decode()


def test_a_folder_that_is_not_empty_is_refused(project, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    for folder, what in ((tmp_path, "not empty"), (tmp_path / "mine.txt", "a file"), (project, "not empty")):
        output = run("-m", "ebnn", "init", folder, cwd=tmp_path, code=1)
        assert f"{folder} is {what}: name a new folder" in output
        assert output.count("Error:") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_unknown_board_lists_the_boards(tmp_path):
    output = run("-m", "ebnn", "init", "mine", "--board", "toaster", cwd=tmp_path, code=1)
    assert "no board is called 'toaster'; ebnn knows bluepill_f103c8, cortex-m0" in output
    output = run("-m", "ebnn", "init", "mine", "--board", "mega", cwd=tmp_path, code=1)
    assert "no board is called 'mega', did you mean megaatmega2560?" in output
    output = run("-m", "ebnn", "init", "mine", "--board", "rv32", cwd=tmp_path, code=1)
    assert "is simulated only, there is nothing to write to: ebnn run MODEL --port sim://rv32" in output
    assert not (tmp_path / "mine").exists()


def test_a_network_that_is_too_big_for_the_board_is_refused(tmp_path):
    model = emit("conv", tmp_path).with_name("network.ebnn")
    output = run("-m", "ebnn", "init", "mine", "--board", "uno", "--model", model, cwd=tmp_path, code=1)
    assert re.search(r"B of RAM, Arduino Uno has 2,048: ", output)
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("command", [["init"], ["platformio-offline", "--platform", "native"]])
def test_a_folder_that_cannot_be_made_is_named(tmp_path, command):
    (tmp_path / "file").write_text("")
    output = run("-m", "ebnn", *command, "file/mine", cwd=tmp_path, code=1)
    assert "Error: " in output
    assert f"{tmp_path / 'file/mine'} cannot be written: Not a directory" in output
    assert "Errno" not in output


@pytest.mark.usefixtures("platformio_core")
def test_the_network_that_ebnn_brings_along_answers(tmp_path):
    """network.ebnn beside network.h is the same network."""
    include = bundled_project().include
    program = build_firmware("native", include / "network.h", tmp_path)
    network = ebnn.load(include / "network.ebnn")
    with Device(program_url(program), network_hash=network.hash32) as device:
        assert device.hello().classes == network.classes
