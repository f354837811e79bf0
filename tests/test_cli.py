"""The commands, run as a user runs them: a process, its output, its exit code."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from support.c_networks import require

from ebnn import load
from ebnn.boards import board_names
from ebnn.report import RunReport
from ebnn.show.run_tables import run_table

TINY = ["--architecture", "c8k3s2", "--epochs", "2"]


def ebnn(*arguments: str | Path, cwd: Path, code: int = 0, env: dict[str, str] | None = None) -> str:
    """Output of a command; standard error is in it."""
    done = subprocess.run(
        [sys.executable, "-m", "ebnn", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, **(env or {})},
        timeout=600,
    )
    output = done.stdout + done.stderr
    assert done.returncode == code, output
    assert "Traceback" not in output
    return output


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with tiny.ebnn, trained on the digits."""
    folder = tmp_path_factory.mktemp("cli")
    ebnn("train", *TINY, "-o", "tiny.ebnn", "--json", "train.json", cwd=folder)
    return folder


def test_train_writes_the_network_its_log_and_its_figures(folder):
    network = load(folder / "tiny.ebnn")
    assert network.input.shape == (1, 8, 8)
    assert network.classes == 10
    values = json.loads((folder / "train.json").read_text())
    assert values["test_samples"] == 450
    assert values["chainer_agreement"] >= 449
    assert values["network"]["hash"] == network.hash
    lines = (folder / "runs/digits/log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]


def test_same_seed_same_network_and_resume_continues(folder, tmp_path):
    ebnn("train", *TINY, "-o", "again.ebnn", cwd=tmp_path)
    assert load(tmp_path / "again.ebnn") == load(folder / "tiny.ebnn")
    output = ebnn("train", *TINY, "--resume", "-o", "resumed.ebnn", cwd=tmp_path)
    assert "resumed after epoch 2" in output
    assert load(tmp_path / "resumed.ebnn") == load(folder / "tiny.ebnn")


def test_info_shows_what_the_network_takes(folder):
    network = load(folder / "tiny.ebnn")
    output = ebnn("info", "tiny.ebnn", "--json", "info.json", cwd=folder)
    assert network.hash in output
    assert f"{network.arena_bytes:,} B of arena" in output
    values = json.loads((folder / "info.json").read_text())
    for name in ("weight_bytes", "threshold_bytes", "score_bytes", "arena_bytes", "macs", "hash"):
        assert values[name] == getattr(network, name)


@pytest.mark.parametrize("arithmetic", ["integer", "float"])
def test_run_streams_and_finds_no_mismatch(folder, arithmetic):
    require("cc")
    output = ebnn(
        "run",
        "tiny.ebnn",
        "--dataset",
        "digits",
        "--limit",
        "50",
        "--arithmetic",
        arithmetic,
        "--json",
        "run.json",
        cwd=folder,
    )
    assert "confusion" in output
    values = json.loads((folder / "run.json").read_text())
    assert (values["board"], values["network"], values["samples"]) == ("host", "tiny", 50)
    assert (values["class_mismatches"], values["score_mismatches"]) == (0, 0)
    assert values["device_us_per_sample"] >= 0
    confusion = np.array(values["confusion"])
    assert confusion.sum() == 50
    assert values["accuracy"] == confusion.trace() / 50


def test_export_writes_a_header_that_names_the_network(folder):
    ebnn("export", "tiny.ebnn", "-o", "a.h", cwd=folder)
    ebnn("export", "tiny.ebnn", "-o", "b.h", "--name", "kiwi", "--arithmetic", "float", cwd=folder)
    assert "a_predict(const uint8_t *input)" in (folder / "a.h").read_text()
    text = (folder / "b.h").read_text()
    assert "#define KIWI_CLASSES 10" in text
    assert "arithmetic  float" in text


def test_demo_ends_with_an_exact_board(tmp_path):
    require("cc")
    output = ebnn("demo", "--json", "demo.json", cwd=tmp_path)
    values = json.loads((tmp_path / "demo.json").read_text())
    assert values["samples"] == 450
    assert values["accuracy"] >= 0.95
    assert (values["class_mismatches"], values["score_mismatches"]) == (0, 0)
    assert (values["board"], values["network"]) == ("host", "digits")
    assert (tmp_path / "ebnn-demo/network.h").is_file()
    assert "every class and every score equals Python's" in " ".join(output.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "missing.ebnn"], "missing.ebnn"),
        (["info", "run.json"], "run.json"),
        (["info", "tiny.ebnn", "--json", "nowhere/x.json"], "nowhere"),
        (["export", "tiny.ebnn", "--name", "int"], "'int'"),
        (["export", "tiny.ebnn", "-o", "nowhere/network.h"], "nowhere"),
        (["run", "tiny.ebnn", "--dataset", "digits", "--port", "/dev/does-not-exist"], "/dev/does-not-exist"),
        (["run", "tiny.ebnn", "--dataset", "digits", "--port", "sim://toaster"], "toaster"),
        (["run", "tiny.ebnn", "--dataset", "digits", "--port", ""], "the port has no name"),
        (["run", "tiny.ebnn", "--dataset", "digits", "--port", "socket://localhost"], "names no port number"),
        (["train", "--out", "x", "--architecture", "c8q"], "c8q"),
        (["train", "--out", "x", "--architecture", "d0"], "give 1 to 4096"),
        (["train", "--out", "x", "--architecture", "c100000000k3"], "give 1 to 4096"),
        (["train", "--out", "x", "--epochs", "0"], "epochs"),
        (["train", "--out", "x", "--estimator", "magic"], "magic"),
        (["train", "--out", "x", "--resume"], "has no snapshot.npz to go on from"),
        (["train"], "holds a run: go on with --resume"),
    ],
)
def test_bad_input_gets_one_clear_error(folder, arguments, message):
    (folder / "run.json").write_text("{}")
    output = ebnn(*arguments, cwd=folder, code=1)
    assert message in output
    assert output.count("Error:") == 1


def test_a_data_set_of_another_shape_is_refused(folder, tmp_path):
    (tmp_path / "mnist").mkdir()
    output = ebnn("run", "tiny.ebnn", "--dataset", "mnist", "--folder", tmp_path, cwd=folder, code=1)
    assert "Error:" in output


def test_without_a_compiler_the_demo_says_how_to_get_one(tmp_path):
    output = ebnn("demo", cwd=tmp_path, code=1, env={"PATH": str(tmp_path), "CC": ""})
    assert "apt install gcc" in output


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_an_encoding_without_our_signs_loses_the_signs_only(folder, encoding):
    output = ebnn("info", "tiny.ebnn", cwd=folder, env={"PYTHONIOENCODING": encoding})
    assert f"{load(folder / 'tiny.ebnn').macs:,}" in output


def test_a_narrow_terminal_cuts_no_figure(folder):
    network = load(folder / "tiny.ebnn")
    output = ebnn("info", "tiny.ebnn", cwd=folder, env={"COLUMNS": "30"})
    for size in (layer.weight_bytes for layer in network.layers):
        assert f"{size:,} B" in output
    assert "…" not in output


def test_a_run_is_replaced_on_demand_only(folder, tmp_path):
    ebnn("train", *TINY, "-o", "a.ebnn", cwd=tmp_path)
    log = tmp_path / "runs/digits/log.jsonl"
    before = log.read_text()
    ebnn("train", *TINY, "--seed", "1", "-o", "b.ebnn", cwd=tmp_path, code=1)
    assert log.read_text() == before
    ebnn("train", *TINY, "--seed", "1", "--overwrite", "-o", "b.ebnn", cwd=tmp_path)
    assert log.read_text() != before
    assert load(tmp_path / "a.ebnn") != load(tmp_path / "b.ebnn")


def test_help_names_every_command(tmp_path):
    output = ebnn("--help", cwd=tmp_path)
    for command in ("demo", "datasets", "train", "info", "export", "run"):
        assert f"  {command}" in output
        ebnn(command, "--help", cwd=tmp_path)


WITHOUT_CHAINER = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "chainer":
            raise ModuleNotFoundError("No module named 'chainer'", name="chainer")

sys.meta_path.insert(0, Without())
from ebnn.cli import main
main(sys.argv[1:])
"""


def test_without_chainer_all_but_training_works(folder):
    require("cc")
    for arguments, code in [
        (["info", "tiny.ebnn"], 0),
        (["export", "tiny.ebnn", "-o", "c.h"], 0),
        (["run", "tiny.ebnn", "--dataset", "digits", "--limit", "5"], 0),
        (["train", "--out", "x"], 1),
        (["demo"], 1),
    ]:
        command = [sys.executable, "-c", WITHOUT_CHAINER, *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert ("needs Chainer, which is not installed" in done.stderr) == (code == 1)
        assert "Traceback" not in done.stderr


MNIST_UNO = Path(__file__).parents[1] / "ebnn/published/mnist-uno/network.ebnn"


@pytest.mark.parametrize(
    "arguments",
    [["boards"], ["info", MNIST_UNO], ["info", MNIST_UNO, "--board", "cortex-m3"], ["profile", MNIST_UNO]],
    ids=["boards", "info", "info on a board", "profile"],
)
def test_tables_fit_in_80_columns(arguments, tmp_path):
    if arguments[0] == "profile":
        require("cc")
    output = ebnn(*arguments, cwd=tmp_path, env={"COLUMNS": "80"})
    lines = [line for line in output.splitlines() if str(MNIST_UNO) not in line]
    assert max(map(len, lines)) <= 80


def test_what_qemu_counts_is_called_instructions(tmp_path):
    output = ebnn("info", MNIST_UNO, "--board", "cortex-m3", cwd=tmp_path)
    assert re.search(r"\d [kM] instructions", output)
    assert not re.search(r"\d (s|ms|µs)\b|a second|MHz", output)
    report = RunReport(
        "cortex-m3", "net", "0" * 64, np.zeros(2, int), np.zeros(2, int), 2, 2, 0, 0, np.array([999_600, 999_601]),
        {"samples_per_second": 5.0, "bytes_per_second": 5.0, "seconds": 0.4, "retries": 0, "bad_frames": 0},
    )  # fmt: skip
    assert report.values()["unit"] == "instructions"
    assert replace(report, board="uno").values()["unit"] == "microseconds"
    console = Console(width=80)
    with console.capture() as shown:
        console.print(run_table(report, simulated=True))
    assert "1000 k instructions a sample" in shown.get()
    text = " ".join(shown.get().split())
    assert "simulated here in 400 ms of this computer's time, 2.00 M instructions of the board's" in text
    assert "samples/s" not in shown.get()


def test_this_computer_s_time_is_not_called_a_board_s():
    report = RunReport(
        "host", "net", "0" * 64, np.zeros(2, int), np.zeros(2, int), 2, 2, 0, 0, np.array([50, 50]),
        {"samples_per_second": 5.0, "bytes_per_second": 5.0, "seconds": 0.4, "retries": 0, "bad_frames": 0},
    )  # fmt: skip
    for board in ("host", "native", "uno"):
        console = Console(width=80)
        with console.capture() as shown:
            console.print(run_table(replace(report, board=board), simulated=True))
        lines = [" ".join(line.split()) for line in shown.get().splitlines()]
        if board == "uno":
            assert "on the board 50.0 µs a sample" in lines
            assert "simulated here in 400 ms of this computer's time, 100 µs of the board's" in lines
        else:
            assert "on this computer 50.0 µs a sample" in lines
            assert "in all 400 ms, 100 µs of it in the network" in lines
            assert "on the board" not in shown.get()
            assert "board's" not in shown.get()


def test_boards_are_in_the_same_order_everywhere(tmp_path):
    def names(output):
        return [line.split()[0] for line in output.splitlines() if line.strip() and line.split()[0] in board_names()]

    bought = names(ebnn("info", MNIST_UNO, cwd=tmp_path))
    assert len(bought) > 10
    assert [name for name in names(ebnn("boards", cwd=tmp_path)) if name in bought] == bought


def test_a_profile_says_what_it_was_fed_with(tmp_path):
    require("cc")
    output = ebnn("profile", MNIST_UNO, "--samples", "1", "--json", "p.json", cwd=tmp_path)
    assert "random samples; --dataset takes real ones" in output
    assert "a sample on this computer; mean of 1\n" in output
    assert json.loads((tmp_path / "p.json").read_text())["unit"] == "microseconds"


def test_a_file_cut_off_is_called_damaged(tmp_path):
    (tmp_path / "cut.ebnn").write_bytes(MNIST_UNO.read_bytes()[:900])
    output = ebnn("info", "cut.ebnn", cwd=tmp_path, code=1)
    assert output == "Error: cut.ebnn: is damaged or not an .ebnn file\n"
