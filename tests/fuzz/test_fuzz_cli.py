"""Every command with hostile values and damaged files: one clear error, nothing lost."""

from __future__ import annotations

import os
import random
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from ebnn.cli import main

VECTORS = Path(__file__).parents[1] / "vectors"
LOG = (
    '{"epoch": 1, "loss": 1.0, "train_accuracy": 0.5, "learning_rate": 0.1, "seconds": 1.0, "test_loss": 1.0, '
    '"test_accuracy": 0.5}\n'
)
HEADER = (
    '#include "ebnn.h"\nfloat a[1] = {1};\nvoid ebnn_compute(float *input, uint8_t *output) {\n  l(input, output);\n}\n'
)

# What a command begins with: enough for it to come to the hostile value.
STARTS = {
    "demo": ["demo"],
    "datasets": ["datasets"],
    "datasets fetch": ["datasets", "fetch", "digits"],
    "networks": ["networks"],
    "data": ["data", "t.h"],
    "train": ["train", "--epochs", "-1"],  # nothing is trained
    "evolve": ["evolve", "--generations", "0"],  # nothing evolves
    "history": ["history", "run"],
    "record": ["record", "--label", "wave", "--port", "nowhere"],
    "live": ["live", "m.ebnn", "--port", "nowhere"],
    "quantize": ["quantize", "run"],
    "predict": ["predict", "m.ebnn", "README.md"],
    "bench": ["bench", "--path", "none"],
    "compare": ["compare", "--epochs", "-1"],
    "sweep": ["sweep", "d8", "--out", "s", "--epochs", "-1"],
    "import": ["import", "t.h", "-o", "n.ebnn"],
    "boards": ["boards"],
    "info": ["info", "m.ebnn"],
    "report": ["report", "m.ebnn", "-o", "n.html"],
    "export": ["export", "m.ebnn", "-o", "n.h"],
    "init": ["init", "p", "--board", "moon"],
    "flash": ["flash", "m.ebnn", "--board", "uno", "--port", "nowhere"],
    "run": ["run", "m.ebnn", "--dataset", "digits", "--port", "nowhere"],
    "push": ["push", "m.ebnn", "--port", "nowhere"],
    "profile": ["profile", "m.ebnn", "--port", "nowhere"],
    "simulate": ["simulate", "moon"],
    "platformio-offline": ["platformio-offline", "README.md"],
}
# What stops training where the hostile value takes the place of --epochs: "1_000" is a number that would be trained.
INSTEAD_OF_EPOCHS = ["--batch-size", "0"]
LONG = "n" * 300
SHARES = 4  # each option meets one of so many shares of the values, another one than its neighbour
NUMBERS = [
    "",
    "-1",
    "0",
    "1e999",
    "nan",
    "inf",
    "-inf",
    "1" * 400,
    "0x10",
    "\u0661",
    "1e-400",
    " ",
    "1_000",
    "9" * 5000,
    "--",
]
TEXTS = [
    "",
    " ",
    LONG,
    "\x1b[31m",
    "a\nb",
    "[/b]",
    "\u202e",
    "%s",
    "{}",
    "$HOME",
    "../..",
    "-",
    "--help",
    "ü",
    "\udcff",
    "a" * 9000,
]
PATHS = [
    "", ".", "..", "/", LONG, f"{LONG}/x", "a/" * 3000 + "x",
    "loop", "loop/x", "dangling", "fifo", "/dev/null/x",
    "nowhere/x",
    "m.ebnn", "./m.ebnn", "run/../m.ebnn", "link.ebnn", "README.md", "run", "run/log.jsonl", "t.h",
    "empty", "secret/x",
    "/dev/zero", "/proc/self/mem", "\x1b[31m", "a\nb", "[/b]", "\udcff", "~", "-",
]  # fmt: skip
PORTS = [
    "socket://x:99999",
    "socket://",
    "sim://",
    "sim://moon",
    "sim://uno?x=1",
    "sim://[",
    "rfc2217://",
    "/dev/null",
    "m.ebnn",
    "spy://",
    "://",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files that must stay, and names of all kinds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EBNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EBNN_DATA", raising=False)
    monkeypatch.setenv("CC", "no-such-compiler")  # nothing is built, nor trained for the demo
    shutil.copy(VECTORS / "uint8-conv.ebnn", "m.ebnn")
    Path("link.ebnn").symlink_to("m.ebnn")
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("nowhere/x")
    os.mkfifo("fifo")
    Path("run").mkdir()
    Path("run/log.jsonl").write_text(LOG)
    Path("t.h").write_text(HEADER)
    shutil.copy(VECTORS.parent / "images/dense.img", "n.img")
    Path("README.md").write_text("# mine\n")
    Path("empty").touch()
    return tmp_path


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            inner = click.Context(command)
            for each in command.list_commands(inner):
                yield f"{name} {each}", command.commands[each]


def nasty_values(param: click.Parameter) -> list[str]:
    if param.name == "port":
        return [*PORTS, *TEXTS]
    if isinstance(param.type, click.Path):
        return PATHS
    if isinstance(param.type, click.types.FloatParamType | click.types.IntParamType | click.types.IntRange):
        return NUMBERS
    return TEXTS


def tried(name: str, command: click.Command) -> Iterator[list[str]]:
    start = STARTS[name]
    for number, param in enumerate(command.params, len(name)):
        values = nasty_values(param)[number % SHARES :: SHARES]
        if isinstance(param, click.Option):
            if param.is_flag or param.name == "help":
                continue
            flag = max(param.opts, key=len)
            stops = INSTEAD_OF_EPOCHS if flag == "--epochs" else []
            for value in values:
                yield [*start, *stops, flag, *[value] * param.nargs]
        else:
            place = len(name.split())
            for value in values:
                yield [*start[:place], value, *start[place + 1 :]] if len(start) > place else [*start, value]


def snapshot(folder: Path) -> dict[str, bytes]:
    kept = ("m.ebnn", "link.ebnn", "run/log.jsonl", "t.h", "README.md")
    return {name: (folder / name).read_bytes() for name in kept}


def assert_one_error(words: list[str], result: Result) -> None:
    shown = f"{[word[:60] for word in words]}\n{result.output[-2000:]}"
    assert result.exception is None or isinstance(result.exception, SystemExit), (shown, result.exc_info)
    assert result.exit_code in (0, 1, 2), shown
    assert "Traceback" not in result.output, shown
    if result.exit_code:
        errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
        assert len(errors) == 1, shown
        assert result.stderr.splitlines()[-1] == errors[0], shown
        assert all(character.isprintable() for character in errors[0]), shown


NAMES = [name for name, _ in commands()]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_values(name: str, folder: Path) -> None:
    command = dict(commands())[name]
    before = snapshot(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for words in tried(name, command):
            result = CliRunner().invoke(main, words)
            assert_one_error(words, result)
            assert snapshot(folder) == before, words


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Cut, flipped, doubled or foreign."""
    kind = rng.randrange(5)
    at = rng.randrange(len(content))
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + rng.randbytes(rng.randrange(1, 9)) + content[at + rng.randrange(9) :]
    if kind == 2:
        return content[:at] * 2 + content[at:]
    if kind == 3:
        flipped = bytearray(content)
        for _ in range(rng.randrange(1, 5)):
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        return bytes(flipped)
    return rng.randbytes(at)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("m.ebnn", ["info", "m.ebnn"]),
        ("m.ebnn", ["export", "m.ebnn", "-o", "n.h"]),
        ("n.img", ["info", "n.img"]),
        ("run/log.jsonl", ["history", "run", "--json", "h.json"]),
        ("t.h", ["import", "t.h", "-o", "n.ebnn"]),
    ],
)
def test_damaged_files(file: str, words: list[str], folder: Path) -> None:
    whole = Path(file).read_bytes()
    rng = random.Random(7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(60):
            Path(file).write_bytes(damaged(whole, rng))
            before = snapshot(folder)
            result = CliRunner().invoke(main, words)
            assert_one_error(words, result)
            assert snapshot(folder) == before
