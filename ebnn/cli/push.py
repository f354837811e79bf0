"""The command ``ebnn push``."""

from pathlib import Path

import click

from ..device import DeviceInfo
from ..device.serial_port import short_name
from ..errors import InputError
from ..published import load
from ..pushing import Pushed
from ..pushing import forget as forget_network
from ..pushing import push as push_network
from ..show.bars import push_bar
from ..show.console import PlainConsole, command_line, make_console, print_command, print_line
from ..simulation.protocol_sim import parse_url, simulator_class
from ..updatable import read_key
from .idle_options import SERIAL_PORT, WITH_NETWORK, refuses_idle
from .options import (
    arithmetic_option,
    baud_option,
    json_option,
    key_option,
    optimize_option,
    optional_model_argument,
    write_json,
)


@click.command()
@optional_model_argument
@click.option(
    "--port",
    required=True,
    help="Where the board is: /dev/ttyACM0, COM3, socket://HOST:PORT, or a simulated board, "
    "sim://uno?updatable=1; with &store=FILE it keeps what it got.",
)
@key_option("Needed where the board was flashed with a key: the same file.")
@click.option(
    "--forget", is_flag=True, help="Without MODEL: drop the pushed network; the firmware's own answers again."
)
@baud_option
@arithmetic_option
@optimize_option
@json_option
@refuses_idle(WITH_NETWORK, SERIAL_PORT)
def push(
    model: Path | None,
    port: str,
    key_file: Path | None,
    forget: bool,
    baud: int,
    arithmetic: str,
    optimize: str,
    json_file: Path | None,
) -> None:
    """Send a network to a board that keeps its firmware, in seconds.

    The board must have been flashed once with --updatable. It answers with the network from then on, after a reset too
    where it has memory for that: an Uno keeps 1,024 bytes, a Mega 4,096. What the line loses or damages is sent
    again; whatever happens, the board has a whole network or none, and says which.
    """
    if model is not None and forget:
        raise InputError("--forget drops the network that was pushed and takes no MODEL: leave one of them out")
    if model is None and not forget:
        raise InputError("name a MODEL to push, or --forget to drop the one that was pushed")
    key = None if key_file is None else read_key(key_file)
    console = make_console()
    if model is None:
        _say_building(console, port)
        info = forget_network(port, key=key, baud=baud)
        print_line(console, f"{port}: board {info.board} {_runs(info)}")
        write_json(json_file, {"board": info.board, "port": port, "hash": f"0x{info.network_hash:08x}"})
        return
    network = load(model)
    _say_building(console, port)
    with push_bar(console) as (progress, overdue):
        pushed = push_network(
            network,
            port,
            title=model.stem,
            key=key,
            arithmetic=arithmetic,
            optimize=optimize,
            baud=baud,
            progress=progress,
            overdue=overdue,
        )
    info = pushed.info
    print_line(
        console,
        f"{port}: board {info.board} {_runs(info)}, {pushed.image_bytes:,} B pushed in {pushed.seconds:.1f} s; "
        f"{_until(pushed)}",
    )
    _hint(console, model, port)
    write_json(json_file, pushed.values())


def _runs(info: DeviceInfo) -> str:
    if not info.classes:
        return "has no network"
    return f"runs network {info.network}, hash 0x{info.network_hash:08x}, {info.arena_bytes:,} B of arena"


def _say_building(console: PlainConsole, port: str) -> None:
    if port.startswith("sim://") and parse_url(port).program is None:
        print_line(console, f"compiling the firmware for {short_name(port)} …")


def _until(pushed: Pushed) -> str:
    if pushed.kept:
        return "it stays when the power goes"
    if not pushed.port.startswith("sim://"):
        return "it is gone after a reset"
    asked = parse_url(pushed.port)
    if "store" in asked.options or "store" not in simulator_class(asked.board).OPTIONS:
        return "it is gone now, with the simulated board"
    return "it is gone now, with the simulated board: one with store=FILE in its URL keeps it"


def _hint(console: PlainConsole, model: Path, port: str) -> None:
    if not port.startswith("sim://"):
        print_command(console, "next", f"{command_line('run', model, '--port', port)} --dataset DATASET")
