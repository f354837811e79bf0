"""From a wheel that pip has installed, as the one who installed it and as another user."""

import os
import subprocess
from pathlib import Path

import pytest
from support.installed import install_wheel


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
