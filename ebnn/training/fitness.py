"""How fit a network is, from its scores: what evolution selects by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..names import unknown_name

Fitness = Callable[[NDArray[np.int32], NDArray[np.integer[Any]], float], float]
"""Of scores (n, classes), labels (n,) and the scale of the scores; the larger, the fitter."""


def winning_outputs(scores: NDArray[np.int32], labels: NDArray[np.integer[Any]], scale: float) -> float:
    """Sums the winning output of each right answer, the logistic function of its logit, over the number of samples.

    It rewards right answers first, then sure ones: TinyML.jl's score.
    """
    best = scores.max(axis=1)
    right = scores.argmax(axis=1) == labels
    with np.errstate(over="ignore"):
        outputs = 1 / (1 + np.exp(-scale * best[right]))
    return float(outputs.sum() / len(labels))


def matthews(scores: NDArray[np.int32], labels: NDArray[np.integer[Any]], scale: float) -> float:
    """Correlates answers and labels, from −1 to 1: Matthews' coefficient, of many classes Gorodkin's R_K; 0 where one
    answer, or one label, is all there is."""
    confusion = confusion_of(scores.argmax(axis=1), labels, scores.shape[1]).astype(np.float64)
    answers, truth, samples = confusion.sum(axis=0), confusion.sum(axis=1), confusion.sum()
    covariance = confusion.trace() * samples - answers @ truth
    spread = (samples**2 - answers @ answers) * (samples**2 - truth @ truth)
    return float(covariance / np.sqrt(spread)) if spread > 0 else 0.0


def accuracy(scores: NDArray[np.int32], labels: NDArray[np.integer[Any]], scale: float) -> float:
    """Returns the fraction of right answers."""
    return float(np.mean(scores.argmax(axis=1) == labels))


def low_loss(scores: NDArray[np.int32], labels: NDArray[np.integer[Any]], scale: float) -> float:
    """Returns minus the mean cross entropy of the scores in units of their standard deviation.

    So it tells of every answer how near it is to being right, whatever the scale of a network that nobody trained.
    """
    spread = float(scores.std())
    return -mean_cross_entropy(scores, labels, 1 / spread if spread else 1.0)


def confusion_of(
    answers: NDArray[np.integer[Any]], labels: NDArray[np.integer[Any]], classes: int
) -> NDArray[np.int64]:
    """Counts labels, down, by answers, across: (classes, classes)."""
    pairs = np.bincount(labels.astype(np.int64) * classes + answers, minlength=classes * classes)
    return pairs.reshape(classes, classes)


def mean_cross_entropy(scores: NDArray[np.int32], labels: NDArray[np.integer[Any]], scale: float) -> float:
    """Returns the mean cross entropy of the softmax of the logits, scores times scale."""
    logits = scores.astype(np.float64) * scale
    logits -= logits.max(axis=1, keepdims=True)
    chosen = np.take_along_axis(logits, labels[:, None].astype(np.int64), axis=1)[:, 0]
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - chosen))


FITNESS: dict[str, Fitness] = {"score": winning_outputs, "loss": low_loss, "mcc": matthews, "accuracy": accuracy}


def find_fitness(name: str) -> Fitness:
    """Returns a fitness by its name. Raises UnknownNameError."""
    if name not in FITNESS:
        raise unknown_name("fitness", name, FITNESS)
    return FITNESS[name]
