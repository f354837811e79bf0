"""A user's own board: one TOML file, by its path or in the folder that EBNN_BOARDS names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.c_networks import require

from ebnn import boards
from ebnn.boards import board_names, load_board
from ebnn.cli import main
from ebnn.compile.estimate import check_fits, estimate
from ebnn.device import Device
from ebnn.errors import EbnnError, FileFormatError, UnknownNameError
from ebnn.firmware_sources import bundled_header
from ebnn.platformio import bundled_project, open_project
from ebnn.published import load
from ebnn.report import counts_instructions
from ebnn.simulation import board_url

OWN = """
title = "My sensor node"
like = "uno"
ram_bytes = 1_024
usb = ["1234:abcd"]

[platformio]
platform = "atmelavr"
board = "uno"
"board_build.f_cpu" = "8000000L"
"""


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Boards that are given by path in a test are forgotten after it."""
    monkeypatch.setattr(boards, "_loaded", {})


@pytest.fixture
def node(tmp_path: Path) -> Path:
    path = tmp_path / "node.toml"
    path.write_text(OWN)
    return path


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_a_board_by_its_path_or_in_a_folder(node, monkeypatch):
    board = load_board(node)
    assert (board.name, board.title, board.ram_bytes, board.usb) == ("node", "My sensor node", 1024, ("1234:abcd",))
    uno = load_board("uno")
    assert (board.core, board.flash_bytes, board.costs, board.simulator) == ("avr", 32_256, "avr", "simavr")
    assert uno.measured
    assert not board.measured
    monkeypatch.setattr(boards, "_loaded", {})
    assert "node" not in board_names()
    monkeypatch.setenv("EBNN_BOARDS", str(node.parent))
    assert "node" in board_names()
    assert load_board("node") == board
    assert "node" in run("boards", "--json", node.parent / "boards.json")
    listed = json.loads((node.parent / "boards.json").read_text())["boards"]
    assert next(one["title"] for one in listed if one["name"] == "node") == "My sensor node"


def test_estimates_and_limits_are_the_boards(node):
    network = load("mnist-tiny")
    assert not estimate(network, load_board(node)).fits
    assert estimate(network, load_board("uno")).fits
    with pytest.raises(EbnnError, match="node"):
        check_fits(network, load_board(node))
    assert "My sensor node" in run("info", "mnist-tiny", "--board", node)
    assert "1,024" in run("export", "mnist-tiny", "--board", node, "-o", node.parent / "net.h", code=1)


def test_platformio_gets_an_environment_for_it(node, tmp_path):
    board = load_board(node)
    assert bundled_project(board).environments == (*bundled_project().environments, "node")
    run("init", tmp_path / "mine", "--board", node)
    project = open_project(tmp_path / "mine")
    assert project.environments[-1] == "node"
    text = (tmp_path / "mine" / "platformio.ini").read_text()
    assert "default_envs = node" in text
    assert text.endswith(
        "; My sensor node.\n[env:node]\nextends = arduino\nplatform = atmelavr\nboard = uno\n"
        "board_build.f_cpu = 8000000L\n"
    )
    assert (tmp_path / "mine" / "node.toml").read_text() == OWN
    help_text = subprocess.run(
        [sys.executable, tmp_path / "mine" / "stream.py"], capture_output=True, text=True, check=False
    )
    assert "My sensor node" in help_text.stderr  # its port is looked for


SIMULATED = """
title = "Microcontroller of mine"
core = "cortex-m3"
costs = "cortex-m3"
clock_hz = 1_000_000
flash_bytes = 4_194_304
ram_bytes = 4_194_304
simulator = "qemu"

[bare]
tools = "arm-none-eabi-"
packages = "gcc-arm-none-eabi picolibc-arm-none-eabi"
processor = ["-mthumb", "-mcpu=cortex-m3"]
sources = ["arm.c", "own.c"]
script = "own.ld"

[machine]
emulator = "qemu-system-arm"
package = "qemu-system-arm"
options = ["-machine", "mps2-an385"]
elf_machine = 40
shift = 10
"""


@pytest.mark.simulator
def test_a_simulated_board_lies_in_its_file_too(tmp_path):
    """Its own C files and its linker script lie beside it."""
    require("arm-none-eabi-gcc")
    require("qemu-system-arm")
    bare = Path(__file__).parents[2] / "firmware" / "bare"
    (tmp_path / "mine.toml").write_text(SIMULATED)
    (tmp_path / "own.c").write_text((bare / "mps2.c").read_text())
    (tmp_path / "own.ld").write_text((bare / "mps2.ld").read_text())
    port = f"sim://{tmp_path / 'mine.toml'}"
    output = run("profile", "mnist-tiny", "--port", port, "--samples", 1)
    assert counts_instructions("mine")
    assert "instructions" in output


@pytest.mark.simulator
def test_a_simulated_avr_board_is_built_by_platformio(node, platformio_core):
    """The firmware says the board's name, which PlatformIO gives it from the environment of the board's file."""
    require("avr-gcc")
    with Device(board_url(str(node), header=bundled_header())) as device:
        assert device.hello().board == "node"


WRONG = {
    "no toml at all [": "is no TOML file: ",
    "clock_hz = 3": "title is missing",
    'title = "x"\nflash_byte = 3': "no key of a board is called 'flash_byte', did you mean flash_bytes?",
    'title = "x"\nclock_hz = "fast"': "clock_hz must be a whole number, it is 'fast'",
    'title = "x"\nclock_hz = true': "clock_hz must be a whole number, it is 'True'",
    'title = "x"\nclock_hz = 1e9': "clock_hz must be a whole number",
    'title = "x"\nram_bytes = -1': "ram_bytes is -1: give 1 to",
    'title = "x"\nram_bytes = 99999999999999999': "ram_bytes is 99999999999999999: give 1 to",
    'title = ["x"]': "title must be a text",
    'title = "x"\nusb = "1234:abcd"': "usb must be a list of texts",
    'title = "x"\nusb = ["COM3"]': "usb has 'COM3': give vendor:product",
    'title = "x"\ncosts = "z80"': "costs need core, clock_hz",
    'title = "x"\nlike = "unno"': "no board of ebnn's is called 'unno', did you mean uno?",
    'title = "x"\nlike = "node"': "like names the board itself",
    'title = "x"\nname = "other"': "calls the board 'other': name the file after the board",
    'title = "x"\nsimulator = "qmu"': "no simulator is called 'qmu', did you mean qemu?",
    'title = "x"\nsimulator = "qemu"': r"needs the tables \[bare\] and \[machine\]",
    'title = "x"\nsimulator = "simavr"': "needs mcu and",
    'title = "x"\nbare = 3': r"bare must be a table, \[bare\]",
    'title = "x"\n[machine]\nshift = 3': r"\[machine\] lacks emulator, package, options, elf_machine",
    'title = "x"\n[machine]\nshft = 3': r"no key of \[machine\] is called 'shft', did you mean shift?",
    'title = "x"\n[platformio]\nboard = "uno"': r"\[platformio\] lacks platform",
    'title = "x"\nplatformio = []': r"platformio must be a table",
    'title = "x"\n[platformio]\nplatform = "a\\nb"\nboard = "x"': "must be a text in one line",
    "title = 'x'\n" + "# long\n" * 10_000: "is over 65,536 bytes",
    "a = " + "[" * 30_000: "is no TOML file",
}


@pytest.mark.parametrize("text", WRONG, ids=[str(i) for i in range(len(WRONG))])
def test_a_wrong_file_is_one_line(text, tmp_path):
    path = tmp_path / "node.toml"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=WRONG[text].replace("?", r"\?")) as caught:
        load_board(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_files_that_are_none(tmp_path, monkeypatch):
    for name, content in (("a b.toml", OWN), ("uno.toml", OWN), ("latin.toml", "title = 'ä'".encode("latin-1"))):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(FileFormatError, match=r"is named as the board|comes with ebnn|is no text in UTF-8"):
            load_board(path)
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(FileFormatError, match="is no file"):
        load_board(tmp_path / "pipe.toml")
    with pytest.raises(FileFormatError, match="cannot be read: No such file"):
        load_board("./nowhere.toml")
    monkeypatch.setenv("EBNN_BOARDS", str(tmp_path / "nowhere"))
    with pytest.raises(FileFormatError, match=r"EBNN_BOARDS names .*nowhere, where boards cannot be looked for"):
        board_names()
    assert run("boards", code=1).startswith("Error: EBNN_BOARDS names")
    assert run("info", "mnist-tiny", "--board", "uno").startswith("mnist-tiny")
    monkeypatch.delenv("EBNN_BOARDS")
    with pytest.raises(UnknownNameError, match="no board is called 'node'"):
        load_board("node")
