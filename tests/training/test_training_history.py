"""Histories of runs: read back from logs, in tables, pictures and JSON."""

import json
import os
import re
import xml.etree.ElementTree
from pathlib import Path

import pytest
from click.testing import CliRunner

from ebnn.cli.history import history
from ebnn.cli.sweep import sweep
from ebnn.cli.train import train
from ebnn.errors import TrainingError, WriteError
from ebnn.figures import percent
from ebnn.training.history import TEST_NAME, read_history, write_test
from ebnn.training.records import LOG_NAME, MAX_LOG_BYTES, read_log
from ebnn.training.run_folders import KEPT_FILES

LINES = [
    {"epoch": 1, "loss": 2.0, "train_accuracy": 0.25, "learning_rate": 0.01, "seconds": 30.0},
    {"epoch": 2, "loss": 1.0, "train_accuracy": 0.50, "learning_rate": 0.005, "seconds": 45.5},
    {"epoch": 3, "loss": 0.5, "train_accuracy": 0.75, "learning_rate": 0.001, "seconds": 20.0},
]
VALIDATION = [(1.5, 0.5), (0.75, 0.875), (0.7, 0.85)]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_log(folder: str, name: str | None = "validation", epochs: int = 3, end: str = "\n") -> Path:
    """A run's folder with the log of its first epochs."""
    path = Path(folder)
    path.mkdir(parents=True)
    lines = [
        json.dumps(line | {f"{name}_loss": loss, f"{name}_accuracy": accuracy})
        for line, (loss, accuracy) in zip(LINES[:epochs], VALIDATION, strict=False)
    ]
    (path / LOG_NAME).write_text("".join(line + "\n" for line in lines[:-1]) + (lines[-1] + end if lines else ""))
    return path


def ebnn_history(*arguments: str) -> str:
    result = CliRunner().invoke(history, arguments)
    if result.exception:
        raise result.exception
    return result.output


def cells(output: str, run: str) -> list[str]:
    (row,) = [line.replace(" %", "%").split() for line in output.splitlines() if line.split()[:1] == [run]]
    return row[1:]


def test_a_table_and_json_of_several_runs():
    write_log("runs/a")
    write_log("runs/b", "test", epochs=2)
    write_log("runs/c", epochs=0)
    output = ebnn_history("runs/a", "runs/b", "runs/c", "--json", "all.json")
    assert cells(output, "a") == ["3", "2", "87.50%", "0.5000", "0:01:36"]
    assert cells(output, "b") == ["2", "2", "87.50%", "1.0000", "0:01:16"]
    assert cells(output, "c") == ["0", "0:00:00"]
    a, b, c = json.loads(Path("all.json").read_text())["runs"]
    assert a == {
        "run": "a",
        "folder": "runs/a",
        "epochs": 3,
        "best_epoch": 2,
        "validation_accuracy": 0.875,
        "test_accuracy": None,
        "loss": 0.5,
        "seconds": 95.5,
    }
    assert (b["best_epoch"], b["validation_accuracy"], b["test_accuracy"]) == (2, None, 0.875)
    assert (c["epochs"], c["best_epoch"], c["loss"]) == (0, None, None)


def test_a_finished_run_has_the_accuracy_on_the_test_images():
    records = read_log(write_log("a"))
    write_test(Path("a"), records, 0.625)
    assert cells(ebnn_history("a", "--json", "a.json"), "a")[2:4] == ["87.50%", "62.50%"]
    assert json.loads(Path("a.json").read_text())["runs"][0]["test_accuracy"] == 0.625
    assert "test.json" in KEPT_FILES


@pytest.mark.parametrize("later", [{"epochs": 2}, {"name": "test"}], ids=["begun anew", "another run"])
def test_a_run_that_is_not_the_one_tested_has_no_such_accuracy(later):
    write_test(Path(), read_log(write_log("a")), 0.625)
    Path(TEST_NAME).rename(write_log("b", **later) / TEST_NAME)
    found = read_history(Path("b"), "b").values()["test_accuracy"]
    assert found == (0.85 if "name" in later else None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 900,
        b" " * 1001,
        b'{"epochs": 3}',
        b'{"epochs": 3, "last_loss": 0.5, "test_accuracy": "1"}',
        b'{"epochs": 3, "last_loss": 0.5, "test_accuracy": NaN}',
        b'{"epochs": 3, "last_loss": 0.5, "test_accuracy": 1.5}',
    ],
)
def test_a_damaged_accuracy_is_an_error(content):
    (write_log("a") / TEST_NAME).write_bytes(content)
    with pytest.raises(TrainingError, match=r"^a/test\.json is damaged \(.*\); ebnn train --resume writes it afresh$"):
        read_history(Path("a"), "a")


def test_a_pipe_in_its_place_does_not_hang():
    os.mkfifo(write_log("a") / TEST_NAME)
    with pytest.raises(TrainingError, match=r"test\.json is damaged \(it is no file\)"):
        read_history(Path("a"), "a")


def test_training_and_sweeping_leave_what_is_so():
    """A sweep keeps the test images for later, so its runs have no accuracy on them."""
    options = ["--dataset", "digits", "--epochs", "1", "--validation", "300"]
    result = CliRunner().invoke(train, [*options, "--architecture", "c8k3", "--out", "one", "--json", "one.json"])
    assert result.exit_code == 0, result.output
    shown = read_history(Path("one"), "one").values()
    assert shown["test_accuracy"] == json.loads(Path("one.json").read_text())["accuracy"]
    result = CliRunner().invoke(train, [*options, "--float", "--architecture", "c8k3", "--out", "two"])
    assert f"test accuracy {percent(read_history(Path('two'), 'two').values()['test_accuracy'])}" in result.output
    result = CliRunner().invoke(sweep, ["c8k3", *options, "--out", "many"])
    assert result.exit_code == 0, result.output
    assert read_history(Path("many/c8k3"), "c8k3").values()["test_accuracy"] is None


def test_runs_of_one_name_are_told_apart_by_their_folders():
    for folder in ("x/run", "y/run"):
        write_log(folder)
    assert "x/run" in ebnn_history("x/run", "y/run")


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG\r\n"), ("svg", b"<?xml"), ("pdf", b"%PDF-")])
def test_a_picture_of_several_runs(ending, start):
    write_log("a")
    write_log("b", "test", epochs=1)
    write_log("c", epochs=0)
    assert f"wrote all.{ending}" in ebnn_history("a", "b", "c", "-o", f"all.{ending}")
    content = Path(f"all.{ending}").read_bytes()
    assert content.startswith(start)
    if ending == "svg":
        text = content.decode()
        xml.etree.ElementTree.fromstring(text)
        for label in ("loss", "accuracy, %", "learning rate", "epoch", "test or validation"):
            assert f"<!-- {label} -->" in text
        assert "<!-- a -->" in text
        assert "<!-- b -->" in text
        assert "<!-- c -->" not in text


def test_more_runs_than_colours():
    for i in range(12):
        write_log(f"{i}")
    assert "wrote" in ebnn_history(*map(str, range(12)), "-o", "all.png")


def test_a_line_that_is_being_written_is_left_out():
    assert len(read_log(write_log("a", end=""))) == 2
    assert read_history(write_log("b", epochs=1, end=""), "b").values()["epochs"] == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"epoch": 2', '"epoch": 1', "line 2 is of epoch 1"),
        ('"epoch": 1,', "", r"line 1 \(no epoch\)"),
        ('{"epoch": 2', "epoch 2", r"line 2 \("),
        ('"loss": 1.0', '"loss": NaN', r"line 2 \(loss is nan, it must be a number from"),
        ('"loss": 0.5', '"loss": "0.5"', r"line 3 \(loss is '0\.5', it must be a number from"),
        ('"loss": 2.0', '"loss": -2.0', r"line 1 \(loss is -2\.0, it must be"),
        ('_loss": 0.75', '_loss": -0.75', r"line 2 \(validation_loss is -0\.75, it must be a number from 0 to"),
        ('"seconds": 30.0', '"seconds": 1e300', r"line 1 \(seconds is 1e\+300, it must be a number from 0 to"),
        ('"seconds": 30.0', f'"seconds": {10**400}', r"line 1 \(seconds is 1000.*, it must be a number from 0 to"),
        ('"seconds": 20.0', '"seconds": -5', r"line 3 \(seconds is -5, it must be"),
        ('"train_accuracy": 0.5', '"train_accuracy": 50', r"line 2 \(train_accuracy is 50, .* from 0 to 1\)"),
        ('_accuracy": 0.85}', '_accuracy": -0.85}', r"line 3 \(validation_accuracy is -0\.85, .* from 0 to 1\)"),
        ('"learning_rate": 0.01', '"learning_rate": -0.01', r"line 1 \(learning_rate is -0\.01, it must be"),
        ('"epoch": 1,', '"epoch": 0,', r"line 1 \(epoch is 0, it must be a number from 1 to"),
        ('"seconds": 20.0', '"minutes": 1', r"line 3 \(unknown field 'minutes'\)"),
        ("validation_loss", "test_loss", r"line 1 \(no loss and accuracy of the test or the validation set\)"),
    ],
)
def test_a_damaged_line_is_named(old, new, message):
    path = write_log("a") / LOG_NAME
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(
        TrainingError, match=rf"a/log.jsonl is damaged.*{message}.*; ebnn train --resume writes it afresh"
    ):
        ebnn_history("a")


def test_other_damage_is_named():
    path = write_log("a") / LOG_NAME
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[1].replace("validation", "test"))
    with pytest.raises(TrainingError, match="line 2 is of another run than the first"):
        ebnn_history("a")
    path.write_text("[1]\n")
    with pytest.raises(TrainingError, match="no JSON object"):
        ebnn_history("a")
    path.write_text("[" * 100_000 + "\n")
    with pytest.raises(TrainingError, match="damaged in line 1"):
        ebnn_history("a")
    path.write_bytes(b"\x89PNG\xff\n")
    with pytest.raises(TrainingError, match="it is no text"):
        ebnn_history("a")


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(TrainingError, match=r"nowhere has no log.jsonl: name the folder of a run"):
        ebnn_history("nowhere")
    Path("empty").mkdir()
    with pytest.raises(TrainingError, match=r"empty has no log.jsonl"):
        ebnn_history("empty")
    (Path("folder") / LOG_NAME).mkdir(parents=True)
    with pytest.raises(TrainingError, match=r"log.jsonl is no file"):
        ebnn_history("folder")
    write_log("a", epochs=0)
    with pytest.raises(TrainingError, match="no epoch is done yet, there is nothing to draw"):
        ebnn_history("a", "-o", "a.png")
    with pytest.raises(WriteError, match=r"a\.jpg is no picture .*: end its name in \.png, \.svg, \.pdf"):
        ebnn_history("a", "-o", "a.jpg")
    with pytest.raises(WriteError, match="the folder b does not exist"):
        ebnn_history("a", "-o", "b/a.png")


def test_what_is_no_run_is_left_out_of_several():
    """As the shell expands runs/*."""
    write_log("runs/a")
    write_log("runs/b")
    Path("runs/empty").mkdir()
    Path("runs/picture.png").write_bytes(b"\x89PNG")
    write_log("runs/damaged")
    with (Path("runs/damaged") / LOG_NAME).open("a") as log:
        log.write("{}\n")
    write_log("runs/huge")
    with (Path("runs/huge") / LOG_NAME).open("r+b") as log:
        log.truncate(MAX_LOG_BYTES + 1)  # with a hole: it takes no room
    Path("runs/pipe").mkdir()
    os.mkfifo(Path("runs/pipe") / LOG_NAME)
    names = sorted(str(path) for path in Path("runs").iterdir())
    output = ebnn_history(*names, "--json", "history.json", "-o", "history.svg")
    assert cells(output, "a")[0] == cells(output, "b")[0] == "3"
    left_out = [line for line in output.splitlines() if line.startswith("left out: ")]
    assert [re.findall(r"runs/(\w+)", line)[0] for line in left_out] == ["damaged", "empty", "huge", "picture", "pipe"]
    values = json.loads(Path("history.json").read_text())
    assert [run["folder"] for run in values["runs"]] == ["runs/a", "runs/b"]
    assert [run["folder"] for run in values["left_out"]][:2] == ["runs/damaged", "runs/empty"]
    with pytest.raises(TrainingError, match=r"empty has no log\.jsonl: .* \(and 1 like it\)"):
        ebnn_history("runs/empty", "runs/picture.png")


def test_a_run_whose_teacher_is_being_trained():
    write_log("a/teacher")
    with pytest.raises(TrainingError, match=r"a has no log\.jsonl yet, only its teacher has one: name a/teacher"):
        ebnn_history("a")
    assert cells(ebnn_history("a/teacher"), "teacher")[0] == "3"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["loss", "validation_loss", "validation_accuracy", "learning_rate"])
def test_a_figure_of_0_is_drawn(name):
    path = write_log("a") / LOG_NAME
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | {name: 0}), *others, ""]))
    assert "wrote" in ebnn_history("a", "-o", "a.svg")


@pytest.mark.filterwarnings("error")
def test_a_log_whose_losses_are_0():
    path = write_log("a") / LOG_NAME
    path.write_text(re.sub(r'loss": [0-9.]+', 'loss": 0', path.read_text()))
    assert cells(ebnn_history("a", "-o", "a.svg"), "a")[3] == "0.0000"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["_b", r"$\foo$"])
def test_a_name_is_drawn_as_it_is(name):
    write_log(name)
    ebnn_history(name, "-o", "a.svg")
    assert name in re.findall(r"<!-- *(.*?) -->", Path("a.svg").read_text())


@pytest.mark.parametrize("ending", ["svg", "PDF"])
def test_a_picture_has_no_date(ending, monkeypatch):
    """The same log, drawn on two days."""
    write_log("a")
    pictures = []
    for day in (1, 2):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(day * 24 * 60 * 60))
        ebnn_history("a", "-o", f"{day}.{ending}")
        pictures.append(Path(f"{day}.{ending}").read_bytes())
    assert pictures[0] == pictures[1]


def test_every_field_of_a_record_has_its_range():
    values = LINES[0] | {"flips": 2, "test_loss": 1.0, "test_accuracy": 0.5}
    for name in values:
        (Path() / LOG_NAME).write_text(json.dumps(values | {"flips": 0.5, name: -1}) + "\n")
        with pytest.raises(TrainingError, match=rf"line 1 \({name} is -1, it must be"):
            read_log(Path())


def test_every_run_draws_its_history():
    tiny = ("--dataset", "digits", "--architecture", "c4k3-m2", "--epochs", "2")
    for extra in ((), ("--float",)):
        result = CliRunner().invoke(train, (*tiny, *extra))
        assert result.exit_code == 0, result.output
    for folder in ("runs/digits", "runs/digits-float"):
        assert (Path(folder) / "history.png").read_bytes().startswith(b"\x89PNG")
        assert cells(ebnn_history(folder), Path(folder).name)[:2] == ["2", "2"]


def test_a_run_of_one_epoch_has_that_epoch_on_its_axis():
    write_log("runs/short", epochs=1)
    ebnn_history("runs/short", "-o", "short.svg")
    texts = re.findall(r"<!-- (.*?) -->", Path("short.svg").read_text())
    assert "1" in texts
    assert not any(re.fullmatch(r"[01]\.\d{3}", text) and float(text) > 0.9 for text in texts)
