"""Snapshots: the whole state of a run at the end of an epoch, in one ``.npz`` file without pickles."""

from __future__ import annotations

import io
import json
import math
import operator
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...atomic import write_atomically
from ...errors import TrainingError
from ...training.records import EpochRecord, read_record
from .framework import chainer

FORMAT = 4
_DESCRIPTION = "description"
_EXTRAS = ("kept", "average")
_OVERHEAD = 2**26
"""Bytes of a snapshot that are no parameters: the log so far, and what describes the arrays."""
_COPIES = 5
"""Of the parameters, at most: their own, Adam's two moments, those that are kept, their average."""
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)

Identity = dict[str, Any]
Arrays = dict[str, npt.NDArray[Any]]
Extras = dict[str, Arrays]


def parameters(model: Any) -> Arrays:
    """Returns a copy of a model's parameters and statistics, by the names that Chainer gives them."""
    serializer = chainer.serializers.DictionarySerializer()
    model.serialize(serializer)
    return {name: np.array(value) for name, value in serializer.target.items()}


def capture(
    updater: Any, identity: Identity, records: Sequence[EpochRecord], extras: Extras, earlier: Sequence[int] = ()
) -> Arrays:
    """Returns a copy of a run's state: weights, statistics, optimizer, place in the data, and the log so far.

    Args:
        updater: a Chainer updater, at the end of an epoch (or before the first).
        identity: what must agree where a run is resumed, as plain JSON values.
        records: of the epochs so far.
        extras: further sets of parameters: "kept", those of the epoch that is kept so far, and their "average".
        earlier: lengths of the run, in epochs, before it was made longer.
    """
    serializer = chainer.serializers.DictionarySerializer()
    if records:
        updater.serialize(serializer)
    else:  # Adam has no moments yet, and Chainer cannot load that
        updater.get_optimizer("main").target.serialize(serializer["model:main"])
    description = {
        "format": FORMAT,
        "identity": identity,
        "records": [asdict(record) for record in records],
        "earlier": list(earlier),
    }
    arrays = {name: np.array(value) for name, value in serializer.target.items()}
    arrays |= {f"{extra}:{name}": np.array(value) for extra in extras for name, value in extras[extra].items()}
    arrays[_DESCRIPTION] = np.frombuffer(json.dumps(description).encode(), np.uint8)
    return arrays


def write(path: Path, arrays: Arrays) -> None:
    """Writes a captured state to ``path``, atomically."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    write_atomically(path, buffer.getvalue())


class Lengths(NamedTuple):
    """How long a run was to be, in epochs."""

    earlier: tuple[int, ...]
    """Its lengths before it was made longer."""
    epochs: int | None
    """Its length until now, where it is made longer now and the learning rate depends on it."""


def restore(path: Path, updater: Any, identity: Identity) -> tuple[list[EpochRecord], Extras, Lengths]:
    """Puts the state in ``path`` into ``updater`` and its optimizer and model.

    A run of more epochs may go on from it.

    Returns the records so far, the further sets of parameters that were captured, and how long the run was to be.

    Raises:
        TrainingError: the file is damaged or no snapshot, or is one of another configuration, network or data set.
    """
    way_out = "delete it, or give another folder, to start afresh"
    model = updater.get_optimizer("main").target
    wanted = parameters(model)
    try:
        arrays = _read_arrays(path, _OVERHEAD + _COPIES * sum(array.nbytes for array in wanted.values()))
        description = json.loads(arrays.pop(_DESCRIPTION).tobytes())
        version, known = description["format"], dict(description["identity"])
        records = [
            read_record({name: value for name, value in record.items() if value is not None})
            for record in description["records"]
        ]
        if [record.epoch for record in records] != list(range(1, len(records) + 1)):
            raise ValueError("its epochs do not follow each other")
        earlier = tuple(map(operator.index, description.get("earlier", [])))
    except _UNREADABLE as error:
        raise TrainingError(f"{path} is damaged or no snapshot of a training run: {way_out}") from error
    if version != FORMAT:
        raise TrainingError(f"{path} is a snapshot of format {version}, this version reads {FORMAT}: {way_out}")
    before, now = known.get("epochs"), identity.get("epochs")
    longer = isinstance(before, int) and isinstance(now, int) and before < now
    if longer:
        known["epochs"] = now
    if differences := _differences(known, identity):
        raise TrainingError(f"{path} is a snapshot of another run ({differences}): train as it was begun, or {way_out}")
    try:
        _check_arrays(arrays, wanted)
        deserializer = chainer.serializers.NpzDeserializer(arrays)
        if records:
            updater.serialize(deserializer)
        else:
            model.serialize(deserializer["model:main"])
        if updater.epoch != len(records) or not (updater.is_new_epoch or not records):
            raise ValueError("its place in the data is not the end of its last epoch")
    except (KeyError, ValueError, TypeError) as error:
        raise TrainingError(f"{path} lacks a part of the run's state ({error}): {way_out}") from error
    extras: Extras = {extra: {} for extra in _EXTRAS}
    for name, value in arrays.items():
        extra, _, parameter = name.partition(":")
        if extra in extras:
            extras[extra][parameter] = value
    return records, extras, Lengths(earlier, before if longer else None)


def load_parameters(path: Path, model: Any) -> None:
    """Gives ``model`` the parameters in ``path``: of a whole run, or those that a snapshot keeps.

    Raises:
        TrainingError: the file is damaged, or of another network.
    """
    wanted = parameters(model)
    try:
        arrays = _read_arrays(path, _OVERHEAD + _COPIES * sum(array.nbytes for array in wanted.values()))
    except _UNREADABLE as error:
        raise TrainingError(f"{path} is damaged, or no parameters of a training run: train again") from error
    found = arrays
    if _DESCRIPTION in arrays:
        kept = any(name.startswith("kept:") for name in arrays)
        begin = "kept:" if kept else "model:main"
        found = {name.removeprefix(begin): array for name, array in arrays.items() if name.startswith(begin)}
    found = {name.strip("/"): array for name, array in found.items()}
    for name, like in wanted.items():
        array = found.get(name)
        if array is None or (array.shape, array.dtype) != (like.shape, like.dtype):
            raise TrainingError(f"{path} has another network than the run says ({name} differs): train again")
    chainer.serializers.NpzDeserializer(found).load(model)


def _read_arrays(path: Path, most: int) -> Arrays:
    """The arrays of an ``.npz`` file that unpacks to ``most`` bytes at most; every byte of it is checked."""
    if not path.is_file() or path.stat().st_size > 2 * most:
        raise ValueError("it is no file, or too large")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > most:
            raise ValueError("it is too large")
        if any(member.compress_type not in _PACKINGS for member in members):
            raise ValueError("it is packed in another way than snapshots are")
        return {member.filename.removesuffix(".npy"): _parse_array(archive.read(member)) for member in members}


def _parse_array(data: bytes) -> npt.NDArray[Any]:
    """The array in an ``.npy`` file of NumPy's version 1.0."""
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("an array is of another version")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    content = data[file.tell() :]
    if dtype.hasobject or len(content) != dtype.itemsize * math.prod(shape):
        raise ValueError("an array has another size than it says")
    array: npt.NDArray[Any] = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C").copy()
    return array


def _check_arrays(arrays: Arrays, wanted: Arrays) -> None:
    """Compares shapes and types: Chainer would broadcast an array into one of another shape."""
    for name, array in arrays.items():
        key = name.partition(":")[2].removeprefix("main").strip("/")
        moments = key.rpartition("/")[0] if key.endswith(("/m", "/v")) else key
        like = wanted.get(key, wanted.get(moments))
        if like is None and (array.shape or array.dtype.kind not in "iu"):
            raise ValueError(f"{name} is {array.dtype} of shape {array.shape}")
        if like is not None and (array.shape, array.dtype) != (like.shape, like.dtype):
            raise ValueError(f"{name} is {array.dtype} of shape {array.shape}, not {like.dtype} {like.shape}")
    for extra in _EXTRAS:
        given = {name.partition(":")[2].strip("/") for name in arrays if name.startswith(f"{extra}:")}
        if given - wanted.keys():
            raise ValueError(f"{extra} has other parameters than the network")


def _differences(known: Identity, wanted: Identity) -> str:
    names = [name for name in wanted.keys() | known.keys() if known.get(name) != wanted.get(name)]
    return "; ".join(f"{name} {known.get(name)}, now {wanted.get(name)}" for name in sorted(names))
