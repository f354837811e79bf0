"""The command ``ebnn train``."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..compile.summary import describe_network
from ..errors import TrainingError
from ..figures import percent
from ..show.console import command_line, make_console, print_command, print_line, print_whole
from ..show.network_tables import network_table
from ..show.run_tables import count_table
from ..training.cross_validation import cross_validate, fold_folders
from ..training.run_folders import KEPT_FILES, MODEL_NAME
from ..training.run_settings import RunSettings
from ..training.task import Task, float_config, run_values, train_float, train_network
from .data_options import part_words
from .idle_options import BINARY_NETWORK, FLOAT_NETWORK, TRAINING, refuses_idle
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
    "-o",
    "--output",
    type=OutputFile("network"),
    help="The network to write. [default: OUT/model.ebnn]",
    show_default=False,
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for log.jsonl, test.json, history.png, the snapshot and chain.npz, Chainer's parameters. [default: "
    "runs/RECIPE, or runs/DATASET; with --float, -float is added]",
    show_default=False,
)
@click.option(
    "--float",
    "float_baseline",
    is_flag=True,
    help="Train the float baseline: the same shape with float weights and ReLU, no teacher. It cannot be exported.",
)
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    help="Cross-validate: train so many networks, each tested on other recordings, in OUT/fold-1, …",
)
@json_option
@refuses_idle(*TRAINING, *BINARY_NETWORK, FLOAT_NETWORK)
def train(
    architecture: str,
    output: Path | None,
    out: Path | None,
    float_baseline: bool,
    folds: int | None,
    json_file: Path | None,
    **settings: Any,
) -> None:
    """Train a network with Chainer and write it as an .ebnn file.

    A run that was stopped goes on with --resume and ends with the same network as one that was not.

    \b
    --input   what the board is given         from pixels           from bits
    uint8     a number 0 to 255               as they are           0 or 1
    bits      packed bits                     1 where not 0         as they are
    int8      a number -128 to 127            minus 128             -1 or +1
    float     a float                         divided by 255        -1 or +1
    """
    if float_baseline and output is not None:
        raise TrainingError("a float network has no .ebnn file: leave --output or --float out")
    if folds is not None and (output is not None or float_baseline):
        raise TrainingError("--folds trains several networks, to judge: leave --output and --float out")
    architecture = choose_for_own(architecture, settings)
    options = read_training_options(settings)
    out = Path("runs") / (options.name + ("-float" if float_baseline else "")) if out is None else out
    keep_files("--out", out, {*KEPT_FILES, *([MODEL_NAME] if output is None else [])})
    check_architecture(options, architecture, baseline=float_baseline)
    if folds is not None:
        folders = fold_folders(out, folds)
        with open_task(options, out, folders) as task:
            _cross_validate(task, options, architecture, folders, json_file)
        return
    with open_task(options, out, model=output is None) as task:
        _train(task, options, architecture, output, float_baseline, json_file)


def _cross_validate(
    task: Task, options: RunSettings, architecture: str, folders: list[Path], json_file: Path | None
) -> None:
    console = make_console()
    found = cross_validate(task, options, architecture, folders)
    names = task.data.class_names
    confusion = found.confusion(len(names))
    print_whole(console, count_table(confusion, names))
    print_line(
        console,
        f"accuracy {percent(found.accuracy)} over {len(folders)} folds, {found.right:,} of {found.samples:,} right: "
        + ", ".join(percent(fold.trained.accuracy) for fold in found.folds),
    )
    write_json(
        json_file,
        {
            "dataset": options.dataset,
            "architecture": architecture,
            "accuracy": found.accuracy,
            "samples": found.samples,
            "confusion": confusion.tolist(),
            "class_names": list(names),
            "folds": [fold.trained.values() for fold in found.folds],
            "config": asdict(options.config),
        },
    )


def _train(
    task: Task,
    options: RunSettings,
    architecture: str,
    output: Path | None,
    float_baseline: bool,
    json_file: Path | None,
) -> None:
    console = make_console()
    about = {"recipe": options.recipe, "dataset": options.dataset, "architecture": architecture}
    if float_baseline:
        _, result = train_float(task, architecture, options.config)
        print_line(console, f"test accuracy {percent(result.test_accuracy)} with float weights and ReLU")
        values = {"accuracy": result.test_accuracy, **run_values(result)}
        write_json(json_file, {**about, **values, "float": True, "config": asdict(float_config(options.config))})
        return
    output = task.out / MODEL_NAME if output is None else output
    trained = train_network(task, architecture, options.config, options.teacher_for(architecture), output)
    print_whole(console, network_table(trained.network))
    best = trained.result.best
    if best.validation_accuracy is not None:
        print_line(
            console, f"validation accuracy {percent(best.validation_accuracy)} after epoch {best.epoch}, which is kept"
        )
    print_line(
        console,
        f"test accuracy {percent(trained.accuracy)}; the network and {options.trainer.title} agree on "
        f"{trained.agreement:,} of {trained.test_samples:,} test images",
    )
    print_line(console, f"wrote {output}: {trained.network.weight_bytes:,} B of weights")
    print_command(
        console, "next", command_line("run", output, "--dataset", options.dataset, *part_words(options.reading))
    )
    write_json(
        json_file,
        {
            **about,
            "file": str(output),
            **trained.values(),
            "config": asdict(options.config),
            "network": describe_network(trained.network),
        },
    )
