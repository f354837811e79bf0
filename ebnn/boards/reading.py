"""From a board's TOML file to a `Board`: every key, its type and its range are checked."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from ebnn.errors import FileFormatError, UnknownNameError
from ebnn.names import unknown_name

from .board import BareBuild, Board, Machine

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found]

MAX_BYTES = 64 * 1024
"""Of a board's file; the longest that comes with ebnn has 1 KB."""

SIMULATORS = ("host", "simavr", "qemu")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_USB = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_OPTION = re.compile(r"[a-z][a-z0-9_.]*")
_LEAST = {"clock_hz": 1, "flash_bytes": 1, "ram_bytes": 1}
_MOST = 2**40
_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "int": (int, "a whole number"),
    "float": ((int, float), "a number"),
    "bool": (bool, "true or false"),
    "str": (str, "a text"),
}
_TABLES: dict[str, type] = {"bare": BareBuild, "machine": Machine}
T = TypeVar("T")


def read_toml(text: str, name: str) -> dict[str, Any]:
    """Returns what a TOML text says. Raises FileFormatError, which calls it ``name``, where it is none."""
    try:
        facts: dict[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileFormatError(f"{name} is no TOML file: {error or 'it is nested too deep'}") from None
    return facts


def read_text(path: Path) -> str:
    """Returns the text of a small file. Raises FileFormatError where it cannot be read, is too long, or is no text."""
    try:
        if path.exists() and not path.is_file():
            raise FileFormatError(f"{path} is no file: name a board's TOML file")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise FileFormatError(f"{path} is over {MAX_BYTES:,} bytes: a board's file is shorter")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise FileFormatError(f"{path} is no text in UTF-8: name a board's TOML file") from None


def read_board(text: str, stem: str, where: str, load: Callable[[str], Board], folder: Path | None = None) -> Board:
    """Returns the board that a TOML text describes.

    Args:
        text: of the file.
        stem: the file's name without ``.toml``, which is the board's.
        where: what messages call the file.
        load: finds the board that ``like`` names.
        folder: where the file of a user's board lies, for paths in it; None for ebnn's own.

    Raises:
        FileFormatError: the text is no TOML, a key is unknown or missing, or a value has a wrong type or range.
        UnknownNameError: there is no board for ``like``.
    """
    facts = read_toml(text, where)
    if not _NAME.fullmatch(stem):
        raise FileFormatError(f"{where}: a board's file is named as the board, in up to 32 of a-z, A-Z, 0-9, - and _")
    if facts.setdefault("name", stem) != stem:
        raise FileFormatError(f"{where} calls the board {facts['name']!r}: name the file after the board")
    like = facts.pop("like", None)
    options = facts.pop("platformio", None)
    try:
        base = None if like is None else _similar_board(_checked("str", "like", like), load, stem)
        values = {key: _read_value(key, value, folder) for key, value in facts.items()}
        if options is not None:
            values["platformio"] = _read_options(options)
        if base is not None:
            values = {"measured": False, **values}
        board = Board(title=values.pop("title"), **values) if base is None else replace(base, **values)
        board = replace(board, environment=_environment(board, values))
        _check(board)
    except (KeyError, TypeError):
        raise FileFormatError(f"{where}: title is missing, the board's name as people call it") from None
    except (UnknownNameError, ValueError) as error:
        raise FileFormatError(f"{where}: {error}") from None
    return board


def _similar_board(name: str, load: Callable[[str], Board], own: str) -> Board:
    if name == own:
        raise ValueError("like names the board itself: name another one")
    return load(name)


def _environment(board: Board, values: Mapping[str, Any]) -> str | None:
    """PlatformIO's environment: of the board's own name where the board has options for it."""
    named: str | None = values.get("environment")
    return named or (board.name if board.platformio else None)


def _read_value(key: str, value: Any, folder: Path | None) -> Any:
    if key in _TABLES:
        return _read_table(key, _TABLES[key], value, folder)
    kinds = {one.name: str(one.type) for one in fields(Board) if one.name not in ("file", "platformio")}
    if key not in kinds:
        raise unknown_name("key of a board", key, sorted([*kinds, "like", "platformio"]))
    if key == "usb":
        return _read_usb(value)
    kind = kinds[key].removesuffix(" | None")
    value = _checked(kind, key, value)
    if kind in ("int", "float") and not _LEAST.get(key, 0) <= value <= _MOST:
        raise ValueError(f"{key} is {value}: give {_LEAST.get(key, 0)} to {_MOST}")
    if key == "bootloader" and folder is not None and (folder / value).is_file():
        return str((folder / value).resolve())
    return value


def _read_usb(value: Any) -> tuple[str, ...]:
    ids = _texts("usb", value)
    for one in ids:
        if not _USB.fullmatch(one):
            raise ValueError(f"usb has {one!r}: give vendor:product, as in '2341:0043'")
    return ids


def _read_table(key: str, kind: type[T], value: Any, folder: Path | None) -> T:
    if not isinstance(value, dict):
        raise ValueError(f"{key} must be a table, [{key}]")
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    read: dict[str, Any] = {}
    for name, one in value.items():
        if name not in known:
            raise unknown_name(f"key of [{key}]", name, sorted(known))
        plain = str(known[name].type)
        what = f"{name} of [{key}]"
        read[name] = _texts(what, one) if plain.startswith("tuple") else _checked(plain, what, one)
    lacking = [name for name, one in known.items() if one.default is MISSING and name not in read]
    if lacking:
        raise ValueError(f"[{key}] lacks {', '.join(lacking)}")
    if "load" in read and len(read["load"]) != 2:
        raise ValueError(f"load of [{key}] must be two texts: an option, and what stands before the program's path")
    if folder is not None:
        for name in {"sources", "script"} & read.keys():
            read[name] = _own_files(read[name], folder)
    return kind(**read)


def _own_files(names: Any, folder: Path) -> Any:
    """File names, with the absolute path for each that lies beside the board's file."""
    if isinstance(names, str):
        return str((folder / names).resolve()) if (folder / names).is_file() else names
    return tuple(_own_files(name, folder) for name in names)


def _read_options(value: Any) -> dict[str, str]:
    """The options of the board's environment in platformio.ini."""
    if not isinstance(value, dict) or not value:
        raise ValueError("platformio must be a table, [platformio], with at least platform and board")
    read = {}
    for key, one in value.items():
        if not _OPTION.fullmatch(key):
            raise ValueError(f"[platformio] has the option {key!r}: options are words such as board_build.f_cpu")
        text = one if isinstance(one, str) else str(one) if type(one) is int else None
        if text is None or not text.isprintable():
            raise ValueError(f"{key} of [platformio] must be a text in one line, or a whole number")
        read[key] = text
    for key in ("platform", "board"):
        if key not in read and read.get("platform") != "native":
            raise ValueError(f"[platformio] lacks {key}")
    return read


def _texts(what: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{what} must be a list of texts")
    return tuple(value)


def _checked(kind: str, what: str, value: Any) -> Any:
    types, said = _TYPES[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "bool"):
        raise ValueError(f"{what} must be {said}, it is {str(value)[:40]!r}")
    return value


def _check(board: Board) -> None:
    """Refuses a board whose facts do not go together."""
    if board.simulator is not None and board.simulator not in SIMULATORS:
        raise unknown_name("simulator", board.simulator, SIMULATORS)
    if board.simulator == "qemu" and (board.bare is None or board.machine is None):
        raise ValueError("simulator 'qemu' needs the tables [bare] and [machine]")
    if board.simulator == "simavr" and (board.mcu is None or board.environment is None):
        raise ValueError("simulator 'simavr' needs mcu and [platformio], with which the firmware is built")
    if board.costs is not None and None in (board.core, board.clock_hz, board.flash_bytes, board.ram_bytes):
        raise ValueError("costs need core, clock_hz, flash_bytes and ram_bytes")
