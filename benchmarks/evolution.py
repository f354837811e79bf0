"""Speed of evolution: networks times samples a second, in machine code, by NumPy's products, and in a plain NumPy loop.

::

    uv run python -m benchmarks.evolution
    uv run python -m benchmarks.evolution --seconds 5 --threads 1 --json speed.json

The plain loop is what one writes first: for each network and each sample, the mismatches of every output are counted
with ``!=``. It takes layers of bits that are dense. By products the samples of a network are one matrix, as
``Network.scores`` has it. All give the same scores. The fastest of some rounds counts, for others may be busy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from ebnn.atomic import write_json
from ebnn.model.network import Network
from ebnn.model.transforms import Scores, Sign
from ebnn.training.evolution import EvolutionConfig, Scorer, first_genes
from ebnn.training.genes import GenePlan, Genes
from ebnn.training.labelled_samples import Samples
from ebnn.training.untrained import draw_network

NETWORKS = 8
"""That are run in turns."""
CASES: tuple[tuple[str, tuple[int, int, int], int, int], ...] = (
    ("d800", (1, 28, 28), 2, 600),
    ("d128", (1, 28, 28), 10, 600),
    ("d100-d100", (1, 28, 28), 10, 600),
    ("d16", (1, 8, 8), 10, 1347),
)
"""Architecture, shape, classes, samples: ZeroOne's network first."""


@dataclass(frozen=True)
class Speed:
    """Networks times samples a second."""

    architecture: str
    macs: int
    samples: int
    compiled: float
    products: float
    plain: float


def plain_scores(network: Network, samples: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The scores of dense layers of bits, (n, classes), sample by sample."""
    scores = []
    for sample in samples.astype(bool):
        values = sample.transpose(1, 2, 0).ravel()
        for layer in network.layers:
            weights = layer.weights.reshape(layer.outputs, -1)
            sums = values.size - 2 * (weights != values).sum(axis=1)
            transform = layer.transform
            if isinstance(transform, Sign):
                values = np.where(transform.below, sums <= transform.value, sums >= transform.value)
            else:
                assert isinstance(transform, Scores)
                scores.append(sums * transform.multiplier + transform.offset)
    return np.array(scores)


def rate(score: Callable[[int], Any], samples: int, seconds: float) -> float:
    """Networks times samples a second, of the fastest of the calls that take so many seconds."""
    best, end, turn = float("inf"), time.perf_counter() + seconds, 0
    while turn < 2 or time.perf_counter() < end:
        started = time.perf_counter()
        score(turn % NETWORKS)
        best = min(best, time.perf_counter() - started)
        turn += 1
    return samples / best


def population(architecture: str, shape: tuple[int, int, int], classes: int) -> tuple[GenePlan, Genes]:
    """Some random networks of an architecture."""
    plan = GenePlan(draw_network(architecture, shape, classes, "bits"))
    return plan, first_genes(plan, EvolutionConfig(population=NETWORKS, elite=1), fresh=True)


def measure(
    architecture: str, shape: tuple[int, int, int], classes: int, samples: int, seconds: float, threads: int
) -> Speed:
    """Times a case in all three ways."""
    plan, genes = population(architecture, shape, classes)
    images = (np.random.default_rng(0).random((samples, *shape)) < 0.2).astype(np.uint8)
    given = Samples(images, np.zeros(samples, np.int32), "bits")
    compiled, products = Scorer(plan, threads).on(given), Scorer(plan, compiled=False).on(given)
    networks = [plan.to_network(genes, i) for i in range(NETWORKS)]
    few = images[:20]
    return Speed(
        architecture,
        plan.network.macs,
        samples,
        rate(lambda i: compiled(genes, i), samples, seconds),
        rate(lambda i: products(genes, i), samples, seconds),
        rate(lambda i: plain_scores(networks[i], few), len(few), seconds),
    )


def table(speeds: Sequence[Speed]) -> Table:
    """A row for each case."""
    found = Table(box=MARKDOWN)
    for name in ("network", "MACs", "samples", "machine code", "products", "plain loop", "times the plain loop"):
        found.add_column(name, justify="left" if name == "network" else "right")
    for one in speeds:
        found.add_row(
            one.architecture,
            f"{one.macs:,}",
            f"{one.samples:,}",
            *(f"{each:,.0f}" for each in (one.compiled, one.products, one.plain)),
            f"{one.compiled / one.plain:,.0f}",
        )
    return found


@click.command(context_settings={"show_default": True})
@click.option("--seconds", type=click.FloatRange(0.01), default=2.0, help="Of each figure.")
@click.option("--threads", type=click.IntRange(1, 64), default=1, help="Of the machine code.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Also write the figures.")
def main(seconds: float, threads: int, json_file: Path | None) -> None:
    """Times evolution's networks, in networks times samples a second."""
    speeds = [measure(*case, seconds, threads) for case in CASES]
    Console(width=120).print(table(speeds))
    if json_file is not None:
        write_json(json_file, {"threads": threads, "speeds": [asdict(one) for one in speeds]})


if __name__ == "__main__":
    main()
