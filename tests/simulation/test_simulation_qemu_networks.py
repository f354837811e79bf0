"""On every core in QEMU, emitted networks give the classes and scores of the reference."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from qemu_boards import NAMES, STRICT, require_board
from support.random_networks import random_network, random_samples

import ebnn
from ebnn import Network, datasets
from ebnn.boards import load_board
from ebnn.compile.options import OPTIMIZE
from ebnn.device import Device, Prediction
from ebnn.simulation import board_url
from ebnn.simulation.bare import build_bare

TESTS = Path(__file__).parents[1]
VECTORS = sorted((TESTS / "vectors").glob("*.ebnn"))
RANDOM = 8
ARITHMETICS = ("integer", "float")


@pytest.fixture(scope="module", params=NAMES)
def board(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    require_board(name)
    return name


def predictions(
    board: str, network: Network, arithmetic: str, packed: NDArray[Any], folder: Path, optimize: str = "balanced"
) -> list[Prediction]:
    """What the board makes of packed samples. No warning is allowed while its program is compiled."""
    header = folder / "emitted.h"
    ebnn.write_header(network, header, arithmetic=arithmetic, optimize=optimize)
    program = build_bare(load_board(board), header, folder, flags=STRICT)
    with Device(board_url(board, program=program), network_hash=network.hash32) as device:
        assert device.hello().board == board
        return [device.predict(sample) for sample in packed]


def assert_equal(found: list[Prediction], scores: NDArray[np.int32]) -> None:
    np.testing.assert_array_equal([one.scores for one in found], scores)
    assert [one.class_index for one in found] == [list(row).index(max(row)) for row in scores.tolist()]


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vector(board: str, path: Path, arithmetic: str, tmp_path: Path) -> None:
    network = ebnn.load(path)
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as data:
        samples, scores = data["samples"], data["scores"]
    assert_equal(predictions(board, network, arithmetic, network.pack_input(samples), tmp_path), scores)


@pytest.mark.parametrize("number", range(RANDOM))
def test_random_network(board: str, number: int, tmp_path: Path) -> None:
    kind = ("bits", "uint8", "int8", "float")[number % 4]
    arithmetic = ARITHMETICS[number // 4]
    choose = random.Random(f"{board} {number}")
    while (network := random_network(choose, normalized=True)).input.kind != kind:
        pass
    x = random_samples(network, 10, seed=number)
    found = predictions(
        board, network, arithmetic, network.pack_input(x), tmp_path, OPTIMIZE[(number + number // 4) % 3]
    )
    assert_equal(found, network.scores(x))


def test_mnist(board: str, mnist: datasets.Dataset, tmp_path: Path) -> None:
    """And the sample that was the first takes as many instructions when it comes again."""
    network = ebnn.load("mnist-uno")
    images = mnist.test_images[:200]
    packed = network.pack_input(datasets.convert(images, "uint8", network.input.kind))
    found = predictions(board, network, "integer", np.concatenate([packed, packed[:1]]), tmp_path)
    assert found[-1].device_us == found[0].device_us
    assert_equal(found[:-1], network.scores(images))
