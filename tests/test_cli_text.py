"""Text of files, boards and folders reaches a terminal as characters that are seen, in errors and in tables alike."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ebnn.cli import main
from ebnn.printable import printable, printable_lines
from ebnn.show.console import PlainConsole, print_line, print_whole

MODEL = Path(__file__).parent / "vectors" / "uint8-conv.ebnn"
LOG = (
    '{"epoch": 1, "loss": 1.0, "train_accuracy": 0.5, "learning_rate": 0.1, "seconds": 1.0, "test_loss": 1.0, '
    '"test_accuracy": 0.5}\n'
)
NAMES = [
    "a\x1b[31mred",
    "a[/b]",
    "right\u202eleft",
    "zero\u200bwidth",
    "two\nlines",
    "c1\x9b1m",
    "bell\x07",
    ":smile:",
]


def assert_clean(text: str) -> None:
    assert all(character.isprintable() or character == "\n" for character in text), ascii(text)


def invoke(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_folders_and_files(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir(parents=True)
    (Path(name) / "log.jsonl").write_text(LOG)
    result = invoke("history", name, "--json", "h.json")
    assert result.exit_code == 0, result.output
    assert_clean(result.output)
    assert printable(Path(name).name) in result.output
    assert json.loads(Path("h.json").read_text())["runs"][0]["folder"] == name
    shutil.copy(MODEL, f"{name}.ebnn")
    result = invoke("info", f"{name}.ebnn")
    assert result.exit_code == 0, result.output
    assert_clean(result.output)
    assert result.output.startswith(printable(f"{name}.ebnn"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "words",
    [
        ("info", "{}.ebnn"),
        ("export", "mnist-uno", "--name", "{}"),
        ("export", "mnist-uno", "--board", "{}"),
        ("history", "{}"),
        ("run", "mnist-uno", "--dataset", "{}"),
        ("run", "mnist-uno", "--dataset", "digits", "--port", "{}"),
        ("train", "--{}"),
        ("{}",),
        ("datasets", "fetch", "{}"),
        ("info", "mnist-uno", "--json", "{}/x"),
    ],
)
def test_names_in_errors(words: tuple[str, ...], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke(*(word.format(name) for word in words))
    assert result.exit_code in (1, 2), result.output
    assert_clean(result.output)
    *_, last = result.stderr.splitlines()
    assert last.startswith("Error: ")


def test_bytes_that_are_no_text_in_a_name(tmp_path: Path) -> None:
    name = os.path.join(os.fsencode(tmp_path), b"\xff.ebnn")  # noqa: PTH118
    shutil.copy(MODEL, name)
    command = [sys.executable, "-m", "ebnn", "info", name, "--json", b"i.json"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert rb"\udcff.ebnn" in result.stdout
    assert json.loads((tmp_path / "i.json").read_text())["file"].endswith("\udcff.ebnn")


def test_a_table_one_column_too_wide_has_no_empty_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Its last column is a blank: it fits without that."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("x" * 40, overflow="fold")
    table.add_row("y" * 39)
    print_whole(PlainConsole(force_terminal=True, color_system=None, width=41), table)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert " " + "x" * 40 in lines


def test_a_table_in_a_pipe_is_as_wide_as_columns_asks_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def widest(columns: str | None) -> int:
        monkeypatch.delenv("COLUMNS", raising=False)
        if columns is not None:
            monkeypatch.setenv("COLUMNS", columns)
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column("name")
        table.add_column("words", overflow="fold")
        table.add_row("a" * 20, "word " * 20)
        print_whole(PlainConsole(color_system=None), table)
        return max(map(len, capsys.readouterr().out.splitlines()))

    assert widest("60") <= 60
    assert widest(None) > 100


def test_whatever_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    console = PlainConsole(force_terminal=True, color_system=None, width=80)
    table = Table(title="[red]\x1b[2J")
    table.add_column("[/x]\x1b]0;title\x07")
    table.add_row("\u202e[b]", style="bold")
    table.add_row(Text("\u2066\x1b[8m"))
    print_whole(console, table)
    print_line(console, "one\ntwo\x1b[1A[/]")
    console.print("\x1b[31m[/red]:smile:")
    out = capsys.readouterr().out
    assert_clean(out)
    for part in ("[red]", "[/x]", r"\u202e[b]", r"\u2066", r"one\ntwo\x1b[1A[/]", r"\x1b[31m[/red]:smile:"):
        assert part in out


def test_text_that_is_seen_stays() -> None:
    for text in ("plain", "Größe 3×3 → 10 °C", "日本語", "", "a b"):
        assert printable(text) == printable_lines(text) == text
    assert printable("a\tb\r\n") == r"a\tb\r\n"
    assert printable_lines("a\tb\r\nc") == "a\tb\\r\nc"
