"""The command ``ebnn train``."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from .. import datasets
from ..blocks import INPUT_KINDS, InputKind
from ..datasets import Dataset
from ..errors import TrainingError
from ..network import Network
from ..report import describe_network, network_table
from .console import command_line, make_console, print_line, print_whole
from .datasets import download_bars
from .options import check_writable, dataset_choice, folder_option, json_option, write_json

if TYPE_CHECKING:
    from ..training import TrainConfig


EPOCHS = {"digits": 40, "mnist": 12, "binary-mnist": 12, "cifar10": 12}  # a quarter of an hour at most on two cores


@dataclass(frozen=True)
class Trained:
    """A network, its accuracy, and how often Chainer's test-mode prediction is the same class."""

    network: Network
    accuracy: float
    agreement: int
    test_samples: int
    seconds: float

    def values(self) -> dict[str, Any]:
        return {
            "accuracy": self.accuracy,
            "test_samples": self.test_samples,
            "chainer_agreement": self.agreement,
            "train_seconds": self.seconds,
        }


@click.command(context_settings={"show_default": True})
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
@click.option("--estimator", default="hard_tanh", help="Pseudo-gradient of the sign; a wrong name lists them.")
@click.option("--shift", type=int, default=0, help="Move training images by up to so many pixels, at random.")
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
    help="Folder for log.jsonl, the snapshot and chain.npz, Chainer's parameters. [default: runs/DATASET]",
    show_default=False,
)
@click.option("--resume", is_flag=True, help="Go on from the snapshot in OUT, with the same options.")
@click.option("--overwrite", is_flag=True, help="Replace the run in OUT.")
@folder_option
@json_option
def train(
    dataset: str,
    architecture: str,
    input_kind: InputKind | None,
    epochs: int | None,
    batch_size: int,
    learning_rate: float,
    estimator: str,
    shift: int,
    seed: int,
    output: Path | None,
    out: Path | None,
    resume: bool,
    overwrite: bool,
    folder: Path | None,
    json_file: Path | None,
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
    out = Path("runs") / dataset if out is None else out
    _check_out(out, resume, overwrite)
    config = TrainConfig(
        epochs=EPOCHS[dataset] if epochs is None else epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        estimator=estimator,
        shift=shift,
        seed=seed,
    )
    with download_bars(Console(stderr=True)) as progress:
        data = datasets.load(dataset, folder=folder, progress=progress)
    console = make_console()
    trained = train_network(data, architecture, input_kind or data.kind, config, out, resume, console)
    output = out / "model.ebnn" if output is None else output
    trained.network.save(output)
    print_whole(console, network_table(trained.network))
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
            "dataset": dataset,
            "architecture": architecture,
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
    if resume and not (out / SNAPSHOT_NAME).exists():
        raise TrainingError(f"{out} has no {SNAPSHOT_NAME} to go on from: leave --resume out, or name the run's --out")
    if not resume and not overwrite and (out / LOG_NAME).exists():
        raise TrainingError(
            f"{out} holds a run: go on with --resume, replace it with --overwrite, or name another folder with --out"
        )


def train_network(
    data: Dataset,
    architecture: str,
    kind: InputKind,
    config: "TrainConfig",
    out: Path,
    resume: bool,
    console: Console,
) -> Trained:
    """Trains on a data set, lowers, and compares the network with Chainer on the test images."""
    from .. import training
    from ..lowering import lower

    train_images, test_images = (datasets.convert(x, data.kind, kind) for x in (data.train_images, data.test_images))
    chain = training.build_network(architecture, data.shape, data.classes, kind, seed=config.seed)
    test = (test_images, data.test_labels)
    result = training.train(
        chain, (train_images, data.train_labels), test, config, out, input_kind=kind, resume=resume, console=console
    )
    network = lower(chain, data.shape, kind)
    classes = network.predict(test_images)
    agreement = int((classes == training.predict(chain, training.as_samples("test", *test, kind))).sum())
    accuracy = float((classes == data.test_labels).mean())
    return Trained(network, accuracy, agreement, len(classes), result.seconds)
