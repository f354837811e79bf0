"""What is known of a published network, and reading it from its folder."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..errors import FileFormatError
from ..model import files
from ..model.network import Network
from ..names import unknown_name

FOLDER = Path(__file__).parent
NETWORK_NAME = "network.ebnn"
TRAINING_NAME = "train.json"
LOG_NAME = "log.jsonl"
SEEDS_NAME = "seeds.json"
CARD_NAME = "README.md"

T = TypeVar("T")


@dataclass(frozen=True)
class TrainedSeed:
    """What the recipe came to with one seed.

    Attributes:
        seed: of the run.
        accuracy: fraction of the test images that the network is right about.
        validation_accuracy: fraction of right answers for the training images held out, which chose the epoch.
        epoch: whose weights the network has.
        hash: the network's.
        float_accuracy: fraction of the test images that the float baseline of the same seed is right about; None where
            it was not trained.
    """

    seed: int
    accuracy: float
    validation_accuracy: float
    epoch: int
    hash: str
    float_accuracy: float | None = None

    def values(self) -> dict[str, Any]:
        """The seed's entry of seeds.json, without what is None."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class PublishedNetwork:
    """A network, how it was trained, and what other seeds came to.

    Attributes:
        name: of the network, its folder and its recipe.
        network: the network.
        training: what ``ebnn train --json`` wrote of its run, without the file's name.
        seeds: every seed that was trained, the published one among them, in ascending order.
    """

    name: str
    network: Network
    training: dict[str, Any]
    seeds: tuple[TrainedSeed, ...]

    @property
    def seed(self) -> int:
        """The published one."""
        return int(self.training["config"]["seed"])

    @property
    def accuracy(self) -> float:
        """Fraction of the test images that the network is right about."""
        return float(self.training["accuracy"])

    @property
    def accuracies(self) -> tuple[float, ...]:
        """The same for the network of each seed."""
        return tuple(one.accuracy for one in self.seeds)

    @property
    def float_accuracies(self) -> tuple[float, ...]:
        """The same for the float baseline of each seed that has one."""
        return tuple(one.float_accuracy for one in self.seeds if one.float_accuracy is not None)

    @property
    def data_bytes(self) -> int:
        """Bytes of weights, thresholds and score constants."""
        return self.network.weight_bytes + self.network.threshold_bytes + self.network.score_bytes


def deviation(values: tuple[float, ...]) -> float | None:
    """Standard deviation of a sample, with n − 1; None of fewer than two values."""
    return statistics.stdev(values) if len(values) > 1 else None


def network_names() -> list[str]:
    """Returns the names of the published networks, in alphabetical order."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{NETWORK_NAME}"))


def network_file(name: str) -> Path:
    """Returns the ``.ebnn`` file of a published network.

    Raises:
        UnknownNameError: there is none of that name; the message lists those there are.
    """
    if name not in network_names():
        raise unknown_name("published network", name, network_names(), listed="published networks:")
    return FOLDER / name / NETWORK_NAME


def load_published(name: str) -> PublishedNetwork:
    """Returns what is known of a published network.

    Raises:
        UnknownNameError: there is none of that name.
        FileFormatError: its files are damaged.
    """
    return read_published(network_file(name).parent)


def read_published(folder: Path) -> PublishedNetwork:
    """Reads a published network's folder, whose name is the network's. Raises FileFormatError for a damaged file."""
    network = files.load_file(folder / NETWORK_NAME)
    training: dict[str, Any] = _read(folder / TRAINING_NAME, dict)
    seeds = _read(folder / SEEDS_NAME, lambda values: tuple(TrainedSeed(**one) for one in values))
    return PublishedNetwork(folder.name, network, training, seeds)


def _read(path: Path, build: Callable[[Any], T]) -> T:
    try:
        return build(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (TypeError, ValueError) as error:
        raise FileFormatError(f"{path}: is damaged ({error}): install ebnn again") from None
