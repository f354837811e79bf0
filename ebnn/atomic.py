"""Files and folders that are there in full or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import WriteError
from .leftovers import delete, make_file, make_folder, new_name, sweep

_FILE = ".ebnn-file-"  # a file that is being written
_UNFINISHED = ".ebnn-new-"  # a folder that is being filled
_FINISHED = ".ebnn-whole-"  # a folder that is full, while its parts move to where they belong


def write_atomically(path: Path, content: bytes) -> None:
    """Writes ``content`` to ``path``; a kill or a power cut leaves the old file or the new one, nothing between.

    What is no regular file, like /dev/stdout, is written to and stays what it is; a link keeps pointing, a file keeps
    its permissions. Raises WriteError where it cannot be done.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        path = path.resolve()
        sweep(path.parent, _FILE)
        temporary, handle = make_file(path.parent, _FILE)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
                if path.exists():
                    temporary.chmod(path.stat().st_mode & 0o777)
                if os.name == "posix":  # before the lock is lost, so that nobody sweeps it
                    temporary.replace(path)
            if os.name != "posix":
                temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror or error}") from None


def write_json(path: Path, values: Any) -> None:
    """Writes plain values as JSON, in UTF-8, as :func:`write_atomically` does."""
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode(errors="backslashreplace"))


@contextlib.contextmanager
def folder_in_full(path: Path, *, merge: tuple[str, ...] | None = None) -> Iterator[Path]:
    """Gives an empty folder to fill; at the end of the ``with`` block its content is at ``path``.

    Where the block raises, is killed, or the disk is full, ``path`` stays as it was. A new folder takes its name in one
    step. One that is there stays the same folder: it gets the content part by part, which takes microseconds; a kill
    in these leaves the rest in a hidden folder inside, and the next call moves it to its place.

    Args:
        path: of the folder; it need not exist, nor the folders above it.
        merge: None refuses a folder that is not empty. Otherwise parts of the same name are replaced, and others stay;
            the folders named in ``merge`` get their parts in the same manner.

    Raises WriteError where ``path`` is a file, is not empty or cannot be written; what the block raises goes through,
    but OSError.
    """
    made: list[Path] = []
    try:
        sweep(path, _FINISHED, lambda rest: _move_parts(rest, path, False, merge or ()))
        sweep(path, _UNFINISHED)
        there = path.exists()
        if there and not path.is_dir():
            raise WriteError(f"{path} is a file: name a new folder")
        if there and merge is None and any(path.iterdir()):
            raise WriteError(f"{path} is not empty: name a new folder")
        parent = path if there else path.parent
        sweep(parent, _UNFINISHED)
        made = _make_parents(parent)
        folder, handle = make_folder(parent, _UNFINISHED, 0o777)
        try:
            yield folder
            if there:
                finished = parent / new_name(_FINISHED)
                folder.rename(finished)
                folder = finished
                _move_all(finished, path, merge)
            else:
                folder.rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                delete(folder)
            raise
        finally:
            if handle >= 0:
                os.close(handle)
    except BaseException as error:
        for one in made:
            with contextlib.suppress(OSError):
                one.rmdir()
        if isinstance(error, OSError):
            raise WriteError(f"{path} cannot be written: {error.strerror or error}") from None
        raise


def _move_all(finished: Path, path: Path, merge: tuple[str, ...] | None) -> None:
    """Moves all parts, or none where that fails; Ctrl-C waits until they are moved."""
    parts = [part.name for part in finished.iterdir()]
    try:
        _move_parts(finished, path, merge is not None, merge or ())
    except OSError:
        if merge is None:
            for name in parts:
                delete(path / name)
        raise
    except BaseException:
        _move_parts(finished, path, merge is not None, merge or ())
        raise


def _move_parts(source: Path, target: Path, replace: bool, inside: tuple[str, ...]) -> None:
    """Moves what is in ``source`` to ``target`` and deletes ``source``."""
    for part in sorted(source.iterdir()):
        place = target / part.name
        there = place.exists() or place.is_symlink()
        if there and part.name in inside and place.is_dir():
            _move_parts(part, place, replace, ())
            continue
        if there and replace:
            place.rename(source / new_name("replaced-"))
        if replace or not there:
            part.rename(place)
    delete(source)


def _make_parents(folder: Path) -> list[Path]:
    """Makes a folder and those above it; returns those that were missing, the innermost first."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
    return missing


def copy_tree(source: Path, target: Path) -> None:
    """Copies a folder's files, without what Python has compiled, to a new folder, whose files can be written.

    Raises OSError.
    """
    target.mkdir(parents=True)
    for entry in sorted(source.iterdir()):
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            copy_tree(entry, target / entry.name)
        else:
            shutil.copyfile(entry, target / entry.name)
