"""No command writes over what it reads, writes elsewhere, or did not make: one check for all of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ebnn.cli import main
from ebnn.cli.paths import OutputFile
from ebnn.training.history import TEST_NAME
from ebnn.training.lock import LOCK_NAME
from ebnn.training.records import LOG_NAME
from ebnn.training.results import CHAIN_NAME, SNAPSHOT_NAME
from ebnn.training.run_folders import KEPT_FILES

VECTORS = Path(__file__).parent / "vectors"
LOG = b'{"epoch": 1, "loss": 1.0, "train_accuracy": 0.5, "learning_rate": 0.1, "seconds": 1.0, "test_loss": 1.0, ' + (
    b'"test_accuracy": 0.5}\n'
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network, other names of it, and a run."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(VECTORS / "uint8-conv.ebnn", "m.ebnn")
    Path("link.ebnn").symlink_to("m.ebnn")
    os.link("m.ebnn", "hard.ebnn")
    Path("run").mkdir()
    Path("run/log.jsonl").write_bytes(LOG)
    Path("t.h").write_text('#include "ebnn.h"\nfloat a[1] = {1};\n')
    Path("README.md").write_text("# mine\n")
    Path("x.png").write_text("no picture\n")
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    "words",
    [
        "export m.ebnn -o m.ebnn",
        "export m.ebnn -o ./m.ebnn",
        "export m.ebnn -o run/../m.ebnn",
        "export m.ebnn -o link.ebnn",
        "export m.ebnn -o hard.ebnn",
        "export link.ebnn -o m.ebnn",
        "export -o m.ebnn m.ebnn",
        "export m.ebnn -o README.md",
        "export m.ebnn -o t.h",
        "import t.h -o t.h",
        "import t.h -o README.md",
        "info m.ebnn --json m.ebnn",
        "info m.ebnn --json link.ebnn",
        "info m.ebnn --json README.md",
        "report m.ebnn -o m.ebnn",
        "report m.ebnn -o README.md",
        "report m.ebnn --run run -o run/log.jsonl",
        "boards --json m.ebnn",
        "networks --json m.ebnn",
        "run m.ebnn --dataset digits --json hard.ebnn",
        "profile m.ebnn --json m.ebnn",
        "flash m.ebnn --board uno --json m.ebnn",
        "datasets --json m.ebnn",
        "datasets fetch digits --json m.ebnn",
        "history run --json run/log.jsonl",
        "history run --json run/../run/log.jsonl",
        "history run -o x.png",
        "history run -o y.png --json y.png",
        "train --out run2 -o run2/snapshot.npz",
        "train --out run2 -o run2/log.jsonl",
        "train --out run2 --json run2/model.ebnn",
        "train --out run2 --json run2/teacher/log.jsonl",
        "train -o n.ebnn --json n.ebnn",
        "train -o README.md",
        "train -o m.ebnn --json link.ebnn",
        "train --json runs/digits/log.jsonl",
        "compare --json c/float/snapshot.npz --out c",
        "sweep d8 --validation 100 --out s --plot s/d8/history.png",
        "sweep d8 --validation 100 --out s --plot z.png --json z.png",
        "sweep d8 --validation 100 --out s --json s/d8/model.ebnn",
        "demo --json ebnn-demo/digits.ebnn",
        "simulate uno --model m.ebnn --link m.ebnn",
        "simulate uno --link README.md",
    ],
)
def test_nothing_is_lost(words: str, folder: Path) -> None:
    for name in ("run2", "run2/teacher", "runs/digits", "c/float", "s/d8", "ebnn-demo"):
        Path(name).mkdir(parents=True, exist_ok=True)
    before = files(folder)
    result = CliRunner().invoke(main, words.split())
    assert files(folder) == before
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "another" in result.stderr


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("train --out mine", "mine/model.ebnn"),
        ("train --out mine", "mine/chain.npz"),
        ("train --out mine", "mine/snapshot.npz"),
        ("train --out mine", "mine/history.png"),
        ("train --out mine --float", "mine/chain.npz"),
        ("train --out mine -o new.ebnn", "mine/chain.npz"),
        ("train --out mine --distillation 0.5", "mine/teacher/chain.npz"),
        ("compare --out mine", "mine/float/chain.npz"),
        ("compare --out mine", "mine/binarized/model.ebnn"),
        ("sweep d8 --validation 100 --out mine", "mine/d8/model.ebnn"),
        ("demo --out mine", "mine/digits.ebnn"),
        ("demo --out mine", "mine/network.h"),
    ],
)
def test_what_no_run_wrote_is_not_replaced_by_one(words: str, place: str, folder: Path) -> None:
    Path(place).parent.mkdir(parents=True)
    Path(place).write_text("mine\n")
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 1
    assert result.stderr.endswith("is there already, and of no run: name another --out, or move that file\n")
    assert Path(place).read_text() == "mine\n"
    assert len(list(Path("mine").rglob("*"))) == len(Path(place).parts) - 1


@pytest.mark.parametrize("name", ["snapshot.npz", "model.ebnn"])
def test_the_demo_replaces_no_run(name: str) -> None:
    Path(f"run/{name}").write_text("mine\n")
    result = CliRunner().invoke(main, ["demo", "--out", "run"])
    assert result.exit_code == 1
    assert "run holds a run of ebnn train" in result.stderr
    assert Path("run/log.jsonl").read_bytes() == LOG


def test_a_named_output_may_lie_in_a_folder_of_runs() -> None:
    """It replaces a network that is there: -o names the very file."""
    Path("runs").mkdir()
    shutil.copy("m.ebnn", "runs/model.ebnn")
    words = "train --architecture d4 --epochs 1 --out runs -o runs/model.ebnn"
    result = CliRunner().invoke(main, words.split(), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert Path("runs/model.ebnn").read_bytes() != Path("m.ebnn").read_bytes()


def test_what_a_command_wrote_it_writes_again() -> None:
    for words in (
        "export m.ebnn -o mine.h",
        "info m.ebnn --json i.json",
        "history run -o h.png --json h.json",
        "report m.ebnn -o r.md",
    ):
        for _ in range(2):
            result = CliRunner().invoke(main, words.split(), catch_exceptions=False)
            assert result.exit_code == 0, result.output
    for name in ("mine.h", "i.json", "h.json", "h.png", "r.md"):
        assert Path(name).stat().st_size > 100


def test_results_may_go_where_nothing_is_kept() -> None:
    result = CliRunner().invoke(main, ["info", "m.ebnn", "--json", "/dev/null"])
    assert result.exit_code == 0, result.output


def test_every_output_is_one_that_is_looked_at() -> None:
    ctx = click.Context(main)
    for name in main.list_commands(ctx):
        command = main.get_command(ctx, name)
        assert command is not None
        for param in command.params:
            if param.name in ("output", "json_file", "plot"):
                assert isinstance(param.type, OutputFile), (command.name, param.name)


def test_what_a_run_keeps_is_what_the_trainer_writes() -> None:
    assert {LOG_NAME, SNAPSHOT_NAME, CHAIN_NAME, TEST_NAME, LOCK_NAME, "float.json", "history.png"} == set(KEPT_FILES)
