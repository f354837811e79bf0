"""The kernels of count_avr.h on simulated boards: right counts at every level, and cycles as their comments say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import serial
from avr_programs import compile_avr, require_simavr
from support.c_networks import WARNINGS

from ebnn.simulation import AvrStatistics, board_url

IN_RAM = "-DEBNN_ONES_IN_RAM"
CPLUSPLUS = ["-x", "c++", "-std=c++11"]
LONGEST = {"uno": 240, "megaatmega2560": 1850}  # words of bits that fit the RAM beside everything else
WEIGHT_WORDS = 4 * 70 + 3
COMPARISONS = 70 * 8 + 256 + 6
# Cycles of ten words more: table in flash, in RAM.
TEN_WORDS = {"one": (470, 400), "masked": (590, 550), "four": (1960, 1680)}


@pytest.fixture(autouse=True)
def _simavr() -> None:
    require_simavr()


def run(board: str, folder: Path, flags: Sequence[str], watch: str = "") -> AvrStatistics:
    """Runs avr/count.c, asserts that all its comparisons hold."""
    words = np.random.default_rng(7).integers(0, 2**32, WEIGHT_WORDS, np.uint32)
    lines = [
        f"#define LONGEST {LONGEST[board]}u",
        f"#define WEIGHT_WORDS {WEIGHT_WORDS}",
        f"#define WEIGHTS {', '.join(f'0x{word:08X}ul' for word in words)}",
    ]
    (folder / "weights.h").write_text("\n".join([*lines, ""]))
    program = compile_avr(board, "count.c", folder, [*WARNINGS, *flags])
    url = f"{board_url(board, program=program)}&watch={watch}"
    with serial.serial_for_url(url, timeout=60.0) as port:
        comparisons, failures = np.frombuffer(port.read(4), "<u2").tolist()
        statistics = port.simulator.statistics()
    assert (comparisons, failures) == (COMPARISONS, 0)
    assert isinstance(statistics, AvrStatistics)
    return statistics


@pytest.mark.parametrize("board", LONGEST)
@pytest.mark.parametrize("level", ["-O0", "-O1", "-Os", "-O2", "-O3"])
@pytest.mark.parametrize("table", [[], [IN_RAM]], ids=["flash", "ram"])
def test_counts_equal_plain_loops(board: str, level: str, table: list[str], tmp_path: Path) -> None:
    statistics = run(board, tmp_path, [level, *table], ",".join(TEN_WORDS))
    for name, cycles in TEN_WORDS.items():
        function = statistics.function(name)
        assert function.calls == 2
        assert function.most_cycles - function.least_cycles == cycles[bool(table)], name


@pytest.mark.parametrize("flags", [CPLUSPLUS, ["-flto"], ["-mcall-prologues"], ["-fno-inline"]], ids=" ".join)
@pytest.mark.parametrize("table", [[], [IN_RAM]], ids=["flash", "ram"])
def test_counts_are_right_however_they_are_compiled(flags: list[str], table: list[str], tmp_path: Path) -> None:
    run("uno", tmp_path, [*flags, *table])
