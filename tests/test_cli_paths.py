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
from ebnn.cli.train_network import KEPT_FILES
from ebnn.training.lock import LOCK_NAME
from ebnn.training.records import LOG_NAME
from ebnn.training.results import CHAIN_NAME, SNAPSHOT_NAME

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


def test_what_a_command_wrote_it_writes_again() -> None:
    for words in ("export m.ebnn -o new.h", "info m.ebnn --json i.json", "history run -o h.png --json h.json"):
        for _ in range(2):
            result = CliRunner().invoke(main, words.split(), catch_exceptions=False)
            assert result.exit_code == 0, result.output
    for name in ("new.h", "i.json", "h.json", "h.png"):
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
    assert {LOG_NAME, SNAPSHOT_NAME, CHAIN_NAME, LOCK_NAME, "history.png"} == set(KEPT_FILES)
