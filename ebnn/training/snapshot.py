"""Snapshots: the whole state of a run at the end of an epoch, in one ``.npz`` file without pickles."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from chainer.serializers import DictionarySerializer, NpzDeserializer

from ..atomic import write_atomically
from ..errors import TrainingError
from .records import EpochRecord

SNAPSHOT_NAME = "snapshot.npz"
FORMAT = 3
_DESCRIPTION = "description"
_EXTRAS = ("kept", "average")
_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)

Identity = dict[str, Any]
Arrays = dict[str, npt.NDArray[Any]]
Extras = dict[str, Arrays]


def parameters(model: Any) -> Arrays:
    """Returns a copy of a model's parameters and statistics, by the names that Chainer gives them."""
    serializer = DictionarySerializer()
    model.serialize(serializer)
    return {name: np.array(value) for name, value in serializer.target.items()}


def capture(updater: Any, identity: Identity, records: Sequence[EpochRecord], extras: Extras) -> Arrays:
    """Returns a copy of a run's state: weights, statistics, optimizer, place in the data, and the log so far.

    Args:
        updater: a Chainer updater, at the end of an epoch (or before the first).
        identity: what must agree where a run is resumed, as plain JSON values.
        records: of the epochs so far.
        extras: further sets of parameters: "kept", those of the epoch that is kept so far, and their "average".
    """
    serializer = DictionarySerializer()
    if records:
        updater.serialize(serializer)
    else:  # Adam has no moments yet, and Chainer cannot load that
        updater.get_optimizer("main").target.serialize(serializer["model:main"])
    description = {"format": FORMAT, "identity": identity, "records": [asdict(record) for record in records]}
    arrays = {name: np.array(value) for name, value in serializer.target.items()}
    arrays |= {f"{extra}:{name}": np.array(value) for extra in extras for name, value in extras[extra].items()}
    arrays[_DESCRIPTION] = np.frombuffer(json.dumps(description).encode(), np.uint8)
    return arrays


def write(path: Path, arrays: Arrays) -> None:
    """Writes a captured state to ``path``, atomically."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    write_atomically(path, buffer.getvalue())


def restore(path: Path, updater: Any, identity: Identity) -> tuple[list[EpochRecord], Extras]:
    """Puts the state in ``path`` into ``updater`` and its optimizer and model.

    Returns the records so far, and the further sets of parameters that were captured.

    Raises:
        TrainingError: the file is damaged or no snapshot, or is one of another configuration, network or data set.
    """
    way_out = "delete it, or give another folder, to start afresh"
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        description = json.loads(arrays.pop(_DESCRIPTION).tobytes())
        version, known = description["format"], description["identity"]
        records = [EpochRecord(**record) for record in description["records"]]
    except _UNREADABLE as error:
        raise TrainingError(f"{path} is damaged or no snapshot of a training run: {way_out}") from error
    if version != FORMAT:
        raise TrainingError(f"{path} is a snapshot of format {version}, this version reads {FORMAT}: {way_out}")
    if differences := _differences(known, identity):
        raise TrainingError(f"{path} is a snapshot of another run ({differences}): train as it was begun, or {way_out}")
    try:
        deserializer = NpzDeserializer(arrays)
        if records:
            updater.serialize(deserializer)
        else:
            updater.get_optimizer("main").target.serialize(deserializer["model:main"])
    except (KeyError, ValueError, TypeError) as error:
        raise TrainingError(f"{path} lacks a part of the run's state ({error}): {way_out}") from error
    extras: Extras = {extra: {} for extra in _EXTRAS}
    for name, value in arrays.items():
        extra, _, parameter = name.partition(":")
        if extra in extras:
            extras[extra][parameter] = value
    return records, extras


def _differences(known: Identity, wanted: Identity) -> str:
    names = [name for name in wanted.keys() | known.keys() if known.get(name) != wanted.get(name)]
    return "; ".join(f"{name} {known.get(name)}, now {wanted.get(name)}" for name in sorted(names))
