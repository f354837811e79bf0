"""PlatformIO without its registry, for tests: one core folder for a whole run."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ebnn.errors import BuildError
from ebnn.platformio import PLATFORMS, prepare_offline


def prepare_core(folder: Path, platforms: Sequence[str] = PLATFORMS) -> Path:
    """The core folder; where a compiler is missing the test is skipped, unless skipping is forbidden."""
    try:
        return prepare_offline(folder, platforms)
    except BuildError as error:
        pytest.fail(str(error)) if os.environ.get("EBNN_NO_SKIP") else pytest.skip(str(error))


def pio(*arguments: str | Path, code: int = 0, environment: Mapping[str, str] | None = None) -> str:
    """Runs PlatformIO as a user does; its output, standard error included."""
    command: Sequence[str] = [sys.executable, "-m", "platformio", *map(str, arguments)]
    variables = {**os.environ, "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no", **(environment or {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables, timeout=300)
    output = done.stdout + done.stderr
    assert done.returncode == code, output
    return output
