"""Folders and zip archives of data as one thing: files by their paths, read only within bounds and never written."""

from __future__ import annotations

import functools
import os
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ebnn.errors import DatasetError

MAX_FILES = 200_000
MAX_BYTES = 2**31
"""Of all files of an archive together, and of a single file, unpacked."""
MAX_RATIO = 400
"""To which an archive of over 64 MiB may unpack for each of its bytes."""

PARTS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "train",
    "valid": "train",
    "validation": "train",
}
"""Folders that say which part of the data they hold. A validation set is drawn from the training part."""


@dataclass(frozen=True)
class Entry:
    """A file: its path within the tree, with ``/`` between the names, its size in bytes, and how to read it."""

    path: str
    size: int
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The name without its last ending."""
        return PurePosixPath(self.name).stem

    @property
    def ending(self) -> str:
        """The last ending of the name, such as ``.csv``, in lower case."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders on the path that do not say the part."""
        return tuple(each for each in self.path.split("/")[:-1] if each.lower() not in PARTS)

    @property
    def part(self) -> str | None:
        """``train`` or ``test``, where a folder on the path says so."""
        return next((PARTS[each.lower()] for each in self.path.split("/")[:-1] if each.lower() in PARTS), None)


@dataclass(frozen=True)
class Tree:
    """The files of a folder or an archive, in the order of their paths; hidden ones are left out."""

    path: Path
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """Of the folder or archive, without an ending."""
        return self.path.stem or self.path.resolve().name

    def place(self, entry: Entry) -> str:
        """What an entry is called in messages."""
        return f"{self.path}/{entry.path}" if self.path.is_dir() else f"{self.path}, {entry.path}"


def open_tree(path: Path) -> Tree:
    """Returns the files of a folder or a zip archive.

    Raises:
        DatasetError: it cannot be read, is no archive, holds too many files or bytes, is encrypted, or names a place
            outside of itself.
    """
    entries = _folder(path) if path.is_dir() else _archive(path)
    if len(entries) > MAX_FILES:
        raise DatasetError(f"{path} holds {len(entries):,} files: at most {MAX_FILES:,} are allowed")
    shown = [entry for entry in entries if not any(_hidden(part) for part in entry.path.split("/"))]
    if not shown:
        raise DatasetError(f"{path} holds no files: give a folder with data in it")
    return Tree(path, _unwrapped(sorted(shown, key=lambda entry: entry.path), zipped=not path.is_dir()))


def read_bounded(path: Path, most: int = MAX_BYTES) -> bytes:
    """Returns a file's bytes. Raises DatasetError where it cannot be read or is longer than ``most``."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise DatasetError(f"{path} is no file")
        if size > most:
            raise DatasetError(f"{path} has {size:,} bytes: at most {most:,} are allowed")
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from None


def _hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX")) or name in ("Thumbs.db", "desktop.ini")


def _folder(path: Path) -> list[Entry]:
    def fail(error: OSError) -> None:
        raise DatasetError(f"{error.filename or path} cannot be read: {error.strerror}") from None

    entries: list[Entry] = []
    for folder, folders, files in os.walk(path, onerror=fail):
        folders[:] = [name for name in folders if not _hidden(name)]
        for name in files:
            file = Path(folder, name)
            if file.is_file():
                inside = file.relative_to(path).as_posix()
                entries.append(Entry(inside, file.stat().st_size, functools.partial(read_bounded, file)))
        if len(entries) > MAX_FILES:
            break
    return entries


def _archive(path: Path) -> list[Entry]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise DatasetError(f"{path} is a damaged archive: {error}") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from None
    total, packed = sum(member.file_size for member in members), path.stat().st_size
    if total > MAX_BYTES or (total > 64 << 20 and total > MAX_RATIO * packed):
        raise DatasetError(
            f"{path} has {packed:,} bytes and unpacks to {total:,}: at most {MAX_BYTES:,} are allowed, and "
            f"{MAX_RATIO} times its own"
        )
    entries = []
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or ":" in name.split("/")[0]:
            raise DatasetError(f"{path} names a place outside of itself, {member.filename!r:.60}: it is not read")
        if member.flag_bits & 1:
            raise DatasetError(f"{path} is encrypted: unpack it first, and give the folder")
        entries.append(Entry(name, member.file_size, functools.partial(_read_member, path, member)))
    return entries


def _read_member(path: Path, member: zipfile.ZipInfo) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            return file.read(member.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DatasetError(f"{path}, {member.filename}, is damaged: {error}") from None
    except OSError as error:
        raise DatasetError(f"{path}, {member.filename}, cannot be read: {error.strerror or error}") from None


def _unwrapped(entries: list[Entry], zipped: bool) -> tuple[Entry, ...]:
    """Takes a folder away in which all files lie, where an archive has one or there are folders in it."""
    while True:
        tops = {entry.path.partition("/")[0] if "/" in entry.path else "" for entry in entries}
        inner = {entry.path.split("/")[1] for entry in entries if entry.path.count("/") > 1}
        top = next(iter(tops))
        if len(tops) != 1 or not top or not (zipped or len(inner) > 1) or top.lower() in PARTS:
            return tuple(entries)
        entries = [Entry(entry.path.partition("/")[2], entry.size, entry.read) for entry in entries]
