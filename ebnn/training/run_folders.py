"""Folders of training runs: what is kept in them, and what is in the way of another run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import TrainingError, WriteError
from .history import TEST_NAME
from .lock import LOCK_NAME
from .records import LOG_NAME
from .results import CHAIN_NAME, SNAPSHOT_NAME
from .tensorboard import FOLDER

TEACHER_FOLDER = "teacher"
HISTORY_NAME = "history.png"
MODEL_NAME = "model.ebnn"
FLOAT_NAME = "float.json"
"""The record of a float run: what it was trained as."""
KEPT_FILES = (LOG_NAME, SNAPSHOT_NAME, CHAIN_NAME, TEST_NAME, HISTORY_NAME, LOCK_NAME, FLOAT_NAME)
"""What a run keeps in its folder for itself."""


def check_files(out: Path, *more: Path) -> None:
    """Refuses a folder of a run in which a file that training writes is a folder, before training."""
    for path in (
        *more,
        *(out / name for name in (SNAPSHOT_NAME, LOG_NAME, CHAIN_NAME, TEST_NAME, HISTORY_NAME, FLOAT_NAME)),
    ):
        if path.is_dir():
            raise WriteError(
                f"{path} is a folder, and a file of that name is to be written: delete it, or name another"
            )


def check_strangers(out: Path, names: Iterable[str]) -> None:
    """Keeps files of these names in a folder in which no run was from being replaced by a run's.

    Raises:
        WriteError: one is there.
    """
    if any((out / name).exists() for name in (LOCK_NAME, LOG_NAME)):
        return
    for name in names:
        if (out / name).exists():
            raise WriteError(f"{out / name} is there already, and of no run: name another --out, or move that file")


def has_snapshot(run: Path) -> bool:
    """Whether there is something to resume in a run's folder, or in its teacher's."""
    return any((folder / SNAPSHOT_NAME).exists() for folder in (run, run / TEACHER_FOLDER))


def was_begun(run: Path) -> bool:
    """Whether a run has begun in a folder, and left no epoch there that would be lost to a new one."""
    folders = (run, run / TEACHER_FOLDER)
    logged = any((folder / LOG_NAME).exists() and (folder / LOG_NAME).stat().st_size for folder in folders)
    return not logged and any((folder / LOCK_NAME).exists() for folder in folders)


def check_runs(out: Path, runs: Sequence[Path], resume: bool, overwrite: bool) -> None:
    """Keeps a run from being lost to another one."""
    if resume and not any(has_snapshot(run) or was_begun(run) for run in runs):
        raise TrainingError(f"{out} has no {SNAPSHOT_NAME} to go on from: leave --resume out, or name the run's --out")
    if not resume and not overwrite:
        for folder in [folder for run in runs for folder in (run, run / TEACHER_FOLDER)]:
            if (folder / LOG_NAME).exists():
                raise TrainingError(
                    f"{folder} holds a run: go on with --resume, replace it with --overwrite, or name another folder "
                    "with --out"
                )


def delete_run(out: Path) -> None:
    """Deletes what a run, and its teacher's, left in a folder: a killed one that replaces it must not find it.

    Raises:
        TrainingError: a file cannot be deleted.
    """
    names = (SNAPSHOT_NAME, LOG_NAME, CHAIN_NAME, TEST_NAME, HISTORY_NAME, MODEL_NAME, FLOAT_NAME)
    for folder in (out, out / TEACHER_FOLDER):
        for file in [*(folder / name for name in names), *(folder / FOLDER).glob("events.out.tfevents.*")]:
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise TrainingError(f"{file} cannot be replaced ({error.strerror}): name another --out") from error
