"""The ``.ebnn`` file: a NumPy ``.npz`` with a JSON description, versioned and checked on load.

Members: ``description.json`` (uint8 bytes of UTF-8 JSON: format, version, hash, and Network.describe's values) and one
array per weight or threshold. Nothing in it is executed: arrays are read with ``allow_pickle=False``.
"""

import io
import json
import math
import os
import struct
import zipfile
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from . import bits
from .atomic import write_atomically
from .blocks import Block, Conv, Dense, Input, Normalization, Pool, Scores, Shape, Threshold
from .errors import FileFormatError, NetworkError
from .network import MAX_CONSTANT_BYTES, MAX_LAYERS, Network

FORMAT = "ebnn network"
VERSION = 1
MAX_DESCRIPTION_BYTES = 2**20
MAX_MEMBERS = 9 * MAX_LAYERS  # arrays of a layer, the description among those of the last one
MAX_FILE_BYTES = MAX_CONSTANT_BYTES + MAX_DESCRIPTION_BYTES + MAX_MEMBERS * 256  # heads of arrays and members
_DIRECTORY_ENTRY = 256  # bytes that one member takes in the zip's directory, with room for others' extra fields
_END = struct.Struct("<4s4H2LH")  # the zip's end: signature, disks, members, bytes and place of the directory, comment
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # their size is bounded while they are unpacked
_EPOCH = (1980, 1, 1, 0, 0, 0)  # no timestamp: the same network gives the same file


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Writes ``network`` to ``path`` in one step: an interrupted write leaves the old file. Raises WriteError."""
    description, arrays = network.describe()
    header = {"format": FORMAT, "version": VERSION, "hash": network.hash, **description}
    members = {"description.json": np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in members.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), data.getvalue(), zipfile.ZIP_DEFLATED)
    write_atomically(Path(path), buffer.getvalue())


def load(path: str | os.PathLike[str]) -> Network:
    """Reads a ``.ebnn`` file.

    Raises FileFormatError, naming the file and what is wrong with it, where it is missing, truncated, tampered with,
    foreign, or of a newer version.
    """
    path = Path(path)
    try:
        arrays = _read_members(path)
        description = _read_description(path, arrays.pop("description.json"))
        network = _rebuild(description, dict(arrays))
        stated = description["hash"]
        _check_whole(network, description, arrays)
    except FileFormatError:
        raise
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, EOFError):
        _refuse(path, "is damaged or not an .ebnn file")
    except (NetworkError, KeyError, TypeError, ValueError, OverflowError) as error:
        _refuse(path, f"is damaged or not an .ebnn file ({error})")
    except Exception as error:  # zipfile and zlib raise their own kinds on damaged data
        _refuse(path, f"is damaged ({error})")
    if network.hash != stated:
        _refuse(path, "does not match its own hash: it was changed after it was written")
    return network


def _read_members(path: Path) -> dict[str, NDArray[Any]]:
    if path.exists() and not path.is_file() and not path.is_dir():
        _refuse(path, "is no file")
    with path.open("rb") as file:
        _check_directory(path, file)
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_members(path, members)
            return {info.filename.removesuffix(".npy"): _read_array(archive, info) for info in members}


def _check_directory(path: Path, file: IO[bytes]) -> None:
    """Bounds file and zip directory before zipfile reads them: it makes an object of each member."""
    size = file.seek(0, os.SEEK_END)
    if size > MAX_FILE_BYTES:
        _refuse(path, f"has {size:,} bytes, {MAX_FILE_BYTES:,} are allowed")
    if size < _END.size:
        raise zipfile.BadZipFile
    file.seek(-_END.size, os.SEEK_END)
    signature, *_, count, directory_bytes, _, _ = _END.unpack(file.read())
    # A comment or the end of a large zip would let zipfile find another directory than this one.
    file.seek(max(0, size - 2 * _END.size))
    if signature != b"PK\5\6" or b"PK\6\7" in file.read():
        raise zipfile.BadZipFile
    if count > MAX_MEMBERS or directory_bytes > MAX_MEMBERS * _DIRECTORY_ENTRY:
        _refuse(path, f"has {count:,} members in {directory_bytes:,} bytes, {MAX_MEMBERS:,} members are allowed")


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [info.filename for info in members]
    if "description.json.npy" not in names:
        _refuse(path, "is not an .ebnn file (it has no description)")
    if len(set(names)) != len(names) or not all(name.endswith(".npy") for name in names):
        _refuse(path, "is damaged or not an .ebnn file (a member is there twice, or is no array)")
    for info in members:
        if info.compress_type not in _PACKED:
            _refuse(path, f"is damaged or not an .ebnn file ({info.filename} is neither stored nor deflated)")
        if info.filename == "description.json.npy" and info.file_size > MAX_DESCRIPTION_BYTES:
            _refuse(path, f"has a description of {info.file_size:,} bytes, {MAX_DESCRIPTION_BYTES:,} are allowed")
    for size in (sum(info.file_size for info in members), sum(info.compress_size for info in members)):
        if size > MAX_FILE_BYTES:
            _refuse(path, f"unpacks to {size:,} bytes, {MAX_FILE_BYTES:,} are allowed")


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    """A member as an array of truth values or numbers; no more is allocated than the member has bytes."""
    data = archive.read(info)
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"{info.filename} has version {version} of NumPy's format")
    shape, columns_first, dtype = _HEADERS[version](stream)
    if dtype.kind not in "biuf" or math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(f"{info.filename} states {dtype} {shape} of {len(data)} bytes")
    array = np.frombuffer(data, dtype, offset=stream.tell())
    return array.reshape(shape, order="F" if columns_first else "C")


def _read_description(path: Path, raw: NDArray[Any]) -> dict[str, Any]:
    description = json.loads(raw.astype(np.uint8).tobytes().decode())
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        _refuse(path, "is not an .ebnn file (its format is not given)")
    version = description["version"]
    if version != VERSION:
        _refuse(path, f"has file version {version}, this ebnn reads {VERSION}: upgrade ebnn")
    return description


def _check_whole(network: Network, description: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    """The file must say what its network says, no more, and in the same types."""
    values, own = network.describe()
    header = {key: description[key] for key in ("format", "version", "hash")}
    if description != header | values:
        raise ValueError("its description is not its network's")
    for name, array in own.items():
        if arrays[name].dtype.newbyteorder("=") != array.dtype or arrays[name].shape != array.shape:
            raise ValueError(f"{name} is {arrays[name].dtype} {arrays[name].shape}, not {array.dtype} {array.shape}")


def _rebuild(description: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Network:
    if len(description["blocks"]) >= MAX_LAYERS:
        raise ValueError(f"{len(description['blocks'])} blocks, {MAX_LAYERS - 1} fit")
    blocks = tuple(_rebuild_block(entry, i, arrays) for i, entry in enumerate(description["blocks"]))
    output = Scores(
        _unpack(arrays.pop("output.weights"), description["output"]["weights"]),
        arrays.pop("output.multiplier"),
        arrays.pop("output.offset"),
        description["output"]["scale"],
    )
    if arrays:
        raise ValueError(f"unknown members {', '.join(sorted(arrays))}")
    entry = description["input"]
    return Network(Input(entry["kind"], Shape(*entry["shape"])), blocks, output)


def _rebuild_block(entry: dict[str, Any], index: int, arrays: dict[str, NDArray[Any]]) -> Block:
    def take(name: str) -> NDArray[Any]:
        return arrays.pop(f"block{index}.{name}")

    weights = _unpack(take("weights"), entry["weights"])
    linear: Conv | Dense
    if entry["linear"] == "conv":
        linear = Conv(weights, _pair(entry["stride"]), _pair(entry["pad"]))
    elif entry["linear"] == "dense":
        linear = Dense(weights)
    else:
        raise ValueError(f"unknown linear part {entry['linear']!r}")
    pool = entry["pool"] and Pool(*(_pair(entry["pool"][name]) for name in ("size", "stride", "pad")))
    threshold = None
    if f"block{index}.threshold" in arrays:
        value = take("threshold")
        threshold = Threshold(value, _unpack(take("below"), [len(value)]))
    normalization = None
    if f"block{index}.bias" in arrays:
        normalization = Normalization(*(take(name) for name in Normalization.FIELDS))
    return Block(linear, pool or None, threshold, normalization)


def _unpack(packed: NDArray[Any], shape: list[int]) -> NDArray[np.bool_]:
    count = int(np.prod(shape, dtype=np.int64))
    if min(shape) < 1 or packed.ndim != 1 or packed.dtype != np.uint8 or len(packed) != bits.row_bytes(count):
        raise ValueError(f"packed bits of shape {packed.shape} are not {shape} values")
    return bits.unpack(packed, count).reshape(shape)


def _pair(values: list[int]) -> tuple[int, int]:
    first, second = values
    return first, second


def _refuse(path: Path, what: str) -> NoReturn:
    raise FileFormatError(f"{path}: {what}")
