"""An AVR's strips of a map row take the RAM of the board that a header is made for; without a board an Uno's."""

import random
import subprocess

import numpy as np
import pytest
from click.testing import CliRunner
from support.c_networks import RUNTIME, SANITIZERS, WARNINGS, Case, require, run
from support.mixed_networks import mixed_network
from support.random_networks import random_samples

from benchmarks.untrained import build
from ebnn.boards import board_names, load_board
from ebnn.cli import main
from ebnn.compile.estimate import estimate
from ebnn.compile.header import header_text
from ebnn.compile.kernels.columns import strip_of
from ebnn.compile.options import Options
from ebnn.compile.plan import plan
from ebnn.compile.target import AVR, WORDS, target_of

OPTIONS = Options()
MEGA = "megaatmega2560"


def pixels(size=28, filters=16):
    """A network whose first layer, on an Uno, has little RAM beside input and output."""
    return build("uint8", (1, size, size), f"c{filters},3,1,1,m2,2,0", seed=0)


def small_board(tmp_path):
    """An AVR of 1 KB, as an ATmega168 has."""
    path = tmp_path / "small.toml"
    path.write_text('like = "uno"\ntitle = "ATmega168"\nmcu = "ATmega168"\nram_bytes = 1_024\n')
    return load_board(path)


def test_a_target_has_its_board_s_ram(tmp_path):
    assert target_of(load_board("uno")) == target_of(load_board("nanoatmega328")) == AVR
    assert target_of(load_board("genuino101")) == target_of(load_board("cortex-m0")) == WORDS
    rooms = [target_of(board).room for board in (small_board(tmp_path), load_board("uno"), load_board(MEGA))]
    assert rooms == [344, 1_368, 7_512]


def test_a_strip_is_as_long_as_the_board_has_room_for(tmp_path):
    layer = pixels().layers[0]
    assert [strip_of(layer, target_of(load_board(name))).run for name in ("uno", MEGA)] == [7, 28]
    layer = pixels(14, 8).layers[0]
    small, uno = (strip_of(layer, target_of(board)) for board in (small_board(tmp_path), load_board("uno")))
    assert small.scratch_bytes(small.run) < uno.scratch_bytes(uno.run)
    assert small.strips(small.run) > uno.strips(uno.run)


def test_more_ram_makes_no_estimate_slower():
    """The same core at the same clock: more room, fewer strips."""
    for network in (pixels(), pixels(20, 32), pixels(28, 30)):
        uno, mega = (estimate(network, load_board(name)) for name in ("uno", MEGA))
        assert mega.us <= uno.us
    assert estimate(pixels(), load_board(MEGA)).us < 0.7 * estimate(pixels(), load_board("uno")).us


@pytest.mark.parametrize("name", [name for name in board_names() if load_board(name).core == "avr"])
def test_a_header_for_a_board_has_the_arena_of_its_plan(name):
    """And says how much RAM it was made for."""
    board, network = load_board(name), pixels()
    text = header_text(network, name="net", board=name)
    arena = plan(network, OPTIONS, target_of(board)).arena_bytes
    assert f"#if EBNN_LANES == 1\n#define NET_ARENA_BYTES {arena}\n" in text
    assert f"({arena:,} B on AVR with {board.ram_bytes:,} B or more)" in text
    assert f"#define NET_AVR_RAM_BYTES {board.ram_bytes}\n" in text
    assert estimate(network, board).arena_bytes == arena


def test_without_a_board_of_avr_s_an_uno_s_ram_is_taken():
    network = pixels()
    text = header_text(network, name="net")
    assert header_text(network, name="net", board="genuino101") == text
    assert "AVR_RAM_BYTES" not in text
    arena = plan(network, OPTIONS, AVR).arena_bytes
    assert f"#define NET_ARENA_BYTES {arena}\n" in text
    assert f"#define NET_ARENA_BYTES {arena}\n" in header_text(network, name="net", board="uno")


@pytest.mark.compiler
@pytest.mark.parametrize(
    ("board", "mcu", "compiles"),
    [
        (MEGA, "atmega2560", True),
        (MEGA, "atmega328p", False),
        ("leonardo", "atmega32u4", True),
        ("leonardo", "atmega328p", False),
        ("uno", "atmega328p", True),
        ("uno", "atmega2560", True),
        ("uno", "atmega168", False),
        (None, "atmega168", True),
    ],
)
def test_an_avr_of_less_ram_stops_the_compiler(tmp_path, board, mcu, compiles):
    (tmp_path / "net.h").write_text(header_text(pixels(8, 4), name="net", board=board))
    source = tmp_path / "m.c"
    source.write_text('#include "net.h"\nint main(void) { return net_predict(net_input()); }\n')
    command = [require("avr-gcc"), f"-mmcu={mcu}", "-std=c99", *WARNINGS, "-Wundef", f"-I{RUNTIME}", "-fsyntax-only"]
    done = subprocess.run([*command, source], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == compiles, done.stderr
    ram = 0 if board is None else load_board(board).ram_bytes
    assert (
        compiles or f"ebnn: net is for an AVR with {ram} bytes of RAM: export it with this one's --board" in done.stderr
    )


@pytest.mark.compiler
def test_every_board_s_strips_give_the_reference_s_scores(tmp_path):
    """The library with one lane, compiled for this computer: headers for 1 KB, 2 KB and 8 KB side by side."""
    network = pixels()
    samples = random_samples(network, 20, seed=1)
    boards = {"small": small_board(tmp_path), "uno": load_board("uno"), "mega": load_board(MEGA)}
    for name, board in boards.items():
        (tmp_path / f"{name}.h").write_text(header_text(network, name=name, board=board))
    includes = "".join(f'#include "{name}.h"\n' for name in boards)
    calls = "".join(f"        {name}_scores(input, scores); fwrite(scores, 4, 10, stdout);\n" for name in boards)
    (tmp_path / "main.c").write_text(
        f"#include <stdio.h>\n{includes}int main(void)\n{{\n    static uint8_t input[SMALL_INPUT_BYTES];\n"
        f"    int32_t scores[10];\n    while (fread(input, sizeof input, 1, stdin) == 1) {{\n{calls}    }}\n"
        "    return 0;\n}\n"
    )
    flags = ["-DEBNN_LANES=1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{RUNTIME}"]
    program = tmp_path / "program"
    subprocess.run([require("gcc"), "-std=c99", *WARNINGS, *flags, "-o", program, tmp_path / "main.c"], check=True)
    packed = network.pack_input(samples).tobytes()
    done = subprocess.run([program], input=packed, capture_output=True, check=True)
    found = np.frombuffer(done.stdout, "<i4").reshape(len(samples), len(boards), network.classes)
    for i, name in enumerate(boards):
        np.testing.assert_array_equal(found[:, i], network.scores(samples), err_msg=name)


@pytest.mark.compiler
def test_layers_of_all_kinds_with_one_lane_equal_the_reference(tmp_path):
    """What AVR's plan lays out otherwise is read so wherever EBNN_LANES is 1."""
    networks = [mixed_network(random.Random(seed)) for seed in range(40)]
    cases = [Case(network, random_samples(network, 2, seed)) for seed, network in enumerate(networks)]
    flags = ["-DEBNN_LANES=1", *SANITIZERS]
    results = run(cases, tmp_path, flags, arena_bytes=lambda network: network.avr_arena_bytes)
    for case, result in zip(cases, results, strict=True):
        np.testing.assert_array_equal(result.scores, case.network.scores(case.x))


def test_export_and_init_make_the_header_for_their_board(tmp_path):
    model, runner = tmp_path / "net.ebnn", CliRunner()
    pixels().save(model)
    expected = header_text(pixels(), name="net", board=MEGA)
    done = runner.invoke(main, ["export", str(model), "-o", str(tmp_path / "net.h"), "--board", MEGA])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "net.h").read_text() == expected
    done = runner.invoke(main, ["init", str(tmp_path / "project"), "--board", MEGA, "--model", str(model)])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "project/include/network.h").read_text() == expected
