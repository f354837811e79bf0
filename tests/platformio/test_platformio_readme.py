"""README's sketch and its script for the laptop, as they stand there, on a simulated Uno."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import serial
from simulation.avr_programs import require_simavr
from support.platformio_core import pio

import ebnn
from ebnn.platformio import write_project
from ebnn.simulation import plugged_in

README = Path(__file__).parents[2] / "README.md"


def block(language: str, start: str) -> str:
    """README's only block of code in a language that begins so."""
    found = re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)
    (text,) = [one for one in found if one.startswith(start)]
    return str(text)


@pytest.mark.usefixtures("platformio_core")
def test_the_sketch_answers_the_script_and_no_half_sample(tmp_path: Path) -> None:
    require_simavr()
    network = ebnn.load("mnist-tiny")
    ebnn.write_header(network, tmp_path / "network.h")
    model = Path(ebnn.__file__).parent / "published/mnist-tiny/network.ebnn"
    project = write_project(tmp_path / "project", "uno", (tmp_path / "network.h").read_bytes(), model.read_bytes())
    for source in (project.folder / "src").iterdir():
        source.unlink()
    (project.folder / "src/sketch.cpp").write_text(f"#include <Arduino.h>\n{block('c', '#include')}")
    pio("run", "-e", "uno", "-d", project.folder)
    images = np.zeros((10, 28, 28), np.uint8)
    images[:, 4:24, 12:16] = 255
    script = tmp_path / "script.py"
    script.write_text(
        block("python", "import sys")
        .replace('datasets.load("mnist")', "DATA")
        .replace("from ebnn import datasets", DATA)
    )
    np.save(tmp_path / "images.npy", images)
    expected = network.predict(images[:, None])
    with plugged_in("uno", program=next(project.folder.glob(".pio/build/uno/firmware.elf"))) as plugged:
        with serial.Serial(plugged.port, 115200, timeout=5) as board:
            board.write(bytes(100))
            assert board.read(1) == b""
        done = subprocess.run(
            [sys.executable, script, plugged.port],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"board {answer} label {i}" for i, answer in enumerate(expected)]


DATA = """from types import SimpleNamespace
import numpy
from ebnn import datasets
DATA = SimpleNamespace(test_images=numpy.load("images.npy")[:, None], test_labels=range(10), kind="uint8")
"""
