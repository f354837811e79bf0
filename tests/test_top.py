"""The first k classes: in Python, compiled, and counted in a run."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from support.c_networks import require
from support.scored import digit_network, scored_network

import ebnn
from ebnn import datasets
from ebnn.cli import main
from ebnn.errors import InputError
from ebnn.model.ranking import label_ranks, top_classes

SCORES = np.random.default_rng(1).integers(-4, 5, (200, 9)).astype(np.int32)


def by_hand(row, k):
    """Picks the largest k times, the first of equal ones."""
    left, found = list(enumerate(row)), []
    for _ in range(k):
        best = max(left, key=lambda each: (each[1], -each[0]))
        left.remove(best)
        found.append(best[0])
    return found


def test_the_largest_first_and_of_equal_ones_the_first():
    for k in (1, 5, 9):
        assert top_classes(SCORES, k).tolist() == [by_hand(row, k) for row in SCORES.tolist()]
    ends = np.array([[-(2**31), 2**31 - 1, -(2**31)]], np.int32)
    assert top_classes(ends, 3).tolist() == [[1, 0, 2]]


def test_the_rank_of_a_label():
    labels = np.random.default_rng(2).integers(0, 9, 200)
    wanted = [by_hand(row, 9).index(label) for row, label in zip(SCORES.tolist(), labels.tolist(), strict=True)]
    assert label_ranks(SCORES, labels).tolist() == wanted


def test_a_network_and_its_compiled_one():
    require("cc")
    network = scored_network(0.01)
    x = np.random.default_rng(3).integers(0, 256, (20, *network.input.shape)).astype(np.uint8)
    expected = [by_hand(row, 3) for row in network.scores(x).tolist()]
    assert network.top(x, 3).tolist() == expected
    assert ebnn.compile(network).top(x, 3).tolist() == expected
    assert network.top(x, 1)[:, 0].tolist() == network.predict(x).tolist()
    for k in (0, 8, -1, 1.5, None):
        with pytest.raises(InputError, match="of 7 classes: give a whole number from 1 to 7"):
            network.top(x, k)


def test_a_run_counts_them(tmp_path, monkeypatch):
    require("cc")
    monkeypatch.chdir(tmp_path)
    network, data = digit_network(), datasets.load("digits")
    network.save("m.ebnn")
    words = ["run", "m.ebnn", "--dataset", "digits", "--json", "run.json"]
    result = CliRunner().invoke(main, [*words, "--top", "2"])
    assert result.exit_code == 0, result.output
    n = len(data.test_labels)
    tops = [by_hand(row, 5) for row in network.scores(data.test_images).tolist()]
    two, five = (
        sum(label in top[:k] for label, top in zip(data.test_labels.tolist(), tops, strict=True)) / n for k in (2, 5)
    )
    assert f"{100 * two:.2f} % right among the first 2, error {100 - 100 * two:.2f} %" in result.output
    assert json.loads((tmp_path / "run.json").read_text())["top_5_accuracy"] == five
    assert CliRunner().invoke(main, [*words, "--top", "10"]).exit_code == 1
