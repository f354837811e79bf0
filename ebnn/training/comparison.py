"""Networks of one shape in other numbers: float, binarized, of binary weights alone, of 8 bits; what each costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..model.kinds import InputKind
from ..model.linear import Weighted
from ..model.network import Network
from .architectures import read_architecture, with_bits
from .config import TrainConfig
from .results import TrainResult
from .task import Task, Teacher, Trained, float_config, train_float, train_network

_FLOAT_BYTES = 4
_CHANNEL_FLOATS = 2  # batch normalisation, scale and offset


@dataclass(frozen=True)
class Side:
    """One of the networks.

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
class Variant:
    """A network of the same shape in other numbers.

    Attributes:
        title: for people.
        weights, activations: bits of each.
    """

    title: str
    weights: int
    activations: int

    def architecture(self, of: str) -> str:
        """Returns the architecture of a network in these numbers, of the shape of ``of``."""
        return with_bits(of, self.weights, self.activations)

    def config(self, config: TrainConfig) -> TrainConfig:
        """Returns how it is trained beside a binarized one: without a teacher; of 8-bit weights as a float network."""
        if self.weights == 1:
            return replace(config, distillation=0.0, stochastic=False)
        return replace(float_config(config), estimator=config.estimator)


VARIANTS: dict[str, Variant] = {
    "binaryconnect": Variant("binary weights, 8-bit activations", 1, 8),
    "int8": Variant("8-bit weights and activations", 8, 8),
}
"""Networks that are compared beside the float and the binarized one. The first is BinaryConnect's, arXiv 1511.00363."""


@dataclass(frozen=True)
class Comparison:
    """The float network and the binarized one, and the latter as it was trained; variants by their names.

    Attributes:
        baseline: the float network.
        binarized: the network of the architecture.
        trained: the latter as it was trained.
        variants: networks in other numbers, by their names in :data:`VARIANTS`.
    """

    baseline: Side
    binarized: Side
    trained: Trained
    variants: Mapping[str, Trained] = field(default_factory=dict)

    def sides(self) -> dict[str, Side]:
        """Returns all networks by their names: "float", "binarized", then the variants."""
        others = {name: _side(trained) for name, trained in self.variants.items()}
        return {"float": self.baseline, "binarized": self.binarized, **others}


def variants_of(architecture: str, kind: InputKind) -> dict[str, str]:
    """Returns the architectures of the variants that can be compared with a network, by their names.

    None where it takes float, which layers of 8 bits do not; and not the network itself.
    """
    if kind == "float":
        return {}
    found = {name: variant.architecture(architecture) for name, variant in VARIANTS.items()}
    own = read_architecture(architecture)
    return {name: text for name, text in found.items() if read_architecture(text) != own}


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
    variants: Mapping[str, Path] | None = None,
) -> Comparison:
    """Trains the float baseline of an architecture, then its binarized network, each in a folder of its own.

    The baseline has float weights, ReLU in place of the sign and :func:`ebnn.training.task.float_config`; all else is
    the same, but for a teacher, which only the binarized network has. ``variants`` are folders for networks in other
    numbers, by names of :data:`VARIANTS`.

    Raises:
        TrainingError, WriteError: see :func:`ebnn.training.task.train_network`.
    """
    task.progress.say("the float baseline:")
    _, result = train_float(replace(task, out=float_out), architecture, config)
    task.progress.say("the binarized network:")
    trained = train_network(replace(task, out=binarized_out), architecture, config, teacher)
    others = {}
    for name, out in (variants or {}).items():
        variant = VARIANTS[name]
        task.progress.say(f"{variant.title}:")
        others[name] = train_network(replace(task, out=out), variant.architecture(architecture), variant.config(config))
    return Comparison(_float_side(result, trained.network), _side(trained), trained, others)


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


def _side(trained: Trained) -> Side:
    """A network as a board has it."""
    network, result = trained.network, trained.result
    return Side(
        trained.accuracy,
        result.best.validation_accuracy,
        network.weight_bytes,
        network.threshold_bytes + network.score_bytes,
        result.best.epoch,
        result.seconds,
    )
