"""A sketch on the simulated Uno, as a user writes one, is recorded and watched like one on a real board."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import serial
from avr_programs import SOURCES, require_simavr
from numpy.typing import NDArray
from support.c_networks import RUNTIME
from support.platformio_core import pio
from support.raw_samples import encoder_network

from ebnn.compile.header import write_header
from ebnn.device.live import probabilities, watch_port
from ebnn.model.encoders import Affine
from ebnn.model.kinds import Shape
from ebnn.model.meta import Meta
from ebnn.model.network import Network
from ebnn.simulation import board_url, plugged_in

PROJECT = """
[env:uno]
platform = atmelavr
board = uno
framework = arduino
"""


def build(folder: Path, source: str) -> Path:
    """The program of a sketch, built by PlatformIO; what else it includes lies in ``folder/src`` already."""
    require_simavr()
    (folder / "platformio.ini").write_text(PROJECT)
    (folder / "src").mkdir(exist_ok=True)
    shutil.copy(SOURCES / source, folder / "src/main.cpp")
    pio("run", "-d", folder)
    return folder / ".pio/build/uno/firmware.elf"


@pytest.fixture(scope="module")
def sketch(platformio_core: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of sensor.ino."""
    return build(tmp_path_factory.mktemp("sketch"), "sensor.ino")


def record(port: str, folder: Path, *more: str) -> tuple[str, Path]:
    command = [sys.executable, "-m", "ebnn", "record", "--port", port, "--label", "count", "--out", str(folder)]
    done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, folder / "count/count-0001.csv"


def assert_counts(path: Path, rows: int) -> None:
    header, *lines = path.read_text().splitlines()
    assert header in ("time_ms,ax,ay,n", "time_ms,ch1,ch2,ch3")
    assert len(lines) == rows
    first = int(lines[0].split(",")[3])
    assert lines == [f"{10 * i},{(first + i) / 8:.3f},{-first - i},{first + i}" for i in range(rows)]


def test_a_sketch_is_recorded(sketch: Path, tmp_path: Path) -> None:
    """What it printed before the port was open is lost, its header too: the first column is the time as it goes."""
    output, path = record(board_url("uno", program=sketch), tmp_path, "--seconds", "2", "--count", "1")
    assert output.startswith("sim://uno: 3 channels (")
    assert ", 100 samples a second\n" in output
    assert_counts(path, 200)


def test_a_plugged_in_board_is_recorded(sketch: Path, tmp_path: Path) -> None:
    """Opening its port resets it: the header and the first sample are there."""
    with plugged_in("uno", program=sketch) as plugged:
        _, path = record(plugged.port, tmp_path, "--seconds", "1", "--count", "1")
    assert_counts(path, 100)
    lines = path.read_text().splitlines()
    assert lines[0] == "time_ms,ax,ay,n"
    assert lines[1].endswith(",0")


NAMES = ("idle", "wave", "punch")
WINDOW, STEP, ANSWERS = 12, 5, 60


def gestures() -> Network:
    encoder = Affine([0, -200], [0.25, 0.3], "int8", "int16")
    return encoder_network(encoder, Shape(2, 1, WINDOW), Meta(class_names=NAMES, window_step=STEP))


def readings() -> NDArray[np.int16]:
    """What gestures.ino takes for its sensor's, (n, 2)."""
    count = np.arange(WINDOW + STEP * ANSWERS) % 150
    return np.stack([count * 37 % 1000, 500 - count * count % 701], axis=1).astype(np.int16)


@pytest.mark.usefixtures("platformio_core")
def test_a_sketch_that_predicts_by_itself(tmp_path: Path) -> None:
    """Its windows, its classes by name and its scores are Python's, and ebnn live shows them."""
    network = gestures()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/ebnn").symlink_to(RUNTIME.parent)
    (tmp_path / "src").mkdir()
    write_header(network, tmp_path / "src/network.h", name="net")
    program = build(tmp_path, "gestures.ino")
    starts = range(0, STEP * ANSWERS, STEP)
    raw = np.stack([readings()[at : at + WINDOW].T[:, None] for at in starts])
    scores = network.scores(network.encode(raw))
    expected = [f"{NAMES[int(np.argmax(row))]},{','.join(map(str, row))}" for row in scores]
    assert len({line.split(",")[0] for line in expected}) > 1
    with plugged_in("uno", program=program) as plugged:
        with serial.serial_for_url(plugged.port, timeout=20.0) as port:
            assert [port.readline().decode().strip() for _ in range(ANSWERS + 1)] == ["ready", *expected]
        time.sleep(0.3)  # in which the board sees that nobody has its port open, to be reset when it is opened
        answers = watch_port(network, plugged.port, smooth=1)
        found = list(itertools.islice((answer for answer in answers if answer is not None), 20))
        answers.close()
    shares = probabilities(network, scores)
    assert [answer.name for answer in found] == [line.split(",")[0] for line in expected[:20]]
    assert [answer.probabilities for answer in found] == [tuple(row) for row in shares[:20]]
