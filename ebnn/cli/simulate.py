"""The command ``ebnn simulate``."""

import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from ..boards import load_board
from ..build_folders import temporary_folder
from ..compile.header import identifier, write_header
from ..errors import InputError
from ..published import load
from ..show.console import make_console, print_line, status_line
from ..simulation import AvrStatistics, PluggedBoard, SimavrSimulator, plugged_in
from .idle_options import BUILT_FIRMWARE, MODEL_OPTION_FOR_HEADER, STORE, UPDATABLE_FIRMWARE, refuses_idle
from .options import (
    arithmetic_option,
    empty_option,
    key_option,
    model_option,
    optimize_option,
    updatable_from,
    updatable_option,
)
from .paths import InputFile, check_link

_LOOK_SECONDS = 0.5  # how often the board is looked at


@click.command()
@click.argument("board", metavar="BOARD")
@click.option("--program", type=InputFile(), help="An ELF file that the board runs.")
@model_option("A network, built with the firmware for the board")
@click.option("--bootloader", is_flag=True, help="With the board's bootloader, for avrdude to upload through.")
@click.option("--link", type=click.Path(path_type=Path), help="Keep a symbolic link to the port here.")
@updatable_option
@key_option("With --updatable: a push must show this key.")
@empty_option
@click.option("--store", type=click.Path(path_type=Path), help="Keep pushed networks in this file: an AVR's EEPROM.")
@arithmetic_option
@optimize_option
@refuses_idle(MODEL_OPTION_FOR_HEADER, UPDATABLE_FIRMWARE, STORE, BUILT_FIRMWARE)
def simulate(
    board: str,
    program: Path | None,
    model: Path | None,
    bootloader: bool,
    link: Path | None,
    updatable: bool,
    key_file: Path | None,
    empty: bool,
    store: Path | None,
    arithmetic: str,
    optimize: str,
) -> None:
    """Plug a simulated board in, for other programs: avrdude, a serial monitor, ebnn run --port.

    Prints the port's name and runs until Ctrl-C. An AVR board resets when the port is opened, as an Arduino does. It
    runs the firmware with the network of the project in this folder, or else ebnn's own, unless told otherwise; with
    --bootloader its flash is empty.
    """
    if program is not None and model is not None:
        raise InputError("--program and --model both say what the board runs: give one of them")
    check_link(link)
    firmware = updatable_from(updatable, key_file, empty)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        header = None
        if model is not None:
            header = stack.enter_context(temporary_folder()) / "network.h"
            name, known = identifier(model.stem), load_board(board)
            write_header(load(model), header, name=name, arithmetic=arithmetic, optimize=optimize, board=known)
        plugged = stack.enter_context(
            plugged_in(
                board,
                program=program,
                header=header,
                bootloader=bootloader,
                link=link,
                updatable=firmware,
                store=store,
            )
        )
        _stay(plugged, link)


def _stay(plugged: PluggedBoard, link: Path | None) -> None:
    console = make_console()
    name = plugged.port if link is None else f"{plugged.port}, linked as {link}"
    print_line(console, f"{plugged.board.title} at {name}; Ctrl-C unplugs it")
    sys.stdout.flush()
    with status_line(console) as update:
        while True:
            plugged.check()
            simulator = plugged.simulator
            if console.is_terminal and isinstance(simulator, SimavrSimulator):
                update(_state(simulator.statistics()))
            time.sleep(_LOOK_SECONDS)


def _state(statistics: AvrStatistics) -> str:
    return (
        f"{statistics.seconds:,.1f} s of the board's time since its reset, deepest stack "
        f"{statistics.deepest_stack_bytes} B"
    )
