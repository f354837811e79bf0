"""The command ``ebnn init``."""

import shlex
from pathlib import Path

import click

from ..boards import Board, is_board, load_board
from ..compile.estimate import check_fits
from ..compile.header import header_text, identifier
from ..firmware_sources import bundled_network
from ..platformio import bundled_project, write_project
from ..published import find_network, load
from ..show.console import command_line, make_console, print_command, print_line
from ..sketches import SENSORS, check_sketch_fits, plan_sketch
from ..updatable import Updatable
from .idle_options import FOR_SKETCHES, MODEL_OPTION_FOR_HEADER, NO_SKETCH, refuses_idle
from .options import arithmetic_option, model_option, optimize_option, updatable_option


@click.command()
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--board", default="genuino101", show_default=True, help="What PlatformIO builds for by default, by its name."
)
@model_option("The network, by default one that reads MNIST's digits")
@click.option(
    "--sketch",
    type=click.Choice(SENSORS),
    help="Write a sketch that reads a sensor and prints answers, or without a --model the readings. imu: the board's "
    "own, or an MPU6050; analog: pins; serial: numbers that come in.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    help="With --sketch: readings a second.  [default: the network's, else 100]",
)
@updatable_option
@arithmetic_option
@optimize_option
@refuses_idle(MODEL_OPTION_FOR_HEADER, FOR_SKETCHES, NO_SKETCH)
def init(
    folder: Path,
    board: str,
    model: Path | None,
    sketch: str | None,
    rate: float | None,
    updatable: bool,
    arithmetic: str,
    optimize: str,
) -> None:
    """Write a PlatformIO project with the firmware, a network, and a script that streams samples.

    Or, with --sketch, a project whose program reads a sensor: with a --model it prints the network's answers by name,
    which ebnn live shows; without, what the sensor measures, which ebnn record records.

    A network that is too big for the board is refused.
    """
    known = load_board(board) if is_board(board) else None
    target = known if known is not None and known.file is not None else board
    bundled_project(known).check_board(target if isinstance(target, str) else target.name)
    if sketch is not None:
        _init_sketch(folder, target, known, model, sketch, rate, arithmetic, optimize)
        return
    if model is None:
        header, network = bundled_network()
    else:
        own = load(model)
        if known is not None and known.costs is not None:
            check_fits(own, known, arithmetic, optimize)
        name = identifier(model.stem)
        text = header_text(own, name=name, arithmetic=arithmetic, optimize=optimize, board=known)
        header, network = text.encode(), find_network(model).read_bytes()
    project = write_project(folder, target, header, network, updatable=Updatable() if updatable else None)
    console = make_console()
    print_line(console, f"{project.folder}: a project for {board}; README.md says what to do with it")
    print_command(console, "next", command_line("flash", "--board", board, "--project", folder))


def _init_sketch(
    folder: Path,
    target: str | Board,
    known: Board | None,
    model: Path | None,
    sensor: str,
    rate: float | None,
    arithmetic: str,
    optimize: str,
) -> None:
    own = None if model is None else load(model)
    name = target if isinstance(target, str) else target.name
    called = "the sketch" if model is None else str(model)
    planned = plan_sketch(sensor, name, own, rate=rate, called=called)
    header = network = None
    if own is not None and model is not None:
        if known is not None and known.costs is not None:
            check_sketch_fits(own, known, planned.sketch, arithmetic, optimize)
        text = header_text(
            own, name="network", arithmetic=arithmetic, optimize=optimize, board=known, probabilities=True
        )
        header, network = text.encode(), find_network(model).read_bytes()
    project = write_project(folder, target, header, network, planned.sketch)
    console = make_console()
    print_line(console, f"{project.folder}: a sketch for {name}; README.md says what to do with it")
    for note in planned.notes:
        print_line(console, note)
    print_line(console, f"next: platformio run -d {shlex.quote(str(folder))} -t upload")
