"""Two runs cannot share a folder."""

import subprocess
import sys
import threading

import pytest

from ebnn.errors import TrainingError, WriteError
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


def test_a_thread_that_holds_a_folder_goes_on_and_another_does_not(tmp_path):
    refused = []

    def other():
        try:
            with only_run(tmp_path):
                pass
        except TrainingError as error:
            refused.append(error)

    with only_run(tmp_path):
        with only_run(tmp_path / ".." / tmp_path.name):
            pass
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(refused) == 1
    other()
    assert len(refused) == 1


def test_a_lock_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / ".lock").mkdir()
    with (
        pytest.raises(WriteError, match=r"cannot be written \(Is a directory\): give another folder"),
        only_run(tmp_path),
    ):
        pass
