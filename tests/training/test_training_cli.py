"""``ebnn train``: recipes, the float baseline, teachers."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ebnn import load
from ebnn.cli.train import train
from ebnn.errors import TrainingError
from ebnn.recipes import Recipe

TINY = ("--dataset", "digits", "--architecture", "c4k3-m2", "--epochs", "2")


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def ebnn_train(*arguments: str) -> str:
    result = CliRunner().invoke(train, arguments)
    if result.exception:
        raise result.exception
    return result.output


def test_a_recipe_gives_the_defaults_and_options_hold(monkeypatch):
    options = {"dataset": "digits", "architecture": "c4k3-m2", "epochs": 3, "validation": 100, "rotation": 5.0}
    monkeypatch.setattr(
        sys.modules["ebnn.cli.training_options"], "load_recipe", lambda name: Recipe(name, "tiny", options)
    )
    output = ebnn_train("--recipe", "tiny", "--epochs", "2", "--json", "tiny.json")
    assert "epoch 2/2" in output
    assert "validation accuracy" in output
    values = json.loads(Path("tiny.json").read_text())
    assert (values["recipe"], values["dataset"], values["architecture"]) == ("tiny", "digits", "c4k3-m2")
    assert (values["config"]["epochs"], values["config"]["rotation"]) == (2, 5.0)
    assert values["epoch"] in (1, 2)
    assert values["validation_accuracy"] > 0
    assert load("runs/tiny/model.ebnn").classes == 10


def test_the_float_baseline_has_a_folder_of_its_own():
    output = ebnn_train(*TINY, "--float", "--json", "float.json")
    assert "with float weights and ReLU" in output
    values = json.loads(Path("float.json").read_text())
    assert 0 < values["accuracy"] <= 1
    assert Path("runs/digits-float/chain.npz").exists()
    assert not list(Path().rglob("*.ebnn"))
    with pytest.raises(TrainingError, match=r"a float network has no \.ebnn file"):
        ebnn_train(*TINY, "--float", "-o", "float.ebnn")


def test_a_teacher_is_trained_first_and_resumed():
    distilled = (*TINY, "--distillation", "0.5", "--teacher", "c6k3-m2", "--teacher-epochs", "3")
    output = ebnn_train(*distilled)
    assert output.index("epoch 3/3") < output.index("epoch 2/2")
    first = load("runs/digits/model.ebnn")
    with pytest.raises(TrainingError, match="holds a run"):
        ebnn_train(*distilled)
    Path("runs/digits/snapshot.npz").unlink()  # as if it had been killed while the teacher was trained
    Path("runs/digits/log.jsonl").unlink()
    with pytest.raises(TrainingError, match="holds a run"):
        ebnn_train(*distilled)
    assert "resumed after epoch 3 of 3" in ebnn_train(*distilled, "--resume")
    assert load("runs/digits/model.ebnn") == first


def test_a_teacher_without_a_weight_is_refused():
    with pytest.raises(TrainingError, match="--teacher does nothing without --distillation"):
        ebnn_train(*TINY, "--teacher", "c6k3-m2")
