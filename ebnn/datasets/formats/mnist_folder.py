"""Folders of MNIST's format: images and labels in IDX files, plain or gzip, as EMNIST and Fashion-MNIST have them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError

from ..dataset import Dataset
from ..idx import parse_idx, unpack
from ..read_options import Reading
from ..trees import MAX_BYTES, Entry, Tree

_NAME = re.compile(
    r"(.*?)[-_. ]?(train|t10k|test)[-_. ]?(images|labels)([-_. ]?idx\d)?([-_. ]?ubyte)?(\.gz)?", re.IGNORECASE
)


def recognises_tree(tree: Tree) -> bool:
    """Whether there are files named as MNIST's, such as ``train-images-idx3-ubyte.gz``."""
    return len({role for entry in tree.entries if (role := _role(entry))}) >= 2


def read_tree(tree: Tree, reading: Reading) -> Dataset:
    """Returns the data set. Raises DatasetError where one of the four files is missing, damaged, or of another kind."""
    sets: dict[str, dict[str, Entry]] = {}
    for entry in tree.entries:
        if found := _role(entry):
            sets.setdefault(found[0], {})[found[1]] = entry
    if len(sets) > 1:
        raise DatasetError(
            f"{tree.path} holds several data sets ({', '.join(sorted(sets))}): give a folder with one of them"
        )
    (files,) = sets.values()
    arrays: dict[str, npt.NDArray[np.uint8]] = {}
    for role in ("train images", "train labels", "test images", "test labels"):
        if role not in files:
            raise DatasetError(f"{tree.path} lacks the {role}: give the four files of MNIST's format")
        place = tree.place(files[role])
        arrays[role] = parse_idx(unpack(files[role].read(), place, MAX_BYTES), place)
        if arrays[role].ndim != (1 if "labels" in role else 3):
            raise DatasetError(f"{place} holds {arrays[role].ndim} dimensions, {role} have another number")
    names = _mapping(tree)
    labels = {role: arrays[f"{role} labels"].astype(np.int64) for role in ("train", "test")}
    used = sorted({*labels["train"].tolist(), *labels["test"].tolist()})
    if names:
        texts = {role: [names.get(label, str(label)) for label in labels[role].tolist()] for role in labels}
        class_names = tuple(dict.fromkeys(names.get(label, str(label)) for label in used))
    else:
        texts = {role: [str(label) for label in labels[role].tolist()] for role in labels}
        class_names = tuple(map(str, used))
    data = Dataset.from_arrays(
        arrays["train images"],
        texts["train"],
        arrays["test images"],
        texts["test"],
        name=str(tree.path),
        class_names=class_names,
    )
    object.__setattr__(data, "notes", ("files of MNIST's format, their own split",))
    return data


def _role(entry: Entry) -> tuple[str, str] | None:
    """The set that a file belongs to, and what it is of it."""
    match = _NAME.fullmatch(entry.name)
    if match is None:
        return None
    return match[1], f"{'train' if match[2].lower() == 'train' else 'test'} {match[3].lower()}"


def _mapping(tree: Tree) -> Mapping[int, str]:
    """Names of labels, where a file such as EMNIST's ``emnist-balanced-mapping.txt`` has the code of each."""
    for entry in tree.entries:
        if entry.name.endswith("mapping.txt") and entry.size < 1 << 16:
            rows = [line.split() for line in entry.read().decode("ascii", "replace").splitlines() if line.strip()]
            if rows and all(len(row) >= 2 and all(cell.isdecimal() for cell in row) for row in rows):
                return {int(row[0]): "".join(chr(int(code)) for code in row[1:2]) for row in rows}
    return {}
