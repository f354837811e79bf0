"""ebnn as users get it: a wheel, installed by pip in an environment of its own, and run by another user."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from .c_networks import require

TOP = Path(__file__).parents[2]
STRANGER = 65_534  # nobody's number


def install_wheel(folder: Path) -> Path:
    """Builds the wheel, has pip install it in a new environment; returns its ``ebnn``.

    What ebnn depends on is that of the environment that runs the tests.
    """
    require("uv")
    environment = folder / "venv"
    subprocess.run(["uv", "build", "--wheel", "--quiet", "--out-dir", folder, TOP], check=True)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin/python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", *folder.glob("*.whl")]
    subprocess.run(install, check=True)
    packages = next(environment.glob("lib/python*/site-packages"))
    (packages / "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin/ebnn"


def as_stranger(*words: str | Path) -> list[str]:
    """The command for a user who may read everything and write only what is theirs; asks for root's rights.

    Reading is let through since the Python of the tests may lie in root's home folder.
    """
    rights = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", *rights, *map(str, words)]


def strangers_environment(home: Path, **more: str) -> Mapping[str, str]:
    """Variables of a user with this home folder, and nothing of the one who runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "EBNN_DATA") if name in os.environ}
    return {**kept, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", **more}
