"""The command ``ebnn datasets``."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from ebnn.cli.datasets import datasets
from ebnn.datasets import names as datasets_names
from ebnn.show.bars import download_bars


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(datasets, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_the_list(cache: Path, tmp_path: Path) -> None:
    code, output = run("--json", str(tmp_path / "list.json"))
    assert code == 0
    lines = {line.split()[0]: line.split() for line in output.splitlines() if line.strip()}
    assert lines["digits"] == ["digits", "1×8×8", "10", "1,347", "450", "uint8", "bundled"]
    assert lines["mnist"] == ["mnist", "1×28×28", "10", "60,000", "10,000", "uint8", "not", "downloaded"]
    assert lines["binary-mnist"][5] == "bits"
    assert lines["cifar10"][1] == "3×32×32"
    assert f"looked in {cache}, the cache" in output
    rows = json.loads((tmp_path / "list.json").read_text())["datasets"]
    assert [row["name"] for row in rows] == list(datasets_names())
    assert {key: rows[1][key] for key in ("shape", "classes", "train", "test", "kind", "state", "path")} == {
        "shape": [1, 28, 28],
        "classes": 10,
        "train": 60000,
        "test": 10000,
        "kind": "uint8",
        "state": "absent",
        "path": str(cache / "mnist"),
    }
    assert len(rows[1]["missing"]) == 4
    assert not cache.exists()


def test_the_list_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").touch()
    code, output = run("--folder", str(tmp_path))
    assert code == 0
    assert "partial" in output
    assert "missing" in output


def test_fetch_digits(tmp_path: Path, cache: Path) -> None:
    code, output = run("fetch", "digits", "--json", str(tmp_path / "digits.json"))
    assert code == 0
    assert "digits: 1,347 training and 450 test images verified, from scikit-learn" in output
    (row,) = json.loads((tmp_path / "digits.json").read_text())["datasets"]
    assert (row["name"], row["state"], row["train"], row["path"]) == ("digits", "verified", 1347, None)


def test_fetch_verifies_mnist(require_mnist: Path) -> None:
    code, output = run("fetch", "mnist", "--folder", str(require_mnist))
    assert code == 0
    assert f"mnist: 60,000 training and 10,000 test images verified, from {require_mnist / 'mnist'}" in output


def test_fetch_without_a_network(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    code, output = run("fetch", "mnist")
    assert code == 1
    assert "Error: train-images-idx3-ubyte.gz could not be downloaded: storage.googleapis.com: " in output
    assert "ossci-datasets.s3.amazonaws.com: " in output
    assert "set EBNN_DATA" in output


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["fetch", "emnist"],
            1,
            "no data set is called 'emnist', did you mean mnist? there are digits, mnist,",
        ),
        (["fetch"], 2, "Missing argument 'NAME'"),
        (["--folder", "nowhere"], 1, "nowhere, the folder given, is not a folder"),
        (["--json", "no/such/file"], 1, "no/such/file cannot be written"),
        (["--folder", ".", "fetch", "digits"], 2, "put --folder and --json after fetch"),
    ],
)
def test_mistakes_end_in_one_message(cache: Path, arguments: list[str], code: int, message: str) -> None:
    ended, output = run(*arguments)
    assert ended == code
    assert message in " ".join(output.split())
    assert "Traceback" not in output


def test_help() -> None:
    assert "ebnn datasets fetch mnist" in run("--help")[1]
    assert "An interrupted download goes on where it stopped." in " ".join(run("fetch", "--help")[1].split())


def test_a_bar_for_each_file() -> None:
    out = io.StringIO()
    with download_bars(Console(file=out, width=100)) as progress:
        progress("first.gz", 0, None)
        progress("first.gz", 2000, 2000)
        progress("second.gz", 500, 1000)
    assert "first.gz" in out.getvalue()
    assert "2.0/2.0 kB" in out.getvalue()
    assert "0.5/1.0 kB" in out.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_nothing_is_drawn_where_nothing_is_downloaded(terminal: bool) -> None:
    out = io.StringIO()
    with download_bars(Console(file=out, width=100, force_terminal=terminal)):
        pass
    assert out.getvalue() == ""
