"""``ebnn train``: recipes, the float baseline, teachers."""

import json
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from ebnn import load
from ebnn.boards import load_board
from ebnn.cli.compare import compare
from ebnn.cli.sweep import sweep
from ebnn.cli.train import train
from ebnn.cli.training_options import check_architecture
from ebnn.errors import EbnnError, TrainingError, UnknownNameError
from ebnn.recipes import Recipe
from ebnn.training import RunSettings, TrainConfig

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
    assert (values["float"], values["config"]["seed"]) == (True, 0)
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


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_replaced_is_gone_before_the_new_run_begins():
    """A run that is killed then must not find another one's files."""
    ebnn_train(*TINY, "--tensorboard", "--distillation", "0.5", "--teacher-epochs", "1")
    old = [path for path in Path("runs/digits").rglob("*") if path.is_file() and path.name != ".lock"]
    assert len(old) == 12
    with pytest.raises(TrainingError, match="use a lower one"):
        ebnn_train(*TINY, "--learning-rate", "1e38", "--warmup", "0.1", "--overwrite")
    left = {path.name for path in Path("runs/digits").rglob("*") if path.is_file() and path.name != ".lock"}
    assert left == {"log.jsonl", "snapshot.npz"}


def test_options_reach_the_settings():
    options = {
        "--optimizer": ("optimizer", "bop"),
        "--bop-gamma": ("bop_gamma", 0.01),
        "--bop-threshold": ("bop_threshold", 1e-5),
        "--statistics": ("statistics_samples", 500),
        "--final-rate": ("final_rate", 0.2),
    }
    flags = {
        "--stochastic": ("stochastic", True),
        "--tensorboard": ("tensorboard", True),
    }
    given = [text for option, (_, value) in options.items() for text in (option, str(value))]
    ebnn_train(*TINY, *given, *flags, "--json", "all.json")
    config = json.loads(Path("all.json").read_text())["config"]
    for name, value in (options | flags).values():
        assert config[name] == value, name
    ebnn_train(*TINY, "--no-clip", "--out", "adam", "--json", "adam.json")
    assert json.loads(Path("adam.json").read_text())["config"]["clip_weights"] is False
    assert len(list(Path("runs/digits/tensorboard").iterdir())) == 1
    with pytest.raises(UnknownNameError, match="no optimizer is called 'sgd'; there are adam, bop"):
        ebnn_train(*TINY, "--optimizer", "sgd", "--out", "other")


def test_a_float_network_and_a_teacher_have_no_bop_and_no_stochastic_signs(monkeypatch):
    """They would be refused: there are no binary weights to flip. A recipe may ask for them all the same."""
    options = {"optimizer": "bop", "stochastic": True, "distillation": 0.5, "teacher_epochs": 1, "bop_gamma": 0.01}
    monkeypatch.setattr(
        sys.modules["ebnn.cli.training_options"], "load_recipe", lambda name: Recipe(name, "tiny", options)
    )
    ebnn_train(*TINY, "--recipe", "tiny", "--float", "--out", "float")
    ebnn_train(*TINY, "--recipe", "tiny", "--out", "runs/digits")
    assert Path("runs/digits/teacher/history.png").exists()


def test_options_and_settings_have_the_same_defaults():
    """But for a run's length and rate, which commands choose, and the estimator, which is the blocks' own."""
    own = {"epochs", "learning_rate", "estimator"}
    settings = {
        field.name: field.default for field in fields(TrainConfig) if field.name not in {*own, "snapshot_every"}
    }
    options = train.make_context("train", []).params
    assert {name: options[name] for name in settings} == settings


@pytest.mark.parametrize("command", [(train, ()), (sweep, ("c4k3-m2",)), (compare, ("--architecture", "c4k3-m2"))])
def test_a_run_that_is_under_way_keeps_its_files(command):
    """Or one of the several that are to be replaced."""
    command, architectures = command
    runs = {train: ["out"], sweep: ["out/c4k3-m2"], compare: ["out/float", "out/binarized"]}[command]
    options = (*architectures, "--epochs", "1", "--validation", "100", "--out", "out")
    assert CliRunner().invoke(command, options).exception is None
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    code = f"import pathlib, sys; from ebnn.training.lock import only_run\nwith only_run(pathlib.Path({runs[-1]!r})):"
    code += " print('held', flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        for option in ("--overwrite", "--resume"):
            refused = CliRunner().invoke(command, [*options, option])
            assert f"another run is under way in {runs[-1]}" in str(refused.exception)
    finally:
        other.communicate()
    assert {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()} == before


def test_a_run_that_was_killed_before_its_first_snapshot_begins_anew():
    code = "import os, ebnn.frontends.chainer.snapshot as s; s.write = lambda *_: os.kill(os.getpid(), 9)"
    code += f"; from ebnn.cli import main; main(['train', *{TINY!r}])"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert not Path("runs/digits/snapshot.npz").exists()
    output = ebnn_train(*TINY, "--resume")
    assert "runs/digits has no snapshot.npz yet: the run begins anew" in output
    assert "epoch 1/2" in output
    resumed = load("runs/digits/model.ebnn")
    ebnn_train(*TINY, "--out", "undisturbed")
    assert load("undisturbed/model.ebnn") == resumed


def test_a_log_without_a_snapshot_is_not_written_over():
    ebnn_train(*TINY)
    Path("runs/digits/snapshot.npz").unlink()
    with pytest.raises(TrainingError, match=r"has no snapshot\.npz to go on from"):
        ebnn_train(*TINY, "--resume")


def test_a_finished_run_goes_on_for_longer():
    ebnn_train(*TINY)
    output = ebnn_train(*TINY[:-1], "3", "--resume", "--json", "run.json")
    assert "3 epochs instead of 2" in output
    assert "epoch 3/3" in output
    assert "epoch 2/3" not in output
    assert json.loads(Path("run.json").read_text())["earlier_epochs"] == [2]
    constant = (*TINY[:-1], "1", "--schedule", "constant", "--out", "constant")
    ebnn_train(*constant)
    ebnn_train(*constant, "--epochs", "2", "--resume", "--json", "run.json")
    assert "earlier_epochs" not in json.loads(Path("run.json").read_text())
    ebnn_train(*constant, "--epochs", "2", "--out", "whole")
    assert load("constant/model.ebnn") == load("whole/model.ebnn")


@pytest.mark.parametrize("command", [train, compare])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--architecture", "c4q"], "'c4q' has no meaning here"),
        (["--architecture", "c4k9"], "c4k9"),
        (["--architecture", "-".join(["d2"] * 255)], "layers"),
        (["--architecture", "d4", "--input", "float", "--distillation", "0.5", "--teacher", "c4k99"], "c4k99"),
    ],
)
def test_a_network_that_cannot_be_leaves_no_folder(command, options, message):
    refused = CliRunner().invoke(command, [*options, "--out", "out"])
    assert isinstance(refused.exception, EbnnError)
    assert message in str(refused.exception)
    assert not Path("out").exists()


def test_a_network_for_no_board_gets_a_line(monkeypatch, capsys):
    """Of the boards that are known here, an Uno and a Mega, one has room for the smaller network."""
    boards = [load_board("uno"), load_board("megaatmega2560")]
    monkeypatch.setattr(sys.modules["ebnn.cli.training_options"], "estimated_boards", lambda: boards)
    check_architecture(RunSettings(), "d100-d100")
    check_architecture(RunSettings(), "d1200-d1200")
    line = "note: d1200-d1200 fits no board that ebnn knows; ebnn info will say what it lacks\n"
    assert capsys.readouterr().out == line
