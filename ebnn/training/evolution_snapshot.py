"""Snapshots of evolution: the elite's genes and the log so far, in one ``.npz`` file without pickles."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..atomic import write_atomically
from ..errors import TrainingError
from .genes import GenePlan, Genes, LayerGenes
from .records import EpochRecord, read_record

FORMAT = "ebnn evolution 1"
_DESCRIPTION = "description"
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
_WAY_OUT = "delete it, or give another folder, to start afresh"
_LOG_BYTES = 2**27


def write_snapshot(
    path: Path,
    identity: dict[str, Any],
    elite: Genes,
    fitness: NDArray[np.float64],
    records: Sequence[EpochRecord],
    kept: Genes | None,
) -> None:
    """Writes a state, atomically; ``identity`` is what must agree where it is read. Raises WriteError."""
    description = {"format": FORMAT, "identity": identity, "records": [asdict(record) for record in records]}
    arrays: dict[str, NDArray[Any]] = {
        _DESCRIPTION: np.frombuffer(json.dumps(description).encode(), np.uint8),
        "fitness": fitness,
    }
    for name, genes in (("elite", elite), ("kept", kept or [])):
        for i, own in enumerate(genes):
            arrays[f"{name}{i}_rows"], arrays[f"{name}{i}_terms"] = own.rows, own.terms
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    write_atomically(path, buffer.getvalue())


def read_snapshot(
    path: Path, identity: dict[str, Any], plan: GenePlan, elite: int
) -> tuple[Genes, NDArray[np.float64], tuple[EpochRecord, ...], Genes | None]:
    """Returns the elite, its fitness, the records and the genes that are kept, as `write_snapshot` took them.

    Raises:
        TrainingError: the file is damaged or no snapshot, or is one of another configuration, network or data set.
    """
    try:
        most = _LOG_BYTES + 2 * sum(own.rows.nbytes + own.terms.nbytes for own in plan.copies(elite))
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > most:
                raise ValueError("it is too large")
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        description = json.loads(arrays[_DESCRIPTION].tobytes())
        if not isinstance(description, dict) or description.get("format") != FORMAT:
            raise TrainingError(f"{path} is no snapshot of evolution: {_WAY_OUT}")
        known = description["identity"]
        for name, value in identity.items():
            if known[name] != value:
                raise TrainingError(
                    f"{path} is of another run: its {name} is {known[name]!s:.60}, this run's {value!s:.60}; {_WAY_OUT}"
                )
        records = tuple(
            read_record({name: value for name, value in record.items() if value is not None})
            for record in description["records"]
        )
        fitness = arrays["fitness"]
        if fitness.shape != (elite,) or fitness.dtype != np.float64 or not records:
            raise ValueError("its fitness has another shape")
        genes = _genes(arrays, "elite", plan, elite)
        kept = _genes(arrays, "kept", plan, 1) if "kept0_rows" in arrays else None
    except TrainingError:
        raise
    except _UNREADABLE as error:
        raise TrainingError(f"{path} is damaged ({' '.join(str(error).split()):.80}): {_WAY_OUT}") from None
    return genes, fitness, records, kept


def _genes(arrays: dict[str, NDArray[Any]], name: str, plan: GenePlan, networks: int) -> Genes:
    """The genes of that name. Raises ValueError where they are of another shape."""
    found = []
    for i, like in enumerate(plan.copies(networks)):
        own = LayerGenes(arrays[f"{name}{i}_rows"], arrays[f"{name}{i}_terms"])
        for mine, wanted in ((own.rows, like.rows), (own.terms, like.terms)):
            if mine.shape != wanted.shape or mine.dtype != wanted.dtype:
                raise ValueError(f"{name} has another shape")
        found.append(own)
    return found
