"""What a network answers to labelled samples on this computer, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compile.linux.shared_library import compile_network
from .errors import BuildError
from .model.network import Network
from .model.probabilities import SURE, UNKNOWN, classes_or_unknown, softmax
from .report import count_confusion

BATCH = 256  # samples that the reference answers at a time


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to samples whose labels are known.

    Attributes:
        labels, predicted: (n,) int64, classes.
        probabilities: (n, classes) float64, whole numbers of 1/65,535.
        unsure: (n,) bool, answers whose probability is below the network's rejection threshold; None without one.
    """

    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    unsure: NDArray[np.bool_] | None = None

    @property
    def accuracy(self) -> float:
        """Fraction of the samples whose class is the label."""
        return float(np.mean(self.predicted == self.labels))

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(classes, classes): how often a sample of the row's label was given the column's class."""
        return count_confusion(self.labels, self.predicted, self.probabilities.shape[1])

    def surest_wrong(self, count: int) -> NDArray[np.int64]:
        """Returns the places of at most so many wrong answers, the most probable first, of equal ones the first."""
        wrong: NDArray[np.int64] = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.probabilities[wrong].max(axis=1), kind="stable")][:count]


def answer(network: Network, samples: NDArray[Any], labels: NDArray[np.integer]) -> Answers:
    """Returns the answers of a network whose outputs are classes, in machine code where this computer has a compiler.

    ``samples`` (n, channels, height, width), n at least 1, as :meth:`Network.predict` takes them; ``labels`` (n,).
    """
    scores = _scores(network, samples)
    unsure = None
    if network.meta.rejection is not None:
        unsure = classes_or_unknown(scores, network.scale, network.meta.rejection) == UNKNOWN
    predicted: NDArray[np.int64] = np.argmax(scores, axis=1)
    return Answers(labels.astype(np.int64), predicted, softmax(scores, network.scale) / SURE, unsure)


def _scores(network: Network, samples: NDArray[Any]) -> NDArray[np.int32]:
    try:
        ask: Any = compile_network(network)
    except BuildError:  # the reference needs no compiler and gives the same scores
        ask = network
    parts = [ask.scores(samples[start : start + BATCH]) for start in range(0, len(samples), BATCH)]
    scores: NDArray[np.int32] = np.concatenate(parts)
    return scores
