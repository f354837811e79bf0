"""The IDX format of MNIST: a big-endian header, then bytes.

The header is 0, 0, the type (8 is unsigned byte), the number of dimensions, then each dimension as a 32-bit integer.
Source: http://yann.lecun.com/exdb/mnist/
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError

_UNSIGNED_BYTE = 8
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_DIMENSIONS = 8
"""Of an array, far more than MNIST's three."""


def parse_idx(data: bytes, name: str) -> npt.NDArray[np.uint8]:
    """Return the array that ``data`` holds, in the shape its header states; read-only.

    Raises DatasetError, which calls the data ``name``, for another magic number, another type than unsigned bytes, too
    many dimensions, or more or fewer bytes than the header states.
    """
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _UNSIGNED_BYTE or data[3] == 0:
        raise DatasetError(f"{name} is not an IDX file of bytes: it starts with {data[:4].hex()}, not with 000008xx")
    ndim = data[3]
    if ndim > _MAX_DIMENSIONS:
        raise DatasetError(f"{name} states {ndim} dimensions: at most {_MAX_DIMENSIONS} are allowed")
    header = 4 + 4 * ndim
    if len(data) < header:
        raise DatasetError(f"{name} is cut short: its header has {len(data)} bytes of {header}")
    shape = struct.unpack(f">{ndim}I", data[4:header])
    expected = header + math.prod(shape)
    if len(data) != expected:
        problem = "is cut short" if len(data) < expected else "is too long"
        raise DatasetError(f"{name} {problem}: it has {len(data):,} bytes, its header states {expected:,}")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return the contents of ``path``, decompressed where it starts as gzip does.

    Raises DatasetError for a file that cannot be read, is cut short or damaged, or holds more than ``max_bytes``.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise DatasetError(f"{path} is no file")
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=file) as stream:
                    data = stream.read(max_bytes + 1)
            else:
                data = file.read(max_bytes + 1)
    except EOFError:
        raise DatasetError(f"{path} is cut short: its gzip stream has no end") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DatasetError(f"{path} is damaged: its gzip stream is invalid ({error})") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > max_bytes:
        raise DatasetError(f"{path} is too long: it holds more than the {max_bytes:,} bytes expected")
    return data


def unpack(data: bytes, name: str, max_bytes: int) -> bytes:
    """Return ``data``, decompressed where it starts as gzip does.

    Raises DatasetError, which calls the data ``name``, for a stream that is cut short, damaged or too long.
    """
    if not data.startswith(_GZIP_MAGIC):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            plain = stream.read(max_bytes + 1)
    except EOFError:
        raise DatasetError(f"{name} is cut short: its gzip stream has no end") from None
    except (OSError, zlib.error) as error:
        raise DatasetError(f"{name} is damaged: its gzip stream is invalid ({error})") from None
    if len(plain) > max_bytes:
        raise DatasetError(f"{name} unpacks to more than the {max_bytes:,} bytes allowed")
    return plain
