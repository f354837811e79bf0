"""The command ``ebnn profile``."""

from pathlib import Path
from typing import Any

import click

from ..compile.header import identifier
from ..device import Device
from ..network_data import data_for, reading_for, samples_for
from ..profiling import memory_lines, profile_samples, random_samples
from ..published import load
from ..show.bars import stream_bar
from ..show.console import make_console, print_line, print_whole
from ..show.run_tables import profile_table
from ..simulation.network_port import network_port
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


@click.command()
@model_argument
@click.option(
    "--port",
    default="sim://host",
    show_default=True,
    help="Where the board is: /dev/ttyACM0, COM3, socket://HOST:PORT, or a simulated board.",
)
@click.option("--samples", type=click.IntRange(1, 10_000), default=5, show_default=True, help="How many are profiled.")
@dataset_option("Profile its first test samples: a name, or data of your own.  [default: random samples]")
@baud_option
@arithmetic_option
@optimize_option
@folder_option
@data_options
@json_option
@refuses_idle(FOLDER, *OWN_DATA, BUILT_HEADER, SERIAL_PORT)
def profile(
    model: Path,
    port: str,
    samples: int,
    dataset: str | None,
    baud: int,
    arithmetic: str,
    optimize: str,
    folder: Path | None,
    json_file: Path | None,
    **reading: Any,
) -> None:
    """Show where a board spends its time, layer by layer, and what it uses of its RAM.

    The board times each layer by its own clock. A pooled convolution may stop early, so its time depends on the
    sample: --dataset takes real ones. The deepest stack and the untouched RAM are since the board's reset.
    """
    network = load(model)
    if dataset is None:
        images = random_samples(network, samples)
    else:
        data = load_dataset(dataset, folder, reading_for(network, take_reading(reading)))
        images = samples_for(network, data_for(network, data), samples)
    console = make_console()
    name = identifier(model.stem)
    with network_port(network, port, name, arithmetic, optimize) as url:
        if url != port:
            print_line(console, f"compiling the firmware for {port} …")
        with Device(url, network_hash=network.hash32, network_name=name, baudrate=baud) as device:
            with stream_bar(console, "profiling", len(images)) as (done, overdue):
                device.waiting = overdue
                report = profile_samples(network, device, images, done)
            print_line(console, f"{report.network!r} on board {report.board!r} at {device.port_name}")
    print_whole(console, profile_table(report, "#" if console.options.ascii_only else "█"))
    for line in memory_lines(report):
        print_line(console, line)
    fed = "random samples; --dataset takes real ones" if dataset is None else f"the first test images of {dataset}"
    print_line(console, f"fed with       {fed}")
    write_json(json_file, {**report.values(), "port": port})
    report.check_classes()
