"""The zip of arrays in which a network's file lies, written without time or path, and read within bounds.

What a zip's directory, a member's packing and an array's head state is checked before anything is unpacked: a file of
some KB may state gigabytes. Nothing in it is executed.
"""

from __future__ import annotations

import io
import math
import os
import struct
import zipfile
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError

MAX_CONSTANT_BYTES = 16 * 2**20  # of a network: AlexNet with 8-bit first and last layers has 11
MAX_DESCRIPTION_BYTES = 2**20
MAX_MEMBERS = 2_295  # nine for each of 255 layers
MAX_FILE_BYTES = MAX_CONSTANT_BYTES + MAX_DESCRIPTION_BYTES + MAX_MEMBERS * 256  # heads of arrays and members
DESCRIPTION = "description.json"
_DIRECTORY_ENTRY = 256  # bytes that one member takes in the zip's directory, with room for others' extra fields
_END = struct.Struct("<4s4H2LH")  # the zip's end: signature, disks, members, bytes and place of the directory, comment
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # their size is bounded while they are unpacked
_EPOCH = (1980, 1, 1, 0, 0, 0)  # no timestamp: the same network gives the same file


def pack_arrays(arrays: dict[str, NDArray[Any]]) -> bytes:
    """The bytes of a file that holds ``arrays`` by their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), data.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file by their names, `DESCRIPTION` among them.

    Raises FileFormatError, or what zipfile, zlib and NumPy raise, where it is damaged, foreign or over the bounds.
    """
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
    if f"{DESCRIPTION}.npy" not in names:
        _refuse(path, "is not an .ebnn file (it has no description)")
    if len(set(names)) != len(names) or not all(name.endswith(".npy") for name in names):
        _refuse(path, "is damaged or not an .ebnn file (a member is there twice, or is no array)")
    for info in members:
        if info.compress_type not in _PACKED:
            _refuse(path, f"is damaged or not an .ebnn file ({info.filename} is neither stored nor deflated)")
        if info.filename == f"{DESCRIPTION}.npy" and info.file_size > MAX_DESCRIPTION_BYTES:
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


def _refuse(path: Path, what: str) -> NoReturn:
    raise FileFormatError(f"{path}: {what}")
