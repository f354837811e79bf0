"""The ``.ebnn`` file: a NumPy ``.npz`` with a JSON description, versioned and checked on load.

Members: ``description.json`` (uint8 bytes of UTF-8 JSON: format, version, hash, and Network.describe's values) and one
array per weight or threshold. `Network.save` writes it.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError, NetworkError
from . import description
from .network import Network
from .npz import DESCRIPTION, read_arrays


def load(path: str | os.PathLike[str]) -> Network:
    """Reads a ``.ebnn`` file.

    Raises FileFormatError, naming the file and what is wrong with it, where it is missing, truncated, tampered with,
    foreign, or of a newer version.
    """
    path = Path(path)
    try:
        arrays = read_arrays(path)
        values = _read_description(path, arrays.pop(DESCRIPTION))
        network = Network(*description.rebuild(values, arrays))
        stated = values["hash"]
        _check_whole(network, values, arrays)
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


def _read_description(path: Path, raw: NDArray[Any]) -> dict[str, Any]:
    values = json.loads(raw.astype(np.uint8).tobytes().decode())
    if not isinstance(values, dict) or values.get("format") != description.FORMAT:
        _refuse(path, "is not an .ebnn file (its format is not given)")
    version = values["version"]
    if version != description.VERSION:
        _refuse(path, f"has file version {version}, this ebnn reads {description.VERSION}: upgrade ebnn")
    return values


def _check_whole(network: Network, given: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    """The file must say what its network says, no more, and in the same types."""
    values, own = network.describe()
    header = {key: given[key] for key in ("format", "version", "hash")}
    if given != header | values:
        raise ValueError("its description is not its network's")
    for name, array in own.items():
        if arrays[name].dtype.newbyteorder("=") != array.dtype or arrays[name].shape != array.shape:
            raise ValueError(f"{name} is {arrays[name].dtype} {arrays[name].shape}, not {array.dtype} {array.shape}")


def _refuse(path: Path, what: str) -> NoReturn:
    raise FileFormatError(f"{path}: {what}")
