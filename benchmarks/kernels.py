"""What the kernels and whole networks take on each core: exact cycles on AVR, exact instructions elsewhere.

::

    uv run python -m benchmarks.kernels                    print the table
    uv run python -m benchmarks.kernels --write            and keep it: benchmarks/kernels.json, benchmarks/RESULTS.md

A kernel is measured inside the serial firmware, in a network of that one layer and the last: the time of the layer,
divided by its multiply-accumulates (MAC). AVR programs are built by PlatformIO at -Os; a simulator counts the cycles of
the kernel's function, interrupts apart. On QEMU the boards' microseconds are instructions. Counts are the same in every
run of the same compilers.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from benchmarks.costs import sizes
from benchmarks.networks import build, samples
from ebnn.blocks import InputKind
from ebnn.boards import load_board
from ebnn.cli.console import print_whole
from ebnn.codegen import flash_bytes, write_header
from ebnn.device import Device
from ebnn.network import Network
from ebnn.simulation import SimavrSimulator, board_url
from ebnn.simulation.bare import FLAGS, build_bare

HERE = Path(__file__).parent
AVR = ("uno", "megaatmega2560")
QEMU = ("cortex-m0", "cortex-m3", "cortex-m4", "rv32")
SAMPLE = 3  # the seed of the one that is run


@dataclass(frozen=True)
class Kernel:
    """One layer to measure, with what its issue asks for: per MAC, by core and level of optimisation."""

    name: str
    function: str
    network: tuple[InputKind, tuple[int, int, int], str]
    must: dict[str, float]
    stretch: dict[str, float]


@dataclass(frozen=True)
class Whole:
    """One network to measure, with what its issue asks for: thousands of cycles or instructions."""

    name: str
    network: tuple[InputKind, tuple[int, int, int], str]
    boards: tuple[str, ...]
    must: dict[str, float]
    stretch: dict[str, float]


KERNELS = [
    Kernel(
        "dense, n=1024, 32 outputs",
        "ebnn_dense",
        ("bits", (1024, 1, 1), "d32"),
        {"uno -Os": 1.3, "cortex-m3 -O2": 0.36, "cortex-m0 -O2": 0.52, "rv32 -O2": 0.45},
        {"uno -Os": 1.0, "cortex-m3 -O2": 0.29, "cortex-m0 -O2": 0.43, "rv32 -O2": 0.37},
    ),
    Kernel(
        "conv 3×3×16, 32 filters", "ebnn_conv", ("bits", (16, 8, 8), "c32,3,1,0"), {"uno -Os": 1.5}, {"uno -Os": 1.1}
    ),
    Kernel(
        "conv 3×3×32, 32 filters",
        "ebnn_conv",
        ("bits", (32, 8, 8), "c32,3,1,0"),
        {"uno -Os": 1.5, "cortex-m3 -O2": 0.48, "cortex-m0 -O2": 0.75, "rv32 -O2": 0.60},
        {"uno -Os": 1.1, "cortex-m3 -O2": 0.38, "cortex-m0 -O2": 0.60, "rv32 -O2": 0.48},
    ),
    Kernel("conv 3×3×32, padded, pooled", "ebnn_conv", ("bits", (32, 8, 8), "c32,3,1,1,m2,2,0"), {}, {}),
    Kernel("conv 3×3×1 of pixels, 16 filters", "ebnn_conv", ("uint8", (1, 16, 16), "c16,3,1,0"), {}, {}),
    Kernel("dense of pixels, n=400, 16 outputs", "ebnn_dense", ("uint8", (1, 20, 20), "d16"), {}, {}),
]
NETWORKS = [
    Whole(
        "eBNN's binary_mnist shape",
        ("bits", (1, 28, 28), "c10,3,2,0,m3,2,0"),
        ("uno", *QEMU),
        {"uno -Os": 40, "cortex-m3 -Os": 15, "cortex-m0 -Os": 22, "rv32 -Os": 18},
        {"uno -Os": 21, "cortex-m3 -Os": 7.5, "cortex-m0 -Os": 11, "rv32 -Os": 9.3},
    ),
    Whole(
        "eBNN's simple_mnist shape, pixels",
        ("uint8", (1, 28, 28), "c10,3,2,0,m3,2,0"),
        ("megaatmega2560", *QEMU),
        {"megaatmega2560 -Os": 120, "cortex-m3 -Os": 40},
        {"megaatmega2560 -Os": 50, "cortex-m3 -Os": 18},
    ),
    Whole(
        "conv-small's shape, pixels",
        ("uint8", (1, 28, 28), "c16,3,1,1,m2,2,0 c32,3,1,1,m2,2,0"),
        ("uno", *QEMU),
        {},
        {},
    ),
]


@dataclass(frozen=True)
class Counts:
    """Of one program: cycles or instructions of the layers that were asked for, bytes of flash, RAM and stack."""

    layer: float
    whole: float
    code: int
    static: int
    stack: int


def count_avr(board: str, network: Network, functions: tuple[str, ...]) -> Counts:
    """Exact cycles: ``layer`` of all calls of ``functions``, ``whole`` of one inference."""
    with tempfile.TemporaryDirectory(prefix="ebnn-kernels-") as folder:
        header = Path(folder) / "emitted.h"
        write_header(network, header, name="network")
        program = SimavrSimulator.build(load_board(board), header, Path(folder))
        flash, static = sizes(program)
        url = f"{board_url(board, program=program)}&watch={','.join(('run_network', *functions))}"
        with Device(url, network_hash=network.hash32) as device:
            device.predict(network.pack_input(samples(network.input, 1, SAMPLE))[0])
            statistics = device.port.simulator.statistics()  # type: ignore[attr-defined]
    layer = sum(statistics.function(name).total_cycles for name in functions)
    whole = statistics.function("run_network").total_cycles
    return Counts(layer, whole, flash - flash_bytes(network), static, statistics.deepest_stack_bytes)


def count_qemu(board: str, network: Network, level: str) -> Counts:
    """Exact instructions: ``layer`` of the first layer, ``whole`` of one inference."""
    with tempfile.TemporaryDirectory(prefix="ebnn-kernels-") as folder:
        header = Path(folder) / "emitted.h"
        write_header(network, header, name="network")
        flags = [level if flag == "-Os" else flag for flag in FLAGS]
        program = build_bare(load_board(board), header, folder, flags=flags)
        flash, static = sizes(program)
        with Device(board_url(board, program=program), network_hash=network.hash32) as device:
            sample = network.pack_input(samples(network.input, 1, SAMPLE))[0]
            whole = device.predict(sample).device_us
            profile = device.profile(sample)
    stack = profile.deepest_stack_bytes
    assert stack is not None
    return Counts(profile.layer_us[0], whole, flash - flash_bytes(network), static, stack)


def cases() -> Iterator[tuple[str, str, float, float | None, float | None, Counts]]:
    """(what, board and level, figure, must, stretch, counts): per MAC for a kernel, in thousands for a network."""
    for kernel in KERNELS:
        network = build(*kernel.network, seed=1)
        macs = network.layer_macs[0]
        for board, level in [("uno", "-Os"), *((board, level) for board in QEMU for level in ("-Os", "-O2"))]:
            key = f"{board} {level}"
            found = count_avr(board, network, (kernel.function,)) if board in AVR else count_qemu(board, network, level)
            yield kernel.name, key, found.layer / macs, kernel.must.get(key), kernel.stretch.get(key), found
    for whole in NETWORKS:
        network = build(*whole.network, seed=1)
        for board in whole.boards:
            key = f"{board} -Os"
            found = count_avr(board, network, ()) if board in AVR else count_qemu(board, network, "-Os")
            yield whole.name, key, found.whole / 1000, whole.must.get(key), whole.stretch.get(key), found


@click.command()
@click.option("--write", is_flag=True, help="Keep the counts in benchmarks/kernels.json and the table in RESULTS.md.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the counts there.")
def main(write: bool, json_file: Path | None) -> None:
    """Count cycles and instructions of kernels and networks."""
    console = Console()
    table = Table("what", "core", "figure", "must", "stretch", "ratio to must", "code", "RAM + stack", box=MARKDOWN)
    rows = {}
    for name, key, figure, must, stretch, found in cases():
        ratio = "" if must is None else f"{figure / must:.2f}"
        limits = ["" if limit is None else f"{limit:g}" for limit in (must, stretch)]
        unit = "k" if name in {whole.name for whole in NETWORKS} else ""
        memory = f"{found.static:,} + {found.stack:,} B"
        table.add_row(name, key, f"{figure:,.2f}{unit}", *limits, ratio, f"{found.code:,} B", memory)
        rows[f"{name}, {key}"] = {"figure": round(figure, 4), "code": found.code, "stack": found.stack}
    print_whole(console, table)
    text = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    if json_file is not None:
        json_file.write_text(text)
    if write:
        (HERE / "kernels.json").write_text(text)
        (HERE / "RESULTS.md").write_text(_document(table))


def _document(table: Table) -> str:
    plain = Console(width=400, record=True, file=io.StringIO())
    plain.print(table)
    lines = [line.rstrip() for line in plain.export_text().splitlines() if line.strip()]
    return "\n".join([(__doc__ or "").splitlines()[0], "", *lines, ""])


if __name__ == "__main__":
    main()
