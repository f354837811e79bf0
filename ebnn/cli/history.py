"""The command ``ebnn history``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import TrainingError
from ..show.console import make_console, print_line, print_whole
from ..show.plots import PICTURES, check_picture, plot_history
from ..show.training_tables import history_table
from ..training.run_folders import HISTORY_NAME, KEPT_FILES, TEACHER_FOLDER
from .options import json_option, write_json
from .paths import OutputFile, RunFolder

if TYPE_CHECKING:
    from ..training.history import History

_READ = [name for name in KEPT_FILES if name != HISTORY_NAME]  # a picture may be drawn again


@click.command()
@click.argument(
    "runs",
    metavar="RUN...",
    nargs=-1,
    required=True,
    type=RunFolder(*(name for name in KEPT_FILES if name != HISTORY_NAME)),
)
@click.option(
    "-o",
    "--output",
    type=OutputFile("picture"),
    help=f"Draw loss, accuracy and learning rate of all runs to this file: {', '.join(PICTURES)}.",
)
@json_option
def history(runs: tuple[Path, ...], output: Path | None, json_file: Path | None) -> None:
    """Show training runs side by side, finished or not.

    RUN is the folder of one, the --out of ebnn train; of several, those that are none are named and left out, so that
    runs/* can be given. The test images choose nothing: a run without validation images keeps its last epoch.
    """
    check_picture(output)
    console = make_console()
    found, skipped = _read_runs(runs)
    for error in skipped.values():
        print_line(console, f"left out: {error}")
    runs = tuple(found)
    histories = [replace(each, name=name) for each, name in zip(found.values(), _short_names(runs), strict=True)]
    print_whole(console, history_table(histories))
    if output is not None:
        if not any(found.records for found in histories):
            raise TrainingError("no epoch is done yet, there is nothing to draw: leave --output out, or wait for one")
        plot_history(histories, output)
        print_line(console, f"wrote {output}")
    described = [each.values() | {"folder": str(run)} for run, each in zip(runs, histories, strict=True)]
    left_out = [{"folder": str(run), "reason": str(error)} for run, error in skipped.items()]
    write_json(json_file, {"runs": described, "left_out": left_out})


def _read_runs(runs: Sequence[Path]) -> tuple[dict[Path, History], dict[Path, TrainingError]]:
    """The histories of the runs that can be read, and why the others cannot. Raises TrainingError where none can."""
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
    return found, skipped


def _read_run(run: Path, name: str) -> History:
    from ..training.history import read_history
    from ..training.records import LOG_NAME

    teacher = run / TEACHER_FOLDER
    if not (run / LOG_NAME).exists() and (teacher / LOG_NAME).exists():
        raise TrainingError(f"{run} has no {LOG_NAME} yet, only its teacher has one: name {teacher}")
    return read_history(run, name)


def _short_names(runs: Sequence[Path]) -> list[str]:
    """The folders' own names where those differ, else their paths."""
    names = [run.name for run in runs]
    return names if len(set(names)) == len(set(runs)) and all(names) else [str(run) for run in runs]
