"""The command ``ebnn import``."""

import subprocess
import sys

import numpy as np
import pytest
from original_ebnn import classes_of, header_of, make_network

from ebnn import load


@pytest.fixture
def folder(tmp_path):
    layers, _ = make_network(np.random.default_rng(0), "float")
    (tmp_path / "simple.h").write_text(header_of(layers))
    return tmp_path


def ebnn(folder, *arguments):
    command = [sys.executable, "-m", "ebnn", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_import_writes_the_network_and_shows_it(folder):
    code, output, _ = ebnn(folder, "import", "simple.h", "-o", "simple.ebnn", "--input", "uint8")
    assert code == 0
    network = load(folder / "simple.ebnn")
    layers, shape = make_network(np.random.default_rng(0), "float")
    pixels = np.random.default_rng(1).integers(0, 256, (9, *shape)).astype(np.uint8)
    assert network.predict(pixels).tolist() == classes_of(layers, pixels / np.float32(255)).tolist()
    assert output.splitlines()[:2] == [
        f"simple.ebnn: uint8 {network.input.shape} → {network.classes} classes",
        f"hash {network.hash}",
    ]
    assert "conv1" in output


def test_notes_are_printed(folder):
    text = (folder / "simple.h").read_text().replace("temp1[100000]", "temp1[1]")
    (folder / "simple.h").write_text(text)
    code, output, _ = ebnn(folder, "import", "simple.h", "-o", "simple.ebnn")
    assert code == 0
    assert "note: l_conv" in output
    assert "temp1 has 1: eBNN's own C overwrites other memory" in output


def test_a_refused_header_leaves_no_file(folder):
    (folder / "simple.h").write_text("float x[1] = {1+1};")
    code, _, errors = ebnn(folder, "import", "simple.h", "-o", "simple.ebnn")
    assert code == 1
    assert errors == "Error: simple.h, line 1: x: expected a number, found an expression: '1', then '+'\n"
    assert not (folder / "simple.ebnn").exists()
