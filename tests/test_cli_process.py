"""Commands as processes: signals, streams that are full, closed or plain ASCII, folders that are gone, no home."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

EBNN = [sys.executable, "-m", "ebnn"]


def run(words: Sequence[str | Path], **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*EBNN, *map(str, words)], stderr=subprocess.PIPE, text=True, check=False, **settings)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [["boards"], ["--help"], ["train", "--help"], ["info", "mnist-tiny"]])
def test_an_output_that_is_full_is_one_line(words, unbuffered):
    with Path("/dev/full").open("w") as full:
        done = run(words, stdout=full, env={**os.environ, "PYTHONUNBUFFERED": unbuffered})
    assert (done.returncode, done.stderr) == (1, "Error: standard output cannot be written: No space left on device\n")


@pytest.mark.parametrize("words", [["boards"], ["train", "--help"], ["info", "mnist-tiny"]])
def test_a_pipe_that_nobody_reads_is_no_message(words):
    reader, writer = os.pipe()
    os.close(reader)
    done = run(words, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_matter(tmp_path, closed):
    """No file of the command gets their numbers."""
    words = "export mnist-tiny -o network.h"
    command = f"exec {sys.executable} -m ebnn {words} {closed}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False)
    expected = run(
        words.replace("network.h", "other.h --name network").split(), stdout=subprocess.DEVNULL, cwd=tmp_path
    )
    assert done.returncode == expected.returncode == 0
    assert (tmp_path / "network.h").read_bytes() == (tmp_path / "other.h").read_bytes()


@pytest.mark.parametrize("words", [["boards"], ["train", "--help"], ["info", "mnist-tiny"], ["networks"]])
@pytest.mark.parametrize("more", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "TERM": "dumb", "NO_COLOR": "1"}])
def test_any_encoding_will_do(words, more):
    done = run(words, stdout=subprocess.PIPE, env={**os.environ, **more})
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout


def test_a_folder_that_is_gone_is_named(tmp_path):
    command = f"mkdir gone && cd gone && rmdir ../gone && exec {sys.executable} -m ebnn export mnist-tiny"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: the folder that you are in is gone: change to one that exists (cd)\n"


@pytest.mark.parametrize(
    "words",
    [
        ["export", "mnist-tiny", "-o", "-"],
        ["export", "mnist-tiny", "-o-"],
        ["export", "mnist-tiny", "--output=-"],
        ["init", "-"],
        ["info", "mnist-tiny", "--json", "-"],
        ["train", "--dataset", "digits", "--out", "-"],
    ],
)
def test_a_dash_is_no_file(tmp_path, words):
    done = run(words, stdout=subprocess.PIPE, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("Error: - names no file here: name one; standard output is /dev/stdout\n")
    assert list(tmp_path.iterdir()) == []


def stopped(words: Sequence[str | Path], number: int, ready: Callable[[], bool], **settings: object) -> str:
    """Standard error of a command that gets a signal once it is ready."""
    command = [*EBNN, *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **settings) as process:
        deadline = time.monotonic() + 60
        while not ready():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(number)
        error = process.communicate(timeout=120)[1]
    expected = -number if number == signal.SIGKILL else 128 + number
    assert process.returncode == expected, error
    assert "Traceback" not in error
    return error


@pytest.fixture
def slow_compiler(tmp_path: Path) -> dict[str, str]:
    """Variables with a compiler that never ends, a temporary file of which stays, and a temporary folder."""
    (tmp_path / "cc").write_text('#!/bin/sh\necho > "$TMPDIR/cc1.s"\nexec sleep 100\n')
    (tmp_path / "cc").chmod(0o755)
    (tmp_path / "tmp").mkdir()
    return {**os.environ, "CC": str(tmp_path / "cc"), "TMPDIR": str(tmp_path / "tmp")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_clean_up_and_are_the_exit_code(tmp_path, slow_compiler, number):
    words = ["profile", "mnist-tiny"]
    stopped(words, number, lambda: any((tmp_path / "tmp").rglob("cc1.s")), env=slow_compiler)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_a_killed_command_leaves_is_gone_after_the_next(tmp_path, slow_compiler):
    words = ["profile", "mnist-tiny"]
    stopped(words, signal.SIGKILL, lambda: any((tmp_path / "tmp").rglob("cc1.s")), env=slow_compiler)
    assert len(list((tmp_path / "tmp").iterdir())) == 2
    del slow_compiler["CC"]
    assert run(words, stdout=subprocess.DEVNULL, env=slow_compiler).returncode == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_an_interrupt_at_any_time_of_the_start_is_no_traceback():
    for delay in (0.05, 0.1, 0.15, 0.2, 0.3):
        with subprocess.Popen(
            [*EBNN, "train", "--help"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            error = process.communicate(timeout=120)[1]
        # Python's own start, and that of the package before the command, have tracebacks of their own.
        assert not re.search(r"ebnn/(__main__|cli)", error), error


@pytest.mark.parametrize("home", ["missing", "file", None])
def test_without_a_home_that_can_be_written_a_board_is_simulated(tmp_path, home):
    (tmp_path / "file").write_text("")
    variables = {key: value for key, value in os.environ.items() if key not in ("EBNN_CACHE", "XDG_CACHE_HOME", "HOME")}
    if home is not None:
        variables["HOME"] = str(tmp_path / "file" if home == "file" else "/proc/none")
    done = run(["profile", "mnist-tiny", "--samples", "1"], stdout=subprocess.PIPE, env=variables, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "on board 'host'" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("broken", ["missing", "noexec"])
def test_a_temporary_folder_where_nothing_can_be_run_is_not_used(tmp_path, broken):
    place = tmp_path / "tmp"
    if broken == "noexec":
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "noexec,size=8m", "none", place]
        if os.geteuid() != 0 or subprocess.run(mount, check=False, stderr=subprocess.DEVNULL).returncode != 0:
            pytest.skip("only root can mount")
    try:
        variables = {**os.environ, "TMPDIR": str(place)}
        done = run(["profile", "mnist-tiny", "--samples", "1"], stdout=subprocess.PIPE, env=variables)
    finally:
        if broken == "noexec":
            subprocess.run(["umount", place], check=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "on board 'host'" in done.stdout
