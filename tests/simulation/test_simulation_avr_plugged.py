"""Boards that stay at a port: opening it resets them, avrdude uploads through their own bootloader."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import serial
from avr_programs import compile_avr, require_simavr, wait_for
from support.c_networks import require

import ebnn
from ebnn.boards import load_board
from ebnn.device import Device
from ebnn.errors import NoAnswerError, PortError, UnknownNameError, WriteError
from ebnn.platformio import upload
from ebnn.simulation import SimavrSimulator, board_url, plugged_in
from ebnn.simulation.bootloaders import find_bootloader

VECTOR = Path(__file__).parents[1] / "vectors" / "uint8-conv.ebnn"
# As PlatformIO's boards say: part, protocol, bits per second.
UPLOADS = {
    "uno": ("m328p", "arduino", "115200"),
    "nanoatmega328": ("m328p", "arduino", "57600"),
    "megaatmega2560": ("m2560", "wiring", "115200"),
}


@pytest.fixture(autouse=True)
def _simavr() -> None:
    require_simavr()


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("header") / "network.h"
    ebnn.write_header(ebnn.load(VECTOR), path, name="vector")
    return path


def build(board: str, header: Path, folder: Path) -> Path:
    return SimavrSimulator.build(load_board(board), header, folder)


def assert_answers(port: str | serial.Serial) -> None:
    network = ebnn.load(VECTOR)
    with np.load(VECTOR.with_suffix(".npz"), allow_pickle=False) as data:
        samples, scores = data["samples"], data["scores"]
    with Device(port, network_hash=network.hash32) as device:
        found = [device.predict(sample).scores for sample in network.pack_input(samples)]
    np.testing.assert_array_equal(found, scores)


@pytest.mark.usefixtures("platformio_core")
@pytest.mark.parametrize("board", UPLOADS)
def test_avrdude_uploads_then_the_same_port_streams(board: str, header: Path, tmp_path: Path) -> None:
    part, protocol, speed = UPLOADS[board]
    find_bootloader(load_board(board))
    program = build(board, header, tmp_path).with_suffix(".hex")
    with plugged_in(board, bootloader=True) as plugged:
        command = [require("avrdude"), "-q", "-D", "-p", part, "-c", protocol, "-b", speed, "-P", plugged.port]
        done = subprocess.run(
            [*command, "-U", f"flash:w:{program}:i"], capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert "verified" in done.stderr
        assert_answers(plugged.port)
        plugged.check()


@pytest.mark.usefixtures("platformio_core")
@pytest.mark.parametrize("board", UPLOADS)
def test_platformio_uploads_then_the_same_port_streams(board: str, header: Path) -> None:
    require("avrdude")
    with plugged_in(board, bootloader=True) as plugged:
        upload(board, plugged.port, header=header)
        assert_answers(plugged.port)


@pytest.mark.usefixtures("platformio_core")
def test_opening_resets(header: Path, tmp_path: Path) -> None:
    """The second client meets a board that has run nothing yet."""
    network = ebnn.load(VECTOR)
    sample = network.pack_input(np.zeros((1, *network.input.shape), np.uint8))[0]
    with plugged_in("uno", program=build("uno", header, tmp_path)) as plugged:
        for _ in range(3):
            with Device(plugged.port) as device:
                assert device.hello().inferences == 0
                device.predict(sample)
                assert device.hello().inferences == 1
            time.sleep(0.1)


@pytest.mark.usefixtures("platformio_core")
def test_a_reset_in_mid_sample(header: Path, tmp_path: Path) -> None:
    """By DTR, with half the request on the wire: the client greets the board again and gets the right answer."""
    network = ebnn.load(VECTOR)
    x = np.random.default_rng(0).integers(0, 256, (4, *network.input.shape)).astype(np.uint8)
    port = serial.serial_for_url(board_url("uno", program=build("uno", header, tmp_path)), timeout=1.0)
    write, written = port.write, []

    def write_half(data: bytes) -> int:
        written.append(data)
        if len(written) != 3:
            return int(write(data))
        write(data[: len(data) // 2])
        time.sleep(0.05)
        port.dtr = False
        port.dtr = True
        return len(data)

    port.write = write_half
    with Device(port, network_hash=network.hash32, timeout=0.5) as device:
        found = [device.predict(sample) for sample in network.pack_input(x)]
        assert device.hello().inferences == 3  # since the reset
        assert device.statistics.handshakes == 3
    np.testing.assert_array_equal([one.scores for one in found], network.scores(x))


def test_an_empty_flash_says_nothing() -> None:
    with plugged_in("uno", bootloader=True) as plugged:
        with pytest.raises(NoAnswerError), Device(plugged.port, startup=2.0) as device:
            device.hello()
        plugged.check()


def test_boards_without_a_bootloader() -> None:
    with pytest.raises(PortError, match="no bootloader"), plugged_in("host", bootloader=True):
        pass
    with pytest.raises(PortError, match="no bootloader for board 'leonardo'"):
        find_bootloader(load_board("leonardo"))
    with pytest.raises(UnknownNameError, match="no simulated board is called 'moon'"), plugged_in("moon"):
        pass


def test_the_link(tmp_path: Path) -> None:
    program = compile_avr("uno", "count.S", tmp_path)
    link = tmp_path / "port"
    link.symlink_to("/dev/pts/nowhere")
    with plugged_in("uno", program=program, link=link) as plugged:
        assert str(link.readlink()) == plugged.port
    assert not link.is_symlink()
    link.write_text("a file")
    with pytest.raises(WriteError, match="no link"), plugged_in("uno", program=program, link=link):
        pass
    assert link.read_text() == "a file"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_command_ends_everything(number: int, code: int, tmp_path: Path) -> None:
    program, link = compile_avr("uno", "count.S", tmp_path), tmp_path / "port"
    command = [sys.executable, "-m", "ebnn", "simulate", "uno", "--program", str(program), "--link", str(link)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "Arduino Uno at /dev/pts/" in process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 1
        with serial.Serial(str(link)):
            pass
        process.send_signal(number)
        assert process.wait(120) == code
        assert not link.is_symlink()
        wait_for(lambda: not Path(f"/proc/{children[0]}").exists())
