"""The examples, run as their READMEs say."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.c_networks import RUNTIME, WARNINGS, require
from support.scored import digit_network

import ebnn
from ebnn import datasets

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


@pytest.mark.parametrize("port", [None, "sim://host"])
def test_a_drawing_is_told_here_and_on_a_board(port, tmp_path):
    """Dark on white, saved anew while it is watched."""
    require("cc")
    network = digit_network()
    network.save(tmp_path / "m.ebnn")
    images = datasets.load("digits").test_images[:2]
    expected = [network.class_name(int(k)) for k in network.predict(images)]

    def draw(pixels):
        Image.fromarray(255 - pixels[0]).resize((24, 24), Image.Resampling.NEAREST).save(tmp_path / "new.png")
        (tmp_path / "new.png").replace(tmp_path / "drawing.png")

    draw(images[0])
    command = [sys.executable, EXAMPLES / "camera/camera.py", "m.ebnn", "drawing.png", "--invert", "--count", "2"]
    with subprocess.Popen(
        [*command, *([] if port is None else ["--port", port])], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as camera:
        assert camera.stdout is not None
        first = camera.stdout.readline()
        draw(images[1])
        second, end = camera.stdout.readline(), camera.stdout.read()
    assert camera.returncode == 0
    assert [line.split(" ")[:2] for line in (first, second)] == [name.split(" ") for name in expected]
    assert end == ""


def test_a_camera_without_opencv_says_so(tmp_path):
    digit_network().save(tmp_path / "m.ebnn")
    program = (
        "import sys, runpy; sys.modules['cv2'] = None; sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", program, EXAMPLES / "camera/camera.py", "m.ebnn", "0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: a camera needs OpenCV: pip install opencv-python-headless")
