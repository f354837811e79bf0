"""The comparisons of compare_avr.h on simulated boards: right bits at every level, whatever the filters are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import serial
from avr_programs import compile_avr, require_simavr
from numpy.typing import NDArray
from support.c_networks import WARNINGS

from ebnn.simulation import AvrStatistics, board_url

IN_RAM = "-DEBNN_ONES_IN_RAM"
CPLUSPLUS = ["-x", "c++", "-std=c++11"]
LONGEST = {"uno": 100, "megaatmega2560": 900}  # words of bits that fit the RAM beside everything else
WORDS = [*range(1, 21), 1, 2, 5, 9]
OUTPUTS = [4, 13, 8, 3, 7, 12, 5, 1, 10]
REPEATS = 12  # of avr/compare.c
# Cycles of one more group of four filters: table in flash, in RAM.
GROUP = {"ten": (1720, 1331), "nine": (1571, 1223), "eight_and_half": (1571, 1155), "masked": (1845, 1551)}


@pytest.fixture(autouse=True)
def _simavr() -> None:
    require_simavr()


def filters(random: np.random.Generator, words: int, taps: int, outputs: int) -> NDArray[np.uint32]:
    """Random filters as a header lays them out: fours word beside word, then the last ones one after the other."""
    bits = np.zeros((outputs, 32 * words), np.uint8)
    bits[:, :taps] = random.integers(0, 2, (outputs, taps))
    packed = np.packbits(bits, axis=1, bitorder="little").view("<u4")
    grouped = outputs // 4 * 4
    groups = packed[:grouped].reshape(-1, 4, words).transpose(0, 2, 1)
    return np.concatenate([groups.ravel(), packed[grouped:].ravel()])


def write_filters(path: Path, longest: int) -> int:
    """Writes the header that avr/compare.c includes; returns its cases."""
    random = np.random.default_rng(11)
    cases, weights, thresholds = [], [], []
    for i, words in enumerate(WORDS):
        outputs = OUTPUTS[i % len(OUTPUTS)]
        taps = 32 * words - int(random.integers(0, 32))
        case = [words, taps, outputs, sum(map(len, weights)), sum(map(len, thresholds))]
        cases.append(f"{{{', '.join(map(str, case))}}}")
        weights.append(filters(random, words, taps, outputs))
        extremes = random.choice([-32768, -32767, -taps, 1 - taps, 0, taps, taps + 1, 32767], outputs)
        near = random.integers(-9, 10, outputs)
        thresholds.append(np.where(random.integers(0, 4, outputs) == 0, extremes, near))
    lines = [
        f"#define LONGEST {longest}",
        f"#define CASES {', '.join(cases)}",
        f"#define WEIGHTS {', '.join(f'0x{word:08X}ul' for word in np.concatenate(weights))}",
        f"#define THRESHOLDS {', '.join(map(str, np.concatenate(thresholds)))}",
    ]
    path.write_text("\n".join([*lines, ""]))
    return len(cases)


def check(board: str, folder: Path, flags: Sequence[str], watch: str = "") -> AvrStatistics:
    """Runs avr/compare.c, asserts that all its comparisons hold."""
    cases = write_filters(folder / "filters.h", LONGEST[board])
    program = compile_avr(board, "compare.c", folder, [*WARNINGS, *flags])
    url = f"{board_url(board, program=program)}&watch={watch}"
    with serial.serial_for_url(url, timeout=120.0) as port:
        comparisons, failures = np.frombuffer(port.read(4), "<u2").tolist()
        statistics = port.simulator.statistics()
    assert (comparisons, failures) == (cases * 2 * REPEATS + 2, 0)
    assert isinstance(statistics, AvrStatistics)
    return statistics


@pytest.mark.parametrize("board", LONGEST)
@pytest.mark.parametrize("level", ["-O0", "-O1", "-Os", "-O2", "-O3"])
@pytest.mark.parametrize("table", [[], [IN_RAM]], ids=["flash", "ram"])
def test_bits_equal_plain_loops(board: str, level: str, table: list[str], tmp_path: Path) -> None:
    statistics = check(board, tmp_path, [level, *table], ",".join(GROUP))
    for name, cycles in GROUP.items():
        function = statistics.function(name)
        assert function.calls == 2
        assert function.most_cycles - function.least_cycles == cycles[bool(table)], name


@pytest.mark.parametrize("flags", [CPLUSPLUS, ["-flto"], ["-mcall-prologues"], ["-fno-inline"]], ids=" ".join)
@pytest.mark.parametrize("table", [[], [IN_RAM]], ids=["flash", "ram"])
def test_bits_are_right_however_they_are_compiled(flags: list[str], table: list[str], tmp_path: Path) -> None:
    check("uno", tmp_path, [*flags, *table])
