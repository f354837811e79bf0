"""Several training runs, read from their folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import TrainingError
from .history import History, read_history
from .records import LOG_NAME
from .run_folders import TEACHER_FOLDER


def read_histories(runs: Sequence[Path]) -> tuple[dict[Path, History], dict[Path, TrainingError]]:
    """Returns the histories of the runs in these folders that can be read, and why the others cannot.

    They are called by the folders' own names where those differ, else by their paths. Raises TrainingError where none
    can be read.
    """
    found: dict[Path, History] = {}
    skipped: dict[Path, TrainingError] = {}
    for run in runs:
        try:
            found[run] = _read_run(run, str(run))
        except TrainingError as error:
            skipped[run] = error
    if not found:
        first, *others = skipped.values()
        raise TrainingError(f"{first} (and {len(others)} like it)" if others else str(first))
    names = _short_names(tuple(found))
    return {run: replace(each, name=name) for name, (run, each) in zip(names, found.items(), strict=True)}, skipped


def _read_run(run: Path, name: str) -> History:
    teacher = run / TEACHER_FOLDER
    if not (run / LOG_NAME).exists() and (teacher / LOG_NAME).exists():
        raise TrainingError(f"{run} has no {LOG_NAME} yet, only its teacher has one: name {teacher}")
    return read_history(run, name)


def _short_names(runs: Sequence[Path]) -> list[str]:
    """The folders' own names where those differ, else their paths."""
    names = [run.name for run in runs]
    return names if len(set(names)) == len(set(runs)) and all(names) else [str(run) for run in runs]
