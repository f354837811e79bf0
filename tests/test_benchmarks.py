"""The committed counts of kernels and networks are today's; and what may not be linked."""

import json
import subprocess
from pathlib import Path

import pytest
from support.boards import require_board
from support.c_networks import require

from benchmarks.kernels import HERE, KERNELS, NETWORKS, QEMU, cases
from ebnn.platformio import build_firmware

FIRMWARE = Path(__file__).parents[1] / "firmware"
FLOAT_ROUTINES = ("addsf", "subsf", "mulsf", "divsf", "floatsi", "floatunsi", "fixsf", "cmpsf", "ltsf", "gesf")


def test_no_count_has_grown(request):
    """By more than 2 % against benchmarks/kernels.json: ``uv run python -m benchmarks.kernels --write`` renews it."""
    for board in ("uno", *QEMU):
        require_board(board, request)
    committed = json.loads((HERE / "kernels.json").read_text())
    found = {f"{name}, {key}": (figure, counts) for name, key, figure, _, _, counts in cases()}
    assert found.keys() == committed.keys()
    grown = {
        what: (committed[what]["figure"], figure, committed[what]["code"], counts.code)
        for what, (figure, counts) in found.items()
        if figure > 1.02 * committed[what]["figure"] or counts.code > 1.02 * committed[what]["code"]
    }
    assert grown == {}


def test_every_figure_asked_for_is_counted():
    keys = json.loads((HERE / "kernels.json").read_text())
    for case in [*KERNELS, *NETWORKS]:
        for key in case.must.keys() | case.stretch.keys():
            assert f"{case.name}, {key}" in keys


@pytest.mark.parametrize("board", ["uno", "megaatmega2560"])
def test_the_integer_arithmetic_links_no_float(request, tmp_path, board):
    require_board(board, request)
    program = build_firmware(board, FIRMWARE / "include/network.h", tmp_path)
    done = subprocess.run([require("avr-nm"), program], capture_output=True, text=True, check=True)
    names = {line.split()[-1] for line in done.stdout.splitlines()}
    assert any(name.startswith("run_network") for name in names)
    assert [name for name in names if any(routine in name for routine in FLOAT_ROUTINES)] == []
