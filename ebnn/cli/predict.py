"""The command ``ebnn predict``."""

from __future__ import annotations

from pathlib import Path

import click

from ..classifying import asking
from ..compile.header import identifier
from ..datasets.single_pictures import read_picture
from ..published import load
from ..show.console import make_console, print_line, print_whole
from ..show.run_tables import answers_table
from .idle_options import Rule, refuses_idle
from .options import baud_option, json_option, model_argument, write_json
from .paths import InputFile

_SERIAL = Rule(
    ("baud",),
    lambda values: values["port"] is not None and "://" not in values["port"],
    "a serial port, as in --port /dev/ttyACM0",
)


@click.command()
@model_argument
@click.argument("pictures", metavar="PICTURE…", nargs=-1, required=True, type=InputFile())
@click.option(
    "--port",
    help="Ask a board: /dev/ttyACM0, COM3, socket://HOST:PORT, or a simulated one, as sim://host. [default: none; the "
    "network runs here, compiled]",
    show_default=False,
)
@click.option(
    "--top", type=click.IntRange(min=1), default=3, show_default=True, metavar="K", help="Show so many classes."
)
@click.option("--invert", is_flag=True, help="Black becomes white: for dark strokes on white paper.")
@baud_option
@json_option
@refuses_idle(_SERIAL)
def predict(
    model: Path,
    pictures: tuple[Path, ...],
    port: str | None,
    top: int,
    invert: bool,
    baud: int,
    json_file: Path | None,
) -> None:
    """Say what is on pictures: the class of each by name, the most probable ones first.

    PICTURE is a file that Pillow reads. The middle of it is taken, in the network's size, grey where the network takes
    one channel.
    """
    network = load(model)
    console = make_console()
    samples = [read_picture(path, network, invert=invert) for path in pictures]

    def building() -> None:
        print_line(console, f"compiling the firmware for {port} …")

    with asking(network, port, top, name=identifier(model.stem), baud=baud, building=building) as ask:
        found = [(str(path), ask(sample)) for path, sample in zip(pictures, samples, strict=True)]
    print_whole(console, answers_table(found))
    write_json(json_file, {"port": port, "pictures": [{"file": name, **each.values()} for name, each in found]})
