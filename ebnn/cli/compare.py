"""The command ``ebnn compare``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..show.console import command_line, make_console, print_command, print_line, print_whole
from ..show.plots import PICTURES, check_picture, plot_history
from ..show.training_tables import comparison_table
from ..training.comparison import VARIANTS, compare_networks, price, variants_of
from ..training.history import read_history
from ..training.run_folders import KEPT_FILES, MODEL_NAME
from ..training.run_settings import RunSettings
from ..training.task import Task, float_config
from .data_options import part_words
from .idle_options import TRAINING, refuses_idle
from .layout import HeadedCommand
from .options import json_option, write_json
from .paths import OutputFile, keep_files
from .training_options import (
    TRAINING_HEADINGS,
    architecture_option,
    check_architecture,
    choose_for_own,
    open_task,
    read_training_options,
    training_options,
)


@click.command(cls=HeadedCommand, headings=TRAINING_HEADINGS, context_settings={"show_default": True})
@training_options
@architecture_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for all runs, OUT/float, OUT/binarized, OUT/binaryconnect and OUT/int8; all but the first have a "
    "model.ebnn. [default: runs/compare-RECIPE, or runs/compare-DATASET]",
    show_default=False,
)
@click.option(
    "-o",
    "--output",
    type=OutputFile("picture"),
    help=f"Draw the curves of all of them to this file: {', '.join(PICTURES)}.",
)
@json_option
@refuses_idle(*TRAINING)
def compare(architecture: str, out: Path | None, output: Path | None, json_file: Path | None, **settings: Any) -> None:
    """Train networks of one shape in other numbers, and show them side by side.

    \b
    float          float weights, ReLU in place of the sign
    binarized      as the architecture says
    binaryconnect  binary weights, 8-bit activations
    int8           8-bit weights and activations

    The float and the int8 network have a learning rate that suits them; data, distortions, seed and all else are the
    same, but for a teacher, which only the binarized one has. Of float input, which layers of 8 bits do not take, there
    are the first two. With --resume a run that was stopped goes on, and a finished one is not repeated.
    """
    check_picture(output)
    architecture = choose_for_own(architecture, settings, binary=True)
    options = read_training_options(settings)
    out = Path("runs") / f"compare-{options.name}" if out is None else out
    keep_files("--out", out, {*KEPT_FILES, MODEL_NAME})
    check_architecture(options, architecture, baseline=True)
    variants = variants_of(architecture, options.kind)
    for text in variants.values():
        options.check(text)
    folders = {name: out / name for name in ("float", "binarized", *variants)}
    with open_task(options, out, list(folders.values())) as task:
        _compare(task, options, architecture, folders, output, json_file)


def _compare(
    task: Task,
    options: RunSettings,
    architecture: str,
    folders: dict[str, Path],
    output: Path | None,
    json_file: Path | None,
) -> None:
    console = make_console()
    teacher = options.teacher_for(architecture)
    others = {name: folder for name, folder in folders.items() if name in VARIANTS}
    runs = folders["float"], folders["binarized"]
    found = compare_networks(task, architecture, options.config, *runs, teacher, others)
    trained = found.trained
    model = folders["binarized"] / MODEL_NAME
    sides = found.sides()
    print_line(console, f"{architecture}, {trained.test_samples:,} test images")
    print_whole(console, comparison_table(sides))
    print_line(console, f"wrote {model}")
    if output is not None:
        plot_history([read_history(folder, name) for name, folder in folders.items()], output)
        print_line(console, f"wrote {output}")
    print_command(
        console, "next", command_line("run", model, "--dataset", options.dataset, *part_words(options.reading))
    )
    write_json(
        json_file,
        {
            "recipe": options.recipe,
            "dataset": options.dataset,
            "architecture": architecture,
            "test_samples": trained.test_samples,
            "float": asdict(found.baseline),
            **{
                name: {
                    **asdict(sides[name]),
                    "architecture": architecture if name == "binarized" else VARIANTS[name].architecture(architecture),
                    "file": str(folders[name] / MODEL_NAME),
                    "hash": each.network.hash,
                    f"{options.front_end}_agreement": each.agreement,
                }
                for name, each in {"binarized": trained, **found.variants}.items()
            },
            "prices": {name: price(found.baseline, side) for name, side in sides.items() if name != "float"},
            "price": price(found.baseline, found.binarized),
            "config": asdict(options.config),
            "float_config": asdict(float_config(options.config)),
        },
    )
