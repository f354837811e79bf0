"""Measures what the kernels take on a core, and writes ``ebnn/boards/costs/CORE.toml`` and the boards' own shares.

::

    uv run python -m tools.costs avr
    uv run python -m tools.costs avr --mixed        of layers of integer sums only: all other figures stay

Builds the serial firmware with networks of many geometries, runs each on the simulated board of that core, asks for
its profile, and fits the time of every kernel to the counts of `ebnn.compile.kernels`, flash and stack to what the
linked programs take. Counts are exact, so the same tools give the same file. AVR is built by PlatformIO.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import click
import numpy as np
from elftools.elf.elffile import ELFFile
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from scipy.optimize import nnls

import ebnn.boards
from benchmarks.untrained import build, samples
from ebnn.boards import Board, load_board
from ebnn.boards.reading import read_toml
from ebnn.compile.estimate import has_rest
from ebnn.compile.header import flash_bytes, write_header
from ebnn.compile.kernels import KERNELS
from ebnn.compile.kernels.integer import SHARED_WORK, IntegerKernel
from ebnn.compile.kernels.kernel import Kernel, Work
from ebnn.compile.options import OPTIMIZE, Optimize, Options
from ebnn.compile.plan import Step, arena_plan, plan
from ebnn.compile.target import WORDS, Target, target_of
from ebnn.device import Device
from ebnn.errors import BuildError
from ebnn.model.kinds import InputKind
from ebnn.model.layers import Pool
from ebnn.model.network import Network
from ebnn.model.reference import activations, sums
from ebnn.model.transforms import Sign
from ebnn.simulation import board_url
from ebnn.simulation.protocol_sim import simulator_class

SAMPLES = 3  # of each network
FOLDER = Path(ebnn.boards.__file__).parent


@dataclass(frozen=True)
class Core:
    """Where a core is measured: its board, the boards whose own share can be linked here, and those whose return
    addresses take a byte less, the first one simulated."""

    board: str
    shares: tuple[str, ...]
    shallower: tuple[str, ...] = ()


_AVRS = ("uno", "nanoatmega328", "megaatmega2560", "leonardo")
CORES = {
    "avr": Core("megaatmega2560", _AVRS, ("uno", "nanoatmega328")),
    **{name: Core(name, (name,)) for name in ("cortex-m0", "cortex-m3", "cortex-m4", "rv32")},
}
Key = tuple[str, str]
"""What a figure is of: the optimization that it holds for alone, "" for all others; and the name."""

Which = tuple[InputKind, tuple[int, int, int], str]

# (input, shape, blocks): each kernel alone, then together, small and large, with and without padding and pools.
INTEGER: list[Which] = [
    ("bits", (8, 4, 4), ""),
    ("bits", (1, 28, 28), ""),
    ("bits", (32, 7, 7), ""),
    ("uint8", (1, 8, 8), ""),
    ("uint8", (1, 28, 28), ""),
    ("bits", (1, 28, 28), "d16"),
    ("bits", (16, 7, 7), "d64 d32"),
    ("bits", (3, 5, 7), "d33 d100 d7"),
    ("uint8", (1, 14, 14), "d32 d16"),
    ("int8", (3, 6, 6), "d9"),
    ("uint8", (1, 20, 20), "d50"),
    ("int8", (1, 9, 30), "d20 d20"),
    ("uint8", (3, 16, 16), "d5"),
    ("uint8", (1, 4, 4), "d64"),
    ("int8", (2, 16, 16), ""),
    ("uint8", (1, 4, 4), ""),
    ("uint8", (1, 28, 28), "c8,3,1,1,m2,2,0"),
    ("uint8", (1, 28, 28), "c10,3,2,0,m3,2,0"),
    ("uint8", (1, 16, 16), "c32,3,1,1,m2,2,0"),
    ("uint8", (1, 20, 20), "c12,5,2,2"),
    ("uint8", (3, 12, 12), "c16,3,1,0,m2,2,0"),
    ("int8", (1, 12, 20), "c24,3x5,1,1x2,m2,2,0"),
    ("uint8", (1, 10, 10), "c16,1,1,0"),
    ("uint8", (1, 9, 9), "c8,4,1,1"),
    ("uint8", (2, 10, 10), "c12,3,1,1,m2,2,0"),
    ("int8", (4, 8, 8), "c20,3,1,0"),
    ("uint8", (1, 12, 12), "c10,5,1,0,m2,2,0"),
    ("bits", (2, 10, 10), "c12,3,1,1,m2,2,0"),
    ("bits", (1, 28, 28), "c16,3,1,0"),
    ("bits", (1, 20, 20), "c8,3,2,1,m3,2,0"),
    ("bits", (1, 14, 14), "c16,3,1,1"),
    ("bits", (2, 12, 12), "c12,2,1,0"),
    ("bits", (1, 24, 16), "c10,3,1,1,m2,2,0"),
    ("bits", (4, 10, 10), "c20,3,1,0"),
    ("bits", (5, 12, 9), "c22,3,1,0"),
    ("bits", (10, 8, 8), "c13,3,1,1"),
    ("bits", (12, 12, 12), "c9,3,1,0"),
    ("bits", (18, 7, 7), "c14,3,1,1"),
    ("bits", (8, 10, 10), "c18,3,1,0"),
    ("bits", (24, 6, 6), "c11,3,1,1"),
    ("bits", (40, 6, 6), "c30,3,1,0"),
    ("bits", (16, 9, 9), "c6,5,1,2"),
    ("uint8", (1, 28, 28), "c16,3,1,1,m2,2,0"),
    ("uint8", (1, 24, 24), "c20,3,1,0"),
    ("bits", (1, 12, 12), "c8,5,1,2"),
    ("bits", (3, 9, 9), "c20,3,2,0"),
    ("bits", (40, 5, 5), "c16,3,1,1"),
    ("bits", (24, 6, 6), "c12,3,1,0,m2,2,0"),
    ("bits", (1, 28, 28), "c10,3,2,0,m3,2,0"),
    ("bits", (8, 12, 12), "c16,3,1,1,m2,2,0"),
    ("bits", (16, 8, 8), "c16,3,1,0"),
    ("bits", (32, 6, 6), "c32,3,1,1,m2,2,0"),
    ("bits", (16, 14, 14), "c32,3,1,1,m2,2,0"),
    ("bits", (5, 9, 9), "c7,3,1,1"),
    ("bits", (3, 10, 10), "c33,5,2,2,m2,1,0"),
    ("bits", (64, 4, 4), "c16,3,1,1"),
    ("bits", (18, 9, 9), "c10,3,1,1,m2,2,0"),
    ("bits", (20, 8, 8), "c4,3,1,1"),
    ("bits", (12, 8, 8), "c20,3,1,0,m2,2,0"),
    ("bits", (7, 9, 9), "c16,5,1,2"),
    ("uint8", (1, 14, 14), "c16,3,1,1,m2,2,0 c16,3,1,1 d32"),
    ("uint8", (1, 12, 12), "c8,3,1,1 c16,3,1,1,m2,2,0 c24,3,1,1,m2,2,0 d10"),
    ("bits", (1, 16, 16), "c16,3,1,1,m2,2,0 c32,3,1,1,m2,2,0 d20"),
    ("bits", (1, 20, 20), "c8,5,1,0,m2,2,0 d50 d30"),
    ("bits", (64, 5, 5), "c128,3,1,0"),
    ("bits", (32, 6, 6), "c64,3,1,0"),
    ("bits", (16, 12, 12), "c40,3,1,0"),
    ("bits", (8, 14, 14), "c24,3,1,1"),
    ("bits", (8, 9, 9), "c32,5,1,0"),
    ("bits", (24, 10, 10), "c48,3,2,0"),
    ("bits", (48, 5, 5), "c30,3,1,1"),
    ("bits", (64, 7, 7), "c17,1,1,0"),
    ("bits", (16, 7, 7), "c96,2,1,0"),
    ("bits", (32, 8, 8), "c20,5,1,2"),
    ("bits", (8, 12, 12), "c9,4,2,1"),
    ("bits", (20, 8, 8), "c64,3,1,0"),
    ("bits", (10, 12, 12), "c40,3,1,0"),
    ("bits", (12, 9, 9), "c24,3,1,1"),
    ("bits", (20, 6, 6), "c27,5,1,2"),
    ("bits", (9, 10, 10), "c14,2,1,1"),
    ("bits", (30, 5, 5), "c50,3,1,0"),
    ("bits", (16, 10, 10), "c24,3,1,0,m2,2,0"),
    ("bits", (20, 12, 12), "c64,3,1,0,m2,2,0"),
    ("bits", (12, 10, 10), "c16,3,1,0,m3,2,1"),
    ("bits", (32, 8, 8), "c48,3,1,1,m2,2,0"),
    ("uint8", (1, 20, 20), "c12,5,2,0 c24,3,1,0,m2,2,0 c40,3,1,0"),
    ("bits", (1, 20, 20), "c16,3,1,1,m2,2,0 c32,3,1,0 c32,3,1,0"),
]
# Layers of integer sums: each kernel and each end, with and without padding and pools, few filters and many.
MIXED: list[Which] = [
    ("uint8", (1, 14, 14), "c8,3,1,1,m2,2,0/w8/u8 c16,3,1,1/w8/i8 d10/w8/scores"),
    ("int8", (4, 8, 8), "c16,3,1,1/w8/i8 c6,1,1,0/w8/u8 g1,3,1,1/w8/u8 d7/w8/scores"),
    ("uint8", (3, 9, 9), "c13,3,2,0/w8/wide c8,1,1,0/w8/wide d5/w8/scores"),
    ("int8", (2, 10, 10), "c9,3,1,1,a2,2,0/w8/u8 c12,2,1,0/w8 d20/w8/i8 d4/w8/scores"),
    ("uint8", (16, 6, 6), "c32,3,1,1/w8/i8 p,a6,6,0/u8 d10/w8/scores"),
    ("uint8", (1, 20, 20), "c5,5,2,2/w8/i8 d30/w8/u8 d12/w8"),
    ("int8", (1, 12, 12), "c16,3,1,0/w8 c8,3,1,1/w8/i8 d9/w8/u8"),
    ("uint8", (1, 7, 7), "d40/w8/u8 d21/w8/i8 d10/w8/scores"),
    ("bits", (16, 6, 6), "c8,3,1,1/w8/u8 g1,3,1,1/w8/i8 p,m2,2,0/i8 d10/w8/scores"),
    ("bits", (1, 12, 12), "c12,3,1,0/w8 c8,3,1,1/w8/i8 d3/w8/scores"),
    ("bits", (5, 6, 6), "c7,3,1,1,m2,2,0/w8/wide d13/w8 d10/w8/scores"),
    ("uint8", (1, 12, 12), "c8,3,1,1/u8 c16,3,1,1,m2,2,0/i8 d10/i8 d10/w8/scores"),
    ("int8", (8, 7, 7), "c12,3,1,0/wide c5,3,1,1/u8 d18/u8"),
    ("uint8", (16, 5, 5), "c24,3,1,1,a5,5,0/u8 d8/u8 d10/w8/scores"),
    ("bits", (16, 7, 7), "c16,3,1,1/u8 c20,1,1,0/i8 d33/u8 d10/w8/scores"),
    ("bits", (8, 8, 8), "c32,3,1,0/i8 g1,3,1,1 c24,3,1,1,a2,2,0/u8 d10/w8/scores"),
    ("bits", (40, 5, 5), "c9,3,1,1/wide d30/w8 d12/i8 d10/w8/scores"),
    ("bits", (3, 9, 9), "c6,5,1,2,m3,3,0/u8 d5/i8 d10"),
    ("uint8", (8, 8, 8), "g1,3,1,1/w8/u8 g1,3,2,1/i8 g2,3,1,0/w8/wide d10/w8/scores"),
    ("int8", (3, 10, 10), "g3,3,1,1/w8/u8 g1,3,1,1,m2,2,0/u8 g1,5,1,2/w8 d10"),
    ("bits", (16, 6, 6), "g1,3,1,1/w8/i8 g1,3,1,1/i8 g1,3,1,1/u8 d10"),
    ("bits", (10, 8, 8), "g1,3,1,1,a2,2,0/u8 g2,3,1,1/u8 g1,2,1,0 d10/w8/scores"),
    ("uint8", (12, 8, 8), "p,m2,2,0/u8 p,a2,2,0/i8 p,m2,1,1/wide d10"),
    ("int8", (30, 4, 4), "p,a2,2,0/w8 p,m2,2,0/u8 d6/w8/scores"),
    ("bits", (24, 6, 6), "p,a3,3,0/u8 p,m2,2,0/u8 d10/w8/scores"),
    ("uint8", (1, 6, 6), "c9,6,1,0/w8/scores"),
    ("uint8", (8, 4, 4), "c10,1,1,0,a4,4,0/w8/scores"),
    ("bits", (8, 4, 4), "c10,1,1,0,a4,4,0/scores"),
    ("uint8", (8, 4, 4), "c6,1,1,0,a4,4,0/scores"),
    ("int8", (10, 4, 4), "g1,4,1,0/scores"),
    ("bits", (10, 4, 4), "g1,4,1,0/w8/scores"),
    ("uint8", (10, 4, 4), "p,a4,4,0/scores"),
]
CLASSES = (10, 10, 3, 8, 10, 13, 33)  # in turn
# Parts of the library that count ones: they differ where the table of ones lies in RAM.
_COUNT_ONES = frozenset(
    """ones ebnn_compare_each ebnn_compare_fours ebnn_gather_bits ebnn_gather_octets ebnn_output_bits
    ebnn_output_bits_4""".split()
)
FLOAT_INPUT: list[Which] = [
    ("float", (1, 8, 8), "c4,3,1,1,m2,2,0"),
    ("float", (1, 10, 10), "c8,3,2,0"),
    ("float", (1, 7, 7), "d12"),
    ("float", (2, 5, 5), "d7 d9"),
    ("float", (1, 8, 8), "c4,3,1,1 d8"),
    ("float", (3, 7, 6), "c6,2x3,1,1,m2,2,0"),
    ("float", (1, 16, 16), "c5,5,2,2 d9"),
    ("float", (1, 12, 12), "d20"),
    ("float", (1, 3, 3), "d30"),
    ("float", (1, 9, 9), "c12,3,1,1,m3,3,0"),
    ("float", (1, 12, 12), "c6,5,1,0"),
    ("float", (2, 8, 8), "c8,3,1,0"),
    ("float", (1, 10, 10), "c8,5,1,2"),
    ("float", (3, 6, 6), "c4,3,1,1"),
]
# In the float arithmetic.
FLOAT: list[Which] = [
    ("uint8", (1, 12, 12), "c6,3,1,1,m2,2,0"),
    ("uint8", (1, 16, 16), "c10,3,1,1,m2,2,0 c12,3,1,1,m2,2,0"),
    ("uint8", (3, 10, 10), "c5,5,1,0"),
    ("int8", (1, 9, 12), "c12,3,2,1 d10"),
    ("bits", (1, 16, 16), "c8,3,1,1,m2,2,0"),
    ("bits", (16, 8, 8), "c8,3,1,1,m2,2,0"),
    ("bits", (5, 9, 9), "c9,3,1,0 d12"),
    ("bits", (32, 6, 6), "c6,3,1,1 c5,3,1,0"),
    ("uint8", (1, 20, 20), "d24 d12"),
    ("uint8", (1, 9, 9), "d40"),
    ("int8", (2, 8, 8), "d7"),
    ("bits", (16, 7, 7), "d50 d33"),
    ("bits", (1, 28, 28), "d12"),
]


@dataclass(frozen=True)
class Row:
    """One network, built and run."""

    network: Network
    arithmetic: str
    optimize: str
    flash: int
    static: int
    stack: int
    cycles: tuple[float, ...]
    work: tuple[Work, ...]
    target: Target = WORDS

    @property
    def kernels(self) -> list[Kernel]:
        return [step.kernel for step in self._steps]

    @property
    def _steps(self) -> Sequence[Step]:
        return plan(self.network, Options.named(self.arithmetic, self.optimize), WORDS).steps

    @property
    def stacks(self) -> list[tuple[str, bool]]:
        """Whose stacks they are: names of kernels, and whether the last filters take a call more."""
        return [(step.kernel.costs, has_rest(step)) for step in self._steps]

    def of_kernel(self, kernel: Kernel) -> Key:
        """What a kernel's time is kept as."""
        return self._key(kernel.costs, counts_ones(kernel))

    def of_part(self, name: str) -> Key:
        """What the flash of a part of the library is kept as."""
        return self._key(name, name in _COUNT_ONES)

    def _key(self, name: str, with_ones: bool) -> Key:
        optimize = Optimize(self.optimize)
        return (optimize.value if with_ones and optimize.ones_in_ram else "", name)


def counts_ones(kernel: Kernel) -> bool:
    """Whether it is another one where the table of ones lies in RAM."""
    return "ones" in kernel.parts


def fired(network: Network, x: NDArray[np.generic]) -> list[float | None]:
    """For each pooled convolution the fraction of comparisons that the kernel makes on samples ``x``, exactly."""
    inputs = activations(network.layers, network.check_samples(x))
    found: list[float | None] = []
    for layer, taken in zip(network.layers, inputs, strict=False):
        found.append(None)
        if layer.pool is None or not isinstance(layer.transform, Sign):
            continue
        acc = sums(layer.linear, taken, layer.kind)
        value, below = layer.transform.value, layer.transform.below
        settled = np.where(below, acc > value, acc >= value)  # (n, map height, map width, outputs)
        made = total = 0
        for rows in _windows(layer.pool, 0, settled.shape[1]):
            for columns in _windows(layer.pool, 1, settled.shape[2]):
                open_ = np.ones((len(settled), settled.shape[3]), bool)
                for y in rows:
                    for column in columns:
                        made += int(open_.sum())
                        total += open_.size
                        open_ &= ~settled[:, y, column]
        found[-1] = made / total
    return found


def _windows(pool: Pool, axis: int, side: int) -> list[range]:
    size, stride, pad = pool.size[axis], pool.stride[axis], pool.pad[axis]
    count = (side + 2 * pad - size) // stride + 1
    return [range(max(i * stride - pad, 0), min(i * stride - pad + size, side)) for i in range(count)]


def sizes(elf: Path) -> tuple[int, int]:
    """Bytes of flash and of RAM that a linked program takes, the stack left out."""
    flash = ram = 0
    with elf.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            if not section["sh_flags"] & 2:  # SHF_ALLOC
                continue
            if section["sh_type"] != "SHT_NOBITS":
                flash += section["sh_size"]
            if section["sh_flags"] & 1 and not section["sh_flags"] & 4:  # SHF_WRITE, not SHF_EXECINSTR
                ram += 0 if section.name in (".stack", ".heap", "._user_heap_stack") else section["sh_size"]
    return flash, ram


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def measure(
    board: Board,
    network: Network,
    x: NDArray[np.generic],
    arithmetic: str = "integer",
    optimize: str = "balanced",
) -> Row:
    """Builds the firmware with the network, runs samples on the simulated board, asks for their profiles."""
    with tempfile.TemporaryDirectory(prefix="ebnn-costs-") as folder:
        header = Path(folder) / "network.h"
        write_header(network, header, name="network", arithmetic=arithmetic, optimize=optimize, board=board)
        program = simulator_class(board).build(board, header, _made(Path(folder) / "build"))
        flash, static = sizes(program)
        with Device(board_url(board.name, program=program), network_hash=network.hash32) as device:
            profiles = [device.profile(sample) for sample in network.pack_input(x)]
    stack = profiles[-1].deepest_stack_bytes
    assert stack is not None
    assert board.clock_hz is not None
    cycles = np.mean([profile.layer_us for profile in profiles], axis=0) * board.clock_hz / 1e6
    fractions = fired(network, x)
    steps = plan(network, Options.named(arithmetic, optimize), target_of(board)).steps
    work = tuple(step.work(fraction) for step, fraction in zip(steps, fractions, strict=True))
    found = tuple(map(float, cycles))
    return Row(network, arithmetic, optimize, flash, static, stack, found, work, target_of(board))


def fit_time(rows: Iterable[Row], mixed: bool = False) -> tuple[dict[Key, dict[str, float]], dict[Key, list[float]]]:
    """Cycles for one of each count, no less than 0, by least squares of the relative errors; and those errors.

    What turns outputs over is one function, and costs one figure, but for the kernels that have their own; so do what
    gathers for sums of integers, pools and ends them. ``mixed``: of the kernels of such sums only.
    """
    points = [
        (row.of_kernel(kernel), work, cycles)
        for row in rows
        for kernel, work, cycles in zip(row.kernels, row.work, row.cycles, strict=True)
        if isinstance(kernel, IntegerKernel) or not mixed
    ]
    places = sorted({_place(kernel, name) for kernel, work, _ in points for name in work})
    a = np.zeros((len(points), len(places)))
    for row, (kernel, work, _) in zip(a, points, strict=True):
        for name, count in work.items():
            row[places.index(_place(kernel, name))] = count
    y = np.array([cycles for _, _, cycles in points])
    found, _ = nnls(a / y[:, None], np.ones(len(y)))
    value = dict(zip(places, map(float, found), strict=True))
    costs: dict[Key, dict[str, float]] = defaultdict(dict)
    errors: dict[Key, list[float]] = defaultdict(list)
    for (kernel, work, _), error in sorted(zip(points, (a @ found - y) / y, strict=True), key=lambda one: one[0][0]):
        costs[kernel] |= {name: value[place] for name in work if value[place := _place(kernel, name)] > 0}
        errors[kernel].append(float(error))
    shared = {name: cost for kernel in costs for name, cost in costs[kernel].items() if name in SHARED_WORK}
    for kernel in costs:
        if not shared.keys().isdisjoint(costs[kernel]):
            costs[kernel] |= shared
    return costs, errors


def _place(kernel: Key, name: str) -> tuple[Key, str]:
    """Which figure is the cost of a count."""
    if name in SHARED_WORK:
        return ("", "ebnn_integer"), name
    shared = name == "flips" and kernel[1] not in ("conv_columns", "conv_table")
    return ("", "ebnn_apply_flips") if shared else kernel, name


_FIRMWARE: Key = ("", "firmware")


def fit_flash(
    rows: list[Row], known: Mapping[Key, float] = MappingProxyType({})
) -> tuple[dict[Key, float], float, list[float]]:
    """Bytes of each part of the library and of each layer; the firmware's share; the relative errors.

    ``known`` are those that are not to be fitted again, the firmware's share among them by `_FIRMWARE`.
    """
    counts = [
        {
            _FIRMWARE: 1,
            **{row.of_part(part): 1 for kernel in row.kernels for part in kernel.library},
            **Counter(("", f"{kernel.struct.name}_layer") for kernel in row.kernels),
        }
        for row in rows
    ]
    flash = {("", "output_layer"): 0.0} | dict(known)
    unknown = sorted({key for count in counts for key in count} - flash.keys())
    rest = np.array(
        [
            row.flash
            - flash_bytes(row.network, row.arithmetic, row.optimize, row.target)
            - sum(flash.get(key, 0.0) * number for key, number in count.items())
            for row, count in zip(rows, counts, strict=True)
        ]
    )
    a = np.array([[float(count.get(key, 0)) for key in unknown] for count in counts])
    found, _ = nnls(a, rest)
    flash |= dict(zip(unknown, map(float, found), strict=True))
    whole = np.array([row.flash for row in rows])
    return flash, flash.pop(_FIRMWARE), list((a @ found - rest) / whole)


def fit_stack(rows: list[Row]) -> dict[tuple[str, bool], int]:
    """The most that the stack took in a program in which a kernel is the deepest; no row's is deeper than its kernels'.

    By what `Row.stacks` has. A kernel's frame depends a little on what else the compiler finds in a program. Which is
    the deepest follows from the programs of the fewest kernels.
    """
    least: dict[tuple[str, bool], int] = {}
    for row in sorted(rows, key=lambda row: (len(set(row.stacks)), row.stack)):
        for name in row.stacks:
            least.setdefault(name, row.stack)
    most = dict.fromkeys(least, 0)
    for row in rows:
        deepest = max(row.stacks, key=least.__getitem__)
        most[deepest] = max(most[deepest], row.stack)
    return {name: most[name] or least[name] for name in sorted(least)}


def costs_text(
    head: str,
    flash: Mapping[Key, float],
    stack: Mapping[tuple[str, bool], int],
    time: Mapping[Key, Mapping[str, float]],
) -> list[str]:
    """The lines of a file of costs: what holds for one optimization alone is in tables of its name, behind the rest."""
    lines = [head]
    for optimize in ("", *OPTIMIZE):
        before = f"{optimize}." if optimize else ""
        sizes = [f"{name} = {value:.0f}" for (one, name), value in flash.items() if one == optimize]
        lines += ["", f"[{before}flash]", *sizes] if sizes else []
        if not optimize:
            for table, rest in (("stack", False), ("rest_stack", True)):
                depths = [f"{name} = {value}" for (name, has), value in stack.items() if has == rest]
                lines += ["", f"[{table}]", *depths] if depths else []
        for (one, kernel), costs in time.items():
            if one == optimize:
                figures = [f"{name} = {value:.4g}" for name, value in costs.items()]
                lines += ["", f"[{before}time.{kernel}]", *figures]
    return lines


@click.command()
@click.argument("core", type=click.Choice(sorted(CORES)))
@click.option("--mixed", is_flag=True, help="Measure layers of integer sums only, and keep all other figures.")
def main(core: str, mixed: bool) -> None:
    """Measure the kernels on CORE and write their costs."""
    console = Console()
    board = load_board(CORES[core].board)
    numbered = [case for case in enumerate(cases(target_of(board))) if not mixed or case[1][0] in MIXED]
    rows = [measure_case(board, *case) for case in track(numbered, f"{len(numbered)} on {board.name}", console=console)]
    write_costs(core, rows, console, mixed)


def cases(target: Target) -> list[tuple[Which, str, str]]:
    """The networks that are measured, with arithmetic and optimization; again only where another kernel runs one."""
    found: list[tuple[Which, str, str]] = []
    found += [(which, "integer", "balanced") for which in [*INTEGER, *FLOAT_INPUT]]
    found += [(which, "float", "balanced") for which in FLOAT]
    found += [(which, "integer", "balanced") for which in MIXED]
    others = ("size", "speed") if target.ones_bytes else ("size",)  # kernels by "speed" are others with that table
    for optimize in others:
        for which in [*INTEGER, *MIXED]:
            network = build(*which, seed=0)
            one, balanced = (
                plan(network, Options.named("integer", each), WORDS).steps for each in (optimize, "balanced")
            )
            layers = range(max(len(one) - 1, 1))
            ones = Optimize(optimize).ones_in_ram and any(counts_ones(one[i].kernel) for i in layers)
            if ones or any(one[i].kernel != balanced[i].kernel for i in layers):
                found.append((which, "integer", optimize))
    return found


def measure_case(board: Board, seed: int, case: tuple[Which, str, str]) -> Row:
    """One of `cases`, of random weights; in every second one some outputs are turned over."""
    which, arithmetic, optimize = case
    network = build(*which, seed, CLASSES[seed % len(CLASSES)], below=seed % 2 == 1)
    return measure(board, network, samples(network.input, SAMPLES, seed), arithmetic, optimize)


def write_costs(core: str, rows: list[Row], console: Console, mixed: bool = False) -> None:
    """Fits what was measured on a core, and writes its file and its boards' shares.

    ``mixed``: only the figures of kernels of integer sums are new.
    """
    board = load_board(CORES[core].board)
    target = target_of(board)
    path = FOLDER / "costs" / f"{core}.toml"
    time, time_errors = fit_time(rows, mixed)
    flash, stack = {}, {}
    if mixed:
        own = {kernel.costs for kernel in KERNELS if isinstance(kernel, IntegerKernel)}
        parts = {part for kernel in KERNELS if isinstance(kernel, IntegerKernel) for part in kernel.library}
        parts -= {part for kernel in KERNELS if not isinstance(kernel, IntegerKernel) for part in kernel.library}
        flash, stack, known = read_costs(path)
        flash = {key: size for key, size in flash.items() if key[1] not in (*parts, "integer_layer")}
        time = {key: costs for key, costs in known.items() if key[1] not in own} | time
        flash |= {_FIRMWARE: board.firmware_flash}
    flash, base, flash_errors = fit_flash(rows, flash)
    found = fit_stack(
        [
            replace(row, stack=row.stack - target.ones_bytes) if Optimize(row.optimize).ones_in_ram else row
            for row in rows
        ]
    )
    stack |= {key: size for key, size in found.items() if not mixed or key[0] in own}
    unit = "instructions" if board.simulator == "qemu" else "cycles"
    head = f"# By tools/costs.py on the simulated {board.name}: bytes, and {unit} for one of each count."
    lines = costs_text(head, flash, stack, time)
    path.write_text("\n".join(lines) + "\n")
    for (optimize, kernel), errors in time_errors.items():
        spread = f"off by {min(errors):+.1%} to {max(errors):+.1%}"
        console.print(f"time   {kernel:<12} {optimize} {len(errors)} layers, {spread}")
    console.print(f"flash  off by {min(flash_errors):+.1%} to {max(flash_errors):+.1%}")
    if mixed:
        return
    arenas = [arena_plan(row.network, target).arena_bytes for row in rows]
    static = [row.static - arena - 4 * row.network.classes for row, arena in zip(rows, arenas, strict=True)]
    console.print(f"RAM    {min(static)} to {max(static)} B beside arena and scores; stack {found}")
    for name in CORES[core].shares:
        _write_share(load_board(name), board, base, max(static), rows[0])
    shallower = CORES[core].shallower
    if shallower:
        less = _stack_less(load_board(shallower[0]), rows)
        for name in shallower:
            _write_figures(name, {"stack_less": less})


def read_costs(
    path: Path,
) -> tuple[dict[Key, float], dict[tuple[str, bool], int], dict[Key, dict[str, float]]]:
    """What `costs_text` wrote: flash, stacks and times."""
    tables = read_toml(path.read_text(), path.name)
    of = {"": tables, **{optimize: tables.get(optimize, {}) for optimize in OPTIMIZE}}
    flash = {(one, name): size for one, each in of.items() for name, size in each.get("flash", {}).items()}
    time = {(one, name): costs for one, each in of.items() for name, costs in each.get("time", {}).items()}
    stack = {(name, False): size for name, size in tables["stack"].items()}
    return flash, stack | {(name, True): size for name, size in tables.get("rest_stack", {}).items()}, time


def _write_share(board: Board, measured: Board, base: float, own: int, row: Row) -> None:
    """Writes what firmware and core take on a board: that of the measured one, and how much more its program takes."""
    flash, ram = base, own
    if board != measured:
        with tempfile.TemporaryDirectory(prefix="ebnn-costs-") as folder:
            header = Path(folder) / "network.h"
            write_header(row.network, header, name="network", board=board)
            kind = simulator_class(measured)
            other = sizes(kind.build(board, header, _made(Path(folder) / "build")))
        flash, ram = base + other[0] - row.flash, own + other[1] - row.static
    _write_figures(board.name, {"firmware_flash": round(flash), "firmware_ram": ram, "measured": "true"})


def _stack_less(board: Board, rows: list[Row]) -> int:
    """Bytes by which stacks are less deep on a board, at least: of each kernel the deepest program that fits there."""
    less: dict[int, int] = {}  # by the number of the row
    found = []
    for name in {name for row in rows for name in row.stacks}:
        for number in sorted((i for i, row in enumerate(rows) if name in row.stacks), key=lambda i: -rows[i].stack):
            row = rows[number]
            x = samples(row.network.input, 1, 0)
            with contextlib.suppress(BuildError):  # too large for the board
                if number not in less:
                    less[number] = row.stack - measure(board, row.network, x, row.arithmetic, row.optimize).stack
                found.append(less[number])
                break
    return min(found)


def _write_figures(name: str, figures: Mapping[str, object]) -> None:
    """Writes what was measured into a board's file."""
    path = FOLDER / f"{name}.toml"
    text = path.read_text()
    for key, value in figures.items():
        line = f"{key} = {value}"
        text, count = re.subn(rf"^{key} = .*$", line, text, flags=re.MULTILINE)
        head, table, rest = text.partition("\n[")
        text = text if count else f"{head.rstrip()}\n{line}\n{table}{rest}"
    path.write_text(text)


if __name__ == "__main__":
    main()
