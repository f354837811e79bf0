"""The command ``ebnn history``."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import TrainingError
from ..show.console import make_console, print_line, print_whole
from ..show.plots import PICTURES, check_picture, plot_history
from ..show.training_tables import history_table
from ..training.run_folders import HISTORY_NAME, KEPT_FILES
from ..training.runs import read_histories
from .options import json_option, write_json
from .paths import OutputFile, RunFolder

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
    found, skipped = read_histories(runs)
    for error in skipped.values():
        print_line(console, f"left out: {error}")
    histories = list(found.values())
    print_whole(console, history_table(histories))
    if output is not None:
        if not any(found.records for found in histories):
            raise TrainingError("no epoch is done yet, there is nothing to draw: leave --output out, or wait for one")
        plot_history(histories, output)
        print_line(console, f"wrote {output}")
    described = [each.values() | {"folder": str(run)} for run, each in found.items()]
    left_out = [{"folder": str(run), "reason": str(error)} for run, error in skipped.items()]
    write_json(json_file, {"runs": described, "left_out": left_out})
