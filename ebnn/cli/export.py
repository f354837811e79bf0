"""The command ``ebnn export``."""

from pathlib import Path

import click

from ..atomic import write_atomically
from ..boards import load_board
from ..compile.estimate import check_fits
from ..compile.file_names import check_header_name
from ..compile.header import MAX_SELF_TEST, header_text, identifier
from ..firmware_sources import firmware_folder
from ..published import load
from ..show.console import make_console, print_line, print_whole
from ..show.network_tables import estimate_table
from .options import arithmetic_option, board_option, model_argument, optimize_option
from .paths import OutputFile


@click.command()
@model_argument
@click.option(
    "-o",
    "--output",
    type=OutputFile("C header of ebnn's"),
    default=Path("network.h"),
    show_default=True,
    help="The header to write.",
)
@click.option("--name", help="Starts every name in the header. [default: the header's file name]")
@board_option
@arithmetic_option
@optimize_option
@click.option(
    "--self-test",
    type=click.IntRange(0, MAX_SELF_TEST),
    default=0,
    metavar="N",
    help="Bring N samples with their scores, and NAME_self_test_in(arena), which returns how many scores are wrong.",
)
def export(
    model: Path, output: Path, name: str | None, board: str | None, arithmetic: str, optimize: str, self_test: int
) -> None:
    """Emit a trained network as a C header.

    The header needs the library in firmware/lib/ebnn and nothing else: include it, call NAME_predict(input). Weights
    stay in flash. Put it at firmware/own/network.h to build the serial firmware with it. With --board, a network
    that is too big for the board is refused.
    """
    check_header_name(output)
    network = load(model)
    found = check_fits(network, load_board(board), arithmetic, optimize) if board else None
    name = identifier(output.stem) if name is None else name
    text = header_text(network, name=name, arithmetic=arithmetic, optimize=optimize, self_test=self_test)
    write_atomically(output, text.encode())
    console = make_console()
    print_line(
        console,
        f"{output}: {arithmetic} arithmetic, weights {network.weight_bytes:,} B, arena {network.arena_bytes:,} B",
    )
    if found is not None:
        print_whole(console, estimate_table(network, found))
    print_line(
        console, f"include it and call {name}_predict(input); the library is in {firmware_folder() / 'lib/ebnn'}"
    )
