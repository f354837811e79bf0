"""The command ``ebnn init``."""

from pathlib import Path

import click

from ..boards import is_board, load_board
from ..compile.estimate import check_fits
from ..compile.header import header_text, identifier
from ..firmware_sources import bundled_network
from ..platformio import bundled_project, write_project
from ..published import find_network, load
from ..show.console import command_line, make_console, print_command, print_line
from .idle_options import MODEL_OPTION_FOR_HEADER, refuses_idle
from .options import arithmetic_option, model_option, optimize_option


@click.command()
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--board", default="genuino101", show_default=True, help="What PlatformIO builds for by default, by its name."
)
@model_option("The network, by default one that reads MNIST's digits")
@arithmetic_option
@optimize_option
@refuses_idle(MODEL_OPTION_FOR_HEADER)
def init(folder: Path, board: str, model: Path | None, arithmetic: str, optimize: str) -> None:
    """Write a PlatformIO project with the firmware, a network, and a script that streams samples.

    A network that is too big for the board is refused.
    """
    known = load_board(board) if is_board(board) else None
    target = known if known is not None and known.file is not None else board
    bundled_project(known).check_board(target if isinstance(target, str) else target.name)
    if model is None:
        header, network = bundled_network()
    else:
        own = load(model)
        if known is not None and known.costs is not None:
            check_fits(own, known, arithmetic, optimize)
        name = identifier(model.stem)
        text = header_text(own, name=name, arithmetic=arithmetic, optimize=optimize, board=known)
        header, network = text.encode(), find_network(model).read_bytes()
    project = write_project(folder, target, header, network)
    console = make_console()
    print_line(console, f"{project.folder}: a project for {board}; README.md says what to do with it")
    print_command(console, "next", command_line("flash", "--board", board, "--project", folder))
