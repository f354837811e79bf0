"""Pythons of other versions."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def interpreter(version: str) -> str:
    """A Python of this version: on the path, under pyenv, or one that uv has or gets."""
    candidates = [shutil.which(f"python{version}")]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates += map(str, sorted(root.glob(f"versions/{version}.*/bin/python"), reverse=True))
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    for path in filter(None, candidates):
        done = subprocess.run([path, "-c", question], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return path
    found = subprocess.run(["uv", "python", "install", version], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        message = f"no Python {version} here, and uv cannot get one"
        pytest.fail(message) if os.environ.get("EBNN_NO_SKIP") else pytest.skip(message)
    return version
