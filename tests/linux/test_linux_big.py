"""Networks that no board takes run on Linux; boards refuse them in one line that says where they run."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from support.parts import block_of, last_of, net_of

import ebnn
from ebnn.cli import main
from ebnn.compile.header import header_text
from ebnn.compile.target import check_board_limits
from ebnn.errors import NetworkError
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Dense
from ebnn.model.transforms import Sign

TOP = Path(__file__).parents[2]


def many_classes(classes):
    weights = np.random.default_rng(0).integers(0, 2, (classes, 1, 1, 40)).astype(bool)
    return net_of(Input("bits", Shape(40, 1, 1)), [], last_of(weights, [1] * classes, [0] * classes, 1.0))


def many_constants(outputs):
    """Filters of 1,023 words, and 5 bytes of threshold beside."""
    weights = np.broadcast_to(np.random.default_rng(0).integers(0, 2, (1, 1, 1, 32_736)), (outputs, 1, 1, 32_736))
    hidden = block_of(Dense(weights), None, Sign(np.zeros(outputs), np.zeros(outputs)))
    last = np.random.default_rng(1).integers(0, 2, (2, 1, 1, outputs)).astype(bool)
    return net_of(Input("bits", Shape(32_736, 1, 1)), [hidden], last_of(last, [1, 1], [0, 0], 1.0))


def test_more_classes_than_boards_take_run_on_linux(tmp_path):
    header_text(many_classes(255), name="net")
    network = many_classes(256)
    with pytest.raises(NetworkError, match="the network has 256 classes, boards tell 255 apart: run it on Linux"):
        header_text(network, name="net")
    network.save(tmp_path / "big.ebnn")
    assert ebnn.load(tmp_path / "big.ebnn") == network
    x = np.random.default_rng(2).integers(0, 2, (3, *network.input.shape))
    np.testing.assert_array_equal(ebnn.compile(network).scores(x), network.scores(x))
    np.testing.assert_array_equal(ebnn.compile(network).predict(x), network.predict(x))


def test_more_constants_than_boards_take_are_refused_for_boards():
    check_board_limits(many_constants(2_047))
    with pytest.raises(NetworkError, match=r"has 8,389,388 B of constants, 8,388,608 fit boards: .* run it on Linux"):
        header_text(many_constants(2_048), name="net")


def test_commands_for_boards_say_so(tmp_path):
    many_classes(300).save(tmp_path / "big.ebnn")
    told = CliRunner().invoke(main, ["info", str(tmp_path / "big.ebnn")])
    assert told.exit_code == 0, told.output
    assert "no board: the network has 300 classes" in told.output
    for command in (["info", "--board", "uno"], ["export", "-o", str(tmp_path / "big.h")]):
        refused = CliRunner().invoke(main, [command[0], str(tmp_path / "big.ebnn"), *command[1:]])
        assert refused.exit_code == 1
        assert refused.output.startswith("Error: the network has 300 classes, boards tell 255 apart")
    assert not (tmp_path / "big.h").exists()


def test_the_example_prints_sizes_and_times(tmp_path):
    """BinaryNet, whose scores the program compares with the reference's; the AlexNets take minutes to compare."""
    script = TOP / "examples/big/big_networks.py"
    options = ["binarynet-cifar10", "--seconds", "0.05", "--save", tmp_path, "--json", tmp_path / "big.json"]
    done = subprocess.run([sys.executable, script, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [row] = json.loads((tmp_path / "big.json").read_text())
    network = ebnn.load(tmp_path / "binarynet-cifar10.ebnn")
    assert (row["macs"], row["weight_bytes"]) == (network.macs, network.weight_bytes)
    assert f"{network.macs:,}" in done.stdout
    assert network.macs == 616_966_144


def test_alexnet_has_the_published_size():
    """58 million weights of ±1, and 8 bits for those of the first and the last layer: 10.9 MiB."""
    sys.path.insert(0, str(TOP / "examples/big"))
    try:
        from big_networks import NETWORKS, random_network
    finally:
        sys.path.pop(0)
    for name in ("alexnet-bwn", "alexnet-xnor"):
        shape, classes, published = NETWORKS[name]
        network = random_network(name, shape, classes)
        assert [layer.output_shape.channels for layer in network.layers] == [96, 256, 384, 384, 256, 4096, 4096, 1000]
        assert abs(network.weight_bytes / 2**20 - published) < 0.15
