"""The command ``ebnn train``."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from .. import datasets
from ..blocks import INPUT_KINDS, InputKind
from ..errors import TrainingError
from ..recipes import load_recipe, recipe_names
from ..report import describe_network, network_table
from .console import command_line, make_console, print_line, print_whole
from .datasets import download_bars
from .options import check_writable, dataset_choice, folder_option, json_option, write_json
from .train_network import TEACHER_FOLDER, Task, Teacher, run_values, train_float, train_network

EPOCHS = {"digits": 40, "mnist": 12, "binary-mnist": 12, "cifar10": 12}  # a quarter of an hour at most on two cores


def use_recipe(context: click.Context, _: click.Parameter, name: str | None) -> str | None:
    """Makes a recipe's options the defaults; those given beside it hold."""
    if name is not None:
        context.default_map = {**(context.default_map or {}), **load_recipe(name).options}
    return name


@click.command(context_settings={"show_default": True})
@click.option(
    "--recipe",
    callback=use_recipe,
    is_eager=True,
    help=f"Settings by name: {', '.join(recipe_names())}. Options given beside it hold.",
)
@click.option("--dataset", type=dataset_choice, default="digits", help="What to train on.")
@click.option(
    "--architecture",
    default="conv",
    help="conv (c32k3p1-m2-c64k3p1-m2), conv-small (half as many filters), digits (c32k3p1-c32k3p1-m2, for 8×8), "
    "mlp (d128), ebnn-conv and ebnn-mlp (the paper's), or parts of your own joined by '-': c16k3p1 is a convolution of "
    "16 filters, kernel 3, padding 1; m2 a max-pool behind it; d64 a dense layer of 64. The last layer is added.",
)
@click.option(
    "--input",
    "input_kind",
    type=click.Choice(INPUT_KINDS),
    help="What the board is given. [default: the data set's own]",
    show_default=False,
)
@click.option(
    "--epochs",
    type=int,
    help=f"Passes over the training images. [default: {EPOCHS['digits']} for digits, else {EPOCHS['mnist']}]",
    show_default=False,
)
@click.option("--batch-size", type=int, default=128, help="Images in a batch.")
@click.option("--learning-rate", type=float, default=0.01, help="Of Adam, at the start.")
@click.option("--schedule", default="cosine", help="How the learning rate falls: cosine, exponential or constant.")
@click.option("--warmup", type=float, default=0.0, help="Epochs over which the learning rate rises first.")
@click.option("--estimator", default="hard_tanh", help="Pseudo-gradient of the sign; a wrong name lists them.")
@click.option("--shift", type=int, default=0, help="Move training images by up to so many pixels, at random.")
@click.option("--rotation", type=float, default=0.0, help="Turn them by up to so many degrees.")
@click.option("--scale", type=float, default=0.0, help="Stretch or shrink each of their axes by up to this fraction.")
@click.option("--elastic", type=float, default=0.0, help="Displace their pixels smoothly, by so many pixels (std).")
@click.option(
    "--averaging",
    type=float,
    default=0.0,
    help="Keep a moving average of the weights, such as 0.999; 0: the last ones.",
)
@click.option("--label-smoothing", type=float, default=0.0, help="Share of the target spread over all classes.")
@click.option(
    "--distillation",
    type=float,
    default=0.0,
    help="Weight, up to 1, of a teacher's answers in the loss. The teacher, a float network, is trained first, in "
    "OUT/teacher.",
)
@click.option("--temperature", type=float, default=4.0, help="Of distillation: the higher, the softer the answers.")
@click.option("--teacher", help="The teacher's architecture. [default: the network's]", show_default=False)
@click.option("--teacher-epochs", type=int, default=10, help="The teacher's passes over the training images.")
@click.option(
    "--validation",
    type=int,
    default=0,
    help="Hold out so many training images: they choose the epoch that is kept, and the test images are used once. "
    "0: train on all, keep the last epoch.",
)
@click.option("--seed", type=int, default=0, help="The same seed gives the same network, on the same machine.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The network to write. [default: OUT/model.ebnn]",
    show_default=False,
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for log.jsonl, the snapshot and chain.npz, Chainer's parameters. [default: runs/RECIPE, or "
    "runs/DATASET; with --float, -float is added]",
    show_default=False,
)
@click.option(
    "--float",
    "float_baseline",
    is_flag=True,
    help="Train the float baseline: the same shape with float weights and ReLU, no teacher. It cannot be exported.",
)
@click.option("--resume", is_flag=True, help="Go on from the snapshot in OUT, with the same options.")
@click.option("--overwrite", is_flag=True, help="Replace the run in OUT.")
@folder_option
@json_option
def train(
    recipe: str | None,
    dataset: str,
    architecture: str,
    input_kind: InputKind | None,
    epochs: int | None,
    teacher: str | None,
    teacher_epochs: int,
    float_baseline: bool,
    output: Path | None,
    out: Path | None,
    resume: bool,
    overwrite: bool,
    folder: Path | None,
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
    from ..training import TrainConfig

    check_writable(output, json_file)
    if float_baseline and output is not None:
        raise TrainingError("a float network has no .ebnn file: leave --output or --float out")
    if teacher is not None and not settings["distillation"]:
        raise TrainingError("--teacher does nothing without --distillation: give its weight too, such as 0.5")
    out = Path("runs") / ((recipe or dataset) + ("-float" if float_baseline else "")) if out is None else out
    _check_out(out, resume, overwrite)
    config = TrainConfig(epochs=EPOCHS[dataset] if epochs is None else epochs, **settings)
    with download_bars(Console(stderr=True)) as progress:
        data = datasets.load(dataset, folder=folder, progress=progress)
    console = make_console()
    task = Task(data, input_kind or data.kind, out, resume, console)
    about = {"recipe": recipe, "dataset": dataset, "architecture": architecture}
    if float_baseline:
        _, result = train_float(task, architecture, config)
        print_line(console, f"test accuracy {result.test_accuracy:.2%} with float weights and ReLU")
        write_json(json_file, {**about, "accuracy": result.test_accuracy, **run_values(result)})
        return
    master = Teacher(teacher or architecture, teacher_epochs) if config.distillation else None
    trained = train_network(task, architecture, config, master)
    output = out / "model.ebnn" if output is None else output
    trained.network.save(output)
    print_whole(console, network_table(trained.network))
    if trained.result.best.validation_accuracy is not None:
        best = trained.result.best
        print_line(
            console, f"validation accuracy {best.validation_accuracy:.2%} after epoch {best.epoch}, which is kept"
        )
    print_line(
        console,
        f"test accuracy {trained.accuracy:.2%}; the network and Chainer agree on {trained.agreement:,} of "
        f"{trained.test_samples:,} test images",
    )
    print_line(console, f"wrote {output}: {trained.network.weight_bytes:,} B of weights")
    print_line(console, f"next: {command_line('run', output, '--dataset', dataset)}")
    write_json(
        json_file,
        {
            **about,
            "file": str(output),
            **trained.values(),
            "config": asdict(config),
            "network": describe_network(trained.network),
        },
    )


def _check_out(out: Path, resume: bool, overwrite: bool) -> None:
    """Keeps a run from being lost to another one."""
    from ..training.records import LOG_NAME
    from ..training.snapshot import SNAPSHOT_NAME

    if resume and overwrite:
        raise TrainingError("--resume and --overwrite contradict each other: give one of them")
    runs = (out, out / TEACHER_FOLDER)
    if resume and not any((run / SNAPSHOT_NAME).exists() for run in runs):
        raise TrainingError(f"{out} has no {SNAPSHOT_NAME} to go on from: leave --resume out, or name the run's --out")
    if not resume and not overwrite and any((run / LOG_NAME).exists() for run in runs):
        raise TrainingError(
            f"{out} holds a run: go on with --resume, replace it with --overwrite, or name another folder with --out"
        )
