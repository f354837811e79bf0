"""Writing the firmware to a board with PlatformIO."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ebnn.boards import Board
from ebnn.build_folders import temporary_folder
from ebnn.errors import BuildError, DeviceError, PortError
from ebnn.firmware_sources import bundled_header
from ebnn.updatable import Updatable

from .availability import check_platform, check_upload, core_variables
from .build import build_variables, known_board, prepared_workspace, with_build_flags
from .project import Project, bundled_project, check_path
from .running import Outcome, build_error, run_platformio

_QUOTED_LINES = 12  # of a program that failed for a reason of its own


class InterruptedUploadError(DeviceError):
    """Ctrl-C while the board was written."""


def upload(
    board: str | Board,
    port: str,
    *,
    project: Project | None = None,
    header: str | os.PathLike[str] | None = None,
    network: str = "the network",
    baud: int | None = None,
    updatable: Updatable | None = None,
    show: Callable[[str], None] | None = None,
) -> None:
    """Builds a project for a board and writes it through a serial port.

    Args:
        board: an environment of the project, or a user's board.
        port: a device name, as in /dev/ttyACM0 or COM3.
        project: what is built in its own folder; None is the firmware that ebnn brings along, built in ebnn's cache.
        header: the network.h to build that firmware with; None takes `ebnn.firmware_sources.bundled_header`.
        network: how messages call the network.
        baud: bits per second that the firmware shall speak; None leaves it to the project, whose firmware has 115,200.
        updatable: how firmware that takes pushed networks is built; None leaves it to the project.
        show: gets PlatformIO's output, line by line as it comes.

    Raises `ebnn.errors.BuildError` if it cannot be built or is too big, `ebnn.errors.PortError` if the port cannot be
    used, and `ebnn.errors.DeviceError` if the board does not take it, or if writing was interrupted.
    """
    own = board if isinstance(board, Board) else None
    board = board if isinstance(board, str) else board.environment or board.name
    target = project or bundled_project(own)
    target.check_board(board)
    check_upload(target, board)
    if project is not None:
        check_path(project.folder, "move the project to a folder with a plain name")
    check_platform(target, board)
    flags = [] if baud is None else [f"-DEBNN_BAUD={baud}"]
    if updatable is not None:
        flags += updatable.flags(known_board(board, own))
    try:
        with contextlib.ExitStack() as stack:
            if project is None:
                source = Path(header) if header is not None else bundled_header()
                workspace = stack.enter_context(prepared_workspace(board, source, own, updatable))
                _upload(
                    workspace.project, board, port, network, {**workspace.variables, **with_build_flags(flags)}, show
                )
            else:
                folder = stack.enter_context(temporary_folder())
                variables = {"TMPDIR": str(folder), **core_variables(folder)}
                if not os.access(project.folder, os.W_OK):  # another user's
                    variables = {**build_variables(folder), **variables, "PLATFORMIO_INCLUDE_DIR": str(project.include)}
                if updatable is not None and updatable.key is not None:
                    updatable.write_key(folder)
                    flags.append(f"-I{folder}")
                _upload(project.folder, board, port, network, {**variables, **with_build_flags(flags)}, show)
    except OSError as error:
        raise BuildError(f"the firmware for {board} cannot be built: {error}") from error


def _upload(
    folder: Path,
    board: str,
    port: str,
    network: str,
    variables: Mapping[str, str],
    show: Callable[[str], None] | None,
) -> None:
    """Builds first, since PlatformIO uploads what exceeds the RAM with a warning only."""
    run = ["run", "-d", str(folder), "-e", board]
    error = build_error(run_platformio(run, variables, show), board, network)
    if error is not None:
        raise error
    if show is not None:
        show(f"writing to {port}; where no {board} answers, PlatformIO's uploader may try for a minute …\n")
    try:
        outcome = run_platformio([*run, "-t", "upload", "--upload-port", port], variables, show and _uploads_part(show))
    except KeyboardInterrupt:
        raise InterruptedUploadError(
            f"interrupted while {port} was written: the board may be half written, flash it again"
        ) from None
    if outcome.code != 0:
        raise upload_error(outcome, board, port)


def _uploads_part(show: Callable[[str], None]) -> Callable[[str], None]:
    """Passes lines on from the upload's first one: before it, PlatformIO says again what it has said of the build."""
    begun = False

    def pass_on(line: str) -> None:
        nonlocal begun
        begun = begun or re.match(r"(Looking for upload|Configuring upload|Uploading|Forcing reset)", line) is not None
        if begun:
            show(line)

    return pass_on


def upload_error(outcome: Outcome, board: str, port: str) -> DeviceError | BuildError:
    """The error for an upload that failed."""
    text = outcome.text
    found = re.search(r"expected signature for (\S+) is", text, re.IGNORECASE)
    if found:
        seen = re.search(r"device signature = (0x[0-9a-f]+)(?: \(probably ([^)]+)\))?", text, re.IGNORECASE)
        there = "another chip" if seen is None else f"{seen[2] or 'another chip'} (signature {seen[1]})"
        return DeviceError(
            f"the board at {port} is no {board}: its chip is {there}, and {board} has {found[1]}. Nothing was written; "
            "choose the --board that is plugged in, or another --port"
        )
    if re.search(r"permission denied|access is denied", text, re.IGNORECASE):
        return PortError(
            f"{port} cannot be opened: no permission, or another program uses it (close its serial monitor); on Linux: "
            "sudo usermod -aG dialout $USER, then log in again"
        )
    if re.search(r"device or resource busy|resource temporarily unavailable", text, re.IGNORECASE):
        return PortError(f"{port} is busy: another program uses it; close its serial monitor")
    if re.search(r"not in sync|not responding|did(?: not|n't) respond|timeout|timed out", text, re.IGNORECASE):
        return DeviceError(
            f"no bootloader of a {board} answers at {port}: is it the right board and port? Press its reset button and "
            "try again; a board with another bootloader has an environment of its own (nanoatmega328new)"
        )
    if re.search(
        r"could ?n[o']t find a board|no such file or directory|cannot open port|unable to open", text, re.IGNORECASE
    ):
        return PortError(
            f"{port} cannot be opened for the upload: see that the board is plugged in, and name its --port"
        )
    if re.search(r"HTTPClientError|InternetConnectionError", text):
        return build_error(outcome, board, "the uploader") or BuildError(text)
    said = [line for line in text.splitlines() if line.strip()][-_QUOTED_LINES:]
    return DeviceError(f"PlatformIO could not write to the board {board} at {port}:\n" + "\n".join(said))
