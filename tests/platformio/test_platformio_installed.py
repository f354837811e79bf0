"""From a wheel that pip has installed, as the one who installed it and as another user."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.c_networks import require
from support.installed import STRANGER, as_stranger, install_wheel, strangers_environment
from support.platformio_core import prepare_core


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ebnn, installed."""
    return install_wheel(tmp_path_factory.mktemp("installed"))


def test_init_writes_the_project_of_a_checkout(program, tmp_path):
    """pip has compiled the files that a project gets."""
    done = subprocess.run([program, "init", "mine"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    files = {str(path.relative_to(tmp_path / "mine")) for path in (tmp_path / "mine").rglob("*") if path.is_file()}
    assert {"stream.py", "README.md", "platformio.ini", "include/network.h", "lib/ebnn/src/ebnn.h"} <= files
    assert not any("__pycache__" in name for name in files)
    assert not list(program.parent.parent.rglob("firmware/own"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
@pytest.mark.parametrize("size", ["16k", "48k", "96k"])
def test_init_on_a_disk_that_gets_full_leaves_nothing(program, tmp_path, size):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", disk], check=False).returncode != 0:
        pytest.skip("this system does not let root mount")
    try:
        done = subprocess.run([program, "init", "mine"], cwd=disk, capture_output=True, text=True, check=False)
        left = list(disk.iterdir())
    finally:
        subprocess.run(["umount", disk], check=True)
    assert (done.returncode, done.stderr) == (1, f"Error: {disk / 'mine'} cannot be written: No space left on device\n")
    assert left == []


def tree(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.fixture
def home() -> Iterator[Path]:
    """Another user's home folder. The folders of pytest are closed to others."""
    with tempfile.TemporaryDirectory(prefix="home-of-nobody-") as name:
        os.chown(name, STRANGER, STRANGER)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_than_the_installer_does_it_all(program, home):
    """A demo, a project, a simulated Uno, which is flashed, and images through it; nothing of root's can be written."""
    require("avr-gcc")
    prepare_core(home / "shared", ["atmelavr"])  # root's; PlatformIO would write in it
    variables = strangers_environment(home, PLATFORMIO_CORE_DIR=str(home / "shared"))
    before = tree(home / "shared")

    def ebnn(*words: str | Path) -> str:
        command = as_stranger(program, *words)
        done = subprocess.run(command, cwd=home, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "every class and every score equals Python's" in " ".join(ebnn("demo").split())
    ebnn("platformio-offline", "core", "--platform", "native")
    ebnn("init", "mine", "--board", "uno")
    assert "on board 'uno'" in ebnn("profile", "mine/network.ebnn", "--port", "sim://uno", "--samples", "1")
    plug = as_stranger(program, "simulate", "uno", "--bootloader", "--link", home / "tty")
    with subprocess.Popen(plug, cwd=home, env=variables, stdout=subprocess.PIPE, text=True) as board:
        try:
            assert "linked as" in board.stdout.readline()
            for project in (["--project", "mine"], ["mnist-tiny"]):
                assert "board uno runs network" in ebnn("flash", *project, "--board", "uno", "--port", home / "tty")
            assert "on board 'uno'" in ebnn("profile", "mnist-tiny", "--port", home / "tty", "--samples", "1")
        finally:
            board.terminate()
    assert tree(home / "shared") == before
