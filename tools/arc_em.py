"""Writes ``ebnn/boards/costs/arc-em.toml``, what the kernels take on the Arduino 101's ARC EM, from counts.

::

    uv run python -m tools.arc_em

``arc-em.json`` holds the counts: the serial firmware with each network ran on an emulated Quark SE, compiled by gcc 12
with the flags of PlatformIO's platform for the board, and every answer was the reference's. For each layer it has the
instructions of one sample, and how many of them were taken branches, loads whose result the next instruction takes,
multiplications, loads from flash and loads from RAM. The work is computed anew here, and fitted as by
`tools.costs`.

An emulator has no cycles. Their bounds come from the latencies that are plausible behind a cache for instructions: a
cycle for an instruction, one more for a multiplication or for a load whose result is taken at once, 1 to 2 more for a
taken branch, 0 to 2 for a load from flash, 0 to 1 for one from RAM.

Layers of integer sums were not counted there. They have the figures of `NEAR`, another core of 32 registers, and the
widest bounds of all kernels.
"""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.untrained import build, samples
from ebnn.compile.kernels.kernel import Work
from ebnn.compile.options import Options
from ebnn.compile.plan import plan
from ebnn.compile.target import WORDS
from ebnn.model.layers import Block, Layer
from ebnn.model.network import Network
from ebnn.model.transforms import Sign
from tools.costs import FOLDER, SAMPLES, Row, costs_text, fired, fit_flash, fit_stack, fit_time, read_costs

COUNTS = Path(__file__).with_name("arc-em.json")
# Instructions that are no longer there: these counts are of calls of memcpy for entries of two bytes in tables, each to
# look one up and to pool one. By the disassembly.
_LOOKED_UP_BY_CALL, _POOLED_BY_CALL = 51, 48
NEAR = "rv32"
_HEADER = f"""# By tools/arc_em.py, counted on an emulated Quark SE: bytes, and instructions for one of each count.
# Kernels of integer sums have the figures of {NEAR}.
# Under [cycles]: the least and the most that an instruction of a kernel takes, in cycles."""


@dataclasses.dataclass(frozen=True)
class Count:
    """What was counted of a layer, the mean of `SAMPLES` samples."""

    kernel: str
    instructions: float
    taken: float
    """Branches."""
    load_use: float
    """Loads whose result the next instruction takes."""
    multiply: float
    flash_loads: float
    ram_loads: float

    @property
    def cycles(self) -> tuple[float, float]:
        """The fewest and the most."""
        fewest = self.instructions + self.taken + self.load_use + self.multiply
        return fewest, fewest + self.taken + 2 * self.flash_loads + self.ram_loads


def case_network(case: dict[str, Any]) -> Network:
    """The network of a case. Raises ValueError where today's programs build another one."""
    geometry = case["input"], tuple(case["shape"]), case["blocks"], case["seed"], case["classes"]
    network = build(*geometry)
    if case["below"]:
        network = Network(network.input, [_every_second_below(layer) for layer in network.layers])
    if network.hash32 != case["hash32"]:
        raise ValueError(f"{case['blocks']!r}, seed {case['seed']}: another network than the one that was counted")
    return network


def _every_second_below(layer: Layer) -> Block:
    """The layer with every second output turned over, where it ends in thresholds."""
    transform = layer.transform
    if isinstance(transform, Sign):
        transform = dataclasses.replace(transform, below=np.arange(layer.outputs) % 2 == 1)
    return Block(layer.linear, layer.pool, transform)


def case_row(case: dict[str, Any]) -> Row:
    """A case as `tools.costs` has those that it measures."""
    network = case_network(case)
    fractions = fired(network, samples(network.input, SAMPLES, case["seed"]))
    counts = [Count(*layer) for layer in case["layers"]]
    how = case["arithmetic"], case["optimize"]
    steps = plan(network, Options.named(*how), WORDS).steps
    work = tuple(step.work(fraction) for step, fraction in zip(steps, fractions, strict=True))
    instructions = tuple(
        count.instructions - _calls(count.kernel, each) for count, each in zip(counts, work, strict=True)
    )
    return Row(network, *how, case["flash"], case["static"], case["stack"], instructions, work)


def _calls(kernel: str, work: Work) -> float:
    if kernel != "conv_table" or work["looked_up"] != 2 * work["positions"]:
        return 0.0
    return work["positions"] * _LOOKED_UP_BY_CALL + work["pooled"] / 2 * _POOLED_BY_CALL


def cycle_bounds(counts: Iterable[Count]) -> dict[str, tuple[float, float]]:
    """For each kernel the fewest and the most cycles of an instruction, over all that were counted."""
    of_kernel: dict[str, list[Count]] = defaultdict(list)
    for count in counts:
        of_kernel[count.kernel].append(count)
    found = {}
    for kernel, layers in sorted(of_kernel.items()):
        total = sum(layer.instructions for layer in layers)
        low, high = (sum(layer.cycles[i] for layer in layers) / total for i in (0, 1))
        found[kernel] = (low, high)
    return found


def fitted() -> tuple[str, list[str]]:
    """The text of the file of costs, and lines that say how far off the figures are."""
    cases = json.loads(COUNTS.read_text())["cases"]
    rows = [case_row(case) for case in cases]
    time, errors = fit_time(rows)
    flash, _, flash_errors = fit_flash(rows)
    bounds = cycle_bounds(Count(*layer) for case in cases for layer in case["layers"])
    widest = min(low for low, _ in bounds.values()), max(high for _, high in bounds.values())
    near = read_costs(FOLDER / "costs" / f"{NEAR}.toml")
    flash, stack = near[0] | flash, near[1] | fit_stack(rows)
    for key in near[2]:
        if key not in time:
            time[key], bounds[key[1]] = near[2][key], widest
    lines = [*costs_text(_HEADER, flash, stack, time), "", "[cycles]"]
    lines += [f"{kernel} = [{low:.3f}, {high:.3f}]" for kernel, (low, high) in bounds.items()]
    told = [
        f"time   {kernel:<16} {len(each)} layers, off by {min(each):+.1%} to {max(each):+.1%}"
        for (_, kernel), each in errors.items()
    ]
    told.append(f"flash  off by {min(flash_errors):+.1%} to {max(flash_errors):+.1%}")
    return "\n".join(lines) + "\n", told


@click.command()
def main() -> None:
    """Write the costs of the ARC EM."""
    text, told = fitted()
    (FOLDER / "costs" / "arc-em.toml").write_text(text)
    print(*told, sep="\n")


if __name__ == "__main__":
    main()
