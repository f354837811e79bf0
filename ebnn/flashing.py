"""From a network to a board that runs it: build the firmware, write it, and hear the board say so."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .atomic import write_atomically
from .boards import Board, is_board, load_board
from .build_folders import temporary_folder
from .compile.estimate import check_fits
from .compile.header import header_text
from .compile.image import image_target, needed_kernels
from .device import BAUDRATE, Device, DeviceInfo, open_port
from .device.discovery import find_port
from .errors import BuildError, DeviceError, PortError
from .firmware_sources import bundled_header
from .model.network import Network
from .platformio import Project, bundled_project, check_upload, interrupted_by_signals, is_sketch, upload
from .updatable import Updatable

START_SECONDS = 12.0  # that a board may take after the upload: USB, bootloader, program


@dataclass(frozen=True)
class Flashed:
    """A board that was written to and answers.

    Attributes:
        port: where it is now; a board with USB of its own may come back at another port.
        info: what it says about itself.
        seconds: that all of it took.
    """

    port: str
    info: DeviceInfo
    seconds: float

    def values(self) -> dict[str, Any]:
        """Returns it as plain JSON values."""
        info = self.info
        return {
            "board": info.board,
            "port": self.port,
            "network": info.network,
            "hash": f"0x{info.network_hash:08x}",
            "input_bytes": info.input_bytes,
            "arena_bytes": info.arena_bytes,
            "classes": info.classes,
            "seconds": self.seconds,
        }


def flash(
    network: Network | None,
    board: str | Board,
    port: str | None = None,
    *,
    name: str = "network",
    title: str | None = None,
    project: Project | None = None,
    arithmetic: str = "integer",
    optimize: str = "balanced",
    baud: int = BAUDRATE,
    updatable: Updatable | None = None,
    progress: Callable[[str], None] = lambda line: None,
    show: Callable[[str], None] | None = None,
) -> Flashed:
    """Builds the serial firmware with a network, writes it to a board, and waits until the board answers.

    Args:
        network: what the board shall run; None takes the header that the project has already.
        board: PlatformIO's name of it, as in platformio.ini, a user's TOML file, or the board itself.
        port: where it is plugged in, as in /dev/ttyACM0 or COM3; None finds it by its USB ids.
        name: of the network on the board, an identifier.
        title: how messages call the network; None takes its name.
        project: what is built; None is the firmware that ebnn brings along. Its include/network.h becomes the
            network's header; where that cannot be built, or building is interrupted, the one that was there comes back.
        arithmetic, optimize: see `ebnn.write_header`.
        baud: bits per second that the firmware speaks.
        updatable: how firmware that takes pushed networks is built; None leaves it to the project. A network that was
            pushed before is dropped.
        progress: told what begins, a line each time.
        show: gets PlatformIO's output as it comes.

    Raises NetworkError for a network that is too big for the board, UnknownNameError or BuildError for a board that the
    project does not have, BuildError where the firmware cannot be built, PortError where the port cannot be used, and
    DeviceError where the board does not take the firmware, or does not answer with this network.
    """
    begin = time.monotonic()
    if isinstance(board, str) and is_board(board):
        board = load_board(board)
    known, environment = (board, board.name) if isinstance(board, Board) else (None, board)
    built = project or bundled_project(known)
    built.check_board(environment)
    if environment == "native":
        raise DeviceError(
            "native is this computer, there is nothing to write to: run the firmware here with ebnn run MODEL --port "
            "sim://host"
        )
    if network is not None and known is not None and known.costs is not None:
        check_fits(network, known, arithmetic, optimize)
    if network is not None and updatable is not None:
        updatable = replace(updatable, kernels=needed_kernels(network, image_target(known), arithmetic, optimize))
    check_upload(built, environment)
    if project is not None and is_sketch(project.folder):
        raise BuildError(
            f"{project.folder} has a sketch, which answers no commands: platformio run -d {project.folder} -t upload "
            "writes it to the board"
        )
    empty = updatable is not None and updatable.empty
    place = _check_port(environment, known, port)
    called = "no network" if empty else title or ("the network of its network.h" if network is None else name)
    progress(f"{called} → {environment} at {place}")
    text = None
    if network is not None:
        text = header_text(network, name=name, arithmetic=arithmetic, optimize=optimize, board=known)
    with interrupted_by_signals(), _placed_header(project, text) as header:
        target = environment if known is None or known.file is None else known
        speed = None if baud == BAUDRATE else baud
        upload(
            target, place, project=project, header=header, network=called, baud=speed, updatable=updatable, show=show
        )
        expected = 0 if empty else read_hash(header)
    progress("waiting for the board …")
    key = None if updatable is None else updatable.key
    place, info = _greet(environment, place, known if port is None else None, expected, baud, key)
    return Flashed(place, info, time.monotonic() - begin)


def _check_port(board: str, known: Board | None, port: str | None) -> str:
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
def _placed_header(project: Project | None, text: str | None) -> Iterator[Path]:
    """The header that is built: a project's network.h, with another text in its place if there is one.

    Unless it was built and only the board did not take it, the project gets its header back after an error.
    """
    header = bundled_header() if project is None else project.include / "network.h"
    if text is None:
        if not header.is_file():
            raise BuildError(f"{header} is missing: name a model, as in ebnn flash MODEL --board BOARD")
        yield header
        return
    if project is None:
        with temporary_folder() as folder:
            temporary = folder / "network.h"
            temporary.write_bytes(text.encode())
            yield temporary
        return
    before = header.read_bytes() if header.is_file() else None
    try:
        write_atomically(header, text.encode())
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


def _greet(
    board: str, port: str, searched: Board | None, expected: int | None, baud: int = BAUDRATE, key: bytes | None = None
) -> tuple[str, DeviceInfo]:
    """Waits for the board; returns its port, which may be another one now, and what it says about itself.

    ``searched`` is the board whose port was found by its USB ids; None where the port was given.
    """
    port = _wait_for_port(port, searched)
    with Device(port, startup=START_SECONDS, baudrate=baud) as device:
        info = device.hello()
        if info.push is not None and info.push.pushed:  # it outlives an upload
            info = device.forget(key=key)
        device.expect(expected)
    if info.board != board:
        raise DeviceError(
            f"the firmware was written, but the board that answers at {port} says it is {info.board!r}, not {board!r}: "
            "choose the right --port"
        )
    return port, info


def _wait_for_port(port: str, searched: Board | None) -> str:
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
