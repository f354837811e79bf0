"""Boards by name: those of this folder, one TOML file each, and the user's own.

A user's board is a TOML file too. It is given by its path (``./myboard.toml``), or by its name where it lies in the
folder that the environment variable ``EBNN_BOARDS`` names.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import fields, replace
from functools import cache
from importlib import resources
from pathlib import Path

from ebnn.errors import FileFormatError
from ebnn.names import unknown_name

from .board import BareBuild, Board, Costs, Machine
from .reading import read_board, read_text, read_toml

__all__ = [
    "BareBuild",
    "Board",
    "Costs",
    "Machine",
    "board_names",
    "bundled_board_names",
    "is_board",
    "load_board",
    "load_costs",
]

FOLDER_VARIABLE = "EBNN_BOARDS"
_loaded: dict[str, Board] = {}
"""The boards that were given by path, by name: what they say of themselves at a port is a name."""


def board_names() -> list[str]:
    """Returns the names of all boards, the user's own included, in alphabetical order.

    Raises `ebnn.errors.FileFormatError` where EBNN_BOARDS names no folder.
    """
    return sorted({*bundled_board_names(), *_own_files(), *_loaded})


@cache
def bundled_board_names() -> tuple[str, ...]:
    """Returns the names of the boards that come with ebnn, in alphabetical order."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


def is_board(name: str) -> bool:
    """Whether a name, or the path of a TOML file, is a board's."""
    return _is_path(name) or name in bundled_board_names() or name in board_names()


def load_board(name: str | os.PathLike[str]) -> Board:
    """Returns the board of that name, or of the TOML file at that path; that one is known by its name from then on.

    Raises:
        UnknownNameError: there is no board of that name; the message lists those there are.
        FileFormatError: a board's file cannot be read, or is wrong.
    """
    name = os.fspath(name)
    if _is_path(name):
        board = _load_file(Path(name).expanduser())
        _loaded[board.name] = board
        return board
    if name in bundled_board_names():
        return _load_bundled(name)
    if name in _loaded:
        return _loaded[name]
    own = _own_files()
    if name not in own:
        raise unknown_name("board", name, board_names(), near=_similar(name), listed="ebnn knows")
    return _load_file(own[name])


@cache
def load_costs(core: str, optimize: str = "balanced") -> Costs:
    """Returns the kernels' costs on a core, as ``tools/costs.py`` measures them, of code that is optimized so.

    What a file has in a table of an optimization's name, as in ``[speed.flash]``, holds for that one in place of the
    general figure. Raises `ebnn.errors.UnknownNameError` for a core without costs.
    """
    folder = resources.files(__name__) / "costs"
    known = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir())
    if core not in known:
        raise unknown_name("core with costs", core, known)
    tables = read_toml((folder / f"{core}.toml").read_text(encoding="utf-8"), f"costs/{core}.toml")
    known_tables = [one.name for one in fields(Costs)]
    own = tables.get(optimize, {})
    return Costs(**{name: tables[name] | own.get(name, {}) for name in known_tables if name in tables})


def _is_path(name: str) -> bool:
    return name.endswith(".toml") or "/" in name or os.sep in name


def _own_files() -> dict[str, Path]:
    """The files of the user's boards, by name."""
    place = os.environ.get(FOLDER_VARIABLE)
    if not place:
        return {}
    try:
        files = [path for path in Path(place).expanduser().iterdir() if path.suffix == ".toml"]
    except OSError as error:
        raise FileFormatError(
            f"{FOLDER_VARIABLE} names {place}, where boards cannot be looked for: {error.strerror}"
        ) from None
    for path in files:
        _check_name(path)
    return {path.stem: path for path in files}


def _check_name(path: Path) -> None:
    if path.stem in bundled_board_names():
        raise FileFormatError(f"{path}: {path.stem} is a board that comes with ebnn, give yours another name")


def _load_file(path: Path) -> Board:
    path = path.absolute()  # a link keeps the name that the user wrote
    _check_name(path)
    board = read_board(read_text(path), path.stem, str(path), _load_like, path.parent)
    if board.costs is not None:
        load_costs(board.costs)
    return replace(board, file=str(path))


def _load_like(name: str) -> Board:
    """The board that another one is like: one that comes with ebnn, so that no circle arises."""
    if name not in bundled_board_names():
        raise unknown_name("board of ebnn's", name, bundled_board_names())
    return _load_bundled(name)


@cache
def _load_bundled(name: str) -> Board:
    file = f"{name}.toml"
    return read_board(resources.files(__name__).joinpath(file).read_text(encoding="utf-8"), name, file, _load_like)


def _similar(name: str) -> list[str]:
    """Up to three boards that may be meant, by their names and titles."""
    wanted = _plain(name)
    known = {_plain(load_board(board).title): board for board in bundled_board_names()}
    known |= {_plain(board): board for board in board_names()}
    starting = [plain for plain in known if wanted and plain.removeprefix("arduino").startswith(wanted)]
    near = [wanted] if wanted in known else starting or difflib.get_close_matches(wanted, known)
    return list(dict.fromkeys(known[plain] for plain in near))[:3]


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))
