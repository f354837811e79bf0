"""A rejection threshold that is learned: as many right answers are rejected as were allowed, no more."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from support.scored import scored_network

import ebnn
from ebnn import datasets
from ebnn.cli import main
from ebnn.errors import TrainingError
from ebnn.model.probabilities import UNKNOWN, least_probability
from ebnn.training import TrainConfig
from ebnn.training.labelled_samples import as_samples
from ebnn.training.rejection import learn_rejection, with_rejection
from ebnn.training.task import Task, train_network

NETWORK = scored_network(0.004, rejection=None)
SAMPLES = np.random.default_rng(8).integers(0, 256, (400, 9, 1, 1))
LABELS = np.where(np.arange(400) % 5 == 0, (NETWORK.predict(SAMPLES) + 1) % 7, NETWORK.predict(SAMPLES))
FOREIGN = np.full((10, 9, 1, 1), 1)


@pytest.mark.parametrize("allowed", [0, 0.01, 0.05, 0.5, 0.99])
def test_no_more_right_answers_are_rejected_than_allowed(allowed):
    found = learn_rejection(NETWORK, SAMPLES, LABELS, allowed)
    answers = with_rejection(NETWORK, found).predict_or_unknown(SAMPLES)
    right = NETWORK.predict(SAMPLES) == LABELS
    assert (found.right, found.wrong) == (right.sum(), (~right).sum()) == (320, 80)
    assert found.false_reject == np.mean(answers[right] == UNKNOWN) <= allowed
    assert found.false_accept == np.mean(answers[~right] != UNKNOWN)
    higher = learn_rejection(NETWORK, SAMPLES, LABELS, min(allowed + 0.005, 0.999))
    assert higher.threshold >= found.threshold
    probabilities = np.sort(NETWORK.probabilities(SAMPLES).max(axis=1)[right])
    above = probabilities[probabilities > found.threshold]
    assert not len(above) or np.mean(probabilities < above[0]) > allowed  # the highest threshold that there is


def test_samples_of_no_class_are_wrong_answers():
    found = learn_rejection(NETWORK, SAMPLES, LABELS, 0.2, foreign=FOREIGN)
    assert found.wrong == 90
    accepted = with_rejection(NETWORK, found).predict_or_unknown(np.concatenate([SAMPLES, FOREIGN])) != UNKNOWN
    wrong = np.concatenate([NETWORK.predict(SAMPLES) != LABELS, np.ones(10, bool)])
    assert found.false_accept == np.mean(accepted[wrong])


def test_the_network_keeps_it(tmp_path):
    """In its file, with what it does; the board's threshold is the very number."""
    found = learn_rejection(NETWORK, SAMPLES, LABELS)
    network = with_rejection(NETWORK, found)
    network.save(tmp_path / "n.ebnn")
    loaded = ebnn.load(tmp_path / "n.ebnn")
    assert loaded.meta.rejection == found.threshold
    assert loaded.meta.notes["rejection"] == found.values()
    assert least_probability(found.threshold) == round(found.threshold * 65_535)
    assert "right answers are rejected" in found.sentence()
    assert loaded == NETWORK


def test_nothing_to_learn_from():
    with pytest.raises(TrainingError, match="no answer to the held-out samples is right"):
        learn_rejection(NETWORK, SAMPLES, (NETWORK.predict(SAMPLES) + 1) % 7)
    with pytest.raises(TrainingError, match="give a fraction from 0 to below 1"):
        learn_rejection(NETWORK, SAMPLES, LABELS, 1.0)
    found = learn_rejection(NETWORK, SAMPLES, NETWORK.predict(SAMPLES))
    assert found.false_accept is None
    assert "no wrong answer to learn from" in found.sentence()


def test_training_learns_it_on_the_held_out_samples(tmp_path):
    """The option of ebnn train: the threshold is in the network and in the results."""
    command = ["train", "--dataset", "digits", "--architecture", "c4k3-m2", "--epochs", "2", "--validation", "300"]
    command += ["--reject", "0.1", "--out", str(tmp_path / "run"), "--json", str(tmp_path / "r.json")]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert "right answers are rejected" in " ".join(done.output.split())
    network = ebnn.load(tmp_path / "run/model.ebnn")
    found = network.meta.notes["rejection"]
    assert network.meta.rejection == found["threshold"]
    assert json.loads((tmp_path / "r.json").read_text())["rejection"] == found
    data = datasets.load("digits")
    held_out = as_samples("training", data.train_images, data.train_labels, data.kind).split(300)[1]
    answers = network.predict_or_unknown(held_out.images)
    right = network.predict(held_out.images) == held_out.labels
    assert (found["right"], found["wrong"]) == (right.sum(), 300 - right.sum())
    assert found["false_reject"] == np.mean(answers[right] == UNKNOWN) <= 0.1
    assert found["false_accept"] == np.mean(answers[~right] != UNKNOWN)


def test_without_held_out_samples_it_is_refused(tmp_path):
    task = Task(datasets.load("digits"), "uint8", tmp_path / "run", reject=0.1)
    with pytest.raises(TrainingError, match="give --validation N"):
        train_network(task, "c4k3-m2", TrainConfig(epochs=1))
    assert not (tmp_path / "run").exists()
