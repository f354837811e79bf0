"""Publishes a network: chooses a seed, writes its folder in ``ebnn/published`` with what every seed came to.

::

    mkdir -p runs/0 && uv run ebnn train --recipe mnist-tiny --seed 0 --out runs/0 --json runs/0/train.json
    uv run python -m tools.publish mnist-tiny runs/0 runs/1 runs/2 --float runs/float-0

The runs differ in their seed alone. The one with the best validation accuracy is published, of equal ones that with the
lower seed; the test accuracy decides nothing. Without runs, the model card alone is written anew.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ebnn.atomic import write_atomically, write_json
from ebnn.compile.summary import describe_network
from ebnn.errors import EbnnError, TrainingError
from ebnn.model import files
from ebnn.model.network import Network
from ebnn.published.card import card_text
from ebnn.published.published_network import (
    CARD_NAME,
    FOLDER,
    LOG_NAME,
    NETWORK_NAME,
    SEEDS_NAME,
    TRAINING_NAME,
    TrainedSeed,
    read_published,
)
from ebnn.training import TrainConfig
from ebnn.training.run_folders import MODEL_NAME
from ebnn.training.run_settings import recipe_settings
from ebnn.training.task import float_config

RUN = click.Path(file_okay=False, path_type=Path)

Settings = dict[str, Any]
"""All that decides a network, but for its seed."""


@dataclass(frozen=True)
class Run:
    """A trained seed: the folder, train.json's values, the log as it is, and the network."""

    folder: Path
    values: dict[str, Any]
    log: str
    network: Network

    @property
    def seed(self) -> int:
        return int(self.values["config"]["seed"])

    @property
    def validation_accuracy(self) -> float:
        return float(self.values["validation_accuracy"])


@click.command()
@click.argument("name")
@click.argument("runs", metavar="[RUN]...", nargs=-1, type=RUN)
@click.option(
    "--float", "floats", metavar="RUN", multiple=True, type=RUN, help="A run of the float baseline; repeat it."
)
@click.option("--to", type=RUN, default=FOLDER, help="Where NAME's folder is written. [default: ebnn/published]")
def main(name: str, runs: tuple[Path, ...], floats: tuple[Path, ...], to: Path) -> None:
    """Publish the best of RUNs of the recipe NAME, folders with model.ebnn, train.json and log.jsonl."""
    folder = to / name
    try:
        if runs:
            publish(name, runs, floats, folder)
        elif floats:
            raise TrainingError("--float goes with the runs of the network: name those too")
        published = read_published(folder)
        write_atomically(folder / CARD_NAME, card_text(published).encode())
    except EbnnError as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"{folder}: seed {published.seed} of {len(published.seeds)}, test accuracy {100 * published.accuracy:.2f} %"
    )


def publish(name: str, runs: tuple[Path, ...], floats: tuple[Path, ...], folder: Path) -> None:
    """Writes all but the card into ``folder``. Raises TrainingError for runs that are no seeds of one recipe."""
    recipe, float_recipe = recipe_runs(name)
    read = sorted(map(read_run, runs), key=lambda run: run.seed)
    for run in read:
        check_run(run, name, recipe)
    for run, following in itertools.pairwise(read):
        if run.seed == following.seed:
            raise TrainingError(f"{run.folder} and {following.folder} are both of seed {run.seed}: name one of them")
    baseline = float_accuracies(name, float_recipe, floats, {run.seed for run in read})
    best = best_run(read)
    seeds = [
        TrainedSeed(
            run.seed,
            run.values["accuracy"],
            run.validation_accuracy,
            run.values["epoch"],
            run.network.hash,
            baseline.get(run.seed),
        ).values()
        for run in read
    ]
    folder.mkdir(parents=True, exist_ok=True)
    best.network.save(folder / NETWORK_NAME)
    values = {key: value for key, value in best.values.items() if key != "file"}
    write_json(folder / TRAINING_NAME, values | {"network": describe_network(best.network)})
    write_json(folder / SEEDS_NAME, seeds)
    write_atomically(folder / LOG_NAME, best.log.encode())


def best_run(runs: list[Run]) -> Run:
    """The run with the best validation accuracy; of equal ones, that with the lower seed."""
    return max(runs, key=lambda run: (run.validation_accuracy, -run.seed))


def recipe_runs(name: str) -> tuple[Settings, Settings]:
    """What ``ebnn train --recipe NAME`` trains with, and its float baseline.

    Raises TrainingError where there is no such recipe, or it has a teacher.
    """
    architecture, recipe = recipe_settings(name)
    if recipe.config.distillation:
        raise TrainingError(f"the recipe {name} has a teacher, of which train.json tells nothing: publish one without")
    own = settings(recipe.dataset, architecture, recipe.config) | {"input": recipe.kind}
    return own, settings(recipe.dataset, architecture, float_config(recipe.config))


def settings(dataset: str, architecture: str, config: TrainConfig) -> Settings:
    """The settings of a run, but for what the board is given."""
    return {"dataset": dataset, "architecture": architecture, **config.recipe(), "seed": None}


def check_settings(folder: Path, name: str, own: Settings, wanted: Settings) -> None:
    """Raises TrainingError where a run's settings are not those of its recipe."""
    different = [f"{key} {own.get(key)} instead of {value}" for key, value in wanted.items() if own.get(key) != value]
    if different:
        raise TrainingError(f"{folder} is not as the recipe {name} says: {', '.join(different)}")


def run_config(folder: Path, values: dict[str, Any]) -> TrainConfig:
    """How a run was trained. Raises TrainingError where this ebnn knows other settings."""
    try:
        return TrainConfig(**values["config"])
    except TypeError as error:
        raise TrainingError(f"{folder} was trained by another version of ebnn ({error}): train it again") from None


def read_run(folder: Path) -> Run:
    """Raises TrainingError or FileFormatError for a folder that holds no finished run."""
    values = read_values(folder)
    if values.get("float"):
        raise TrainingError(f"{folder / TRAINING_NAME} is not of a binarized network: give a float one with --float")
    network = files.load_file(folder / MODEL_NAME)
    try:
        log = (folder / LOG_NAME).read_text(encoding="utf-8")
    except OSError as error:
        raise TrainingError(f"{folder / LOG_NAME} cannot be read ({error.strerror}): name a run's folder") from None
    return Run(folder, values, log, network)


def read_values(folder: Path) -> dict[str, Any]:
    """train.json of a run."""
    path = folder / TRAINING_NAME
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read ({error}): train with --out RUN --json RUN/train.json") from None
    known = {"recipe", "dataset", "architecture", "config", "accuracy"}
    if not isinstance(values, dict) or not known <= values.keys() or not ("network" in values or "float" in values):
        raise TrainingError(f"{path} is not what ebnn train writes with --json: train with --json RUN/train.json")
    return values


def check_run(run: Run, name: str, recipe: Settings) -> None:
    """Raises TrainingError for a run of another recipe or other settings, and for files that are not of one run."""
    values = run.values
    if values["recipe"] != name:
        raise TrainingError(f"{run.folder} is a run of the recipe {values['recipe']}, not of {name}")
    config = run_config(run.folder, values)
    own = settings(values["dataset"], values["architecture"], config) | {"input": run.network.input.kind}
    check_settings(run.folder, name, own, recipe)
    if "validation_accuracy" not in values:
        raise TrainingError(f"{run.folder} has no validation accuracy to choose by: add validation to the recipe")
    if values["network"]["hash"] != run.network.hash:
        raise TrainingError(f"{run.folder / MODEL_NAME} is not the network of its {TRAINING_NAME}: train it again")
    epochs = {record["epoch"]: record for record in map(json.loads, run.log.splitlines())}
    kept = epochs.get(values["epoch"], {}).get("validation_accuracy")
    if sorted(epochs) != list(range(1, config.epochs + 1)) or kept != values["validation_accuracy"]:
        raise TrainingError(f"{run.folder / LOG_NAME} is not the log of its {TRAINING_NAME}: train it again")


def float_accuracies(name: str, baseline: Settings, runs: tuple[Path, ...], seeds: set[int]) -> dict[int, float]:
    """Test accuracy of the float baseline, by seed."""
    found: dict[int, float] = {}
    for folder in runs:
        values = read_values(folder)
        if values["recipe"] != name or not values.get("float"):
            raise TrainingError(f"{folder} is no run of the float baseline of the recipe {name}")
        config = run_config(folder, values)
        check_settings(folder, name, settings(values["dataset"], values["architecture"], config), baseline)
        if config.seed not in seeds or config.seed in found:
            raise TrainingError(f"{folder} is of seed {config.seed}: give one float run for a seed that is published")
        found[config.seed] = values["accuracy"]
    return found


if __name__ == "__main__":
    main()
