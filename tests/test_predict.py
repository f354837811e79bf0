"""``ebnn predict``: a picture becomes a class by name, here and on a board."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from support.c_networks import require
from support.scored import bit_network, digit_network, scored_network

from ebnn import datasets
from ebnn.cli import main
from ebnn.datasets.single_pictures import read_picture
from ebnn.device.live import watch_port
from ebnn.errors import InputError
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Block, Dense
from ebnn.model.network import Network
from ebnn.model.transforms import Scores
from ebnn.streaming import stream

SCORES = Scores([1, -1], [0, 0], 1.0)
NETWORK = digit_network()
BITS = bit_network()


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def predict(*words: str):
    return CliRunner().invoke(main, ["predict", *words], env={"COLUMNS": "80"})


@pytest.fixture
def pictures():
    """Digits of the test images, white on black, four times as large, and one as ink on paper in colour."""
    data = datasets.load("digits")
    images = data.test_images[:3, 0]
    for i, pixels in enumerate(images):
        Image.fromarray(pixels).resize((32, 32), Image.Resampling.NEAREST).save(f"{i}.png")
    Image.fromarray(255 - images[0]).convert("RGB").save("ink.png")
    return data


@pytest.mark.parametrize("port", [None, "sim://host"])
def test_pictures_are_told_by_name(pictures, port):
    require("cc")
    NETWORK.save("m.ebnn")
    names = NETWORK.meta.class_names
    there = [] if port is None else ["--port", port]
    result = predict("m.ebnn", "0.png", "1.png", "2.png", "--top", "2", "--json", "p.json", *there)
    assert result.exit_code == 0, result.output
    found = json.loads(Path("p.json").read_text())["pictures"]
    x = pictures.test_images[:3]
    assert [each["answer"] for each in found] == [names[k] for k in NETWORK.predict(x)]
    assert [[one["class"] for one in each["top"]] for each in found] == NETWORK.top(x, 2).tolist()
    probabilities = NETWORK.probabilities(x)
    for each, row in zip(found, probabilities, strict=True):
        assert [one["probability"] for one in each["top"]] == [row[one["class"]] for one in each["top"]]
        assert (each["device_us"] is None) == (port is None)
    assert all(f"{i}.png" in result.output for i in range(3))
    assert found[0]["answer"] in result.output
    assert ("network's time" in result.output) == (port is not None)


def test_ink_on_paper_is_inverted(pictures):
    white_on_black = read_picture(Path("0.png"), NETWORK)
    assert np.array_equal(white_on_black, pictures.test_images[0])
    assert np.array_equal(read_picture(Path("ink.png"), NETWORK, invert=True), white_on_black)
    assert np.array_equal(read_picture(Path("ink.png"), NETWORK), 255 - white_on_black)


def test_bits_are_pixels_that_are_not_0(pictures):
    network = Network(Input("bits", Shape(1, 8, 8)), [Block(Dense(np.ones((2, 8, 8, 1), bool)), None, SCORES)])
    assert np.array_equal(read_picture(Path("1.png"), network), pictures.test_images[1] != 0)


def test_below_the_threshold_it_is_unknown(pictures):
    require("cc")
    digit_network(rejection=0.9999).save("m.ebnn")
    Image.fromarray(np.zeros((9, 8), np.uint8)).save("black.png")
    result = predict("m.ebnn", "black.png")
    assert result.exit_code == 0, result.output
    assert "unknown" in result.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["m.ebnn", "no.txt"], "no.txt is no picture that Pillow reads"),
        (["m.ebnn", "cut.png"], "cut.png"),
        (["m.ebnn", "missing.png"], "missing.png"),
        (["bits.ebnn", "0.png"], "this network gives 10 bits, no class: in Python network.predict_bits gives them"),
        (["vector.ebnn", "0.png"], "this network takes samples of 9×1×1, no pictures of one channel or three"),
        (["m.ebnn", "0.png", "--port", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_told_is_one_line(pictures, words, message):
    Path("no.txt").write_text("text")
    Path("cut.png").write_bytes(Path("0.png").read_bytes()[:60])
    NETWORK.save("m.ebnn")
    scored_network(0.1).save("vector.ebnn")
    BITS.save("bits.ebnn")
    result = predict(*words)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words", [["run", "bits.ebnn", "--dataset", "digits"], ["live", "bits.ebnn", "--port", "nowhere"]]
)
def test_commands_that_tell_classes_refuse_bits(words):
    BITS.save("bits.ebnn")
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: this network gives 10 bits, no class: in Python network.predict_bits gives")
    assert result.stdout == ""


def test_calls_that_tell_classes_refuse_bits():
    data = datasets.load("digits")
    for call in (
        lambda: next(watch_port(BITS, "nowhere")),
        lambda: stream(BITS, None, data.test_images, data.test_labels),
    ):
        with pytest.raises(InputError, match="this network gives 10 bits, no class"):
            call()
