"""Files and folders are there in full or not at all: after a kill, on a full disk, into a folder that is there."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ebnn.atomic import folder_in_full, write_atomically
from ebnn.errors import WriteError
from ebnn.leftovers import make_folder, sweep

# Fills a folder, or writes a file, and is killed in the midst.
KILLED_FOLDER = """
import os, sys
from pathlib import Path
from ebnn.atomic import folder_in_full
with folder_in_full(Path(sys.argv[1])) as new:
    (new / "a.txt").write_text("half")
    os.kill(os.getpid(), 9)
"""
KILLED_FILE = """
import os, sys
from pathlib import Path
from ebnn.atomic import write_atomically
os.fsync = lambda handle: os.kill(os.getpid(), 9)
write_atomically(Path(sys.argv[1]), b"new")
"""


def killed(program: str, path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", program, path], check=False)
    assert done.returncode == -signal.SIGKILL


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill(folder: Path) -> None:
    with folder_in_full(folder) as new:
        (new / "inner").mkdir()
        (new / "inner/a.txt").write_text("a")
        (new / "b.txt").write_text("b")


@pytest.mark.parametrize("there", [False, True])
def test_a_killed_process_leaves_no_half_folder_and_the_next_one_cleans_up(tmp_path, there):
    folder = tmp_path / "mine"
    if there:
        folder.mkdir()
    killed(KILLED_FOLDER, folder)
    assert folder.exists() == there
    if there:
        assert [name for name in names(folder) if not name.startswith(".ebnn-")] == []
    fill(folder)
    assert names(tmp_path) == ["mine"]
    assert names(folder) == ["b.txt", "inner"]


def test_a_killed_process_leaves_the_old_file_and_the_next_one_cleans_up(tmp_path):
    path = tmp_path / "x.ebnn"
    path.write_bytes(b"old")
    killed(KILLED_FILE, path)
    assert path.read_bytes() == b"old"
    assert len(names(tmp_path)) == 2
    write_atomically(tmp_path / "other", b"new")
    assert names(tmp_path) == ["other", "x.ebnn"]


def test_what_a_living_process_holds_is_left_alone(tmp_path):
    held, handle = make_folder(tmp_path, ".ebnn-new-")
    fill(tmp_path / "mine")
    assert held.is_dir()
    os.close(handle)
    fill(tmp_path / "other")
    assert names(tmp_path) == ["mine", "other"]


def test_the_parts_of_a_kill_while_they_move_are_moved_by_the_next_call(tmp_path):
    folder = tmp_path / "mine"
    (folder / ".ebnn-whole-123").mkdir(parents=True)
    (folder / ".ebnn-whole-123/b.txt").write_text("b")
    (folder / "a.txt").write_text("a")
    with pytest.raises(WriteError, match="is not empty: name a new folder"):
        fill(folder)
    assert names(folder) == ["a.txt", "b.txt"]


def test_a_folder_that_is_there_stays_the_same_folder(tmp_path, monkeypatch):
    """A shell in it does not lose its place."""
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o750)
    before = folder.stat()
    monkeypatch.chdir(folder)
    fill(Path())
    assert names(Path()) == ["b.txt", "inner"]
    assert (folder.stat().st_ino, folder.stat().st_mode) == (before.st_ino, before.st_mode)


def test_what_fails_leaves_nothing_not_even_the_folders_above(tmp_path):
    def fail() -> None:
        with folder_in_full(tmp_path / "deep/er/mine") as new:
            (new / "a.txt").write_text("a")
            (new / "missing/b.txt").write_text("b")

    with pytest.raises(WriteError, match="mine cannot be written: No such file"):
        fail()
    assert names(tmp_path) == []


def test_merging_replaces_parts_and_keeps_others(tmp_path):
    for name, text in (("a/x/1.txt", "old"), ("a/y/2.txt", "kept"), ("c.txt", "old")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with folder_in_full(tmp_path, merge=("a",)) as new:
        (new / "a/x").mkdir(parents=True)
        (new / "a/x/3.txt").write_text("new")
        (new / "c.txt").write_text("new")
    files = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"a/x/3.txt": "new", "a/y/2.txt": "kept", "c.txt": "new"}


def test_a_sweep_spares_links_and_strangers(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / ".ebnn-new-1").symlink_to(tmp_path / "precious")
    (tmp_path / "ebnn-new-2").mkdir()
    sweep(tmp_path, ".ebnn-new-")
    assert names(tmp_path) == [".ebnn-new-1", "ebnn-new-2", "precious"]


def test_a_name_may_be_as_long_as_the_file_system_takes(tmp_path):
    path = tmp_path / ("x" * 255)
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"
    assert names(tmp_path) == [path.name]


def limit_files() -> None:
    """A file may have 4,000 bytes, as if the disk were full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("command", [["init"], ["platformio-offline", "--platform", "native"]])
def test_on_a_full_disk_there_is_no_half_project_and_one_line(tmp_path, command, there):
    if there:
        (tmp_path / "mine").mkdir()
    words = [sys.executable, "-m", "ebnn", *command, "mine"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=limit_files)
    assert done.returncode == 1, done.stderr
    assert done.stderr == f"Error: {tmp_path / 'mine'} cannot be written: File too large\n"
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"] * there
