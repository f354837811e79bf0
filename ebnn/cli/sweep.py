"""The command ``ebnn sweep``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..boards import Board, bundled_board_names, load_board
from ..errors import TrainingError
from ..show.console import command_line, make_console, print_command, print_line, print_whole
from ..show.plots import PICTURES, check_picture, plot_sweep
from ..show.training_tables import FRONT_MARK, sweep_table
from ..sweep import check_architectures, train_sweep
from ..training.run_folders import KEPT_FILES, MODEL_NAME
from .data_options import part_words
from .idle_options import SWEPT_TEACHER, TRAINING, refuses_idle
from .layout import HeadedCommand
from .options import json_option, write_json
from .paths import OutputFile, keep_files
from .training_options import TRAINING_HEADINGS, choose_for_own, open_task, read_training_options, training_options

DEFAULT_BOARDS = "uno,genuino101"


def read_boards(text: str) -> tuple[Board, ...]:
    """Boards from their names, joined by commas. Raises UnknownNameError for an unknown one."""
    return tuple(load_board(name) for name in dict.fromkeys(part.strip() for part in text.split(",")))


@click.command(cls=HeadedCommand, headings=TRAINING_HEADINGS, context_settings={"show_default": True})
@click.argument("architectures", metavar="ARCHITECTURE…", nargs=-1, required=True)
@training_options
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for the runs, each in OUT/ARCHITECTURE, with its model.ebnn.",
)
@click.option(
    "--boards",
    "board_list",
    metavar="BOARD,…",
    default=DEFAULT_BOARDS,
    help=f"For which to estimate the time: of {', '.join(bundled_board_names())}.",
)
@click.option(
    "--plot",
    type=OutputFile("picture"),
    help=f"Also draw accuracy against bytes and time to this file: {', '.join(PICTURES)}.",
)
@json_option
@refuses_idle(*TRAINING, SWEPT_TEACHER)
def sweep(
    architectures: tuple[str, ...],
    out: Path,
    board_list: str,
    plot: Path | None,
    json_file: Path | None,
    **settings: Any,
) -> None:
    """Train several architectures alike, and show accuracy against memory and time: which one to choose.

    An ARCHITECTURE is one of ebnn train's. The accuracy is that of the integers on the training images that
    --validation holds out; the test images are not used, so that they can still judge the network that is chosen. A
    star marks what no other network beats in both accuracy and the column's figure. With --resume a run that was
    stopped goes on, and finished ones are not repeated.
    """
    check_picture(plot)
    keep_files("--out", out, {*KEPT_FILES, MODEL_NAME})
    boards = read_boards(board_list)
    choose_for_own("", settings)
    options = read_training_options(settings)
    held_out = options.config.validation
    if not held_out:
        raise TrainingError(
            "a sweep does not choose by the test images: hold out training images with --validation, such as 5000"
        )
    folders = {architecture: out / architecture for architecture in architectures}
    check_architectures(architectures, options, boards)
    with open_task(options, out, list(folders.values())) as task:
        found = train_sweep(task, folders, options, boards)
    console = make_console()
    print_whole(console, sweep_table(found))
    print_line(
        console,
        f"accuracy: of {held_out:,} held-out training images; data: weights, thresholds, score constants; "
        f"{FRONT_MARK} no other network is better in accuracy and this",
    )
    chosen = command_line(
        "run", out / "ARCHITECTURE" / MODEL_NAME, "--dataset", options.dataset, *part_words(options.reading)
    )
    print_command(console, "the test images were not used; for the network that you choose", chosen)
    if plot is not None:
        plot_sweep(found, plot)
        task.progress.say(f"wrote {plot}")
    write_json(
        json_file,
        {
            "recipe": options.recipe,
            "dataset": options.dataset,
            "validation_samples": held_out,
            "boards": [board.name for board in boards],
            "config": asdict(options.config),
            "networks": found.values(),
        },
    )
