"""The command ``ebnn evolve``."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from ..compile.linux.shared_library import MAX_THREADS
from ..compile.summary import describe_network
from ..datasets import info
from ..errors import TrainingError
from ..figures import percent
from ..model.kinds import INPUT_KINDS
from ..network_data import data_for, reading_for
from ..published import load
from ..show.console import command_line, make_console, print_command, print_line, print_whole
from ..show.network_tables import network_table
from ..show.plots import check_drawing
from ..show.run_tables import count_table
from ..show.training_progress import GenerationProgress
from ..training.encoder_fitting import LEVELS
from ..training.evolution import BIASES, EvolutionConfig
from ..training.evolved_run import Evolved, evolve_network
from ..training.fitness import FITNESS
from ..training.run_folders import HISTORY_NAME, KEPT_FILES, MODEL_NAME
from ..training.run_settings import RunSettings
from ..training.untrained import draw_network
from .data_options import DATA_NAMES, SAMPLE_NAMES, data_options, part_words, sample_options, take_reading
from .idle_options import FIRST_NETWORK, FOLDER, OWN_DATA, RAW_LEVELS, SAMPLE, refuses_idle
from .layout import HeadedCommand, Headings
from .options import dataset_option, folder_option, json_option, load_dataset, optional_model_argument, write_json
from .paths import OutputFile, keep_files

HEADINGS: Headings = {
    "Data": ("dataset", "folder", *DATA_NAMES, *SAMPLE_NAMES, "validation"),
    "Network": ("architecture", "input_kind", "levels", "bias"),
    "Evolution": (
        *("generations", "population", "elite", "mutation", "crossover", "fitness", "seed", "threads"),
        *("resume", "overwrite"),
    ),
    "Results": ("out", "output", "json_file"),
}


@click.command(cls=HeadedCommand, headings=HEADINGS, context_settings={"show_default": True})
@optional_model_argument
@dataset_option("What to train on: a name, or data of your own, a file, a folder or an archive.", default="digits")
@data_options
@sample_options
@folder_option
@click.option(
    "--validation",
    type=int,
    default=0,
    help="Hold out so many training samples: they choose the generation that is kept, and the test samples are used "
    "once. 0: train on all, keep the last generation.",
)
@click.option(
    "--architecture", default="mlp", help="Of random networks to begin with, as ebnn train takes it: d800, conv, …"
)
@click.option(
    "--input",
    "input_kind",
    type=click.Choice(INPUT_KINDS),
    help="What the board is given. [default: the data set's own]",
    show_default=False,
)
@click.option(
    "--levels", type=int, default=LEVELS, help="Bits of each value of raw samples, where the board is given bits."
)
@click.option(
    "--bias",
    type=click.Choice(BIASES),
    default="free",
    help="free: thresholds move freely; bit: each is a bias of one bit, as of TinyML.jl's BitDense.",
)
@click.option("--generations", type=int, default=100, help="How many.")
@click.option("--population", type=int, default=100, help="Networks of a generation.")
@click.option("--elite", type=int, default=10, help="Of them, the fittest, which stay and have all children.")
@click.option("--mutation", type=float, default=0.003, help="How likely a weight changes in a child.")
@click.option("--crossover", type=float, default=0.5, help="How likely a child has two parents.")
@click.option(
    "--fitness",
    type=click.Choice(tuple(FITNESS)),
    default="score",
    help="What selects: score, the winning outputs of right answers, summed; loss, a low cross entropy, "
    "the best for many classes; mcc, Matthews' correlation coefficient; or accuracy.",
)
@click.option("--seed", type=int, default=0, help="The same seed gives the same network, on the same machine.")
@click.option(
    "--threads",
    type=click.IntRange(1, MAX_THREADS),
    metavar="N",
    help="That run networks; they change no result. [default: one for each core]",
    show_default=False,
)
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
    help="Folder for log.jsonl, test.json, history.png and the snapshot. [default: runs/evolve-DATASET]",
    show_default=False,
)
@click.option(
    "--resume", is_flag=True, help="Go on from the snapshot in OUT, with the same options; --generations may be more."
)
@click.option("--overwrite", is_flag=True, help="Replace the run in OUT.")
@json_option
@refuses_idle(FOLDER, *OWN_DATA, SAMPLE, RAW_LEVELS, FIRST_NETWORK)
def evolve(
    model: Path | None,
    dataset: str,
    folder: Path | None,
    architecture: str,
    input_kind: str | None,
    levels: int,
    threads: int | None,
    output: Path | None,
    out: Path | None,
    resume: bool,
    overwrite: bool,
    json_file: Path | None,
    **settings: Any,
) -> None:
    """Train a network without gradients, by a genetic algorithm, and write it as an .ebnn file.

    It begins with random networks of --architecture, or with MODEL and mutations of it, trained in whatever way. All
    networks of a generation answer all training samples; ebnn history shows the run as one of ebnn train. A run that
    was stopped goes on with --resume and ends with the same network as one that was not.
    """
    if resume and overwrite:
        raise TrainingError("--resume and --overwrite contradict each other: give one of them")
    reading = take_reading(settings)
    config = EvolutionConfig(**settings)
    check_drawing(f"drawing {HISTORY_NAME}")
    start = None if model is None else load(model)
    if start is not None:
        reading, input_kind = reading_for(start, reading), start.input.kind
    options = RunSettings(
        dataset=dataset,
        input_kind=input_kind,
        folder=folder,
        resume=resume,
        overwrite=overwrite,
        reading=reading,
        levels=levels,
    )
    out = Path("runs") / f"evolve-{options.name}" if out is None else out
    keep_files("--out", out, {*KEPT_FILES, *([MODEL_NAME] if output is None else [])})
    if start is None:
        about = info(dataset, reading)
        draw_network(architecture, options.shape, about.classes, options.kind)
    progress = GenerationProgress(make_console())
    with options.task(out, model=output is None, progress=progress, load=load_dataset) as task:
        if start is not None:
            task = replace(task, data=data_for(start, task.data), encoder=start.encoder)
        output = out / MODEL_NAME if output is None else output
        found = evolve_network(task, start or architecture, config, output, threads=threads or core_count())
    values = {"model": None if model is None else str(model), "dataset": dataset, "file": str(output)}
    _show(found, config, output, command_line("run", output, "--dataset", dataset, *part_words(reading)))
    write_json(
        json_file,
        {
            **values,
            "architecture": architecture if model is None else None,
            **found.values(),
            "config": asdict(config),
            "network": describe_network(found.network),
        },
    )


def core_count() -> int:
    """Returns how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return min(MAX_THREADS, len(os.sched_getaffinity(0)))
    return min(MAX_THREADS, os.cpu_count() or 1)


def _show(found: Evolved, config: EvolutionConfig, output: Path, following: str) -> None:
    console = make_console()
    network, result = found.network, found.result
    print_whole(console, network_table(network))
    print_whole(console, count_table(found.test_confusion, found.values()["class_names"]))
    print_line(
        console,
        f"{len(result.records):,} generations of {config.population} networks, fitness {result.fitness:.4f}, "
        f"{result.seconds:.1f} s",
    )
    for name, confusion in (("training", found.train_confusion), ("test", found.test_confusion)):
        samples = int(confusion.sum())
        wrong = samples - int(confusion.trace())
        print_line(console, f"{name} error {percent(wrong / samples)}: {wrong:,} of {samples:,} samples")
    print_line(console, f"wrote {output}: {network.weight_bytes:,} B of weights")
    print_command(console, "next", following)
