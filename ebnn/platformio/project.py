"""Projects that PlatformIO builds: a folder with a platformio.ini."""

from __future__ import annotations

import configparser
import dataclasses
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ebnn.boards import Board, board_names, load_board
from ebnn.errors import BuildError
from ebnn.firmware_sources import firmware_folder

_INI = "platformio.ini"


@dataclass(frozen=True)
class Project:
    """A folder with a platformio.ini."""

    folder: Path
    environments: tuple[str, ...]
    """The boards it can be built for."""
    include: Path
    """Where its network.h is."""
    platforms: tuple[str, ...]
    """Which platform of PlatformIO's each environment needs; "" where it is no plain name."""

    def check_board(self, board: str) -> None:
        """Raises `ebnn.errors.BuildError` if the project has no environment of that name.

        Where ebnn's own project has none because no board is called so, that is `ebnn.errors.DeviceError`.
        """
        if board in self.environments:
            return
        known = board in board_names()
        if known and load_board(board).environment in (None, "native"):
            raise BuildError(
                f"{board} ({load_board(board).title}) is simulated only, there is nothing to write to: ebnn run MODEL "
                f"--port sim://{board}"
            )
        if not known and self.folder == firmware_folder().parent:
            load_board(board)
        raise BuildError(
            f"{self.folder / _INI} has no environment {board!r}; it has {', '.join(self.environments) or 'none'}"
        )


def open_project(folder: Path, board: Board | None = None) -> Project:
    """Reads a project's configuration, with the environment of a user's board if one is given.

    Raises `ebnn.errors.BuildError` where there is none or it cannot be read.
    """
    path = folder / _INI
    parser = configparser.ConfigParser(interpolation=None, strict=False, inline_comment_prefixes=("#", ";"))
    try:
        parser.read_string(path.read_text(encoding="utf-8") + environment_text(board), str(path))
    except FileNotFoundError:
        raise BuildError(f"{folder} is no project: it has no {_INI}; make one with ebnn init FOLDER") from None
    except (OSError, ValueError, configparser.Error) as error:
        raise BuildError(f"{path} cannot be read: {error}") from error
    names = tuple(section.removeprefix("env:") for section in parser.sections() if section.startswith("env:"))
    include = parser.get("platformio", "include_dir", fallback="include")
    platforms = tuple(_plain_name(parser.get(f"env:{name}", "platform", fallback="")) for name in names)
    return Project(folder, names, folder / include, platforms)


_SPECIAL = "`$\"'&();|<>*?[]{}!#%^\\\n\r\t" if os.name == "posix" else "`$\"'&;|<>%"


def check_path(folder: Path, way_out: str) -> None:
    """Raises `ebnn.errors.BuildError` for a path that PlatformIO's build tool would take for commands or patterns."""
    special = [sign for sign in str(folder) if sign in _SPECIAL]
    if special:
        raise BuildError(f"PlatformIO cannot build in {str(folder)!r}: shells act on {special[0]!r}; {way_out}")


def _plain_name(platform: str) -> str:
    """The name in "owner/name @ version"; "" for an address or a folder."""
    found = re.fullmatch(r"(?:[\w-]+/)?([\w-]+)\s*(?:@.*)?", platform.strip())
    return found[1] if found else ""


def environment_text(board: Board | None) -> str:
    """Returns the section of platformio.ini for a user's board; "" for one that ebnn's platformio.ini has."""
    if board is None or board.file is None or not board.platformio:
        return ""
    options = dict(board.platformio)
    if "framework" not in options and "extends" not in options:
        options = {"extends": "arduino", **options}
    lines = [f"{key} = {value}" for key, value in options.items()]
    return "\n".join(["", f"; {board.title}.", f"[env:{board.name}]", *lines, ""])


def find_project(folder: Path | None, board: str) -> Project | None:
    """Returns the project in a folder; None is the firmware that ebnn brings along, in a checkout too.

    ``folder`` None is the current folder, where it has a project with that board. Raises `ebnn.errors.BuildError` where
    a folder that was named has none.
    """
    if folder is None and not Path("platformio.ini").is_file():
        return None
    project = open_project((folder or Path()).resolve())
    if project.folder == bundled_project().folder or (folder is None and board not in project.environments):
        return None
    return project


def bundled_project(board: Board | None = None) -> Project:
    """The project that ebnn brings along: the top of a checkout, the package where it is installed.

    ``board``, a user's, gets an environment in it. Raises `ebnn.errors.BuildError` if the project is missing, and for a
    user's board that PlatformIO is told nothing of.
    """
    if board is not None and board.file is not None and board.environment is None:
        raise BuildError(
            f"{board.file} has no table [platformio], which says how the board is built: give it platform and board"
        )
    project = open_project(firmware_folder().parent, board)
    return dataclasses.replace(project, include=firmware_folder() / "include")
