"""What the kernels and whole networks take on each core, beside their limits and other people's code.

::

    uv run python -m benchmarks.kernels                    print the tables
    uv run python -m benchmarks.kernels --only uno         of the cases whose names hold a text
    uv run python -m benchmarks.kernels --write            keep them: benchmarks/kernels.json, benchmarks/RESULTS.md

AVR programs are built by PlatformIO. A kernel is measured in a network of that one layer and the last: the time of the
layer, divided by its multiply-accumulates (MAC).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from benchmarks import counts, loops
from benchmarks.cases import CASES, Case
from benchmarks.results import Result, document
from benchmarks.untrained import build
from ebnn.errors import BuildError

HERE = Path(__file__).parent
PROCESSES = 2


def measure(case: Case) -> Result:
    """Measures one case: deterministic with the same compilers."""
    if case.kind == "loop":
        loop = loops.count_loop(case.function, case.setting.level)
        if 32 * loop.word_loads < case.macs:
            raise BuildError(
                f"the longest loop of {case.function} loads {loop.word_loads} words: too few for {case.macs} MACs"
            )
        return Result(case, loop.instructions / case.macs, loop=loop)
    assert case.network is not None
    network = build(*case.network, seed=1)
    if case.kind == "code":
        size = counts.code_size(network, case.setting)
        return Result(case, size.code, size=size)
    found = counts.count(network, case.setting, case.function)
    figure = found.layer / network.layers[0].macs if case.kind == "kernel" else found.whole
    return Result(case, figure, counts=found)


def measure_all(cases: Iterable[Case]) -> Iterator[Result]:
    """Measures cases, several at a time; the results come in their order."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        yield from pool.map(measure, cases)


def rows(results: Iterable[Result]) -> dict[str, dict[str, float]]:
    """What kernels.json holds: by the case's key the figure, and bytes of code and stack where they were counted."""
    found: dict[str, dict[str, float]] = {}
    for result in results:
        row = found[result.case.key] = {"figure": round(result.figure, 4)}
        if result.counts is not None:
            row |= {"code": result.counts.code, "stack": result.counts.stack}
    return found


@click.command()
@click.option("--only", default="", help="Measure the cases whose names hold this text.")
@click.option("--write", is_flag=True, help="Keep the counts in benchmarks/kernels.json and the tables in RESULTS.md.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the counts there.")
def main(only: str, write: bool, json_file: Path | None) -> None:
    """Count cycles and instructions of kernels and networks."""
    if only and write:
        raise click.UsageError("--write keeps the whole run: leave --only out")
    cases = [case for case in CASES if only in case.key]
    progress = Console(stderr=True)
    results = list(track(measure_all(cases), f"{len(cases)} counts", total=len(cases), console=progress))
    page = document(results)
    click.echo(page)
    text = json.dumps(rows(results), indent=1, ensure_ascii=False) + "\n"
    if json_file is not None:
        json_file.write_text(text)
    if write:
        (HERE / "kernels.json").write_text(text)
        (HERE / "RESULTS.md").write_text(page)


if __name__ == "__main__":
    main()
