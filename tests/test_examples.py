"""The examples, run as their READMEs say."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.c_networks import RUNTIME, WARNINGS, require

import ebnn

TOP = Path(__file__).parents[1]
EXAMPLES = TOP / "examples"
TRUTH = {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0}


def lines_of_truth(output):
    rows = [tuple(map(int, re.findall(r"\d", line))) for line in output.splitlines() if " xor " in line]
    return {(a, b): answer for a, b, answer in rows}


def truth_in_c(folder, tmp_path, *flags):
    command = [require("gcc"), "-std=c99", *WARNINGS, *flags, f"-I{RUNTIME}", "-o", tmp_path / "program"]
    subprocess.run([*command, folder / "host/main.c"], check=True)
    return lines_of_truth(subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True).stdout)


def test_xor_trains_and_its_c_prints_the_truth_table(tmp_path):
    folder = tmp_path / "xor"
    shutil.copytree(EXAMPLES / "xor", folder)
    (folder / "xor.ebnn").unlink()
    (folder / "xor.h").unlink()
    done = subprocess.run([sys.executable, folder / "train.py"], capture_output=True, text=True, check=True)
    assert lines_of_truth(done.stdout) == TRUTH
    assert truth_in_c(folder, tmp_path) == TRUTH


def test_the_committed_xor_is_right(tmp_path):
    network = ebnn.load(EXAMPLES / "xor/xor.ebnn")
    samples = np.array(list(TRUTH)).reshape(4, 1, 1, 2)
    assert network.predict(samples).tolist() == list(TRUTH.values())
    assert truth_in_c(EXAMPLES / "xor", tmp_path) == TRUTH


@pytest.mark.parametrize("name", ["xor", "mnist"])
def test_committed_headers_are_what_the_networks_emit(name, tmp_path):
    ebnn.write_header(ebnn.load(EXAMPLES / f"{name}/{name}.ebnn"), tmp_path / f"{name}.h")
    assert (tmp_path / f"{name}.h").read_text() == (EXAMPLES / f"{name}/{name}.h").read_text()


@pytest.mark.parametrize("file", ["xor.h", "xor.ino"])
def test_the_librarys_example_is_the_same(file):
    """The folder that is zipped for the Arduino IDE brings it along: cp examples/xor/xor.* there."""
    library = TOP / "firmware/lib/ebnn/examples/xor"
    assert (library / file).read_text() == (EXAMPLES / "xor" / file).read_text()
    assert sorted(path.name for path in library.iterdir()) == ["xor.h", "xor.ino"]


def test_a_network_of_ones_own_trains_and_streams(tmp_path):
    require("cc")
    command = [sys.executable, EXAMPLES / "mnist/train.py", "--dataset", "digits", "--epochs", "2", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "450 images" in done.stdout
    assert "0 mismatches" in done.stdout


def test_the_recordings_of_gestures_are_what_their_script_writes(tmp_path):
    subprocess.run([sys.executable, EXAMPLES / "gestures/make_recordings.py", tmp_path], check=True)
    written = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*.csv")}
    folder = EXAMPLES / "gestures/recordings"
    assert written == {path.relative_to(folder): path.read_text() for path in folder.rglob("*.csv")}
    assert len(written) == 36
    assert sum(map(len, written.values())) < 100_000


def test_gestures_are_fitted_predicted_and_streamed(tmp_path):
    require("cc")
    command = [sys.executable, EXAMPLES / "gestures/gestures.py", "--epochs", "40", "--out", tmp_path / "run"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "100% of the test recordings right" in done.stdout
    assert len(re.findall(r"^(\w+) +is \1$", done.stdout, re.MULTILINE)) == 9
    assert "sim://host: 0 of 9 answers differ from Python's" in done.stdout
    assert ebnn.load(tmp_path / "run/gestures.ebnn").meta.class_names == ("circle", "idle", "wave")
