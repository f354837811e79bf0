"""From what a user calls a network, a file's path or a published network's name, to the network."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import FileFormatError
from ..model import files
from ..model.network import Network
from ..names import unknown_name
from .published_network import network_file, network_names


def find_network(path: str | os.PathLike[str]) -> Path:
    """Returns the ``.ebnn`` file that is meant: a file of that path, else the published network of that name.

    A name has no folder before it (``./NAME`` is NAME) and no ``.ebnn`` behind it. A path that is no name is returned
    as it is.

    Raises:
        UnknownNameError: neither a file nor a published network has the name; the message lists the names there are.
    """
    path = Path(path)
    if path.suffix == ".ebnn" and len(path.parts) == 1 and path.stem in network_names() and not _is_there(path):
        raise FileFormatError(f"{path}: no such file; the published network is called {path.stem}, without .ebnn")
    if len(path.parts) != 1 or path.suffix == ".ebnn" or _is_there(path):
        return path
    if path.name in network_names():
        return network_file(path.name)
    if path.is_dir():
        return path
    raise unknown_name("file and no published network", path.name, network_names(), listed="published networks:")


def _is_there(path: Path) -> bool:
    """Whether there is something to read, or to say why it cannot be read."""
    try:
        return path.exists() and not path.is_dir()
    except OSError:
        return True


def load(path: str | os.PathLike[str]) -> Network:
    """Reads a network: ``path`` is an ``.ebnn`` file, or the name of a published network, such as ``"mnist-uno"``.

    A file of that name, in the working folder, comes first. ``ebnn networks`` lists the published ones.

    Raises FileFormatError, naming the file and what is wrong with it, where it is truncated, tampered with, foreign, or
    of a newer version, and UnknownNameError where neither a file nor a published network has the name.
    """
    return files.load_file(find_network(path))
