"""The code's own rules: ruff, its formatter, and mypy in strict mode."""

import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]


@pytest.mark.parametrize("command", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]])
def test_clean(command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


OWN = ("firmware", "examples", "tests")  # PlatformIO's stand-ins left out


def committed(*endings, folders=OWN):
    """The files of C in the folders."""
    command = ["git", "ls-files", *folders]
    names = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout.split("\n")
    return [name for name in names if name.endswith(endings)]


def test_c_is_formatted():
    """As .clang-format says, but for emitted headers and assembly, which .clang-format-ignore names."""
    files = committed(".c", ".h", ".cpp")
    assert len(files) > 30
    done = subprocess.run(
        [Path(sys.executable).with_name("clang-format"), "--dry-run", "--Werror", *files],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]


def test_lines_of_c_have_at_most_120_bytes():
    files = committed(".c", ".h", ".cpp", ".ino", ".S", folders=(*OWN, "ebnn"))
    lines = [(name, line) for name in files for line in (TOP / name).read_bytes().split(b"\n")]
    assert [(name, line) for name, line in lines if len(line) > 120] == []
