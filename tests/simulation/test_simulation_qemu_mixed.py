"""On every core in QEMU, networks that mix kinds give the scores of the reference, many of them in one program."""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from qemu_boards import NAMES, STRICT, require_board
from support.mixed_networks import mixed_network

from ebnn import Network
from ebnn.boards import load_board
from ebnn.compile.header import flash_bytes, header_text
from ebnn.compile.options import OPTIMIZE, Options
from ebnn.compile.plan import plan
from ebnn.compile.target import WORDS
from ebnn.firmware_sources import firmware_folder
from ebnn.simulation.bare import find_tool

NETWORKS = int(os.environ.get("EBNN_TEST_NETWORKS", "60"))
SAMPLES = 3
LARGEST_ARENA = 12_000  # of the smallest board's 16 KB
LARGEST_FLASH = 100_000  # of the constants of one program
_MAIN = """\
{includes}
#include "board.h"
#include <semihost.h>

static uint32_t arena[{words}];

int main(void)
{{
{calls}
    sys_semihost_exit(ADP_Stopped_ApplicationExit, 0);
}}
"""


def programs() -> Iterator[list[tuple[int, Network]]]:
    """Random networks with their numbers, as many together as fit a program."""
    group: list[tuple[int, Network]] = []
    flash = 0
    for number in range(NETWORKS):
        network = mixed_network(random.Random(f"qemu {number}"))
        if plan(network, Options(), WORDS).arena_bytes > LARGEST_ARENA:
            continue
        if flash + flash_bytes(network) > LARGEST_FLASH and group:
            yield group
            group, flash = [], 0
        group.append((number, network))
        flash += flash_bytes(network)
    yield group


def headers(group: list[tuple[int, Network]]) -> dict[str, str]:
    """The headers of networks by their names, with samples and scores."""
    return {
        f"n{number}": header_text(
            network, name=f"n{number}", optimize=OPTIMIZE[number % len(OPTIMIZE)], self_test=SAMPLES
        )
        for number, network in group
    }


def build(board: str, texts: dict[str, str], folder: Path) -> Path:
    """A program that stops with the name of the first network whose scores are wrong."""
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.h").write_text(text)
    calls = "\n".join(
        f'    if ({name}_self_test_in(({name}_arena_t *)(void *)arena)) bare_stop("{name}", 0);' for name in texts
    )
    includes = "\n".join(f'#include "{name}.h"' for name in texts)
    (folder / "main.c").write_text(_MAIN.format(includes=includes, calls=calls, words=LARGEST_ARENA // 4))
    facts, firmware = load_board(board), firmware_folder()
    assert facts.bare is not None
    bare = firmware / "bare"
    program = folder / "program.elf"
    command = [
        find_tool(facts),
        *facts.bare.processor,
        *(*STRICT, "-ffunction-sections", "-fdata-sections", "-Wno-unused-function"),
        *(f"-I{path}" for path in (folder, firmware / "src", firmware / "lib" / "ebnn" / "src", bare)),
        *map(str, (folder / "main.c", bare / "stop.c", *(bare / name for name in facts.bare.sources))),
        *("-specs=picolibc.specs", "--oslib=semihost", f"-L{bare}", f"-T{bare / facts.bare.script}"),
        *("-o", str(program)),
    ]
    subprocess.run(command, check=True)
    return program


def run(board: str, program: Path) -> str:
    """What the program says before it stops; nothing where all scores are right."""
    machine = load_board(board).machine
    assert machine is not None
    option, before = machine.load
    command = [
        *(
            machine.emulator,
            *machine.options,
            "-display",
            "none",
            "-nic",
            "none",
            "-serial",
            "null",
            "-monitor",
            "none",
        ),
        *("-semihosting-config", "enable=on,target=native", option, f"{before}{program}"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize("board", NAMES)
def test_mixed_networks(board: str, tmp_path: Path) -> None:
    require_board(board)
    for number, group in enumerate(programs()):
        assert run(board, build(board, headers(group), tmp_path / str(number))) == ""


@pytest.mark.parametrize("board", NAMES)
def test_a_wrong_score_is_seen(board: str, tmp_path: Path) -> None:
    require_board(board)
    texts = headers([(0, mixed_network(random.Random("qemu 0")))])
    array = texts["n0"].index("n0_self_test_scores2[")
    head, tail = texts["n0"][:array], texts["n0"][array:]
    texts["n0"] = head + re.sub(r"(-?\d+)l", lambda found: f"{int(found[1]) ^ 1}l", tail, count=1)
    assert "n0 at pc" in run(board, build(board, texts, tmp_path / "wrong"))
