"""Whether a layer's time jumps when a filter, a tap or a column is added: the worst ratios of neighbours, on a core.

::

    uv run python -m benchmarks.cliffs cortex-m3
    uv run python -m benchmarks.cliffs uno --only int8 --json cliffs.json

For each kernel of integer sums a layer is built with one filter (channel, column) more and more. A jump is where its
time per multiply-accumulate (MAC) grows, or where the larger layer takes less time than the smaller one; that it falls
as what a layer takes once is shared is none. A ratio of 1 is no jump. Time is in cycles on AVR, elsewhere in
instructions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.cases import AVR, QEMU, Blueprint
from benchmarks.counts import Setting, count
from benchmarks.untrained import build

FILTERS = range(4, 18)
CHANNELS = range(1, 18)
WIDTHS = range(4, 12)


@dataclass(frozen=True)
class Sweep:
    """A kernel over a range of layers that differ by one.

    Attributes:
        kernel: what is swept.
        over: what grows.
        values: how large it is.
        layer: the layer for each of them.
    """

    kernel: str
    over: str
    values: range
    layer: Callable[[int], Blueprint]


def _sweeps() -> Iterator[Sweep]:
    for kernel, kind, end in (
        ("int8 by int8", "int8", "/w8/i8"),
        ("uint8 by ±1", "uint8", "/i8"),
        ("bits by int8", "bits", "/w8/i8"),
        ("bits by ±1", "bits", "/i8"),
    ):
        yield _filters(kernel, kind, end)
        yield _channels(kernel, kind, end)
        yield _widths(kernel, kind, end)
    yield Sweep("depthwise int8", "channels", CHANNELS, lambda n: ("int8", (n, 6, 6), "g1,3,1,1/w8/i8"))
    yield Sweep("depthwise ±1", "channels", CHANNELS, lambda n: ("uint8", (n, 6, 6), "g1,3,1,1/i8"))


def _filters(kernel: str, kind: str, end: str) -> Sweep:
    return Sweep(kernel, "filters", FILTERS, lambda n: (kind, (8, 6, 6), f"c{n},3,1,1{end}"))  # type: ignore[return-value]


def _channels(kernel: str, kind: str, end: str) -> Sweep:
    return Sweep(kernel, "channels", CHANNELS, lambda n: (kind, (n, 6, 6), f"c16,3,1,1{end}"))  # type: ignore[return-value]


def _widths(kernel: str, kind: str, end: str) -> Sweep:
    return Sweep(kernel, "columns", WIDTHS, lambda n: (kind, (8, 6, n), f"c16,3,1,1{end}"))  # type: ignore[return-value]


@dataclass(frozen=True)
class Figure:
    """What a layer takes: cycles or instructions, and its MACs."""

    time: float
    macs: int

    @property
    def per_mac(self) -> float:
        return self.time / self.macs


def figures(sweep: Sweep, board: str) -> list[Figure]:
    """What each layer of a sweep takes."""
    networks = [build(*sweep.layer(value), seed=1) for value in sweep.values]
    function = "ebnn_integer" if board in AVR else ""
    return [Figure(count(network, Setting(board), function).layer, network.layers[0].macs) for network in networks]


def worst(sweep: Sweep, found: list[Figure]) -> tuple[float, int]:
    """The largest ratio of neighbours, see above, and the smaller of the two values."""
    pairs = zip(sweep.values, found, found[1:], strict=False)
    return max((max(b.per_mac / a.per_mac, a.time / b.time), value) for value, a, b in pairs)


@click.command()
@click.argument("board", type=click.Choice((*AVR, *QEMU)))
@click.option("--only", default="", help="Sweep the kernels whose names hold this text.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there.")
def main(board: str, only: str, json_file: Path | None) -> None:
    """Look for jumps in the time of layers on BOARD."""
    sweeps = [sweep for sweep in _sweeps() if only in sweep.kernel]
    table = Table("kernel", "over", "worst ratio", "between", "per MAC")
    rows = []
    for sweep in track(sweeps, f"{len(sweeps)} sweeps", console=Console(stderr=True)):
        found = figures(sweep, board)
        ratio, value = worst(sweep, found)
        per_mac = [figure.per_mac for figure in found]
        rows.append({"kernel": sweep.kernel, "over": sweep.over, "worst": ratio, "at": value, "per_mac": per_mac})
        span = f"{min(per_mac):.2f} to {max(per_mac):.2f}"
        table.add_row(sweep.kernel, sweep.over, f"{ratio:.2f}", f"{value} and {value + 1}", span)
    Console().print(table)
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
