"""How commands look: help, errors and hints, in terminals of several widths and without one."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import click
import pytest
from rich.cells import cell_len

from ebnn.cli import main
from ebnn.cli.layout import NARROWEST, REST
from ebnn.show.wrapping import wrap

COMMANDS = ["", *main.lazy, "datasets fetch"]


def on_terminal(columns, *arguments, cwd, env=None):
    """The lines that a terminal of so many columns gets from a command, its errors among them."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = [sys.executable, "-m", "ebnn", *map(str, arguments)]
    with subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env={**environment, "TERM": "xterm", **(env or {})},
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                got = os.read(ours, 65536)
            except OSError:  # Linux says so where nobody has the other end any more
                break
            if not got:
                break
            seen += got
    os.close(ours)
    assert process.returncode is not None
    return re.sub(r"\x1b\[[0-9;]*m", "", seen.decode().replace("\r\n", "\n")).splitlines()


def help_text(command, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    main.main([*command.split(), "--help"], prog_name="ebnn", standalone_mode=False)
    return capsys.readouterr().out


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_its_terminal_and_breaks_no_word(command, columns, monkeypatch, capsys):
    lines = help_text(command, columns, monkeypatch, capsys).splitlines()
    wide = help_text(command, 10_000, monkeypatch, capsys)
    if command != "train" or columns > 60:  # the table of its inputs
        assert max(map(cell_len, lines)) <= min(columns, 100)
    words = set(wide.split())
    assert set(" ".join(lines).split()) <= words


@pytest.mark.parametrize("command", ["", "train", "datasets"])
def test_help_is_as_narrow_as_a_narrow_terminal(command, monkeypatch, capsys):
    lines = help_text(command, 40, monkeypatch, capsys).splitlines()
    prose = [line for line in lines if not line.strip().startswith(("--", "ebnn ")) and "    " not in line.strip()]
    assert max(map(len, prose)) <= 40
    assert NARROWEST <= 40


@pytest.mark.parametrize("command", ["train", "compare", "sweep"])
def test_every_option_of_training_stands_under_a_heading(command, monkeypatch, capsys):
    text = help_text(command, 80, monkeypatch, capsys)
    titles = [line[:-1] for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles == ["Data", "Distortion", "Network", "Training", "Results", "Teacher", "Advanced", REST]
    assert re.fullmatch(r"  (-h, )?--help  Show this message and exit\.\n", text.split(f"\n{REST}:\n")[1])
    options = text.split("\nData:\n")[1]
    for one in main.get_command(click.Context(main), command).params:
        if isinstance(one, click.Option) and not one.hidden:
            assert options.count(f"  {one.opts[-1]} ") + options.count(f", {one.opts[-1]} ") == 1


def test_the_list_of_commands_cuts_no_sentence(monkeypatch, capsys):
    text = help_text("", 80, monkeypatch, capsys)
    assert "..." not in text.replace("[ARGS]...", "")
    for name in main.lazy:
        assert f"\n  {name} " in text


def test_wrapping_breaks_between_words():
    assert wrap("one two three", 7) == "one two\nthree"
    assert wrap("a /very/long/path/of/a/file b", 10) == "a\n/very/long/path/of/a/file\nb"
    assert wrap("flash  12 B", 80) == "flash  12 B"
    assert wrap("next:\n  ebnn run a.ebnn --dataset mnist", 10) == "next:\n  ebnn run a.ebnn --dataset mnist"
    for command in (
        'pip install "ebnn[train]"',
        "ebnn platformio-offline FOLDER",
        "ebnn run MODEL --port sim://uno",
        "ebnn export MODEL.ebnn -o network.h",
        "export PLATFORMIO_CORE_DIR=FOLDER",
        "sudo usermod -aG dialout $USER",
    ):
        assert wrap(f"lacks it: run {command}, then go on", 20).startswith(f"lacks it: run\n{command}")
    assert wrap("ebnn train --resume writes it", 20) == "ebnn train --resume\nwrites it"
    assert wrap("数字 网络", 8) == "数字\n网络"
    assert wrap("数字 网络", 9) == "数字 网络"
    assert wrap("", 10) == ""


@pytest.mark.parametrize("columns", [40, 80, 100])
def test_an_error_is_broken_between_words(columns, tmp_path):
    lines = on_terminal(columns, "info", "mnist-uno", "--board", "unno", cwd=tmp_path)
    assert lines[0].startswith("Error: no board is called 'unno'")
    assert len(lines) > 1
    assert max(map(len, lines)) <= columns
    words = " ".join(lines).replace(",", " ").split()
    assert {"esp32-c3-devkitm-1", "megaatmega2560", "nano_33_iot"} <= set(words)


def test_an_error_is_one_line_where_there_is_no_terminal(tmp_path):
    command = [sys.executable, "-m", "ebnn", "info", "mnist-uno", "--board", "unno"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "COLUMNS": "40"})
    assert done.stderr.count("\n") == 1


def test_a_command_to_copy_has_a_line_of_its_own(tmp_path):
    folder = tmp_path / ("a folder with a long name " + "x" * 60)
    found = on_terminal(80, "init", folder, "--board", "uno", cwd=tmp_path)
    command = found[found.index("next:") + 1]
    assert command.startswith("  ")
    assert command.endswith(f"ebnn flash --board uno --project '{folder}'")


def test_a_long_name_is_folded_in_its_column(tmp_path):
    name = "a" * 100
    (tmp_path / name).mkdir()
    record = {"epoch": 1, "loss": 0.5, "train_accuracy": 0.5, "learning_rate": 0.01, "seconds": 1.0}
    line = json.dumps({**record, "test_loss": 0.5, "test_accuracy": 0.875})
    (tmp_path / name / "log.jsonl").write_text(line + "\n")
    lines = on_terminal(80, "history", name, cwd=tmp_path)
    assert max(map(cell_len, lines)) <= 80
    assert "".join(re.findall("a{3,}", "\n".join(lines))) == name
    (row,) = [line for line in lines if "87.50 %" in line]
    assert "0.5000" in row


@pytest.mark.parametrize("columns", [80, 100])
def test_the_published_networks_fit_their_terminal(columns, tmp_path):
    assert max(map(cell_len, on_terminal(columns, "networks", cwd=tmp_path))) <= columns


def test_what_a_network_takes_on_one_board_fits_its_terminal(tmp_path):
    lines = on_terminal(80, "info", "mnist-uno", "--board", "genuino101", cwd=tmp_path)
    assert any("heap and stacks" in line for line in lines)
    assert max(map(cell_len, lines)) <= 80
