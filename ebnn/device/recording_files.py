"""Recordings as files: a CSV each, in a folder for each label, and what is known of them beside."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import itertools
import json
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from ..errors import InputError, WriteError
from ..printable import printable

__all__ = ["NOTES", "TIME", "Facts", "RecordingFile", "RecordingFolder", "check_label"]

NOTES = "recordings.jsonl"
"""In the folder: a line of JSON for each recording."""
TIME = "time_ms"
"""Name of the first column, milliseconds since the recording's first sample."""

_RESERVE = 65_536  # bytes, kept free for what has come when the disk is full
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) if hasattr(errno, "EDQUOT") else (errno.ENOSPC, errno.EFBIG)
_LONGEST_LABEL = 100  # bytes: it is a folder's name, and part of a file's


@dataclass(frozen=True)
class Facts:
    """What is known of a recording beside its samples."""

    label: str
    channels: tuple[str, ...]
    rate: float | None
    """Samples a second."""
    port: str
    baud: int
    date: str
    """When it began, as in ISO 8601, with the zone."""


def check_label(label: str) -> str:
    """Returns a label that can be a folder's name. Raises InputError where it cannot."""
    shown = printable(label[:40])
    if not label.strip() or label != label.strip():
        raise InputError(f"the label {shown!r} is empty, or begins or ends with a space: give a word, as in wave")
    if not label.isprintable() or re.search(r'[\\/:*?"<>|]', label) or label[0] in ".-" or label[-1] == ".":
        raise InputError(
            f"the label {shown!r} cannot be a folder's name: leave out \\ / : * ? \" < > |, a point or hyphen in front "
            "and a point at the end"
        )
    if len(label.encode("utf-8", "replace")) > _LONGEST_LABEL:
        raise InputError(f"the label {shown!r}… is over {_LONGEST_LABEL} bytes: give a shorter one")
    return label


class RecordingFolder:
    """A folder of recordings, as ``ebnn train --data`` reads it: ``FOLDER/wave/wave-0001.csv``.

    Args:
        folder: which; it is made where it is missing.
        label: of the recordings to come.

    Raises InputError for a label that can be no folder's name, WriteError where nothing can be written.
    """

    def __init__(self, folder: Path, label: str) -> None:
        self.folder = folder
        self.label = check_label(label)
        self._reserve: IO[bytes] | None = None
        self._made: list[Path] = []
        try:
            for one in (*reversed(self._place.parents), self._place):
                if not one.exists():
                    one.mkdir()
                    self._made.append(one)
            if not self._place.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "it holds a file in the place of a folder")
            self._reserve = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
            self._reserve.write(os.urandom(_RESERVE))  # a file system that packs finds nothing to pack
            self._reserve.flush()
        except OSError as error:
            self.close()
            raise WriteError(f"{folder} cannot be written: {error.strerror}. Name another folder with --out") from None

    @property
    def _place(self) -> Path:
        return self.folder / self.label

    def close(self) -> None:
        """Gives back the room that was kept free, and folders that were made and in which nothing was recorded."""
        with contextlib.suppress(OSError):
            self.free()
        with contextlib.suppress(OSError):
            while self._made:
                self._made.pop().rmdir()

    def free(self) -> bool:
        """Gives back the room that was kept free; returns whether there was any."""
        reserve, self._reserve = self._reserve, None
        if reserve is not None:
            reserve.close()
        return reserve is not None

    def rates(self) -> tuple[float, ...]:
        """Rates of the recordings that are there, the latest first, each once."""
        found: dict[float, None] = {}
        with contextlib.suppress(OSError):
            for line in reversed((self.folder / NOTES).read_text(encoding="utf-8", errors="replace").splitlines()):
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    found[float(json.loads(line)["rate"])] = None
        return tuple(rate for rate in found if rate > 0)

    def new(self, facts: Facts) -> RecordingFile:
        """Begins a file. Raises WriteError."""
        pattern = re.compile(re.escape(self.label) + r"-(\d+)\.csv")
        try:
            found = [pattern.fullmatch(path.name) for path in self._place.iterdir()]
            for number in itertools.count(1 + max((int(one[1]) for one in found if one), default=0)):
                path = self._place / f"{self.label}-{number:04d}.csv"
                try:
                    return RecordingFile(path, facts, self)
                except FileExistsError:
                    continue
                except OSError as error:
                    if error.errno not in _FULL or not self.free():
                        raise
                    return RecordingFile(path, facts, self)
        except OSError as error:
            raise WriteError(f"{self._place} cannot be written: {error.strerror}") from None
        raise AssertionError

    def note(self, path: Path, facts: Facts) -> None:
        """Writes down what is known of a recording. Raises OSError."""
        values = {"file": path.relative_to(self.folder).as_posix(), **asdict(facts)}
        with (self.folder / NOTES).open("ab") as file:
            before = file.tell()
            line = json.dumps(values, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
            if before and not self._ends_whole():
                line = b"\n" + line
            try:
                file.write(line)
                file.flush()
            except OSError:
                file.truncate(before)
                raise

    def _ends_whole(self) -> bool:
        with (self.folder / NOTES).open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"


class RecordingFile:
    """A recording that is being written: at any time its file holds whole lines."""

    def __init__(self, path: Path, facts: Facts, folder: RecordingFolder) -> None:
        self.path = path
        self.facts = facts
        self.samples = 0
        """That are in the file."""
        self._folder = folder
        self._file: IO[bytes] = path.open("xb", buffering=0)
        self._length = 0
        self._pending: list[tuple[float, Sequence[str]]] = []
        self._first: float | None = None
        self._noted = False

    def add(self, ms: float, texts: Sequence[str]) -> None:
        """Takes a sample, for the next :meth:`flush`."""
        self._pending.append((ms, texts))

    def flush(self) -> None:
        """Writes the samples that were taken.

        Raises WriteError where the disk is full, with them written nevertheless: room for them was kept free.
        """
        try:
            self._write()
        except OSError as error:
            if error.errno in _FULL and self._folder.free():
                with contextlib.suppress(OSError):
                    self._write()
            raise WriteError(self._explain(error)) from None

    def close(self) -> None:
        """Writes what is left and closes the file; one without a sample is deleted. Raises WriteError."""
        try:
            if not self._file.closed:
                self.flush()
        finally:
            self._file.close()
            if not self.samples:
                self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        """Writes whole lines behind the last whole line, so that doing it again does no harm."""
        if self._pending:
            if self._first is None:
                self._first = self._pending[0][0]
            lines = [_csv_line([_milliseconds(ms - self._first), *texts]) for ms, texts in self._pending]
            if not self.samples:
                lines[0] = _csv_line([TIME, *self.facts.channels]) + lines[0]
            data = "".join(lines).encode()
            self._file.seek(self._length)
            written = 0
            try:
                while written < len(data):
                    written += self._file.write(data[written:])
            finally:
                if written < len(data):
                    lines = _whole_lines(lines, written)
                    self._file.truncate(self._length + sum(len(line.encode()) for line in lines))
                self._length, self.samples, self._pending = (
                    self._length + sum(len(line.encode()) for line in lines),
                    self.samples + len(lines),
                    self._pending[len(lines) :],
                )
        if self.samples and not self._noted:
            self._folder.note(self.path, self.facts)
            self._noted = True

    def _explain(self, error: OSError) -> str:
        lost = f", {len(self._pending):,} did not find room" if self._pending else ""
        return (
            f"{self.path} cannot be written any more: {error.strerror}. {self.samples:,} samples are in it{lost}; "
            "make room and go on"
        )


def _whole_lines(lines: Sequence[str], size: int) -> list[str]:
    """The first lines, as many as so many bytes hold whole."""
    ends = itertools.accumulate(len(line.encode()) for line in lines)
    return [line for line, end in zip(lines, ends, strict=True) if end <= size]


def _milliseconds(ms: float) -> str:
    return f"{ms:.3f}".rstrip("0").rstrip(".")


def _csv_line(fields: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(fields)
    return line.getvalue()
