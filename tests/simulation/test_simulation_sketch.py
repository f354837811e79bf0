"""A sketch on the simulated Uno, as a user writes one, is recorded and watched like one on a real board."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from avr_programs import SOURCES, require_simavr
from support.platformio_core import pio

from ebnn.simulation import board_url, plugged_in

PROJECT = """
[env:uno]
platform = atmelavr
board = uno
framework = arduino
"""


@pytest.fixture(scope="module")
def sketch(platformio_core: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of sensor.ino, built by PlatformIO."""
    require_simavr()
    folder = tmp_path_factory.mktemp("sketch")
    (folder / "platformio.ini").write_text(PROJECT)
    (folder / "src").mkdir()
    shutil.copy(SOURCES / "sensor.ino", folder / "src/main.cpp")
    pio("run", "-d", folder)
    return folder / ".pio/build/uno/firmware.elf"


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
