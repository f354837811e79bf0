"""``ebnn.load`` and the commands, given a published network's name."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from support.c_networks import require
from test_network import three_layers

import ebnn
from ebnn.cli import main
from ebnn.errors import FileFormatError, UnknownNameError
from ebnn.model.files import load_file
from ebnn.published import find_network, load_published, network_file, network_names

NAME = "mnist-tiny"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


def test_a_name_gives_the_network_of_its_file(tmp_path):
    network = load_file(network_file(NAME))
    assert ebnn.load(NAME) == network == load_published(NAME).network
    assert find_network(NAME) == network_file(NAME)
    (tmp_path / NAME).mkdir()
    assert ebnn.load(NAME) == network


def test_a_file_of_that_name_wins(tmp_path):
    three_layers().save(tmp_path / NAME)
    assert ebnn.load(NAME) == three_layers()
    assert three_layers().hash in run("info", NAME)
    (tmp_path / NAME).write_bytes(b"no network")
    with pytest.raises(FileFormatError, match=r"damaged or not an \.ebnn file"):
        ebnn.load(NAME)


def test_a_path_is_no_name(tmp_path):
    with pytest.raises(FileFormatError, match=f"no such file; the published network is called {NAME}, without"):
        ebnn.load(f"{NAME}.ebnn")
    for path in ("other.ebnn", f"folder/{NAME}", tmp_path / NAME):
        with pytest.raises(FileFormatError, match="cannot be read: No such file"):
            ebnn.load(path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileFormatError, match="cannot be read: Is a directory"):
        ebnn.load("folder")
    with pytest.raises(FileFormatError, match="cannot be read: File name too long"):
        ebnn.load(300 * "x")


def test_an_unknown_name_lists_those_there_are():
    message = f"no file and no published network is called 'mnist-umo', did you mean mnist-uno? .*{NAME}, mnist-uno"
    with pytest.raises(UnknownNameError, match=message.replace("?", r"\?")):
        ebnn.load("mnist-umo")
    with pytest.raises(UnknownNameError, match=f"'x'; published networks: .*{NAME}"):
        ebnn.load("x")
    with pytest.raises(UnknownNameError, match="no published network is called 'mnist-tinny', did you mean mnist-tiny"):
        load_published("mnist-tinny")
    for command in (["info", "mnist-tinny"], ["export", "mnist-tinny"], ["networks", "mnist-tinny"]):
        output = run(*command, code=1)
        assert output.startswith("Error: no ")
        assert "did you mean mnist-tiny?" in output


def test_commands_take_the_name(tmp_path):
    network = load_file(network_file(NAME))
    output = run("info", NAME, "--json", "info.json")
    assert f"{NAME}: uint8" in output
    assert json.loads((tmp_path / "info.json").read_text())["hash"] == network.hash
    run("export", NAME, "-o", "digits.h")
    assert f"#define DIGITS_HASH 0x{network.hash[:8].upper()}ul" in (tmp_path / "digits.h").read_text()
    run("init", "mine", "--board", "uno", "--model", NAME)
    assert load_file(tmp_path / "mine/network.ebnn") == network
    header = next((tmp_path / "mine").rglob("network.h")).read_text()
    assert f"#define MNIST_TINY_HASH 0x{network.hash[:8].upper()}ul" in header
    assert "native is this computer" in run("flash", NAME, "--board", "native", code=1)
    assert "toaster" in run("simulate", "toaster", "--model", NAME, code=1)
    for command in (["flash", "mnist-tinny", "--board", "native"], ["simulate", "host", "--model", "mnist-tinny"]):
        assert "did you mean mnist-tiny?" in run(*command, code=1)


def test_a_simulated_board_runs_the_network_of_that_name(tmp_path):
    require("cc")
    run("profile", NAME, "--samples", 2, "--json", "profile.json")
    values = json.loads((tmp_path / "profile.json").read_text())
    assert (values["network"], values["samples"]) == ("mnist_tiny", 2)


def test_test_images_are_streamed_to_the_network_of_that_name(mnist, tmp_path):
    require("cc")
    run("run", NAME, "--dataset", "mnist", "--limit", 50, "--json", "run.json")
    values = json.loads((tmp_path / "run.json").read_text())
    assert (values["network"], values["samples"]) == ("mnist_tiny", 50)
    assert values["network_hash"] == load_file(network_file(NAME)).hash
    assert (values["class_mismatches"], values["score_mismatches"]) == (0, 0)


@pytest.mark.parametrize("command", ["info", "run", "export", "flash", "profile", "simulate", "init"])
def test_help_says_what_a_model_is(command):
    output = run(command, "--help")
    assert "MODEL" in output
    assert "an .ebnn file, or the name of a published network" in " ".join(output.split())


def test_networks_lists_them(tmp_path):
    output = run("networks", "--json", "networks.json")
    listed = json.loads((tmp_path / "networks.json").read_text())["networks"]
    assert [one["name"] for one in listed] == network_names()
    for one in listed:
        row = next(line for line in output.splitlines() if line.split()[:1] == [one["name"]])
        data_bytes = one["weight_bytes"] + one["threshold_bytes"] + one["score_bytes"]
        assert row.split()[1:4] == [f"{100 * one['accuracy']:.2f}", "%", f"{data_bytes:,}"]
        assert one["hash"] == ebnn.load(one["name"]).hash
        uno, arduino_101 = one["estimates"]
        assert (uno["board"], arduino_101["board"]) == ("uno", "genuino101")
        assert row.count(" ms") == uno["fits"] + arduino_101["fits"]


def test_networks_shows_a_card(tmp_path):
    output = run("networks", NAME, "--json", "one.json")
    assert output.rstrip() == (network_file(NAME).parent / "README.md").read_text(encoding="utf-8").rstrip()
    assert json.loads((tmp_path / "one.json").read_text())["name"] == NAME


def test_loading_a_name_needs_little():
    """Neither rich, which tables need, nor Chainer."""
    program = f"import sys, ebnn; ebnn.load({NAME!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "ebnn.published" in done.stdout.split()
    assert not {"rich", "chainer", "ebnn.published.card", "ebnn.datasets"} & set(done.stdout.split())
