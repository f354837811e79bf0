"""The committed MNIST network: its accuracy, Chainer's agreement, all test images through the simulated board."""

import json
from pathlib import Path

import chainer
import numpy as np
from click.testing import CliRunner
from support.c_networks import require

import ebnn
from ebnn.cli import main
from ebnn.training import as_samples, build_network, predict

FOLDER = Path(__file__).parents[1] / "examples/mnist"


def test_all_test_images_through_the_simulated_board(mnist, tmp_path):
    require("cc")
    report = tmp_path / "run.json"
    done = CliRunner().invoke(main, ["run", str(FOLDER / "mnist.ebnn"), "--dataset", "mnist", "--json", str(report)])
    assert done.exit_code == 0, done.output
    values = json.loads(report.read_text())
    assert values["samples"] == 10_000
    assert (values["class_mismatches"], values["score_mismatches"]) == (0, 0)
    assert values["accuracy"] >= 0.975
    training = json.loads((FOLDER / "train.json").read_text())
    assert training["network"]["hash"] == values["network_hash"]
    assert training["accuracy"] == values["accuracy"]


def test_chainer_in_test_mode_gives_the_same_classes(mnist):
    """The trained chain, lowered here, is the committed network; and Chainer's own answers are the network's."""
    chain = build_network("conv", mnist.shape, mnist.classes, "uint8")
    chainer.serializers.load_npz(FOLDER / "chain.npz", chain)
    network = ebnn.lower(chain, mnist.shape, "uint8")
    assert network == ebnn.load(FOLDER / "mnist.ebnn")
    classes = predict(chain, as_samples("test", mnist.test_images, mnist.test_labels, "uint8"))
    agreement = int(np.sum(classes == network.predict(mnist.test_images)))
    assert agreement == json.loads((FOLDER / "train.json").read_text())["chainer_agreement"]
    assert agreement >= 9_990
