"""Two runs cannot share a folder."""

import subprocess
import sys

import pytest

from ebnn.errors import TrainingError
from ebnn.training.lock import only_run


def test_a_second_run_is_refused_and_a_killed_one_lets_go(tmp_path):
    hold = (
        f"import pathlib, time; from ebnn.training.lock import only_run\n"
        f"with only_run(pathlib.Path({str(tmp_path)!r})): print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(TrainingError, match="another run is under way in"), only_run(tmp_path):
            pass
    finally:
        other.kill()
        other.wait()
    with only_run(tmp_path):
        pass
