"""The committed MNIST network: its accuracy, and all 10,000 test images through the simulated board."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.c_networks import require

from ebnn.cli import main

MODEL = Path(__file__).parents[1] / "examples/mnist/mnist.ebnn"


def test_all_test_images_through_the_simulated_board(tmp_path):
    require("cc")
    if not os.environ.get("EBNN_DATA"):
        message = "EBNN_DATA names no folder with mnist/ in it"
        pytest.fail(message) if os.environ.get("EBNN_NO_SKIP") else pytest.skip(message)
    report = tmp_path / "run.json"
    done = CliRunner().invoke(main, ["run", str(MODEL), "--dataset", "mnist", "--json", str(report)])
    assert done.exit_code == 0, done.output
    values = json.loads(report.read_text())
    assert values["samples"] == 10_000
    assert (values["class_mismatches"], values["score_mismatches"]) == (0, 0)
    assert values["accuracy"] >= 0.975
    training = json.loads((MODEL.parent / "train.json").read_text())
    assert training["network"]["hash"] == values["network_hash"]
    assert training["accuracy"] == values["accuracy"]
    assert training["chainer_agreement"] >= 9_990
