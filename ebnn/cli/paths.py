"""The files that commands are given: what may be read and written, and that no output destroys what it must not.

Each option and argument that is a file has one of the types below. They look at the file before any work begins, and
at those named before it: nothing is written over what the command reads or writes elsewhere.
"""

import json
import os
import stat
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from ..compile.image import is_image
from ..errors import EbnnError, FileFormatError, WriteError
from ..importers.flat_layout import FORMAT
from ..importers.model_def import recognises as is_model_def
from ..published import find_network
from ..show.page import MARK

_LOOKED_AT = 2**16  # bytes of a file that is in the way
_LONGEST_JSON = 2**26
_HAVE_SOMEBODY = ("/dev/", "/proc/")  # pipes there have an end that somebody holds
_NOTES = "ebnn.paths"


@dataclass(frozen=True)
class _Use:
    """What a command does with a file, or with the files ``names`` in a folder and below it."""

    label: str
    path: Path
    role: Literal["reads", "writes", "keeps"]
    names: frozenset[str] = frozenset()

    @property
    def real(self) -> str:
        return os.path.realpath(self.path)


class InputFile(click.Path):
    """A file that is read. Raises FileFormatError for a named pipe, for which a read may wait forever."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if _is_named_pipe(path):
            raise FileFormatError(f"{path}: is a named pipe, no file: name a file")
        _note(ctx, _Use(_label(param), path, "reads"))
        return path


class ModelFile(click.Path):
    """A network: an ``.ebnn`` file, or a published network's name."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            file = find_network(path)
        except EbnnError:  # the command says so when it loads it
            file = path
        _note(ctx, _Use(_label(param), file, "reads"))
        return path


class RunFolder(click.Path):
    """The folder of a run that is read, of which these files count."""

    def __init__(self, *names: str) -> None:
        super().__init__(path_type=Path)
        self.names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        folder = Path(os.fsdecode(super().convert(value, param, ctx)))
        for name in self.names:
            _note(ctx, _Use(_label(param), folder / name, "reads"))
        return folder


class OutputFile(click.Path):
    """A file that is written. Only a file of the same ``kind`` is replaced.

    Raises WriteError where it cannot be written, is of another kind, or is a file that the command uses otherwise.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(path_type=Path)
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        check_writable(path)
        check_kind(path, self.kind)
        _note(ctx, _Use(_label(param), path, "writes"))
        return path


def check_output(option: str, path: Path, kind: str) -> None:
    """Checks a file that is written beside the one that ``option`` names, as `OutputFile` checks that one."""
    check_writable(path)
    check_kind(path, kind)
    _note(click.get_current_context(silent=True), _Use(option, path, "writes"))


def keep_files(option: str, folder: Path, names: Collection[str]) -> None:
    """Keeps the command's other outputs off the files of these names in a folder and below it.

    ``option`` is what names the folder. Raises WriteError where one of them is an output already, and where the folder
    cannot be one.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise WriteError(f"{folder} is no folder: name another {option}")
    except OSError as error:
        raise WriteError(f"{folder} cannot be made: {error.strerror}") from None
    _note(click.get_current_context(silent=True), _Use(option, folder, "keeps", frozenset(names)))


def check_writable(path: Path) -> None:
    """Refuses a file that cannot be written before the work is done, not after."""
    folder = path.parent
    try:
        if not folder.is_dir():
            raise WriteError(f"{path} cannot be written: the folder {folder} does not exist, make it first")
        mode = _mode(path)
        if path.is_symlink() and mode is None and not Path(os.path.realpath(path)).parent.is_dir():
            raise WriteError(f"{path} is a link that leads nowhere: name another file")
    except OSError as error:  # too long a name, a loop of links
        raise WriteError(f"{path} cannot be written: {error.strerror}") from None
    except RuntimeError:  # Python 3.10 to 3.12, for a loop of links
        raise WriteError(f"{path} cannot be written: its links form a loop; name another file") from None
    if mode is not None and stat.S_ISDIR(mode):
        raise WriteError(f"{path} is a folder: name a file")
    if mode is not None and (stat.S_ISBLK(mode) or stat.S_ISSOCK(mode) or _is_named_pipe(path)):
        raise WriteError(f"{path} is a device, a socket or a named pipe: name a file")
    if len(os.fsencode(path.name)) > 240:  # a temporary file beside it has a longer name
        raise WriteError(f"{path.name[:40]}… cannot be written: its name is over 240 bytes")
    if not os.access(folder if mode is None else path, os.W_OK):
        raise WriteError(f"{path} cannot be written: no permission; name another file")


def _mode(path: Path) -> int | None:
    """None where nothing is there; OSError where that cannot be told, as for a loop of links."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _is_named_pipe(path: Path) -> bool:
    try:
        return path.is_fifo() and not os.path.realpath(path).startswith(_HAVE_SOMEBODY)
    except (OSError, RuntimeError):
        return False


def _is_json(path: Path, start: bytes) -> bool:
    if path.suffix == ".jsonl" or not start.lstrip().startswith(b"{") or path.stat().st_size > _LONGEST_JSON:
        return False
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return True


def _is_flat(path: Path) -> bool:
    """Whether the JSON file beside it says so: flat weights have no header."""
    try:
        with path.with_suffix(".json").open("rb") as file:
            found = json.loads(file.read(_LOOKED_AT))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("format") == FORMAT


_KINDS: dict[str, Callable[[Path, bytes], bool]] = {
    "C header of ebnn's": lambda path, start: b"emitted by ebnn" in start,
    "image of a network": lambda path, start: is_image(start),
    "C source of ebnn's": lambda path, start: b"emitted by ebnn" in start,
    "model.def": lambda path, start: is_model_def(start),
    "file of flat weights": lambda path, start: _is_flat(path),
    "file that this command writes": lambda path, start: (
        b"emitted by ebnn" in start or is_image(start) or is_model_def(start) or _is_flat(path)
    ),
    "file of weights": lambda path, start: start.startswith(b"ebnn-wts"),
    "network": lambda path, start: start.startswith(b"PK\x03\x04") and b"description.json" in start,
    "JSON file": _is_json,
    "report of ebnn's": lambda path, start: MARK.encode() in start[:200],
    "picture": lambda path, start: start.startswith((b"\x89PNG", b"%PDF", b"<?xml", b"<svg")),
}


def check_kind(path: Path, kind: str) -> None:
    """Refuses to replace a file that is none of the kind that is written."""
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT)
        known = not start or _KINDS[kind](path, start)
    except OSError:  # it can be written but not read
        known = False
    if not known:
        raise WriteError(f"{path} is there already, and no {kind}: name another file, or delete it first")


def _label(param: click.Parameter | None) -> str:
    if param is None:
        return "a file"
    if isinstance(param, click.Option):
        return next((name for name in param.opts if name.startswith("--")), param.opts[0])
    return (param.metavar or param.human_readable_name).strip("[].…")


def _note(ctx: click.Context | None, use: _Use) -> None:
    """Compares a use with those before it, and keeps it for those to come."""
    if ctx is None or ctx.resilient_parsing:
        return
    uses: list[_Use] = ctx.meta.setdefault(_NOTES, [])
    for other in uses:
        _check_apart(other, use)
    uses.append(use)


def _check_apart(first: _Use, second: _Use) -> None:
    if "writes" not in (first.role, second.role):
        return
    for one, other in ((first, second), (second, first)):
        if one.role == "keeps" and _lies_in(other, one):
            raise WriteError(
                f"{other.label} {other.path} is a file that the run in {one.label} {one.path} keeps for itself: name "
                "another one"
            )
    if "keeps" not in (first.role, second.role) and _same(first.path, second.path):
        raise WriteError(f"{first.label} and {second.label} are one file, {second.path}: name another one to write")


def _lies_in(file: _Use, folder: _Use) -> bool:
    return Path(file.real).name in folder.names and Path(folder.real) in Path(file.real).parents


def _same(first: Path, second: Path) -> bool:
    try:
        # What is written to /dev/null twice destroys nothing.
        return first.samefile(second) and first.is_file()
    except (OSError, RuntimeError):  # one of them is not there yet
        return os.path.realpath(first) == os.path.realpath(second)


def check_link(path: Path | None) -> None:
    """Refuses a symbolic link that cannot be made, before something is built for it."""
    if path is None:
        return
    try:
        if not path.parent.is_dir():
            raise WriteError(f"{path} cannot be made: the folder {path.parent} does not exist, make it first")
        if os.path.lexists(path) and not path.is_symlink():
            raise WriteError(f"{path} is there already, and no link: name another --link")
    except OSError as error:
        raise WriteError(f"{path} cannot be made: {error.strerror}") from None
