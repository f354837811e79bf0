"""The command ``ebnn compare``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..figures import percent
from ..model.network import Network
from ..report import time_text
from ..show.console import command_line, make_console, print_command, print_line, print_whole
from ..training.run_folders import KEPT_FILES, MODEL_NAME
from ..training.task import Task, float_config, train_float, train_network
from .idle_options import TRAINING, refuses_idle
from .layout import HeadedCommand
from .options import json_option, write_json
from .paths import keep_files
from .training_options import (
    TRAINING_HEADINGS,
    TrainingOptions,
    architecture_option,
    read_training_options,
    training_options,
)

if TYPE_CHECKING:
    from ..training import TrainResult

FLOAT_BYTES = 4
CHANNEL_FLOATS = 2  # batch normalisation, scale and offset


@dataclass(frozen=True)
class Side:
    """One of the two networks.

    Attributes:
        accuracy: fraction of the test images that it gets right.
        validation_accuracy: of the held-out images; None where there are none.
        weight_bytes: of all weights.
        other_bytes: of what else it needs to answer: binarized, thresholds and score constants; float, a scale and an
            offset for each channel.
        epoch: whose weights it has.
        train_seconds: that its epochs took, without its teacher's.
    """

    accuracy: float
    validation_accuracy: float | None
    weight_bytes: int
    other_bytes: int
    epoch: int
    train_seconds: float

    @property
    def bytes(self) -> int:
        """Of all parameters."""
        return self.weight_bytes + self.other_bytes


def float_side(result: TrainResult, network: Network) -> Side:
    """The float baseline of the shape of ``network``."""
    channels = sum(layer.outputs for layer in network.layers)
    return Side(
        result.test_accuracy,
        result.best.validation_accuracy,
        FLOAT_BYTES * sum(layer.linear.weights.size for layer in network.layers),
        FLOAT_BYTES * CHANNEL_FLOATS * channels,
        result.best.epoch,
        result.seconds,
    )


def binarized_side(result: TrainResult, network: Network, accuracy: float) -> Side:
    """The binarized network, right about ``accuracy`` of the test images."""
    return Side(
        accuracy,
        result.best.validation_accuracy,
        network.weight_bytes,
        network.threshold_bytes + network.score_bytes,
        result.best.epoch,
        result.seconds,
    )


def price(baseline: Side, binarized: Side) -> dict[str, float]:
    """What binarization costs: the accuracy of the float network less that of the binarized one, as fractions."""
    found = {"accuracy": baseline.accuracy - binarized.accuracy}
    if baseline.validation_accuracy is not None and binarized.validation_accuracy is not None:
        found["validation_accuracy"] = baseline.validation_accuracy - binarized.validation_accuracy
    return found


def comparison_table(baseline: Side, binarized: Side) -> Table:
    """Both networks, side by side."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("")
    for header in ("float", "binarized", "float − binarized"):
        table.add_column(header, justify="right")
    labels = {"accuracy": "test accuracy", "validation_accuracy": "validation accuracy"}
    for name, difference in price(baseline, binarized).items():
        sides = (percent(getattr(side, name)) for side in (baseline, binarized))
        table.add_row(labels[name], *sides, f"{100 * difference:+.2f} points")
    table.add_row(
        "parameters",
        f"{baseline.bytes:,} B",
        f"{binarized.bytes:,} B",
        f"{baseline.bytes / binarized.bytes:.1f} times",
    )
    table.add_row("training", *(time_text(1e6 * side.train_seconds) for side in (baseline, binarized)), "")
    return table


@click.command(cls=HeadedCommand, headings=TRAINING_HEADINGS, context_settings={"show_default": True})
@training_options
@architecture_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for both runs, OUT/float and OUT/binarized, and OUT/binarized/model.ebnn. [default: "
    "runs/compare-RECIPE, or runs/compare-DATASET]",
    show_default=False,
)
@json_option
@refuses_idle(*TRAINING)
def compare(architecture: str, out: Path | None, json_file: Path | None, **settings: Any) -> None:
    """Train the float baseline and the binarized network of one shape, and show both side by side.

    The baseline has float weights, ReLU in place of the sign, and a learning rate that suits it; data, distortions,
    seed and all else are the same, but for a teacher, which it has none of. With --resume a run that was stopped goes
    on, and a finished one is not repeated.
    """
    options = read_training_options(settings)
    out = Path("runs") / f"compare-{options.name}" if out is None else out
    keep_files("--out", out, {*KEPT_FILES, MODEL_NAME})
    folders = {name: out / name for name in ("float", "binarized")}
    options.check(architecture, make_console())
    with options.task(out, list(folders.values())) as task:
        _compare(task, options, architecture, folders, json_file)


def _compare(
    task: Task, options: TrainingOptions, architecture: str, folders: dict[str, Path], json_file: Path | None
) -> None:
    console = make_console()
    print_line(console, "the float baseline:")
    _, float_result = train_float(replace(task, out=folders["float"]), architecture, options.config)
    print_line(console, "the binarized network:")
    trained = train_network(
        replace(task, out=folders["binarized"]), architecture, options.config, options.teacher_for(architecture)
    )
    model = folders["binarized"] / MODEL_NAME
    baseline = float_side(float_result, trained.network)
    binarized = binarized_side(trained.result, trained.network, trained.accuracy)
    print_line(console, f"{architecture}, {trained.test_samples:,} test images")
    print_whole(console, comparison_table(baseline, binarized))
    print_line(console, f"wrote {model}")
    print_command(console, "next", command_line("run", model, "--dataset", options.dataset))
    write_json(
        json_file,
        {
            "recipe": options.recipe,
            "dataset": options.dataset,
            "architecture": architecture,
            "test_samples": trained.test_samples,
            "float": asdict(baseline),
            "binarized": {
                **asdict(binarized),
                "file": str(model),
                "hash": trained.network.hash,
                "chainer_agreement": trained.agreement,
            },
            "price": price(baseline, binarized),
            "config": asdict(options.config),
            "float_config": asdict(float_config(options.config)),
        },
    )
