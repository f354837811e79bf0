"""The command ``ebnn record``."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from ..device.motion import THRESHOLD
from ..device.recording import Plan, Start, record_port
from ..device.recording_files import RecordingFolder
from ..device.sensor import WAIT_SECONDS, SensorPort
from ..show.console import command_line, make_console, print_command, print_line
from ..show.keys import pressed_keys
from ..show.recording_view import RecordingView
from .idle_options import SERIAL_PORT, Rule, refuses_idle
from .options import json_option, sensor_options, write_json

MOTION = Rule(("threshold",), lambda values: values["start"] == "motion", "--start motion")


@click.command()
@click.option(
    "--port", required=True, help="Where the board is: /dev/ttyACM0, COM3, socket://HOST:PORT, or a simulated board."
)
@click.option("--label", required=True, help="What is recorded, as in wave: the folder of its class.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("recordings"),
    show_default=True,
    help="The folder of all classes, for ebnn train --data.",
)
@click.option(
    "--start",
    type=click.Choice(["key", "motion", "now"]),
    help="What begins a recording.  [default: key on a terminal, else now]",
)
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="Length of each recording.")
@click.option("--count", type=click.IntRange(min=1), help="How many recordings.  [default: until Ctrl-C]")
@click.option(
    "--threshold",
    type=click.FloatRange(min=1, min_open=True),
    default=THRESHOLD,
    show_default=True,
    help="Motion that begins a recording: how many times as much as at rest the numbers change.",
)
@sensor_options("first numbers", WAIT_SECONDS)
@json_option
@refuses_idle(SERIAL_PORT, MOTION)
def record(
    port: str,
    label: str,
    out: Path,
    start: Start | None,
    seconds: float | None,
    count: int | None,
    threshold: float,
    rate: float | None,
    baud: int | None,
    wait: float,
    json_file: Path | None,
) -> None:
    """Record what a board's sensor measures, as CSV files to train a network with.

    The board prints a line for each sample: numbers separated by commas, tabs, semicolons or spaces, with names or
    without, as most sketches and Edge Impulse's data forwarder do. Where it prints blank lines between captures, each
    is a recording. Without --seconds a recording ends by a key, by rest after the motion, or where the board's capture
    does. Ctrl-C and a lost board keep all samples that came.
    """
    console = make_console()
    begins: Start = start or ("key" if sys.stdin.isatty() and console.is_terminal else "now")
    folder = RecordingFolder(out, label)
    try:
        with pressed_keys() as keys, RecordingView(console, keys) as view:
            options = {"baudrate": baud, "rate": rate, "known_rates": folder.rates(), "wait": wait, "say": view.say}
            with SensorPort(port, **options) as board:  # type: ignore[arg-type]
                recordings = record_port(
                    board, folder, Plan(begins, seconds, count, threshold), watch=view, begun=view.begin
                )
                unreadable, example = board.unreadable, board.unreadable_example
                found = board.found
    finally:
        folder.close()
    if unreadable:
        print_line(console, f"{unreadable:,} lines were torn or held no numbers, as {example!r}: they are left out")
    print_line(console, f"{len(recordings)} recordings, {sum(one.samples for one in recordings):,} samples of {label}")
    if recordings:
        print_command(console, "record the other classes, then train", command_line("train", "--data", out))
    write_json(
        json_file,
        {
            "label": label,
            "port": port,
            "baud": board.baudrate,
            "channels": [] if found is None else list(found.channels),
            "rate": None if found is None else found.rate,
            "recordings": [{**asdict(one), "path": str(one.path)} for one in recordings],
            "unreadable_lines": unreadable,
        },
    )
