"""``ebnn push``: to a board at a port, which another program then runs; and what it says where it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import ebnn
from ebnn.boards import load_board
from ebnn.cli import main
from ebnn.compile.image import image_bytes
from ebnn.simulation import plugged_in
from ebnn.updatable import Updatable, read_key

VECTORS = Path(__file__).parent / "vectors"
MODEL = str(VECTORS / "bits-dense.ebnn")


def call(*words: str) -> Result:
    return CliRunner().invoke(main, [*words])


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_bytes(bytes(range(32)))
    return file


def test_pushed_then_profiled_then_forgotten(tmp_path: Path, key_file: Path) -> None:
    network = ebnn.load(MODEL)
    results, key = tmp_path / "push.json", ("--key-file", str(key_file))
    with plugged_in("host", updatable=Updatable(read_key(key_file)), store=tmp_path / "store") as board:
        refused = call("profile", MODEL, "--port", board.port)
        assert refused.exit_code == 1
        assert f"push this network, ebnn push MODEL --port {board.port}" in refused.stderr
        refused = call("push", MODEL, "--port", board.port)
        assert refused.exit_code == 1
        assert "the board takes networks from those who have its key only" in refused.stderr

        done = call("push", MODEL, "--port", board.port, *key, "--json", str(results))
        assert done.exit_code == 0, done.output
        assert f"board host runs network bits-dense, hash 0x{network.hash32:08x}" in done.stdout
        assert "it stays when the power goes" in done.stdout
        values = json.loads(results.read_text())
        assert values["hash"] == f"0x{network.hash32:08x}"
        assert values["image_bytes"] == len(image_bytes(network, title="bits-dense"))
        assert (values["kept"], values["retries"], values["classes"]) == (True, 0, network.classes)
        assert call("profile", MODEL, "--port", board.port, "--samples", "3").exit_code == 0

        done = call("push", "--forget", "--port", board.port, *key)
        assert done.exit_code == 0, done.output
        assert "runs network network" in done.stdout
        assert call("profile", MODEL, "--port", board.port).exit_code == 1


def test_what_a_simulated_board_keeps_is_said(tmp_path: Path) -> None:
    port, results = "sim://host?updatable=1", tmp_path / "push.json"
    passes = call("push", MODEL, "--port", port, "--json", str(results))
    assert passes.exit_code == 0, passes.output
    assert passes.stdout.startswith("compiling the firmware for sim://host …\n")
    assert "one with store=FILE in its URL keeps it" in " ".join(passes.stdout.split())
    assert json.loads(results.read_text())["kept"] is False
    kept = f"{port}&store={tmp_path / 'store'}"
    assert "it stays when the power goes" in " ".join(call("push", MODEL, "--port", kept).stdout.split())
    other = call("profile", str(VECTORS / "int8-dense.ebnn"), "--port", kept)
    assert f"ebnn push MODEL --port '{kept}'" in other.stderr


def test_a_small_board_has_no_network_of_its_own_beside_pushed_ones() -> None:
    boards = "uno", "leonardo", "megaatmega2560", "cortex-m3", "host"
    found = [Updatable().beside_example(load_board(board)).empty for board in boards]
    assert found == [True, True, False, False, False]
    assert Updatable(empty=True).beside_example(load_board("host")).empty


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["push", "--port", "sim://host"], "name a MODEL to push, or --forget"),
        (
            ["push", MODEL, "--forget", "--port", "sim://host"],
            "--forget drops the network that was pushed and takes no",
        ),
        (["push", MODEL, "--port", "nowhere"], "nowhere cannot be opened"),
        (["push", MODEL, "--port", "sim://host?updatable=2"], "updatable is 1 or empty, not '2'"),
        (["push", MODEL, "--port", f"sim://host?key={MODEL}"], "key needs updatable=1"),
        (["push", MODEL, "--port", "sim://host?updatable=1&key=no"], "the key file no cannot be read: No such file"),
        (["flash", MODEL, "--board", "uno", "--updatable", "--empty"], "--empty is firmware without a network"),
    ],
)
def test_what_cannot_be_is_one_line(words: list[str], message: str) -> None:
    found = call(*words)
    assert found.exit_code == 1
    assert message in found.stderr
    assert len(found.stderr.splitlines()) == 1
