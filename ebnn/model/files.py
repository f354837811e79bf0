"""The ``.ebnn`` file: a NumPy ``.npz`` with a JSON description, versioned and checked on load.

Members: ``description.json`` (uint8 bytes of UTF-8 JSON: format, version, hash, and the network's values) and one array
per weight or threshold. `Network.save` writes it. Version 2 may name fields that change no answer as ``optional``: one
that is not known is skipped; any other asks for the version of ebnn that wrote the file.
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
from ..printable import printable
from ..version import __version__
from . import description
from .meta import Meta
from .network import Network
from .npz import DESCRIPTION, read_arrays


def load_file(path: str | os.PathLike[str]) -> Network:
    """Reads a ``.ebnn`` file.

    Raises FileFormatError, naming the file and what is wrong with it, where it is missing, truncated, tampered with,
    foreign, or of a newer version.
    """
    path = Path(path)
    try:
        arrays = read_arrays(path)
        values = _read_description(path, arrays.pop(DESCRIPTION))
        source, blocks, encoder = description.rebuild(values["version"], values, arrays)
        network = Network(source, blocks, encoder, Meta.rebuild(values.get("meta", {})))
        stated = values["hash"]
        _check_whole(network, values, arrays)
    except FileFormatError:
        raise
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, EOFError):
        if _is_image(path):
            _refuse(
                path,
                "is an image for boards, made by ebnn export --format image: give the .ebnn file that it was made of",
            )
        _refuse(path, "is damaged or not an .ebnn file")
    except description.NewerError as error:
        _refuse(path, f"{error}, which this ebnn ({__version__}) does not know: install {_writer(values)}")
    except (NetworkError, KeyError, TypeError, ValueError, OverflowError) as error:
        _refuse(path, f"is damaged or not an .ebnn file ({error})")
    except Exception as error:  # zipfile and zlib raise their own kinds on damaged data
        _refuse(path, f"is damaged ({error})")
    if network.hash != stated:
        _refuse(path, "does not match its own hash: it was changed after it was written")
    return network


def _is_image(path: Path) -> bool:
    """Whether a file begins as what a board opens at run time."""
    with path.open("rb") as file:
        return file.read(4) == b"EBNI"


def _read_description(path: Path, raw: NDArray[Any]) -> dict[str, Any]:
    values = json.loads(raw.astype(np.uint8).tobytes().decode())
    if not isinstance(values, dict) or values.get("format") != description.FORMAT:
        _refuse(path, "is not an .ebnn file (its format is not given)")
    version = values["version"]
    if version not in description.VERSIONS:
        newest = description.VERSIONS[-1]
        _refuse(path, f"has file version {version}, this ebnn ({__version__}) reads up to {newest}: upgrade ebnn")
    if version == 2:
        _check_fields(path, values)
    return values


_FIELDS_2 = frozenset(("format", "version", "hash", "input", "encoder", "layers", "meta", "optional", "ebnn"))


def _check_fields(path: Path, values: dict[str, Any]) -> None:
    """A field that is not known must be one that changes no answer."""
    optional = values["optional"]
    if not isinstance(optional, list) or not all(isinstance(name, str) for name in optional):
        raise TypeError("its optional fields are no list of names")
    unknown = sorted(values.keys() - _FIELDS_2 - set(optional))
    if unknown:
        _refuse(
            path,
            f"has {', '.join(name[:40] for name in unknown)}, which this ebnn ({__version__}) does not know: install "
            f"{_writer(values)}",
        )


def _writer(values: dict[str, Any]) -> str:
    """The version that knows what a file holds, as far as it says."""
    version = values.get("ebnn")
    known = isinstance(version, str) and len(version) <= 40 and version.isprintable() and version != __version__
    return f"ebnn {version} or newer" if known else "a newer ebnn"


def _check_whole(network: Network, given: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    """The file must say what its network says, no more, and in the same types."""
    if given["version"] == 1:
        values, own = network.describe()
        header = {key: given[key] for key in ("format", "version", "hash")}
        same = given == header | values
    else:
        values, own = description.describe_2(network.input, network.layers, network.encoder)
        same = all(given[name] == value for name, value in values.items())
    if not same:
        raise ValueError("its description is not its network's")
    for name, array in own.items():
        if arrays[name].dtype.newbyteorder("=") != array.dtype or arrays[name].shape != array.shape:
            raise ValueError(f"{name} is {arrays[name].dtype} {arrays[name].shape}, not {array.dtype} {array.shape}")


def _refuse(path: Path, what: str) -> NoReturn:
    raise FileFormatError(printable(f"{path}: {what}"))
