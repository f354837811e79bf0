"""What a network takes on each board: flash, RAM and stack of the linked program, time for a sample.

::

    uv run python -m benchmarks.boards mnist-uno --dataset mnist

Simulated boards run the firmware and count; for the others that PlatformIO can build here flash and variables are the
linked program's, and the time is the estimate of ``ebnn info``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import numpy as np
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from benchmarks.dataset_option import DatasetName
from benchmarks.untrained import samples
from ebnn import datasets, load
from ebnn.boards import Board, board_names, load_board
from ebnn.compile.estimate import estimate
from ebnn.compile.header import write_header
from ebnn.errors import BuildError
from ebnn.model.network import Network
from ebnn.platformio import build_firmware
from ebnn.report import estimate_text, time_text
from ebnn.show.console import print_whole
from tools.costs import SAMPLES, Row, measure, sizes

BUILT = ("genuino101", "leonardo")  # without a simulator


@click.command()
@click.argument("model", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--dataset", type=DatasetName(), help="Whose test images are run. [default: random samples]")
@click.option("--board", "only", multiple=True, help="Measure on this one only; may be repeated.")
@click.option("--samples", "count", type=click.IntRange(min=1), default=SAMPLES, show_default=True)
def main(model: Path, dataset: str | None, only: tuple[str, ...], count: int) -> None:
    """Measure the network MODEL on simulated boards."""
    network = load(model)
    x: np.ndarray = samples(network.input, count, 0)
    if dataset is not None:
        data = datasets.load(dataset)
        x = datasets.convert(data.test_images[:count], data.kind, network.input.kind)
    table = Table("board", "flash", "RAM: variables + stack", "a sample", "at the clock", "how", box=MARKDOWN)
    console = Console()
    for name in only or board_names():
        board = load_board(name)
        if board.simulator not in (None, "host"):
            table.add_row(name, *_simulated(board, measure(board, network, x)))
        elif name in BUILT:
            table.add_row(name, *_built(board, network))
    print_whole(console, table)


def _simulated(board: Board, row: Row) -> list[str]:
    count = sum(row.cycles)
    if board.simulator == "simavr":
        assert board.clock_hz is not None
        work, at_clock = f"{count:,.0f} cycles", time_text(count / board.clock_hz * 1e6)
    else:
        work, at_clock = f"{count:,.0f} instructions", ""
    return [f"{row.flash:,} B", f"{row.static:,} + {row.stack:,} B", work, at_clock, "simulated"]


def _built(board: Board, network: Network) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="ebnn-boards-") as folder:
        header = Path(folder) / "network.h"
        write_header(network, header, board=board)
        try:
            flash, static = sizes(build_firmware(board.name, header, folder))
        except BuildError as error:
            return ["", "", "", "", str(error).splitlines()[0]]
    found = estimate(network, board)
    return [f"{flash:,} B", f"{static:,} B +", "", estimate_text(found), "linked; time estimated"]


if __name__ == "__main__":
    main()
