"""The pages in docs/, CONTRIBUTING.md and CHANGELOG.md: their commands and code run, and the paths they name exist.

A block of sh or python runs, in the page's order and in one folder; a block whose first line says ``file: NAME`` is
written there. A block of console is for a board, or takes long: only the paths in it are looked at. Text is compared
where a test below knows it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.c_networks import require

from ebnn import frames

TOP = Path(__file__).parents[1]
PAGES = [*sorted((TOP / "docs").glob("*.md")), TOP / "CONTRIBUTING.md", TOP / "CHANGELOG.md"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^(?:#|/\*|//) file: (\S+)")
FOLDERS = "ebnn firmware benchmarks tools tests docs examples".split()
PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./*{{}}-]+|[A-Z]+\.md|platformio\.ini|\.ci/run)`")
MODULE = re.compile(r"`((?:ebnn|benchmarks|tools)(?:\.\w+)+)`")


@pytest.fixture(params=PAGES, ids=[page.stem for page in PAGES])
def page(request: pytest.FixtureRequest) -> str:
    return Path(request.param).read_text(encoding="utf-8")


def run(command: list[str | Path], folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_commands_and_code_run(page: str, tmp_path: Path) -> None:
    blocks = BLOCK.findall(page)
    if any(language == "c" for language, _ in blocks):
        require("cc")
    if "sim://uno" in page:
        require("avr-gcc")
    (tmp_path / "examples").symlink_to(TOP / "examples")
    for _, text in blocks:
        named = FILE.match(text)
        if named:
            (tmp_path / named[1]).write_text(text, encoding="utf-8")
    for language, text in blocks:
        assert language in ("sh", "python", "console", "text", "toml", "c")
        if language == "sh":
            run(["bash", "-euo", "pipefail", "-c", text], tmp_path)
        elif language == "python" and not FILE.match(text):
            run([sys.executable, "-c", text], tmp_path)


def test_paths_exist(page: str) -> None:
    named = PATH.findall(page) + re.findall(r"\btests/[\w/]+\.py\b", page)
    missing = [path for path in named if not list(TOP.glob(path.rstrip("/")))]
    assert missing == []


def test_modules_and_names_exist(page: str) -> None:
    names = sorted(set(MODULE.findall(page)))
    program = """
import importlib, sys
for name in sys.argv[1:]:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        break
    else:
        raise SystemExit(f"{name} is nothing")
"""
    run([sys.executable, "-c", program, *names], TOP)


def test_lines_are_not_long(page: str) -> None:
    assert [line for line in page.splitlines() if len(line) > 140] == []


def hex_bytes(text: str) -> bytes:
    """The bytes in front of each line's words."""
    lines = (re.match(r"(?:content|wire)?\s*((?:[0-9A-F]{2}(?:\s|$))+)", line) for line in text.splitlines())
    return bytes.fromhex(" ".join(line[1] for line in lines if line))


def test_the_frames_of_the_protocol_are_right() -> None:
    """Each is encoded from its parts and decoded from its bytes; the device's frame parser is compared elsewhere."""
    blocks = [text for language, text in BLOCK.findall((TOP / "docs/protocol.md").read_text()) if language == "text"]
    content, wire, answer, answer_wire = map(hex_bytes, blocks)
    for whole, coded in ((content, wire), (answer, answer_wire)):
        frame = frames.Frame(int.from_bytes(whole[:2], "little"), whole[2], whole[3:-2])
        assert frames.crc16(whole[:-2]) == int.from_bytes(whole[-2:], "little")
        assert frames.encode(frame) == coded
        assert frames.decode(coded[1:-1]) == frame
    assert (content[2], answer[2]) == (frames.Command.HELLO, frames.Command.HELLO | frames.REPLY)
    assert answer[3:5] == content[-2:]
    assert frames.crc16(b"123456789") == 0x29B1
