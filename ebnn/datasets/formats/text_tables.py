"""Tables of text: a CSV with a column for the label; a folder with one CSV for each class, or one folder for each."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from ebnn.errors import DatasetError

from ..dataset import Dataset
from ..gathering import Labelled, gather
from ..read_options import Reading
from ..recordings import Recordings
from ..text_table import looks_like_table, read_table
from ..trees import Entry, Tree, read_bounded

HAS_COLUMNS = True

MAX_BYTES = 2**29
"""Of one table."""

_ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".data", ".log", "")
_NO_DATA = re.compile(r"(readme|licen[cs]e|notes|info|about|changelog|requirements)\b.*", re.IGNORECASE)
_NUMBERED = re.compile(r"(.*?[^\W\d_])[\s._-]*(\(?\d+\)?|[0-9a-z]{8})?", re.IGNORECASE)


def recognises(head: bytes) -> bool:
    """Whether a file that begins so is a table."""
    return looks_like_table(head)


def read(path: Path, reading: Reading) -> Dataset | Recordings:
    """Returns the data of one table, whose rows have their label in a column. Raises DatasetError."""
    table = read_table(read_bounded(path, MAX_BYTES), str(path))
    return gather(str(path), [Labelled(table)], reading)


def recognises_tree(tree: Tree) -> bool:
    """Whether there are tables in a folder."""
    return bool(_tables(tree))


def read_tree(tree: Tree, reading: Reading) -> Dataset | Recordings:
    """Returns the data of all tables in a folder.

    The label is the folder that a table lies in; without folders it is the file's name, less a number at its end where
    several files then have one label; or it stands in a column of each table. Raises DatasetError.
    """
    entries = _tables(tree)
    labels = _labels(entries)
    sources = []
    for entry, label in zip(entries, labels, strict=True):
        if entry.size > MAX_BYTES:
            raise DatasetError(f"{tree.place(entry)} has {entry.size:,} bytes: at most {MAX_BYTES:,} are allowed")
        table = read_table(entry.read(), tree.place(entry))
        sources.append(Labelled(table, label, entry.part))
    return gather(str(tree.path), sources, reading)


def _tables(tree: Tree) -> list[Entry]:
    return [entry for entry in tree.entries if entry.ending in _ENDINGS and not _NO_DATA.fullmatch(entry.name)]


def _labels(entries: list[Entry]) -> list[str | None]:
    """The label of each table by the names of folders and files."""
    if all(entry.folders for entry in entries):
        return [entry.folders[0] for entry in entries]
    stems = [entry.stem for entry in entries]
    if len(entries) == 1 or {stem.lower() for stem in stems} <= {"train", "training", "test", "testing", "data"}:
        return [None] * len(entries)
    short = [_short(stem) for stem in stems]
    if 2 <= len(set(short)) < len(stems) and min(Counter(short).values()) >= 2:
        return list(short)
    return list(stems)


def _short(stem: str) -> str:
    """A name without the number or the mark behind it: ``wave`` of ``wave.12``, ``wave_03``, ``wave.json.6600enq7``."""
    first = stem.split(".")[0]
    match = _NUMBERED.fullmatch(first)
    return match[1] if match else first
