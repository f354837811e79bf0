"""The command ``ebnn flash``."""

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ..atomic import write_atomically
from ..boards import Board, is_board, load_board
from ..build_folders import temporary_folder
from ..compile.estimate import check_fits
from ..compile.header import header_text, identifier
from ..device import BAUDRATE, Device, DeviceInfo, open_port
from ..device.discovery import find_port
from ..errors import BuildError, DeviceError, PortError
from ..firmware_sources import bundled_header
from ..model.network import Network
from ..platformio import Project, bundled_project, check_upload, interrupted_by_signals, open_project, upload
from ..published import load
from ..show.console import command_line, make_console, print_command, print_line, print_output
from .idle_options import MODEL_FOR_HEADER, refuses_idle
from .options import (
    arithmetic_option,
    baud_option,
    json_option,
    optimize_option,
    optional_model_argument,
    write_json,
)

START_SECONDS = 12.0  # that a board may take after the upload: USB, bootloader, program


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
@baud_option
@arithmetic_option
@optimize_option
@json_option
@refuses_idle(MODEL_FOR_HEADER)
def flash(
    model: Path | None,
    board: str,
    port: str | None,
    folder: Path | None,
    baud: int,
    arithmetic: str,
    optimize: str,
    json_file: Path | None,
) -> None:
    """Build the firmware with PlatformIO, write it to a board, and wait until the board answers.

    With MODEL, its header becomes the project's include/network.h first; where it cannot be built, or building is
    interrupted, the header that was there comes back. A network that is too big for the board is refused.
    """
    begin = time.monotonic()
    network = None if model is None else load(model)
    known = load_board(board) if is_board(board) else None
    board = board if known is None or known.file is None else known.name
    own = find_project(folder, board)
    project = own or bundled_project(known)
    project.check_board(board)
    if board == "native":
        raise DeviceError(
            "native is this computer, there is nothing to write to: run the firmware here with ebnn run MODEL --port "
            "sim://host"
        )
    if network is not None and known is not None and known.costs is not None:
        check_fits(network, known, arithmetic, optimize)
    check_upload(project, board)
    place = check_port(board, known, port)
    console = make_console()
    name = "the network of its network.h" if model is None else str(model)
    print_line(console, f"{name} → {board} at {place}")
    with interrupted_by_signals(), placed_header(own, network, model, arithmetic, optimize, known) as header:
        target = board if known is None or known.file is None else known
        speed = None if baud == BAUDRATE else baud
        upload(
            target,
            place,
            project=own,
            header=header,
            network=name,
            baud=speed,
            show=lambda line: print_output(console, line),
        )
        expected = read_hash(header)
    print_line(console, "waiting for the board …")
    place, info = greet(board, place, known if port is None else None, expected, baud)
    print_line(
        console,
        f"{place}: board {info.board} runs network {info.network}, hash 0x{info.network_hash:08x}, "
        f"{info.arena_bytes:,} B of arena",
    )
    if model is not None:
        print_command(console, "next", f"{command_line('run', model, '--port', place)} --dataset DATASET")
    write_json(json_file, describe(info, place, time.monotonic() - begin))


def find_project(folder: Path | None, board: str) -> Project | None:
    """The project to build; None for the firmware that ebnn brings along, in a checkout too."""
    if folder is None and not Path("platformio.ini").is_file():
        return None
    project = open_project((folder or Path()).resolve())
    if project.folder == bundled_project().folder or (folder is None and board not in project.environments):
        return None
    return project


def check_port(board: str, known: Board | None, port: str | None) -> str:
    """The port, which can be opened: better found out before the build than after."""
    if port is None:
        if known is None:
            raise PortError(f"ebnn does not know the USB ids of the board {board}: name its port with --port")
        port = find_port(known)
    if "://" in port:
        raise PortError(
            f"{port} is no port that a board can be written through: name a device, as in /dev/ttyACM0 or COM3. A "
            "simulated board needs no flashing: ebnn run MODEL --port sim://BOARD"
        )
    open_port(port).close()
    return port


@contextlib.contextmanager
def placed_header(
    own: Project | None,
    network: Network | None,
    model: Path | None,
    arithmetic: str,
    optimize: str,
    board: Board | None,
) -> Iterator[Path]:
    """The header that is built: a project's network.h, with the model's in its place if there is a model.

    Unless it was built and only the board did not take it, the project gets its header back after an error.
    """
    header = bundled_header() if own is None else own.include / "network.h"
    if network is None or model is None:
        if not header.is_file():
            raise BuildError(f"{header} is missing: name a model, as in ebnn flash MODEL --board BOARD")
        yield header
        return
    name = identifier(model.stem)
    text = header_text(network, name=name, arithmetic=arithmetic, optimize=optimize, board=board).encode()
    if own is None:
        with temporary_folder() as folder:
            temporary = folder / "network.h"
            temporary.write_bytes(text)
            yield temporary
        return
    before = header.read_bytes() if header.is_file() else None
    try:
        write_atomically(header, text)
        yield header
    except DeviceError:
        raise
    except BaseException:
        if before is None:
            header.unlink(missing_ok=True)
        else:
            write_atomically(header, before)
        raise


def read_hash(header: Path) -> int | None:
    """The network's hash that a header says, its first 32 bits; None where it says none."""
    found = re.search(r"^#define \w+_HASH 0x([0-9A-Fa-f]{8})ul$", header.read_text(errors="replace"), re.MULTILINE)
    return int(found[1], 16) if found else None


def greet(
    board: str, port: str, searched: Board | None, expected: int | None, baud: int = BAUDRATE
) -> tuple[str, DeviceInfo]:
    """Waits for the board; returns its port, which may be another one now, and what it says about itself.

    ``searched`` is the board whose port was found by its USB ids; None where the port was given.
    """
    port = wait_for_port(port, searched)
    with Device(port, network_hash=expected, startup=START_SECONDS, baudrate=baud) as device:
        info = device.hello()
    if info.board != board:
        raise DeviceError(
            f"the firmware was written, but the board that answers at {port} says it is {info.board!r}, not {board!r}: "
            "choose the right --port"
        )
    return port, info


def wait_for_port(port: str, searched: Board | None) -> str:
    """The port once it is there again: a board with USB of its own leaves while it restarts."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            place = port if searched is None else find_port(searched)
            open_port(place).close()
            return place
        except PortError as error:
            if time.monotonic() > deadline:
                raise PortError(f"the firmware was written, but its port did not come back: {error}") from None
        time.sleep(0.25)


def describe(info: DeviceInfo, port: str, seconds: float) -> dict[str, Any]:
    """What the board said, as plain JSON values."""
    return {
        "board": info.board,
        "port": port,
        "network": info.network,
        "hash": f"0x{info.network_hash:08x}",
        "input_bytes": info.input_bytes,
        "arena_bytes": info.arena_bytes,
        "classes": info.classes,
        "seconds": seconds,
    }
