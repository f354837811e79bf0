"""Exports of Edge Impulse: a zip archive or its folder, samples in the data acquisition format, as JSON or CBOR.

A sample is ``{"protected": …, "signature": …, "payload": {"interval_ms": …, "sensors": [{"name", "units"}, …],
"values": [[…], …]}}``; ``info.labels`` says the label and the part of each file. Without it the label is the file's
name up to its first dot, and the part the folder, ``training`` or ``testing``.
Source: https://docs.edgeimpulse.com/reference/data-ingestion/data-acquisition-format
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError
from ebnn.extras import import_extra

from ..dataset import Dataset
from ..read_options import Reading
from ..recordings import Recording, Recordings
from ..trees import Entry, Tree, read_bounded
from .pictures import ENDINGS as PICTURES
from .pictures import read_pictures

MAX_BYTES = 2**28
"""Of one sample."""

_INFO = "info.labels"
_PARTS = {"training": "train", "train": "train", "testing": "test", "test": "test", "validation": "train"}
_WITHOUT = ("unlabeled", "multi-label")


def recognises(head: bytes) -> bool:
    """Whether a file that begins so is one sample; it has but one class, and is refused with that reason."""
    return _is_sample(head)


def read(path: Path, reading: Reading) -> Recordings:
    """Raises DatasetError: one sample is no data set."""
    _sample(read_bounded(path, MAX_BYTES), str(path))
    raise DatasetError(
        f"{path} is a single sample of Edge Impulse's format: give the folder or the archive of the export"
    )


def recognises_tree(tree: Tree) -> bool:
    """Whether there is an ``info.labels``, or files in the acquisition format."""
    if any(entry.name == _INFO for entry in tree.entries):
        return True
    samples = [entry for entry in tree.entries if entry.ending in (".json", ".cbor")]
    return 2 * len(samples) > len(tree.entries) and _is_sample(samples[0].read()[:4096])


def read_tree(tree: Tree, reading: Reading) -> Dataset | Recordings:
    """Returns the recordings of an export, or its pictures.

    Raises:
        DatasetError: a file is damaged, missing or of another kind, or samples do not fit together.
        MissingDependencyError: a file is CBOR and cbor2 is not installed, or a picture and Pillow is not.
    """
    known, notes = _info(tree)
    entries = [entry for entry in tree.entries if entry.name != _INFO and entry.ending in (".json", ".cbor", *PICTURES)]
    chosen: list[tuple[Entry, str, str | None]] = []
    unlabelled = 0
    for entry in entries:
        label, part = known.get(entry.path, (entry.name.split(".")[0], entry.part))
        if label is None:
            unlabelled += 1
        else:
            chosen.append((entry, label, part or entry.part))
    if not chosen:
        raise DatasetError(f"{tree.path} has no labelled sample of Edge Impulse's format")
    if unlabelled:
        notes.append(f"{unlabelled:,} samples without a label are left out")
    pictures = [each for each in chosen if each[0].ending in PICTURES]
    if pictures:
        files, labels, parts = map(list, zip(*pictures, strict=True))
        return read_pictures(tree, files, labels, parts, reading)
    return _recordings(tree, chosen, notes)


def _recordings(tree: Tree, chosen: list[tuple[Entry, str, str | None]], notes: list[str]) -> Recordings:
    items: list[Recording] = []
    sensors: tuple[tuple[str, str], ...] | None = None
    intervals: list[tuple[float, str]] = []
    for entry, label, part in chosen:
        place = tree.place(entry)
        if entry.size > MAX_BYTES:
            raise DatasetError(f"{place} has {entry.size:,} bytes: at most {MAX_BYTES:,} are allowed")
        values, interval, here = _sample(entry.read(), place)
        if sensors is not None and [name for name, _ in here] != [name for name, _ in sensors]:
            raise DatasetError(
                f"{place} has the sensors {', '.join(name for name, _ in here)}, others have "
                f"{', '.join(name for name, _ in sensors)}: leave it out"
            )
        sensors = here
        if interval:
            intervals.append((interval, place))
        items.append(Recording(entry.path, label, values, part))
    if intervals and max(intervals)[0] > 1.25 * min(intervals)[0]:
        raise DatasetError(
            f"{max(intervals)[1]} has a row each {max(intervals)[0]:.4g} ms, {min(intervals)[1]} each "
            f"{min(intervals)[0]:.4g} ms: record all of them at one rate"
        )
    rate = 1000 / float(np.median([interval for interval, _ in intervals])) if intervals else None
    assert sensors is not None
    own = any(item.part == "test" for item in items)
    notes = [f"an export of Edge Impulse, {len(items):,} recordings" + (", its own split" if own else ""), *notes]
    if not own:
        items = [Recording(item.name, item.label, item.values) for item in items]
    names, units = zip(*sensors, strict=True)
    return Recordings(str(tree.path), tuple(items), names, units, rate, tuple(notes))


def _info(tree: Tree) -> tuple[dict[str, tuple[str | None, str | None]], list[str]]:
    """Label and part of each file by its path, as ``info.labels`` tell them, the outermost first; and notes."""
    known: dict[str, tuple[str | None, str | None]] = {}
    there = {entry.path for entry in tree.entries}
    absent = 0
    for entry in sorted((each for each in tree.entries if each.name == _INFO), key=lambda each: each.path.count("/")):
        place = tree.place(entry)
        folder = entry.path.removesuffix(_INFO)
        try:
            files = json.loads(entry.read())["files"]
            for file in files:
                path = folder + file["path"]
                label, part = _label(file.get("label")), _PARTS.get(file.get("category", ""))
                if path in there:
                    known.setdefault(path, (label, part))
                else:
                    absent += 1
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise DatasetError(f"{place} is damaged: it lists no files with path and label") from None
    return known, [f"{absent:,} files that info.labels lists are not there"] if absent else []


def _label(given: Any) -> str | None:
    """The label of a file in ``info.labels``: text, or {"type", "label"}; None for one without."""
    if isinstance(given, Mapping):
        return None if given.get("type") in _WITHOUT or given.get("label") is None else str(given["label"])
    return None if given is None else str(given)


def _is_sample(head: bytes) -> bool:
    return b"payload" in head and (head.lstrip()[:1] == b"{" or head[:1] >= b"\xa0") and b"sensors" in head


def _sample(data: bytes, place: str) -> tuple[npt.NDArray[np.float32], float, tuple[tuple[str, str], ...]]:
    """Values, (rows, channels), the milliseconds between rows, and name and unit of each sensor."""
    try:
        is_json = data.lstrip()[:1] == b"{"
        decoded = json.loads(data) if is_json else import_extra("cbor2", "reading CBOR").loads(data)
        payload = decoded["payload"]
        sensors = tuple((str(each["name"]), str(each.get("units", ""))) for each in payload["sensors"])
        interval = float(payload.get("interval_ms") or 0)
        rows = payload["values"]
    except ImportError:
        raise
    except Exception as error:
        why = textwrap.shorten(f"{type(error).__name__}: {error}", 80, placeholder=" …")
        raise DatasetError(
            f"{place} is no sample of Edge Impulse's format, or damaged ({why}): delete it, or export it again"
        ) from None
    try:
        values = np.array(rows, np.float64)
    except (TypeError, ValueError):
        raise DatasetError(f"{place} has rows that differ in length, or text among its values: leave it out") from None
    if values.ndim == 1 and len(sensors) == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] != len(sensors) or not len(values):
        raise DatasetError(f"{place} has values of shape {values.shape} for {len(sensors)} sensors: leave it out")
    if not (np.abs(values) < np.finfo(np.float32).max).all():
        raise DatasetError(f"{place} holds a value that is not finite, or too large: leave it out")
    if not 0 <= interval < 1e7:
        raise DatasetError(f"{place} states {interval} ms from row to row: leave it out")
    return values.astype(np.float32), interval, sensors
