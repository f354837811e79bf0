"""Where nothing can be written, at any moment of a run: one line, no torn file, and the run can be resumed."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from ebnn import load
from ebnn.cli import main
from ebnn.errors import TrainingError, WriteError
from ebnn.training import TrainConfig, build_network, train
from ebnn.training.records import EpochRecord, append_log, read_log
from ebnn.training.results import CHAIN_NAME

TINY = ("train", "--architecture", "d16", "--epochs", "2", "--batch-size", "400")
FULL = Path("/dev/full")
KILOBYTES = [4, 12, 28, 48, 64, 240]


def ebnn(*words):
    return CliRunner().invoke(main, words)


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of its own, and what gives it another size in KB."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def resize(size, option="remount,"):
        command = ["mount", "-t", "tmpfs", "-o", f"{option}size={size}k", "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    if not resize(4, ""):
        pytest.skip("only root can mount a small disk")
    try:
        yield folder, resize
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    assert ebnn(*TINY, "--out", str(folder)).exit_code == 0
    return load(folder / "model.ebnn")


@pytest.mark.parametrize("more", [(), ("--tensorboard",)])
def test_a_full_disk_at_any_moment(small_disk, undisturbed, more):
    """Sizes at which each of the files in turn is the first that does not fit."""
    folder, resize = small_disk
    ended, warned = [], 0
    for size in KILOBYTES:
        assert resize(size)
        done = ebnn(*TINY, *more, "--out", str(folder / "run"), *(["--overwrite"] if ended else []))
        if done.exit_code:
            assert isinstance(done.exception, SystemExit), done.exception
            (line,) = [line for line in done.output.splitlines() if line.startswith("Error: ")]
            assert "No space left on device" in line
            ended.append(line)
        warned += "warning: no picture of the run" in done.output
        for file in (folder / "run").rglob("*.npz"):
            with np.load(file) as arrays:
                assert all(array.size >= 0 for array in arrays.values())
        for file in (folder / "run").rglob("*.ebnn"):
            assert load(file) == undisturbed
        if (folder / "run/log.jsonl").exists():
            read_log(folder / "run")
        assert not [path for path in (folder / "run").glob(".*") if path.name != ".lock"]
        if done.exit_code:
            assert resize(4096)
            again = ebnn(*TINY, *more, "--out", str(folder / "run"), "--resume")
            assert again.exit_code == 0, again.output
            assert load(folder / "run/model.ebnn") == undisturbed
            for file in (folder / "run").rglob("*"):
                if file.is_file() and file.name != ".lock":
                    file.unlink()
    assert len(ended) >= 3
    assert any("after epoch 1" in line for line in ended)
    assert warned
    assert not done.exit_code


def test_a_picture_that_cannot_be_drawn_is_a_warning(tmp_path, undisturbed):
    assert ebnn(*TINY, "--out", str(tmp_path)).exit_code == 0
    (tmp_path / "history.png").unlink()
    (tmp_path / "model.ebnn").unlink()
    (tmp_path / "history.png").symlink_to(FULL)
    done = ebnn(*TINY, "--out", str(tmp_path), "--resume")
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("warning: ")]
    assert "No space left on device" in line
    assert load(tmp_path / "model.ebnn") == undisturbed


def test_a_network_that_cannot_be_written_is_written_later(tmp_path, undisturbed):
    (tmp_path / "full.ebnn").symlink_to(FULL)
    done = ebnn(*TINY, "--out", str(tmp_path / "run"), "-o", str(tmp_path / "full.ebnn"))
    assert done.exit_code == 1
    assert "No space left on device; training is done: mend that, then go on with --resume" in done.output
    done = ebnn(*TINY, "--out", str(tmp_path / "run"), "--resume")
    assert "resumed after epoch 2 of 2" in done.output
    assert load(tmp_path / "run/model.ebnn") == undisturbed


@pytest.mark.parametrize(
    ("name", "after"), [("snapshot.npz", ""), ("log.jsonl", " after epoch 1"), (CHAIN_NAME, " after epoch 1")]
)
def test_each_file_of_a_run(tmp_path, name, after):
    (tmp_path / name).symlink_to(FULL)
    images = np.random.default_rng(0).integers(0, 256, (20, 1, 4, 4), np.uint8)
    data = images, np.arange(20) % 2
    with pytest.raises(TrainingError, match=rf"{name} cannot be written: No space left .*--resume{after}$"):
        train(
            build_network("d4", (1, 4, 4), 2), data, data, TrainConfig(epochs=1), tmp_path, console=Console(quiet=True)
        )


def test_the_log_is_a_line_too(tmp_path):
    (tmp_path / "log.jsonl").symlink_to(FULL)
    with pytest.raises(WriteError, match=r"log\.jsonl cannot be written: No space left on device"):
        append_log(tmp_path, EpochRecord(1, 1.0, 0.5, 0.1, 1.0, 1.0, 0.5))


@pytest.mark.parametrize("name", ["snapshot.npz", "log.jsonl", "chain.npz", "history.png", "model.ebnn"])
def test_a_folder_in_the_place_of_a_file_is_found_before_training(tmp_path, name):
    (tmp_path / name).mkdir()
    done = ebnn(*TINY, "--out", str(tmp_path))
    assert done.exit_code == 1
    assert "epoch 1" not in done.output
    assert name in done.output or "holds a run" in done.output
    assert "Traceback" not in done.output


def test_a_folder_that_is_read_only(small_disk):
    folder, _ = small_disk
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    for out in (folder, folder / "run"):
        done = ebnn(*TINY, "--out", str(out))
        assert done.exit_code == 1
        assert isinstance(done.exception, SystemExit)
        assert "Read-only file system" in done.output
        assert "epoch 1" not in done.output
