"""The committed counts of kernels and networks are today's; how loops are counted; and what may not be linked."""

import json
import subprocess
from pathlib import Path

import pytest
from support.boards import require_board
from support.c_networks import require

from benchmarks.cases import CASES, LIMITS, QEMU
from benchmarks.cliffs import Figure, Sweep, worst
from benchmarks.counts import CodeSize, Counts
from benchmarks.kernels import HERE, measure_all, rows
from benchmarks.loops import TOOLS, Loop, longest_loop, parse
from benchmarks.results import Result, document
from ebnn.errors import BuildError
from ebnn.platformio import build_firmware

FIRMWARE = Path(__file__).parents[1] / "firmware"
FLOAT_ROUTINES = ("addsf", "subsf", "mulsf", "divsf", "floatsi", "floatunsi", "fixsf", "cmpsf", "ltsf", "gesf")


def test_no_count_has_grown(request):
    """By more than 2 % against benchmarks/kernels.json: ``uv run python -m benchmarks.kernels --write`` renews it."""
    for board in ("uno", "megaatmega2560", *QEMU):
        require_board(board, request)
    require(f"{TOOLS}gcc")
    committed = json.loads((HERE / "kernels.json").read_text())
    found = rows(measure_all(case for case in CASES if case.compared))
    grown = {
        what: (committed[what], row)
        for what, row in found.items()
        if any(row[fact] > 1.02 * committed[what][fact] for fact in ("figure", "code") if fact in row)
    }
    assert grown == {}


def test_all_cases_are_committed():
    assert json.loads((HERE / "kernels.json").read_text()).keys() == {case.key for case in CASES}


def test_every_limit_is_compared():
    held = {(case.what, str(case.setting)) for case in CASES if case.compared and case.limit is not None}
    assert held >= LIMITS.keys() & {(case.what, str(case.setting)) for case in CASES}


def test_every_figure_is_in_the_tables():
    beside = {
        "kernel": {"counts": Counts(1, 2, 3, 4, 5, 6)},
        "network": {"counts": Counts(1, 2, 3, 4, 5, 6)},
        "code": {"size": CodeSize(1, 2, 3)},
        "loop": {"loop": Loop(1, 2)},
    }
    results = [Result(case, 1001.5 + i, **beside[case.kind]) for i, case in enumerate(CASES)]
    text = document(results)
    limited = [result for result in results if result.case.limit is not None]
    assert [result for result in limited if f" {result.figure:,.0f} " not in text.split("## ")[1]] == []
    counted = [result for result in results if result.counts is not None]
    assert [result for result in counted if f" {result.figure:,.0f} " not in text.split("## ")[-1]] == []


def test_the_worst_ratio_of_neighbours():
    """A MAC that takes more, or a larger layer that takes less."""
    sweep = Sweep("any", "filters", range(3, 6), lambda n: ("int8", (1, 1, 1), ""))
    assert worst(sweep, [Figure(400, 100), Figure(500, 200), Figure(900, 300)]) == (1.2, 4)
    assert worst(sweep, [Figure(600, 100), Figure(400, 200), Figure(610, 300)]) == (1.5, 3)


LISTING = """
00000000 <inner>:
   0:\t7820                \tlsr_s\tr0,r0
   2:\t7ee0                \tj_s\t[blink]

00000004 <turns>:
   4:\t7820                \tmov_s\tr3,0
   6:\t1404 1000           \tld.ab\tr0,[r15,4]
   a:\t0b02 ffcf           \tbl.d\t-12\t;0 <inner>
   e:\t40e1                \tmov_s\tr0,r15
  10:\t2044 0cc1           \ttst\tr0,r1
  14:\tf202                \tbeq_s\t4\t;18 <turns+0x14>
  16:\t7145                \tadd_s\tr1,r1,1
  18:\t0a3b 2115           \tbrhs.nt\tr2,0x4,10\t;22 <turns+0x1e>
  1c:\t07f0 ffcf           \tbne.d\t-22\t;6 <turns+0x2>
  20:\t7820                \tsub_s\tr2,r2,4
  22:\t7820                \tmov_s\tlp_count,r4
  24:\t20a8 0140           \tlp\t10\t;2e <turns+0x2a>
  28:\t1404 1000           \tldb.ab\tr0,[r15,1]
  2c:\t7820                \tadd_s\tr3,r3,r0
  2e:\t7ee0                \tj_s\t[blink]
"""


def test_the_longest_turn_of_the_longest_inner_loop_is_counted():
    loop = longest_loop(parse(LISTING), "turns")
    # ld, bl and its delay slot, the two of inner, tst, beq, the add that is skipped at times, brhs, bne and its slot
    assert (loop.instructions, loop.word_loads) == (3 + 2 + 3 + 1 + 2, 1)


def test_a_zero_overhead_loop_is_a_loop():
    only = LISTING.replace("bne.d\t-22\t;6 <turns+0x2>", "nop")
    assert longest_loop(parse(only), "turns").instructions == 2


def test_a_function_without_a_loop_counts_as_a_whole():
    assert longest_loop(parse(LISTING), "inner").instructions == 2


def test_a_loop_that_leaves_the_library_is_not_counted():
    relocated = LISTING.replace("<inner>\n   e", "<inner>\n\t\t\ta: R_ARC_S25W_PCREL\tmemcpy\n   e")
    with pytest.raises(BuildError, match="the loop of turns calls memcpy, which is not in the library"):
        longest_loop(parse(relocated), "turns")


@pytest.mark.parametrize("board", ["uno", "megaatmega2560"])
def test_the_integer_arithmetic_links_no_float(request, tmp_path, board):
    require_board(board, request)
    program = build_firmware(board, FIRMWARE / "include/network.h", tmp_path)
    done = subprocess.run([require("avr-nm"), program], capture_output=True, text=True, check=True)
    names = {line.split()[-1] for line in done.stdout.splitlines()}
    assert any(name.startswith("run_network") for name in names)
    assert [name for name in names if any(routine in name for routine in FLOAT_ROUTINES)] == []


def test_a_ratio_stands_beside_a_figure_of_the_same_work_only():
    """eBNN's dense layer of 1,024 inputs and 32 outputs takes 6.8 cycles per MAC on a Mega; none is known elsewhere."""
    results = [Result(case, 2.0) for case in CASES if case.what == "dense, n=1024, 32 outputs"]
    limits = document(results).split("## ")[1]
    cells = {row.split("|")[2].strip(): row.split("|")[3:] for row in limits.splitlines() if row.startswith("| dense")}
    assert {core: (row[0].strip(), row[-2].strip()) for core, row in cells.items()} == {
        "megaatmega2560 -Os": ("6.8 (eBNN)", "3.4"),
        **{f"{core} -O2": ("", "") for core in ("cortex-m0", "cortex-m3", "rv32")},
        "uno -Os": ("", ""),
        "uno -Os speed": ("", ""),
    }
