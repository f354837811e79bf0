"""The command ``ebnn quantize``."""

from __future__ import annotations

from pathlib import Path

import click

from .. import datasets
from ..errors import InputError, TrainingError
from ..figures import percent
from ..show.bars import download_bars
from ..show.console import command_line, make_console, print_command, print_line, print_whole
from ..show.training_tables import quantization_table
from ..training.float_run import FloatRun
from ..training.progress import Progress
from ..training.quantized_run import quantize_run
from ..training.results import CHAIN_NAME, SNAPSHOT_NAME
from ..training.run_folders import FLOAT_NAME, MODEL_NAME
from ..training.run_settings import RunSettings
from .data_options import part_words
from .idle_options import RECORDED_FOLDER, refuses_idle
from .options import dataset_choice, folder_option, json_option, write_json
from .paths import OutputFile, RunFolder
from .training_options import check_training


@click.command(context_settings={"show_default": True})
@click.argument("run", metavar="RUN", type=RunFolder(CHAIN_NAME, SNAPSHOT_NAME, FLOAT_NAME))
@click.option(
    "--dataset",
    "--data",
    "dataset",
    type=dataset_choice,
    help="What calibrates and tests it: a name, or data of your own. [default: what it was trained on]",
    show_default=False,
)
@click.option(
    "-o",
    "--output",
    type=OutputFile("network"),
    help="The network to write. [default: RUN/model.ebnn]",
    show_default=False,
)
@click.option("--samples", type=int, default=1000, help="Training samples that calibrate it.")
@click.option("--seed", type=int, default=0, help="Of their choice.")
@folder_option
@json_option
@refuses_idle(RECORDED_FOLDER)
def quantize(
    run: Path,
    dataset: str | None,
    output: Path | None,
    samples: int,
    seed: int,
    folder: Path | None,
    json_file: Path | None,
) -> None:
    """Make a trained float network one of 8 bits, without training.

    RUN is the folder of a float network, the --out of ebnn train --float. Weights become 8-bit numbers with a step for
    each output, activations 8-bit numbers whose ranges some training samples choose. The table has for each layer the
    largest value on those samples, the range, and the relative error of weights and of outputs.
    """
    about = FloatRun.read(run)
    check_training(front_end=about.front_end)
    dataset = dataset or about.dataset
    if folder is not None and not datasets.has_files(dataset):
        raise InputError(f"--folder has no effect here: {dataset}, which the run was trained on, is read from no files")
    if samples < 1:
        raise TrainingError(f"{samples} samples calibrate nothing: give 1 or more, such as 1000")
    if not 0 <= seed < 2**32:
        raise TrainingError(f"seed is {seed}: give a whole number from 0 on, below 2**32")
    with download_bars(make_console(stderr=True)) as progress:
        data = datasets.load(dataset, folder=folder, progress=progress, reading=about.reading)
    output = run / MODEL_NAME if output is None else output
    settings = RunSettings(
        dataset=dataset,
        input_kind=about.kind,
        front_end=about.front_end,
        levels=about.levels,
        reading=about.reading,
    )
    task, _ = settings.task_of(data, run, Progress())
    found = quantize_run(task, about, samples, seed)
    found.network.save(output)
    console = make_console()
    print_whole(console, quantization_table(found.layers))
    print_line(
        console,
        f"test accuracy {percent(found.float_accuracy)} with float weights, {percent(found.accuracy)} with 8 bits; the "
        f"same class for {found.agreement:,} of {found.test_samples:,} test samples",
    )
    network = found.network
    print_line(console, f"wrote {output}: {network.weight_bytes:,} B of weights")
    print_command(console, "next", command_line("run", output, "--dataset", dataset, *part_words(about.reading)))
    write_json(
        json_file,
        {
            "run": str(run),
            "architecture": about.architecture,
            "dataset": dataset,
            "file": str(output),
            "hash": network.hash,
            "weight_bytes": network.weight_bytes,
            **found.values(),
        },
    )
