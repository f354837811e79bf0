"""The command ``ebnn run``."""

from pathlib import Path
from typing import Any

import click

from ..compile.header import identifier
from ..device import BAUDRATE
from ..errors import InputError
from ..model.network import Network
from ..network_data import counts_classes, data_for, reading_for, samples_for
from ..published import load
from ..report import RunReport
from ..show.bars import stream_bar
from ..show.console import PlainConsole, make_console, print_line, print_whole
from ..show.run_tables import confusion_table, run_table
from ..streaming import InterruptedRunError, simulated_us, stream_port
from .data_options import data_options, take_reading
from .idle_options import BUILT_HEADER, FOLDER, OWN_DATA, SERIAL_PORT, refuses_idle
from .options import (
    arithmetic_option,
    baud_option,
    dataset_option,
    folder_option,
    json_option,
    load_dataset,
    model_argument,
    optimize_option,
    write_json,
)

UNASKED_SECONDS = 60.0  # of a simulated board's time, unless more is asked for


@click.command()
@model_argument
@click.option(
    "--port",
    default="sim://host",
    show_default=True,
    help="Where the board is: /dev/ttyACM0, COM3, socket://HOST:PORT, or a simulated board.",
)
@dataset_option("Whose test samples are streamed: a name, or data of your own.", required=True)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Stream the first so many only. [default: all; of a slow simulated board, what takes it a minute]",
)
@click.option(
    "--top",
    type=click.IntRange(min=2),
    metavar="K",
    help="Also count samples whose label is among the first K classes.",
)
@baud_option
@arithmetic_option
@optimize_option
@folder_option
@data_options
@json_option
@refuses_idle(FOLDER, *OWN_DATA, BUILT_HEADER, SERIAL_PORT)
def run(
    model: Path,
    port: str,
    dataset: str,
    limit: int | None,
    top: int | None,
    baud: int,
    arithmetic: str,
    optimize: str,
    folder: Path | None,
    json_file: Path | None,
    **reading: Any,
) -> None:
    """Stream test images to a board and compare every answer with the reference, bit for bit.

    sim://host compiles the firmware with this network for this computer (needs a C compiler) and talks to it through a
    real serial port; sim://uno and the other simulated boards of "ebnn boards" run it as that board would. On a real
    board, flash the same network first; another one is refused. Samples of a network with an encoder go to the board
    raw, which encodes them. --arithmetic is for simulated boards; a real one has
    what it was flashed with.
    """
    network = load(model)
    network.require_classes()
    if top is not None and top >= network.classes:
        raise InputError(f"--top {top} of {network.classes} classes: give a number from 2 to {network.classes - 1}")
    data = load_dataset(dataset, folder, reading_for(network, take_reading(reading)))
    data = data_for(network, data)
    console = make_console()
    if limit is None:
        limit = affordable(console, network, port, arithmetic, optimize, len(data.test_labels))
    raw = network.encoder is not None
    images = data.test_images[:limit] if raw else samples_for(network, data, limit)
    if data.kind == "bits" != network.input.kind:
        print_line(
            console, f"note: {data.name} has bits, this network takes {network.input.kind}: it may expect others"
        )
    if counts_classes(network, data):
        print_line(
            console,
            f"note: {data.name} numbers its classes, this network's have names: {data.class_names[0]} is taken for "
            f"{network.meta.class_names[0]}, and so on; were they trained on the same data?",
        )
    name = identifier(model.stem)
    report = stream_with_bar(
        console, network, port, name, arithmetic, optimize, images, data.test_labels[:limit], json_file, baud, raw
    )
    show(console, report, port, data.class_names, top)
    report.check_exact()


def affordable(
    console: PlainConsole, network: Network, port: str, arithmetic: str, optimize: str, samples: int
) -> int | None:
    """How many of the samples are streamed unasked; None for all. A simulated board that is slow gets a minute's."""
    us = simulated_us(network, port, arithmetic, optimize)
    some = samples if us is None else max(1, int(UNASKED_SECONDS * 1e6 / us))
    if us is None or some >= samples:
        return None
    print_line(
        console,
        f"note: {samples:,} samples would take about {us * samples / 60e6:.0f} minutes of the board's time, and about "
        f"as long here: the first {some:,} are streamed; --limit {samples} takes all",
    )
    return some


def stream_with_bar(
    console: PlainConsole,
    network: Network,
    port: str,
    name: str,
    arithmetic: str,
    optimize: str,
    images: Any,
    labels: Any,
    json_file: Path | None,
    baud: int = BAUDRATE,
    raw: bool = False,
    **more: Any,
) -> RunReport:
    """Streams the images with a progress bar and writes the results, also of a run that ends early."""
    try:
        with stream_bar(console, "streaming", len(images)) as (done, overdue):
            report = stream_port(
                network,
                port,
                images,
                labels,
                name=name,
                arithmetic=arithmetic,
                optimize=optimize,
                baud=baud,
                progress=done,
                overdue=overdue,
                building=lambda: print_line(console, f"compiling the firmware for {port} …"),
                raw=raw,
            )
    except InterruptedRunError as error:
        if error.report.samples:
            write_json(json_file, {**error.report.values(), "port": port, "error": str(error), **more})
            show(console, error.report, port)
        raise
    write_json(json_file, {**report.values(), "port": port, **more})
    return report


def show(
    console: PlainConsole, report: RunReport, port: str, names: tuple[str, ...] = (), top: int | None = None
) -> None:
    """Prints the report of a run at a port, with the accuracy among the ``top`` classes where that is asked for."""
    print_whole(console, confusion_table(report, names))
    print_whole(console, run_table(report, port.startswith("sim://"), top))
