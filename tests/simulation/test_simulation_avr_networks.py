"""On simulated AVR boards emitted networks give the classes and scores of the reference."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import serial
from avr_programs import compile_avr, require_simavr
from support.mixed_networks import mixed_network
from support.random_networks import random_network, random_samples

import ebnn
from benchmarks.untrained import build
from ebnn import Network
from ebnn.boards import load_board
from ebnn.compile.header import flash_bytes
from ebnn.compile.options import OPTIMIZE, Options
from ebnn.compile.plan import plan
from ebnn.compile.target import target_of
from ebnn.device import Device
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Block, Dense
from ebnn.model.transforms import Requantize, Scores
from ebnn.simulation import SimavrSimulator, board_url

TESTS = Path(__file__).parents[1]
VECTORS = sorted((TESTS / "vectors").glob("*.ebnn"))
RANDOM = 150
MIXED = 60
SAMPLES = 3
LARGEST_RAM = 6_500  # of the arenas of one program, beside the stack
LARGEST_FLASH = 24_000  # of its constants
MOST = 19  # networks of one program
MEGA = target_of(load_board("megaatmega2560"))


@pytest.fixture(autouse=True)
def _simavr() -> None:
    require_simavr()


@pytest.mark.usefixtures("platformio_core")
@pytest.mark.parametrize(("board", "optimize"), [("uno", "balanced"), ("uno", "speed"), ("megaatmega2560", "balanced")])
@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vector(board: str, optimize: str, path: Path, tmp_path: Path) -> None:
    """Through the firmware that PlatformIO builds."""
    network = ebnn.load(path)
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as data:
        samples, scores = data["samples"], data["scores"]
    header = tmp_path / "network.h"
    ebnn.write_header(network, header, name="vector", optimize=optimize)
    with Device(board_url(board, header=header), network_hash=network.hash32) as device:
        assert device.hello().board == board
        found = [device.predict(sample) for sample in network.pack_input(samples)]
        simulator = device.port.simulator  # type: ignore[attr-defined]
        assert isinstance(simulator, SimavrSimulator)
        assert simulator.statistics().deepest_stack_bytes < 400 + (256 if optimize == "speed" else 0)
    np.testing.assert_array_equal([one.scores for one in found], scores)
    assert [one.class_index for one in found] == [list(row).index(max(row)) for row in scores.tolist()]


PADDED_ROWS = [(1, 4, 9), (3, 4, 3), (1, 28, 28), (10, 6, 6), (16, 5, 5), (5, 3, 10)]  # of dense layers


@pytest.mark.parametrize("optimize", OPTIMIZE)
def test_dense_layers_over_rows_that_are_not_whole_bytes(optimize: str, tmp_path: Path) -> None:
    """Row padding moves bits to the upper half of the last word."""
    networks = [build("bits", shape, "d24 d13", seed=i) for i, shape in enumerate(PADDED_ROWS)]
    check_together(networks, tmp_path, optimize)


def scores(classes: int) -> Scores:
    return Scores([1] * classes, [0] * classes, 1.0)


def programs(make: Callable[[random.Random], Network], count: int) -> Iterator[list[Network]]:
    """So many random networks, as many together as fit a program."""
    choose = random.Random(2560)
    group: list[Network] = []
    for _ in range(count):
        network = make(choose)
        ram = sum(plan(each, Options(), MEGA).arena_bytes for each in [*group, network])
        flash = sum(flash_bytes(each) for each in [*group, network])
        if group and (ram > LARGEST_RAM or flash > LARGEST_FLASH or len(group) == MOST):
            yield group
            group = []
        group.append(network)
    yield group


def check_together(networks: list[Network], folder: Path, optimize: str) -> None:
    """Compiles the networks into one program and runs random samples through each.

    In turn they are planned for the RAM of the board that runs them, and for that of the smaller one by default.
    """
    lines = []
    for i, network in enumerate(networks):
        board = "megaatmega2560" if i % 2 == 0 else None
        ebnn.write_header(network, folder / f"n{i}.h", name=f"n{i}", optimize=optimize, board=board)
        lines.append(f'#include "n{i}.h"')
    runs = " ".join(f"RUN({i}, n{i}, N{i})" for i in range(len(networks)))
    (folder / "networks.h").write_text("\n".join([*lines, f"#define NETWORKS {runs}", ""]))
    program = compile_avr("megaatmega2560", "networks.c", folder)
    with serial.serial_for_url(board_url("megaatmega2560", program=program), timeout=10.0) as port:
        for i, network in enumerate(networks):
            x = random_samples(network, SAMPLES, seed=i)
            classes, scores = [], []
            for packed in network.pack_input(x):
                port.write(bytes([i]) + packed.tobytes())
                classes.append(port.read(1)[0])
                scores.append(np.frombuffer(port.read(4 * network.classes), "<i4"))
            np.testing.assert_array_equal(scores, network.scores(x), err_msg=f"{folder.name}, network {i}")
            np.testing.assert_array_equal(classes, network.predict(x))


def test_weights_of_8_bits(tmp_path: Path) -> None:
    """Taps about multiples of 4 and of 256, filters by threes and twos, one and two patches, values of each kind."""
    networks = [
        build(kind, shape, blocks, seed)
        for seed, (kind, shape, blocks) in enumerate(
            [
                ("int8", (3, 1, 1), "d1/w8/i8 d2/w8/u8 d3/w8/i8 d4/w8/u8 d5/w8/scores"),
                ("uint8", (255, 1, 1), "d1/w8/wide d6/w8/i8 d7/w8/u8 d8/w8/scores"),
                ("int8", (256, 1, 1), "d4/w8/u8 d3/w8/scores"),
                ("uint8", (257, 1, 1), "d3/w8/i8 d2/w8/scores"),
                ("int8", (257, 1, 1), "d2/w8/wide d9/w8/scores"),
                ("int8", (29, 3, 5), "c1,3,1,1/w8/i8 d1/w8/i8 d2/w8/scores"),
                ("uint8", (33, 3, 4), "c5,3,1,1/w8/u8 c3,2,1,1/w8/i8 c2,2,1,0/w8"),
                ("bits", (43, 4, 3), "c4,3,1,1/w8/i8 c8,1,1,0/w8 d3/w8/scores"),
                ("int8", (1, 4, 5), "c7,3,1,1,a2,1,1/w8/i8 c1,2,2,0,m2,2,0/w8/u8 d2/w8/scores"),
            ]
        )
    ]
    check_together(networks, tmp_path, "balanced")


def test_sums_become_small_integers(tmp_path: Path) -> None:
    """Sums within 24 bits and beyond, multipliers of either sign, every shift, outputs at both limits and between."""
    rng = np.random.default_rng(24)
    networks = []
    for kind, low, high in (("int8", -128, 127), ("uint8", 0, 255), ("int8", 3, 90), ("uint8", 7, 7)):
        outputs = 128
        weights = rng.integers(-128, 128, (outputs, 1, 1, 20)).astype(np.int8)
        shift = np.tile(np.arange(16, 48), 4)
        reach = 2.0 ** rng.uniform(8, 30.9, outputs)
        multiplier = np.clip(rng.uniform(0.5, 2) * 128 * 2.0**shift / reach, 1, 2**15 - 1) * rng.choice(
            [-1, 1], outputs
        )
        bias = (reach * rng.uniform(-1, 1, outputs)).clip(-(2**30), 2**30)
        end = Requantize(bias.astype(np.int32), multiplier.astype(np.int32), shift, kind, low, high)
        last = Block(Dense(rng.integers(-128, 128, (10, 1, 1, outputs)).astype(np.int8)), None, scores(10))
        networks.append(Network(Input("int8", Shape(20, 1, 1)), [Block(Dense(weights), None, end), last]))
    check_together(networks, tmp_path, "balanced")


@pytest.mark.parametrize(("make", "count"), [(random_network, RANDOM), (mixed_network, MIXED)])
def test_random_networks(make: Callable[[random.Random], Network], count: int, tmp_path: Path) -> None:
    checked = 0
    for number, networks in enumerate(programs(make, count)):
        folder = tmp_path / str(number)
        folder.mkdir()
        check_together(networks, folder, OPTIMIZE[number % 3])
        checked += len(networks)
    assert checked == count
