"""Commands that train several networks, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import TrainingError
from .train_network import TEACHER_FOLDER, Task
from .training_options import TrainingOptions, check_out


def load_task(options: TrainingOptions, out: Path, runs: Sequence[Path]) -> Task:
    """Loads the data for runs in the folders ``runs`` within ``out``.

    With ``--resume`` those that were not begun are begun: one snapshot among them is enough.

    Raises:
        TrainingError: a run is there that is neither to resume nor to replace, or there is none to resume.
    """
    from ..training.snapshot import SNAPSHOT_NAME

    if options.resume:
        if not any((folder / SNAPSHOT_NAME).exists() for run in runs for folder in (run, run / TEACHER_FOLDER)):
            raise TrainingError(f"{out} holds none of these runs: leave --resume out, or name another --out")
    else:
        for run in runs:
            check_out(run, resume=False, overwrite=options.overwrite)
    task = replace(options, resume=False, overwrite=True).load_task(out)  # which were checked here
    return replace(task, resume=options.resume)
