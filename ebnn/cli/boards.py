"""The command ``ebnn boards``."""

from dataclasses import asdict
from pathlib import Path

import click

from ..boards import board_names, load_board
from ..show.console import command_line, make_console, print_command, print_line, print_whole
from ..show.network_tables import boards_table
from .options import json_option, write_json


@click.command()
@json_option
def boards(json_file: Path | None) -> None:
    """List the boards that ebnn knows: their clock, flash and RAM, and which of them can be simulated here.

    Flash is what a program has, the bootloader's share left out. A terminal of 110 columns shows their MCU too.
    """
    known = sorted(map(load_board, board_names()), key=lambda board: (board.ram_bytes or 0, board.flash_bytes or 0))
    console = make_console()
    print_whole(console, boards_table(known, console.width))
    print_command(
        console, "* can be simulated", command_line("run", "MODEL", "--dataset", "DATASET", "--port", "sim://NAME")
    )
    print_command(
        console,
        "what a network takes on one of them; on all without --board",
        command_line("info", "MODEL", "--board", "NAME"),
    )
    for board in known:
        if board.reserved_ram:
            print_line(console, f"{board.name}: {board.reserved_ram:,} B of its RAM are kept for heap and stacks")
    write_json(json_file, {"boards": [asdict(board) for board in known]})
