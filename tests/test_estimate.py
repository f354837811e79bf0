"""Estimates against what is built and run: linked ELF files, simulated boards; and what is said where nothing fits."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
from support.boards import require_board
from support.parts import block_of, kernel_of, last_of, net_of
from test_cli import ebnn as command

import ebnn
from benchmarks.untrained import build, samples
from ebnn.boards import Costs, board_names, load_board, load_costs
from ebnn.compile.estimate import (
    check_fits,
    estimate,
    estimated_boards,
)
from ebnn.compile.header import flash_bytes
from ebnn.compile.kernels import KERNELS
from ebnn.compile.kernels.structs import OUTPUT
from ebnn.compile.options import OPTIMIZE
from ebnn.compile.target import AVR
from ebnn.errors import BuildError, NetworkError
from ebnn.model.kinds import Input
from ebnn.model.layers import Dense
from ebnn.model.transforms import Sign
from ebnn.platformio import build_firmware
from tools.costs import Row, costs_text, fit_flash, fit_stack, measure, read_costs, sizes

TOP = Path(__file__).parents[1]

# None of them is among those that the costs were fitted to.
NETWORKS = {
    "pixels": ("uint8", (1, 16, 16), "c10,3,1,1,m2,2,0 c20,3,1,1,m2,2,0"),
    "bits": ("bits", (4, 12, 12), "c18,3,1,0 c12,3,1,1,m2,2,0 d24"),
    "dense": ("uint8", (1, 20, 20), "d24 d12"),
    "mixed": ("uint8", (1, 10, 10), "c6,3,1,1,m2,2,0/w8/u8 g1,3,1,1/w8/i8 c10,3,1,0/i8 d10/w8/scores"),
}
SIMULATED = ("uno", "megaatmega2560", "cortex-m0", "cortex-m3", "cortex-m4", "rv32")


@pytest.mark.parametrize("board", SIMULATED)
@pytest.mark.parametrize("which", NETWORKS)
def test_the_estimate_is_near_what_is_built_and_run(request, board, which):
    """Flash and RAM within 5 % of the linked program and its deepest stack, time within 15 % of the simulator."""
    require_board(board, request)
    network = build(*NETWORKS[which], seed=99)
    found = estimate(network, load_board(board))
    row = measure(load_board(board), network, samples(network.input, 3, seed=5))
    assert found.flash_bytes == pytest.approx(row.flash, rel=0.05)
    assert found.ram_bytes == pytest.approx(row.static + row.stack, rel=0.05)
    assert found.us == pytest.approx(sum(row.cycles) / load_board(board).clock_hz * 1e6, rel=0.15)


def test_no_program_s_stack_is_deeper_than_its_kernels_say():
    """What was seen is the bound: the most where a kernel is the deepest, not a middle."""
    seen = {"d8": 100, "c8,3,1,0": 200, "c8,3,1,0 d8": 215, "c8,3,1,0,m2,2,0": 190, "c8,3,1,0,m2,2,0 d12": 194}
    rows = []
    for blocks, stack in seen.items():
        network = build("bits", (16, 6, 6), blocks, seed=1)
        layers = len(network.layers)
        rows.append(Row(network, "integer", "balanced", 0, 0, stack, (1.0,) * layers, ({},) * layers))
    assert len(rows[2].stacks) == 3
    bounds = fit_stack(rows)
    deepest = {"conv_octets": 194, "conv_octets_4": 215, "dense_bits_4": 100, "output_bits_4": 100}
    assert bounds == {(name, False): stack for name, stack in deepest.items()}
    assert all(row.stack <= max(bounds[name] for name in row.stacks) for row in rows)


def test_float_input_and_the_stack_on_an_uno(request):
    """Taps outside the image and between strides; the stack is not said to be smaller than it is."""
    require_board("uno", request)
    for blocks, seed in (("c6,5,2,0", 9), ("c5,5,1,2", 3)):
        _holds(build("float", (1, 12, 12), blocks, seed), 0.03)


@pytest.mark.parametrize(
    ("which", "optimize"),
    [
        (("bits", (40, 6, 6), "c72,3,1,0 c40,2,1,0"), "balanced"),
        (("bits", (2, 11, 11), "c21,4,1,0 d30"), "balanced"),
        (("bits", (16, 8, 8), "c40,3,1,1 d18"), "speed"),
    ],
)
def test_four_filters_at_a_time_and_outputs_turned_over_on_an_uno(request, which, optimize):
    require_board("uno", request)
    _holds(build(*which, seed=77, below=True), 0.05, optimize)


def _holds(network, rel, optimize="balanced"):
    """Time within ``rel`` on an Uno, and the stack not below what is seen, at most 24 B above."""
    found = estimate(network, load_board("uno"), optimize=optimize)
    row = measure(load_board("uno"), network, samples(network.input, 2, seed=1), optimize=optimize)
    assert found.us == pytest.approx(sum(row.cycles) / 16, rel=rel)
    assert found.static_bytes == row.static
    assert row.stack <= found.stack_bytes <= row.stack + 24


@pytest.mark.parametrize("board", ["uno", "cortex-m3"])
def test_the_estimate_of_a_trained_network_on_its_images(request, mnist, board):
    """How often windows are settled early is then foretold from the batch normalisation."""
    require_board(board, request)
    network = ebnn.load("mnist-uno")
    row = measure(load_board(board), network, mnist.test_images[:5])
    found = estimate(network, load_board(board))
    assert found.flash_bytes == pytest.approx(row.flash, rel=0.05)
    assert found.ram_bytes == pytest.approx(row.static + row.stack, rel=0.05)
    assert found.us == pytest.approx(
        sum(row.cycles) / load_board(board).clock_hz * 1e6, rel=0.05 if board == "uno" else 0.15
    )
    if board == "uno":
        assert row.stack <= found.stack_bytes <= row.stack + 8


def test_every_board_has_figures_but_this_computer():
    network = ebnn.load("mnist-tiny")
    for name in set(board_names()) - {"host"}:
        board = load_board(name)
        found = estimate(network, board)
        assert found.us > 0
        assert found.fits, board.name
    with pytest.raises(NetworkError, match="this computer has no limits"):
        estimate(network, load_board("host"))


def test_an_estimate_by_hand(monkeypatch):
    """One dense layer of 5 outputs on 9 bits, and 10 classes on 5 bits."""
    network = build("bits", (9, 1, 1), "d5", seed=0)
    costs = Costs(
        flash={
            "ebnn_dense": 100,
            "ebnn_compare_fours": 30,
            "ebnn_compare_each": 40,
            "ebnn_output_bits_4": 200,
            "ones": 5,
            "dense_layer": 10,
            "output_layer": 20,
        },
        stack={"dense_bits_4": 70, "output_bits_4": 60},
        time={"dense_bits_4": {"layers": 50, "fours": 7, "tests": 3}, "output_bits_4": {"fours": 11, "words": 2}},
    )
    monkeypatch.setattr("ebnn.compile.estimate.load_costs", lambda core, optimize: costs)
    board = dataclasses.replace(
        load_board("uno"),
        clock_hz=2_000_000,
        cycles_per_instruction=3,
        firmware_flash=1_000,
        firmware_ram=300,
        stack_less=6,
    )
    found = estimate(network, board)
    # Cycles: 50, four outputs 7, one 3; twice four classes 11, two of one word 2; three to an instruction, two a us.
    assert found.layer_us == pytest.approx(((50 + 7 + 3) * 3 / 2, (22 + 4) * 3 / 2))
    # Constants: 5 filters and 10 classes of one word, 5 thresholds of 2 bytes, 10 multipliers and offsets.
    assert found.flash_bytes == 1_000 + 100 + 30 + 40 + 200 + 5 + 10 + 20 + 60 + 10 + 60
    assert found.static_bytes == 300 + network.avr_arena_bytes + 40
    assert found.stack_bytes == 70 - 6
    fast = estimate(network, board, optimize="speed")
    assert fast.stack_bytes == 70 - 6 + 256
    assert fast.arena_left == found.arena_left - 256


def test_costs_are_read_as_they_are_written(tmp_path):
    """So that some can be measured again while the others stay."""
    flash = {("", "ebnn_conv"): 92, ("", "conv_layer"): 10, ("speed", "ones"): 7}
    stack = {("conv_bits", False): 40, ("conv_bits", True): 44}
    time = {("", "conv_bits"): {"layers": 1.5, "words": 2}, ("speed", "conv_bits"): {"layers": 1.25}}
    (tmp_path / "core.toml").write_text("\n".join(costs_text("# A core.", flash, stack, time)))
    assert read_costs(tmp_path / "core.toml") == (flash, stack, time)


def test_known_bytes_stay_and_only_the_rest_is_fitted():
    network = build("int8", (4, 4, 4), "c4,3,1,1/w8/i8 d3/w8/scores", seed=1)
    row = Row(network, "integer", "balanced", 5_000 + flash_bytes(network), 0, 0, (1.0, 1.0), ({}, {}))
    every = {row.of_part(part) for kernel in row.kernels for part in kernel.library} | {("", "integer_layer")}
    known = dict.fromkeys(every - {("", "ebnn_multiply_signed")}, 100) | {("", "firmware"): 1_000}
    flash, firmware, _ = fit_flash([row], known)
    assert firmware == 1_000
    # Two layers' descriptions, every other part once.
    assert flash["", "ebnn_multiply_signed"] == pytest.approx(4_000 - 100 * len(every))


def test_costs_are_there_for_every_kernel():
    kernels = {kernel.costs for kernel in KERNELS}
    for core in {load_board(name).costs for name in board_names()} - {None}:
        costs = load_costs(core)
        assert costs.time.keys() == costs.stack.keys() == kernels
        rest = {kernel.costs for kernel in KERNELS if kernel.grouped and kernel.struct is not OUTPUT}
        assert costs.rest_stack.keys() == (rest if core in ("avr", "arc-em") else set())
        for kernel in KERNELS:
            assert costs.flash.keys() >= {*kernel.library, f"{kernel.struct.name}_layer"}, kernel.name


def test_costs_are_of_a_core_and_an_optimization():
    """Of AVR alone by speed, where ones are counted by a table in RAM: what counts none costs the same."""
    for core in sorted({str(load_board(name).costs) for name in board_names()} - {"None"}):
        balanced, fast = load_costs(core, "balanced"), load_costs(core, "speed")
        assert load_costs(core) == load_costs(core, "size") == load_costs(core, "compact") == balanced
        assert (balanced.stack, balanced.rest_stack) == (fast.stack, fast.rest_stack)
        assert balanced.flash.keys() == fast.flash.keys()
        assert balanced.time.keys() == fast.time.keys()
        others = {name for name in balanced.time if balanced.time[name] != fast.time[name]}
        assert others == ({kernel.costs for kernel in KERNELS if counted(kernel)} if core == "avr" else set())


def counted(kernel):
    """Whether it was measured by speed: what counts ones, in the integer arithmetic."""
    return "ones" in kernel.parts and "float" not in kernel.parts and kernel.name != "dense_bits"


def test_filters_of_very_many_bits_are_estimated():
    """More taps than the kernel of bits takes; nobody measured it."""
    weights = np.ones((2, 1, 1, 32_767), bool)
    block = block_of(Dense(weights), None, Sign(np.zeros(2), np.zeros(2, bool)))
    network = net_of(Input("bits", (32_767, 1, 1)), (block,), last_of(np.ones((2, 1, 1, 2), bool), [1, 1], [0, 0], 1.0))
    assert kernel_of(network, 0) == "dense_wide"
    assert estimate(network, load_board("due")).us > 0


def test_too_much_ram_names_the_block_and_the_way_out():
    network = build("uint8", (1, 28, 28), "c32,3,1,1", seed=1)
    with pytest.raises(NetworkError) as caught:
        check_fits(network, load_board("uno"))
    message = str(caught.value)
    assert "Arduino Uno has 2,048" in message
    assert "conv1" in message
    assert "--board" in message
    filters = int(message.split("filters instead of 32")[0].split()[-1])
    assert 0 < filters < 32
    check_fits(build("uint8", (1, 28, 28), f"c{filters},3,1,1", seed=1), load_board("uno"))
    with pytest.raises(NetworkError):
        check_fits(build("uint8", (1, 28, 28), f"c{filters + 8},3,1,1", seed=1), load_board("uno"))


def test_info_and_export_say_the_same_of_what_does_not_fit(tmp_path):
    """One figure of RAM, and the way out."""
    network = build("uint8", (1, 28, 28), "c32,3,1,1", seed=1)
    network.save(tmp_path / "big.ebnn")
    told = command("info", "big.ebnn", "--board", "uno", cwd=tmp_path)
    refused = command("export", "big.ebnn", "-o", "network.h", "--board", "uno", cwd=tmp_path, code=1)
    message = refused.removeprefix("Error: ")
    figure = f"{estimate(network, load_board('uno')).ram_bytes:,}"
    assert message.startswith(f"the network takes about {figure} B of RAM, Arduino Uno has 2,048: ")
    assert re.search(r"the rest for its stack and the firmware, which keeps \d+ B free beside that", message)
    assert f"does not fit: {message}" in told
    assert f"{figure} of 2,048 B" in told


def test_a_table_in_ram_that_is_too_much():
    """By speed 256 bytes more than the network has left."""
    network = ebnn.load("mnist-uno")
    check_fits(network, load_board("uno"))
    with pytest.raises(NetworkError, match="It fits with --optimize balanced"):
        check_fits(network, load_board("uno"), optimize="speed")


def test_an_estimate_grows_with_the_classes():
    """Whether they are counted by fours or alone."""
    for optimize in OPTIMIZE:
        for board in map(load_board, SIMULATED):
            times = [
                estimate(build("bits", (1, 28, 28), "", 1, n), board, optimize=optimize).us for n in (4, 8, 12, 32)
            ]
            assert times == sorted(times)
            assert times[3] > 6 * times[0] > 0


def test_an_input_that_is_too_big_by_itself():
    network = build("uint8", (3, 32, 32), "c8,3,1,1", seed=1)
    with pytest.raises(NetworkError, match=r"input alone leaves no room.*smaller images"):
        check_fits(network, load_board("uno"))


def test_too_much_flash_names_the_layer():
    network = build("bits", (32, 10, 10), "d80", seed=1)
    with pytest.raises(NetworkError, match=r"32,000 B of them in dense1.*lose \d"):
        check_fits(network, load_board("uno"))
    check_fits(network, load_board("megaatmega2560"))


def test_too_much_flash_where_smaller_kernels_would_do():
    network = build("uint8", (1, 28, 28), "c20,5,2,0 c64,3,1,0,m2,2,0 c196,3,1,0", seed=1)
    with pytest.raises(NetworkError, match="It fits with --optimize compact"):
        check_fits(network, load_board("uno"))
    check_fits(network, load_board("uno"), optimize="compact")


@pytest.mark.parametrize("blocks", ["d400", "d300 d800"])
def test_constants_that_no_instruction_of_avr_reaches(blocks):
    """One array over 32,767 B, all of them over 60,000 B; the Mega's flash has room for more."""
    network = build("bits", (1, 28, 28), blocks, seed=1)
    assert max(layer.weight_bytes for layer in network.layers) > 32_767 or network.weight_bytes > 60_000
    with pytest.raises(NetworkError, match=r"32,767 B of one layer and 60,000 B in all"):
        check_fits(network, load_board("megaatmega2560"))
    check_fits(network, load_board("due"))


def test_the_limits_of_avr_are_those_that_are_compiled():
    running = (TOP / "firmware/src/running.h").read_text()
    assert f"#define RAM_BESIDE ({AVR.reserve_bytes} + EBNN_RAM_OF_ONES + 4 * EBNN_CLASSES)" in running
    bits = (TOP / "firmware/lib/ebnn/src/ebnn/bits.h").read_text()
    assert f"#define EBNN_RAM_OF_ONES {AVR.ones_bytes}\n" in bits


def test_what_fits_by_the_firmware_s_reserve_compiles(request, tmp_path):
    """One filter more than the largest that fits is refused by the estimate and by the compiler."""
    require_board("uno", request)

    def header(filters):
        network = build("uint8", (1, 28, 28), f"c{filters},3,1,1", seed=1)
        ebnn.write_header(network, tmp_path / "network.h")
        return network

    uno = load_board("uno")
    fitting = max(n for n in range(1, 32) if estimate(header(n), uno).fits)
    header(fitting)
    build_firmware("uno", tmp_path / "network.h", tmp_path / "fits")
    header(fitting + 1)
    with pytest.raises(BuildError, match="RAM"):
        build_firmware("uno", tmp_path / "network.h", tmp_path / "too_big")


@pytest.mark.parametrize("board", ["nanoatmega328", "leonardo"])
def test_boards_that_are_linked_only(request, tmp_path, board):
    require_board(board, request)
    network = ebnn.load("mnist-tiny")
    ebnn.write_header(network, tmp_path / "network.h")
    flash, static = sizes(build_firmware(board, tmp_path / "network.h", tmp_path / "build"))
    found = estimate(network, load_board(board))
    assert found.flash_bytes == pytest.approx(flash, rel=0.05)
    assert found.static_bytes == pytest.approx(static, rel=0.02)


def test_a_larger_board_is_another_one():
    network = build("uint8", (1, 28, 28), "c17,3,1,1,m2,2,0 d131", seed=1)
    with pytest.raises(NetworkError) as caught:
        check_fits(network, load_board("uno"), "float")
    name = str(caught.value).split("--board ")[1].split(")")[0]
    assert name != "uno"
    assert estimate(network, load_board(name), "float").fits


def test_nothing_is_large_enough():
    network = build("uint8", (3, 400, 400), "c1,3,2,1", seed=1)
    with pytest.raises(NetworkError, match="no board that ebnn knows is large enough"):
        check_fits(network, load_board("uno"))


def test_commands_show_and_refuse(tmp_path):
    large = tmp_path / "large.ebnn"
    build("uint8", (1, 28, 28), "c32,3,1,1", seed=1).save(large)
    output = command("info", large, "--json", "info.json", cwd=tmp_path)
    assert "no: both" in output
    rows = {row["board"]: row for row in json.loads((tmp_path / "info.json").read_text())["estimates"]}
    assert rows.keys() == {board.name for board in estimated_boards()}
    assert not rows["uno"]["fits"]
    assert rows["megaatmega2560"]["fits"]
    output = command("info", large, "--board", "uno", cwd=tmp_path)
    assert "too many" in output
    output = command("export", large, "--board", "uno", "-o", "large.h", cwd=tmp_path, code=1)
    assert "filters instead of 32" in output
    assert not (tmp_path / "large.h").exists()
    command("export", large, "--board", "megaatmega2560", "-o", "large.h", cwd=tmp_path)
    assert "large_predict" in (tmp_path / "large.h").read_text()
    output = command("info", large, "--board", "unu", cwd=tmp_path, code=1)
    assert "no board is called 'unu'" in output
    output = command("boards", "--json", "boards.json", cwd=tmp_path, env={"COLUMNS": "120"})
    assert "ATmega328P" in output
    assert "uno *" in output
    assert max(map(len, output.splitlines())) <= 120
    assert {row["name"] for row in json.loads((tmp_path / "boards.json").read_text())["boards"]} == set(board_names())
