"""The command ``ebnn bench``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ..compile.linux.shared_library import MAX_THREADS
from ..compile.linux.timing import PRODUCTS, QUICK_WORK, SECONDS, WORK, time_network, time_products
from ..published import find_network, load
from ..show.bars import stream_bar
from ..show.bench_tables import network_timing_line, timings_table
from ..show.console import make_console, print_line, print_whole
from .idle_options import Rule, refuses_idle
from .options import json_option, optional_model_argument, write_json

_NAMES = {"-".join(product): product for product in PRODUCTS}


@click.command()
@optional_model_argument
@click.option(
    "--threads",
    type=click.IntRange(1, MAX_THREADS),
    default=1,
    show_default=True,
    metavar="N",
    help="Threads of the compiled network, and of NumPy's BLAS.",
)
@click.option(
    "--product",
    "products",
    type=click.Choice(tuple(_NAMES)),
    metavar="PRODUCT",
    multiple=True,
    help=f"Values and weights that are multiplied, of {', '.join(_NAMES)}; may be given several times. [default: all]",
)
@click.option("--quick", is_flag=True, help="Two layers for each product instead of eight.")
@click.option(
    "--path",
    type=click.Choice(("avx512", "avx512bw", "avx2", "neon", "portable")),
    metavar="PATH",
    help="Instructions to use: avx512, avx512bw, avx2, neon or portable. [default: the fastest]",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.001, 60),
    default=SECONDS,
    show_default=True,
    metavar="S",
    help="Time each figure for so long; the fastest call counts.",
)
@json_option
@refuses_idle(Rule(("products", "quick"), lambda values: values["model"] is None, "no MODEL"))
def bench(
    model: Path | None,
    threads: int,
    products: tuple[str, ...],
    quick: bool,
    path: str | None,
    seconds: float,
    json_file: Path | None,
) -> None:
    """Time compiled layers on this computer, each beside NumPy's float32 matrix product of the same size.

    Gops are equivalent operations in a second, two for each multiply-accumulate, in 10^9; the ratio is how many times
    as fast as NumPy. With MODEL the whole network is timed: images in a second, compiled (ebnn.compile) and
    interpreted (Network.predict).
    """
    console = make_console()
    if model is not None:
        load(model)  # what is wrong with it is said here
        found = time_network(str(model), find_network(model), threads, path, seconds)
        print_line(console, network_timing_line(found))
        write_json(json_file, {"threads": threads, **asdict(found), "ratio": found.ratio})
        return
    chosen = [_NAMES[name] for name in products] or list(PRODUCTS)
    work = QUICK_WORK if quick else WORK
    timings = []
    with stream_bar(console, "timing", len(chosen) * len(work)) as (show, _):
        for timing in time_products(threads, path, chosen, work, seconds):
            timings.append(timing)
            show(len(timings))
    print_whole(console, timings_table(timings))
    print_line(console, f"{timings[0].path}, threads {threads}; NumPy's BLAS has as many")
    rows = [{**asdict(timing), "ratio": timing.ratio} for timing in timings]
    write_json(json_file, {"threads": threads, "timings": rows})
