"""``tools/publish.py`` on tiny runs on the 8×8 digits."""

import json
import shutil
import statistics
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

import ebnn.recipes
from ebnn.cli import main
from ebnn.model.files import load_file
from ebnn.published.card import card_text
from ebnn.published.published_network import read_published
from tools.publish import main as publish_main

RECIPE = """
summary = "8×8 pixels"
dataset = "digits"
architecture = "c4k3-m2"
epochs = 2
learning_rate = 0.03
validation = 300
seed = 0
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with the recipe tiny, its runs 0, 1, and others that do not belong to them, with the recipe in place."""
    folder = tmp_path_factory.mktemp("publish")
    (folder / "recipes").mkdir()
    (folder / "recipes/tiny.toml").write_text(RECIPE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ebnn.recipes, "resources", SimpleNamespace(files=lambda _: folder / "recipes"))
        for name, options in {
            "0": ["--seed", "0"],
            "1": ["--seed", "1", "--tensorboard"],
            "short": ["--seed", "2", "--epochs", "1"],
            "float-1": ["--seed", "1", "--float"],
            "float-short": ["--seed", "1", "--float", "--epochs", "1"],
        }.items():
            out = folder / name
            out.mkdir()
            arguments = ["train", "--recipe", "tiny", *options, "--out", out, "--json", out / "train.json"]
            done = CliRunner().invoke(main, [str(argument) for argument in arguments])
            assert done.exit_code == 0, done.output
        yield folder


def publish(*arguments, code=0):
    done = CliRunner().invoke(publish_main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


def copy(runs, name, tmp_path, **changed):
    """A copy of a run, with other values in its train.json."""
    folder = tmp_path / name
    shutil.copytree(runs / name, folder)
    values = json.loads((folder / "train.json").read_text())
    (folder / "train.json").write_text(json.dumps(values | changed))
    return folder


def test_the_best_seed_by_validation_is_published(runs, tmp_path):
    publish("tiny", runs / "1", runs / "0", "--float", runs / "float-1", "--to", tmp_path)
    written = [json.loads((runs / name / "train.json").read_text()) for name in ("0", "1")]
    best = max((0, 1), key=lambda seed: (written[seed]["validation_accuracy"], -seed))
    folder = tmp_path / "tiny"
    assert load_file(folder / "network.ebnn") == load_file(runs / str(best) / "model.ebnn")
    assert (folder / "log.jsonl").read_text() == (runs / str(best) / "log.jsonl").read_text()
    training = json.loads((folder / "train.json").read_text())
    assert training == {key: value for key, value in written[best].items() if key != "file"}
    baseline = json.loads((runs / "float-1/train.json").read_text())["accuracy"]
    facts = ("accuracy", "validation_accuracy", "epoch")
    expected = [
        {"seed": seed, **{fact: values[fact] for fact in facts}, "hash": values["network"]["hash"]}
        for seed, values in enumerate(written)
    ]
    expected[1]["float_accuracy"] = baseline
    assert json.loads((folder / "seeds.json").read_text()) == expected
    card = (folder / "README.md").read_text(encoding="utf-8")
    accuracies = [values["accuracy"] for values in written]
    assert f"mean {100 * statistics.mean(accuracies):.2f} %" in card
    assert f"standard deviation {100 * statistics.stdev(accuracies):.2f} %" in card
    assert f"from {100 * min(accuracies):.2f} % to {100 * max(accuracies):.2f} %, 2 seeds" in card
    assert f"float weights and ReLU: {100 * baseline:.2f} %, one seed" in card
    assert f"ebnn train --recipe tiny --seed {best}" in card
    assert "8×8 pixels" in card


@pytest.mark.parametrize(("first", "second", "best"), [(0.9, 0.8, 0), (0.8, 0.9, 1), (0.9, 0.9, 0)])
def test_the_test_accuracy_decides_nothing(runs, tmp_path, first, second, best):
    """The seed with the worse test accuracy wins by its validation accuracy; of equal ones the lower."""
    copies = []
    for name, validation, accuracy in (("0", first, 1 - first), ("1", second, 1 - second)):
        epoch = json.loads((runs / name / "train.json").read_text())["epoch"]
        folder = copy(runs, name, tmp_path, validation_accuracy=validation, accuracy=accuracy)
        lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        lines[epoch - 1]["validation_accuracy"] = validation
        (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        copies.append(folder)
    publish("tiny", *reversed(copies), "--to", tmp_path)
    assert read_published(tmp_path / "tiny").seed == best


def test_runs_that_do_not_belong_together_are_refused(runs, tmp_path):
    output = publish("tiny", runs / "0", runs / "short", "--to", tmp_path, code=1)
    assert "short is not as the recipe tiny says: epochs 1 instead of 2" in output
    assert "are both of seed 0" in publish("tiny", runs / "0", runs / "0", "--to", tmp_path, code=1)
    assert "no recipe is called 'tinny', did you mean tiny?" in publish("tinny", runs / "0", code=1)
    assert "not of a binarized network" in publish("tiny", runs / "float-1", "--to", tmp_path, code=1)
    output = publish("tiny", runs / "0", "--float", runs / "float-1", "--to", tmp_path, code=1)
    assert "float-1 is of seed 1: give one float run for a seed that is published" in output
    output = publish("tiny", runs / "0", "--float", runs / "1", "--to", tmp_path, code=1)
    assert "no run of the float baseline" in output
    output = publish("tiny", runs / "1", "--float", runs / "float-short", "--to", tmp_path, code=1)
    assert "float-short is not as the recipe tiny says: epochs 1 instead of 2" in output
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for text in ("[]", '{"recipe": "tiny"}'):
        (foreign / "train.json").write_text(text)
        assert "not what ebnn train writes" in publish("tiny", foreign, "--to", tmp_path, code=1)
    other = copy(runs, "0", tmp_path, recipe="other")
    assert "a run of the recipe other, not of tiny" in publish("tiny", other, "--to", tmp_path, code=1)
    assert "cannot be read" in publish("tiny", tmp_path / "none", "--to", tmp_path, code=1)
    assert not (tmp_path / "tiny").exists()


def test_files_of_two_runs_are_refused(runs, tmp_path):
    for file in ("model.ebnn", "log.jsonl"):
        mixed = copy(runs, "0", tmp_path / file)
        shutil.copy(runs / "short" / file, mixed / file)
        output = publish("tiny", mixed, "--to", tmp_path, code=1)
        assert f"{file} is not the" in output


def test_the_card_alone_is_written_anew(runs, tmp_path):
    publish("tiny", runs / "0", "--to", tmp_path)
    card = tmp_path / "tiny/README.md"
    text = card.read_text(encoding="utf-8")
    card.write_text("old")
    publish("tiny", "--to", tmp_path)
    assert card.read_text(encoding="utf-8") == text == card_text(read_published(tmp_path / "tiny"))
    assert "--float goes with the runs" in publish("tiny", "--float", runs / "float-1", "--to", tmp_path, code=1)
