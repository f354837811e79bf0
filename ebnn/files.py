"""The ``.ebnn`` file: a NumPy ``.npz`` with a JSON description, versioned and checked on load.

Members: ``description.json`` (uint8 bytes of UTF-8 JSON: format, version, hash, and Network.describe's values) and one
array per weight or threshold. Nothing in it is executed: arrays are read with ``allow_pickle=False``.
"""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from . import bits
from .atomic import write_atomically
from .blocks import Block, Conv, Dense, Input, Normalization, Pool, Scores, Shape, Threshold
from .errors import FileFormatError, NetworkError
from .network import Network

FORMAT = "ebnn network"
VERSION = 1
MAX_FILE_BYTES = 64 * 2**20  # far above any network for a microcontroller; bounds what a hostile file can ask for
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
    with zipfile.ZipFile(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
        if size > MAX_FILE_BYTES:
            _refuse(path, f"unpacks to {size:,} bytes, {MAX_FILE_BYTES:,} are allowed")
        names = archive.namelist()
        if "description.json.npy" not in names:
            _refuse(path, "is not an .ebnn file (it has no description)")
        if len(set(names)) != len(names) or not all(name.endswith(".npy") for name in names):
            _refuse(path, "is damaged or not an .ebnn file (a member is there twice, or is no array)")
        members = {}
        for name in names:
            with archive.open(name) as file:
                members[name.removesuffix(".npy")] = np.lib.format.read_array(file, allow_pickle=False)
    return members


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
