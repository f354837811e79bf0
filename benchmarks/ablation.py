"""What each part of the training is worth: one base configuration, and one change at a time.

::

    uv run python -m benchmarks.ablation --out runs/ablation                 train them all, print the table
    uv run python -m benchmarks.ablation --out runs/ablation --write         and keep it: benchmarks/ABLATION.md
    uv run python -m benchmarks.ablation --out TRY --only base --limit 2000 --validation 500 --epochs 2

Accuracy and loss are those of held-out training images, for the epoch that they choose; the test images are not used.
A program that was stopped goes on: OUT/results.json has what is finished, and a snapshot in OUT the rest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import click
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from benchmarks.dataset_option import DatasetName
from ebnn import datasets
from ebnn.atomic import write_atomically
from ebnn.errors import EbnnError, TrainingError
from ebnn.functions import estimator_names
from ebnn.show.console import make_console, print_line, print_whole
from ebnn.show.training_progress import ConsoleProgress
from ebnn.training import TrainConfig
from ebnn.training.task import Task, Teacher, train_network

HERE = Path(__file__).parent
RESULTS_NAME = "results.json"
BASE_NAME = "base"
BASE_ESTIMATOR = "hard_tanh"
DISTORTIONS = {"shift": 1, "rotation": 7.0, "scale": 0.07, "elastic": 0.5}
BASE = TrainConfig(
    epochs=5,
    learning_rate=0.03,
    warmup=1.0,
    averaging=0.999,
    estimator=BASE_ESTIMATOR,
    validation=10_000,
    **DISTORTIONS,  # type: ignore[arg-type]
)

ESTIMATOR_SOURCES = {
    "identity": "Bengio et al., arXiv 1308.3432",
    "approx_sign": "Liu et al., Bi-Real Net, arXiv 1808.00278",
    "swish_sign": "Darabi et al., BNN+, arXiv 1812.11800",
    "tanh": "Qin et al., IR-Net, arXiv 1909.10788",
}


@dataclass(frozen=True)
class Variant:
    """One change of the base.

    Attributes:
        name: in the table, and of its folder.
        source: of the part that is changed.
        changes: settings of :class:`ebnn.training.TrainConfig`.
    """

    name: str
    source: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    def config(self, base: TrainConfig, seed: int) -> TrainConfig:
        """The settings of one run."""
        return replace(base, **self.changes, seed=seed)

    @property
    def folder(self) -> str:
        return self.name.replace(" ", "-")


ADAM = "Kingma and Ba, arXiv 1412.6980"
GOYAL = "Goyal et al., arXiv 1706.02677"
SIMARD = "Simard et al., ICDAR 2003"
VARIANTS = (
    Variant(BASE_NAME, "Hubara et al., arXiv 1602.02830; McDanel et al., arXiv 1709.02260"),
    Variant("no averaging", "Polyak and Juditsky 1992; Tarvainen and Valpola, arXiv 1703.01780", {"averaging": 0.0}),
    Variant("no warm-up", GOYAL, {"warmup": 0.0}),
    Variant("no distortion", SIMARD, dict.fromkeys(DISTORTIONS, 0)),
    Variant("shift only", SIMARD, {"rotation": 0.0, "scale": 0.0, "elastic": 0.0}),
    Variant("stronger distortion", SIMARD, {"shift": 2, "rotation": 12.0, "scale": 0.12, "elastic": 0.9}),
    Variant("learning rate 0.01", ADAM, {"learning_rate": 0.01}),
    Variant("learning rate 0.003", ADAM, {"learning_rate": 0.003}),
    *(
        Variant(f"estimator {name}", ESTIMATOR_SOURCES[name], {"estimator": name})
        for name in estimator_names()
        if name != BASE_ESTIMATOR
    ),
    Variant("label smoothing 0.1", "Szegedy et al., arXiv 1512.00567", {"label_smoothing": 0.1}),
    Variant("distillation 0.5", "Hinton, Vinyals and Dean, arXiv 1503.02531", {"distillation": 0.5}),
    Variant("no clipping", "Courbariaux et al., arXiv 1511.00363", {"clip_weights": False}),
    Variant(
        "running statistics",
        "Wu and Johnson, arXiv 2105.07576; without averaging, which needs measured ones",
        {"statistics_samples": 0, "averaging": 0.0},
    ),
    Variant("exponential schedule", "cosine: Loshchilov and Hutter, arXiv 1608.03983", {"schedule": "exponential"}),
    Variant("batch 64", "Masters and Luschi, arXiv 1804.07612", {"batch_size": 64}),
    Variant("stochastic activations", "Hubara et al., arXiv 1602.02830, section 1.1", {"stochastic": True}),
    Variant("optimizer bop", "Helwegen et al., arXiv 1906.02107", {"optimizer": "bop"}),
)


@dataclass(frozen=True)
class Setting:
    """What all runs have in common, but for their variant and seed.

    Attributes:
        architecture: of the network, and of the teacher where there is one.
        dataset: name.
        limit: training images, the first ones; None for all.
        base: what the variants change.
    """

    architecture: str
    dataset: str
    limit: int | None
    base: TrainConfig

    def values(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    def task(self, folder: Path | None, console: Console) -> Task:
        """The data without their test images, from where :func:`ebnn.datasets.load` finds them."""
        data = datasets.load(self.dataset, folder=folder)
        data = replace(data, train_images=data.train_images[: self.limit], train_labels=data.train_labels[: self.limit])
        if not 0 < self.base.validation < len(data.train_labels):
            raise TrainingError(
                f"--validation is {self.base.validation}, of {len(data.train_labels)} training images: "
                "hold out some, and leave some"
            )
        return Task(data, data.kind, Path(), True, ConsoleProgress(console)).without_test(self.base.validation)


class Results:
    """What is finished: rows by variant and seed, in a file that is written after each."""

    def __init__(self, path: Path, setting: Setting) -> None:
        self.path = path
        self.setting = setting.values()
        self.rows: list[dict[str, Any]] = []
        if not path.exists():
            return
        try:
            known = json.loads(path.read_text())
            self.rows, other = known["runs"], known["setting"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"{path} is damaged: delete it, or name another --out") from error
        if other != json.loads(json.dumps(self.setting)):
            raise TrainingError(f"{path} has results of other settings: delete it, or name another --out")

    def find(self, variant: str, seed: int) -> dict[str, Any] | None:
        return next((row for row in self.rows if (row["variant"], row["seed"]) == (variant, seed)), None)

    def of(self, variant: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["variant"] == variant]

    def add(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        text = json.dumps({"setting": self.setting, "runs": self.rows}, indent=2)
        write_atomically(self.path, f"{text}\n".encode())


def run_variant(task: Task, setting: Setting, variant: Variant, seed: int, out: Path) -> dict[str, Any]:
    """Trains one variant with one seed, or goes on, in a folder of its own; returns its row of the results."""
    config = variant.config(setting.base, seed)
    teacher = Teacher(setting.architecture, config.epochs) if config.distillation else None
    folder = out / f"{variant.folder}-{seed}"
    best = train_network(replace(task, out=folder), setting.architecture, config, teacher).result.best
    return {
        "variant": variant.name,
        "seed": seed,
        "epoch": best.epoch,
        "validation_accuracy": best.validation_accuracy,
        "validation_loss": best.validation_loss,
    }


def table(results: Results, variants: Iterable[Variant]) -> Table:
    """One row for each variant that has results; the difference is taken over the seeds that the base has too."""
    made = Table(box=MARKDOWN)
    made.add_column("variant")
    for header in ("seeds", "accuracy, %", "± (std)", "loss", "difference, points"):
        made.add_column(header, justify="right")
    made.add_column("source")
    base = {row["seed"]: 100 * row["validation_accuracy"] for row in results.of(BASE_NAME)}
    for variant in variants:
        rows = results.of(variant.name)
        if not rows:
            continue
        accuracies = {row["seed"]: 100 * row["validation_accuracy"] for row in rows}
        apart = [accuracies[seed] - base[seed] for seed in accuracies.keys() & base.keys()]
        made.add_row(
            variant.name,
            str(len(rows)),
            f"{mean(accuracies.values()):.2f}",
            f"{stdev(accuracies.values()):.2f}" if len(rows) > 1 else "",
            f"{mean(row['validation_loss'] for row in rows):.4f}",
            f"{mean(apart):+.2f}" if apart and variant.name != BASE_NAME else "",
            variant.source,
        )
    return made


def document(results: Results, setting: Setting, variants: Iterable[Variant]) -> str:
    """benchmarks/ABLATION.md."""
    base = setting.base
    given = {name: value for name, value in asdict(base).items() if value != getattr(TrainConfig(), name)}
    shown = Console(width=10_000, highlight=False, color_system=None)
    with shown.capture() as text:
        shown.print(table(results, variants))
    images = "all" if setting.limit is None else f"the first {setting.limit:,}"
    return "\n".join(
        [
            "# What each part of the training is worth",
            "",
            "Written by `uv run python -m benchmarks.ablation --write`. One change of the base at a time; accuracy and",
            f"loss on {base.validation:,} held-out training images, for the epoch that they choose. The test images",
            "are not used. The choice of images alone moves an accuracy of 98.7 % by "
            f"{100 * math.sqrt(0.987 * 0.013 / base.validation):.2f} points (standard deviation).",
            "",
            f"Base: `{setting.architecture}` on {setting.dataset}, {images} training images; "
            + ", ".join(f"`{name}` {value}" for name, value in given.items())
            + "; all else as `ebnn.training.TrainConfig` has it.",
            "",
            *(line.strip() for line in text.get().strip().splitlines()),
            "",
        ]
    )


def choose(names: Sequence[str]) -> tuple[Variant, ...]:
    """The variants of those names; all where none is given."""
    known = {variant.name: variant for variant in VARIANTS}
    if unknown := [name for name in names if name not in known]:
        raise TrainingError(f"no variant is called {unknown[0]!r}: there are {', '.join(known)}")
    return tuple(known[name] for name in names) if names else VARIANTS


@click.command(context_settings={"show_default": True})
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the runs.")
@click.option("--epochs", type=int, default=BASE.epochs)
@click.option("--seeds", type=click.IntRange(min=1), default=1, help="Runs of each variant, with seeds from 0 on.")
@click.option("--only", multiple=True, help="This variant only; may be repeated.")
@click.option("--dataset", "--data", type=DatasetName(), default="mnist")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Where the data lie.")
@click.option("--architecture", default="c20k5s2-c48k3-m2-c64k3")
@click.option("--limit", type=click.IntRange(min=1), help="Take the first so many training images only.")
@click.option("--validation", type=int, default=BASE.validation, help="Of them, held out.")
@click.option("--write", is_flag=True, help="Write benchmarks/ABLATION.md.")
def main(
    out: Path,
    epochs: int,
    seeds: int,
    only: tuple[str, ...],
    dataset: str,
    folder: Path | None,
    architecture: str,
    limit: int | None,
    validation: int,
    write: bool,
) -> None:
    """Train a base configuration and one change of it at a time, and compare them on held-out images."""
    console = make_console()
    try:
        variants = choose(only)
        base = replace(BASE, epochs=epochs, validation=validation)
        setting = Setting(architecture, dataset, limit, base)
        for variant in variants:
            variant.config(base, 0)
        results = Results(out / RESULTS_NAME, setting)
        task = setting.task(folder, console)
        out.mkdir(parents=True, exist_ok=True)
        for seed in range(seeds):
            for variant in variants:
                if results.find(variant.name, seed) is None:
                    print_line(console, f"{variant.name}, seed {seed}:")
                    results.add(run_variant(task, setting, variant, seed, out))
    except EbnnError as error:
        raise click.ClickException(str(error)) from error
    print_whole(console, table(results, variants))
    if write:
        write_atomically(HERE / "ABLATION.md", document(results, setting, VARIANTS).encode())


if __name__ == "__main__":
    main()
