"""The float baseline and the binarized network of one shape: the price of binarization."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..model.linear import Weighted
from ..model.network import Network
from .config import TrainConfig
from .results import TrainResult
from .task import Task, Teacher, Trained, train_float, train_network

_FLOAT_BYTES = 4
_CHANNEL_FLOATS = 2  # batch normalisation, scale and offset


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


@dataclass(frozen=True)
class Comparison:
    """Both networks, and the binarized one as it was trained."""

    baseline: Side
    binarized: Side
    trained: Trained


def price(baseline: Side, binarized: Side) -> dict[str, float]:
    """Returns what binarization costs: the accuracy of the float network less that of the binarized one, as fractions.

    By name: ``accuracy``, and ``validation_accuracy`` where both have one.
    """
    found = {"accuracy": baseline.accuracy - binarized.accuracy}
    if baseline.validation_accuracy is not None and binarized.validation_accuracy is not None:
        found["validation_accuracy"] = baseline.validation_accuracy - binarized.validation_accuracy
    return found


def compare_networks(
    task: Task,
    architecture: str,
    config: TrainConfig,
    float_out: Path,
    binarized_out: Path,
    teacher: Teacher | None = None,
) -> Comparison:
    """Trains the float baseline of an architecture, then its binarized network, each in a folder of its own.

    The baseline has float weights, ReLU in place of the sign and :func:`ebnn.training.task.float_config`; all else is
    the same, but for a teacher, which only the binarized network has.

    Raises:
        TrainingError, WriteError: see :func:`ebnn.training.task.train_network`.
    """
    task.progress.say("the float baseline:")
    _, result = train_float(replace(task, out=float_out), architecture, config)
    task.progress.say("the binarized network:")
    trained = train_network(replace(task, out=binarized_out), architecture, config, teacher)
    return Comparison(_float_side(result, trained.network), _binarized_side(trained), trained)


def _float_side(result: TrainResult, network: Network) -> Side:
    """The float baseline of the shape of ``network``."""
    linear = [layer.linear for layer in network.layers]
    channels = sum(part.outputs for part in linear)
    return Side(
        result.test_accuracy,
        result.best.validation_accuracy,
        _FLOAT_BYTES * sum(part.weights.size for part in linear if isinstance(part, Weighted)),
        _FLOAT_BYTES * _CHANNEL_FLOATS * channels,
        result.best.epoch,
        result.seconds,
    )


def _binarized_side(trained: Trained) -> Side:
    """The binarized network."""
    network, result = trained.network, trained.result
    return Side(
        trained.accuracy,
        result.best.validation_accuracy,
        network.weight_bytes,
        network.threshold_bytes + network.score_bytes,
        result.best.epoch,
        result.seconds,
    )
