"""The command ``ebnn flash``."""

from pathlib import Path

import click

from ..boards import is_board, load_board
from ..compile.header import identifier
from ..device import DeviceInfo
from ..errors import InputError
from ..flashing import flash as flash_board
from ..platformio import find_project
from ..published import load
from ..show.console import command_line, make_console, print_command, print_line, print_output
from .idle_options import UPDATABLE_FIRMWARE, WITH_NETWORK, refuses_idle
from .options import (
    arithmetic_option,
    baud_option,
    empty_option,
    json_option,
    key_option,
    optimize_option,
    optional_model_argument,
    updatable_from,
    updatable_option,
    write_json,
)


@click.command()
@optional_model_argument
@click.option(
    "--board",
    required=True,
    metavar="BOARD",
    help="PlatformIO's name of it, as in platformio.ini, or a file of your own.",
)
@click.option("--port", help="Where it is plugged in: /dev/ttyACM0, COM3. [default: found by its USB ids]")
@click.option(
    "--project",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder with a platformio.ini. [default: this folder if it has this board, else the firmware in ebnn]",
)
@updatable_option
@key_option("With --updatable: a push must show this key, the file's SHA-256.")
@empty_option
@baud_option
@arithmetic_option
@optimize_option
@json_option
@refuses_idle(WITH_NETWORK, UPDATABLE_FIRMWARE)
def flash(
    model: Path | None,
    board: str,
    port: str | None,
    folder: Path | None,
    updatable: bool,
    key_file: Path | None,
    empty: bool,
    baud: int,
    arithmetic: str,
    optimize: str,
    json_file: Path | None,
) -> None:
    """Build the firmware with PlatformIO, write it to a board, and wait until the board answers.

    With MODEL, its header becomes the project's include/network.h first; where it cannot be built, or building is
    interrupted, the header that was there comes back. A network that is too big for the board is refused.

    Firmware that is built --updatable takes other networks from ebnn push.
    """
    if empty and model is not None:
        raise InputError("--empty is firmware without a network: leave MODEL out, or --empty")
    firmware = updatable_from(updatable, key_file, empty)
    network = None if model is None else load(model)
    known = load_board(board) if is_board(board) else None
    name = board if known is None or known.file is None else known.name
    console = make_console()
    flashed = flash_board(
        network,
        board if known is None else known,
        port,
        name="network" if model is None else identifier(model.stem),
        title=None if model is None else str(model),
        project=find_project(folder, name),
        arithmetic=arithmetic,
        optimize=optimize,
        baud=baud,
        updatable=firmware,
        progress=lambda line: print_line(console, line),
        show=lambda text: print_output(console, text),
    )
    info = flashed.info
    print_line(
        console,
        f"{flashed.port}: board {info.board} {_runs(info)}",
    )
    if info.push is not None:
        print_line(
            console,
            f"it takes networks of up to {info.push.room_bytes:,} B, their RAM included; images of up to "
            f"{info.push.store_bytes:,} B stay when the power goes",
        )
        print_command(console, "next", command_line("push", "MODEL", "--port", flashed.port))
    elif model is not None:
        print_command(console, "next", f"{command_line('run', model, '--port', flashed.port)} --dataset DATASET")
    write_json(json_file, flashed.values())


def _runs(info: DeviceInfo) -> str:
    if not info.classes:
        return "has no network yet"
    return f"runs network {info.network}, hash 0x{info.network_hash:08x}, {info.arena_bytes:,} B of arena"
