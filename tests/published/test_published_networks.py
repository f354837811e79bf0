"""The published networks: each as its files say, within the issue's limits, as accurate as its card says."""

import json

import numpy as np
import pytest

import ebnn
from ebnn import datasets
from ebnn.boards import load_board
from ebnn.compile.estimate import estimate
from ebnn.compile.header import header_text
from ebnn.firmware_sources import firmware_folder
from ebnn.model.files import load_file
from ebnn.published import load_published, network_file, network_names
from ebnn.published.card import card_text
from ebnn.recipes import load_recipe

DATA_LIMITS = {"mnist-tiny": 4096, "mnist-bits": 4096}
"""Bytes of weights, thresholds and score constants."""
BOARDS = {"mnist-uno": "uno", "mnist-101": "genuino101", "fashion-101": "genuino101"}
"""Which board a network has to fit."""
FILES = {"README.md", "log.jsonl", "network.ebnn", "seeds.json", "train.json"}
RENEW = "uv run python -m tools.publish NAME"


@pytest.fixture
def data(name, request):
    """What a network was trained on."""
    return request.getfixturevalue(read_json(name, "train.json")["dataset"].replace("-", "_"))


def read_json(name, file):
    return json.loads((network_file(name).parent / file).read_text())


def test_the_networks_are_named():
    assert {"mnist-tiny", "mnist-uno"} <= set(network_names())
    assert not [name for name in network_names() if "." in name]


@pytest.mark.parametrize("name", network_names())
def test_its_files_are_of_one_run(name):
    folder = network_file(name).parent
    assert {path.name for path in folder.iterdir()} == FILES
    network = load_file(folder / "network.ebnn")
    training, seeds = read_json(name, "train.json"), read_json(name, "seeds.json")
    assert "file" not in training
    assert "/" not in (folder / "train.json").read_text().replace("T-shirt/top", "")
    seed = next(one for one in seeds if one["seed"] == training["config"]["seed"])
    assert seed["hash"] == network.hash == training["network"]["hash"]
    for fact in ("accuracy", "validation_accuracy", "epoch"):
        assert seed[fact] == training[fact]
    assert [one["seed"] for one in seeds] == sorted({one["seed"] for one in seeds})
    assert seed["validation_accuracy"] == max(one["validation_accuracy"] for one in seeds)
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in log] == list(range(1, training["config"]["epochs"] + 1))
    assert log[training["epoch"] - 1]["validation_accuracy"] == training["validation_accuracy"]
    assert not any("test_accuracy" in line for line in log)


@pytest.mark.parametrize("name", network_names())
def test_it_was_trained_as_its_recipe_says(name):
    training, options = read_json(name, "train.json"), load_recipe(name).options
    facts = training | training["config"] | {"input_kind": ebnn.load(name).input.kind}
    wanted = {key: value for key, value in options.items() if key not in ("seed", "teacher", "teacher_epochs")}
    assert {key: facts[key] for key in wanted} == wanted
    assert training["recipe"] == name


@pytest.mark.parametrize("name", network_names())
def test_its_card_is_generated(name):
    card = (network_file(name).parent / "README.md").read_text(encoding="utf-8")
    assert card == card_text(load_published(name)), f"write it anew: {RENEW.replace('NAME', name)}"


@pytest.mark.parametrize("name", network_names())
def test_it_keeps_its_limits(name):
    network = ebnn.load(name)
    data = network.weight_bytes + network.threshold_bytes + network.score_bytes
    assert data <= DATA_LIMITS.get(name, 32_256)
    if name in BOARDS:
        assert estimate(network, load_board(BOARDS[name])).fits


def test_the_firmware_of_a_fresh_checkout_has_one():
    include = firmware_folder() / "include"
    network = ebnn.load("mnist-tiny")
    assert load_file(include / "network.ebnn").hash == network.hash
    assert (include / "network.h").read_text() == header_text(network, name="network")


@pytest.mark.parametrize("name", network_names())
def test_its_accuracy_is_the_stated_one(name, data):
    network, training = ebnn.load(name), read_json(name, "train.json")
    right = network.predict(datasets.convert(data.test_images, data.kind, network.input.kind)) == data.test_labels
    assert len(right) == training["test_samples"] == 10_000
    assert float(np.mean(right)) == training["accuracy"]


@pytest.mark.parametrize("name", network_names())
def test_it_is_not_good_for_what_its_card_says(name, data):
    """Dark things on a bright ground, and things far from the centre."""
    network = ebnn.load(name)
    images, labels = data.test_images[:1000], data.test_labels[:1000]
    for others in (255 - images, np.roll(images, (5, 5), (2, 3))):
        right = network.predict(datasets.convert(others, data.kind, network.input.kind)) == labels
        assert np.mean(right) < 0.6
