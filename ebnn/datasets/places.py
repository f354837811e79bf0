"""Where the files of data sets are looked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ebnn.cache import cache_folder
from ebnn.errors import DatasetError

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """A folder that holds data sets.

    ``given`` is True where the user named it: such a folder is only read. ``origin`` says in words who named it, and
    ``way_out`` what to do where it does not serve.
    """

    path: Path
    given: bool
    origin: str
    way_out: str


def find_place(folder: str | os.PathLike[str] | None) -> Place:
    """Return the place to look in: ``folder``, else the one that ``EBNN_DATA`` names, else the cache.

    Raises DatasetError where ``folder`` or ``EBNN_DATA`` names something that is not a folder.
    """
    if folder is not None:
        place = Place(Path(folder).expanduser(), True, "the folder given", "give another folder")
    elif os.environ.get("EBNN_DATA"):
        path = Path(os.environ["EBNN_DATA"]).expanduser()
        place = Place(path, True, "the folder that EBNN_DATA names", "unset EBNN_DATA to download")
    else:
        return Place(cache_folder() / "datasets", False, "the cache", "set EBNN_CACHE to another folder")
    if not place.path.is_dir():
        raise DatasetError(f"{place.path}, {place.origin}, is not a folder: make it, or {place.way_out}")
    return place


def missing(path: Path, place: Place, needs: str) -> DatasetError:
    """Return the error for a file that a folder of the user lacks."""
    return DatasetError(
        f"{path} is missing in {place.origin}, which must hold {needs}: put it there, or {place.way_out}"
    )


def read_given(path: Path, read: Callable[[Path], T], place: Place) -> T:
    """Return ``read(path)``; the DatasetError for a file it refuses also says what to do about it."""
    try:
        return read(path)
    except DatasetError as error:
        raise DatasetError(f"{error}: replace it, or {place.way_out}") from None
