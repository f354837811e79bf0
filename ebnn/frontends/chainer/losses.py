"""What training makes small."""

from __future__ import annotations

from typing import Any

import numpy as np

from .framework import F

Array = Any
Variable = Any


def cross_entropy(answers: Variable, labels: Array, smoothing: float = 0.0, weights: Array | None = None) -> Variable:
    """Returns the mean cross entropy, () float32.

    Args:
        answers: logits, (n, classes) float32.
        labels: (n,) int32.
        smoothing: share of the target that all classes have alike; Szegedy, Vanhoucke, Ioffe, Shlens and Wojna,
            "Rethinking the Inception Architecture", arXiv 1512.00567 (2015), section 7.
        weights: (classes,) float32, of the samples of each class; None where all count alike.
    """
    if weights is None:
        loss = F.softmax_cross_entropy(answers, labels)
    else:
        loss = F.mean(F.softmax_cross_entropy(answers, labels, reduce="no") * weights[labels])
    if not smoothing:
        return loss
    return (1 - smoothing) * loss - smoothing * F.mean(F.log_softmax(answers))


def squared_hinge(answers: Variable, labels: Array, weights: Array | None = None) -> Variable:
    """Returns the mean of ``max(0, 1 - t · answer)²`` over samples and classes, () float32.

    t is +1 for a label's class and -1 for the others. Tang, "Deep Learning using Linear Support Vector Machines",
    arXiv 1306.0239 (2013); one machine for each class.

    Args:
        answers: (n, classes) float32.
        labels: (n,) int32.
        weights: (classes,) float32, of the samples of each class; None where all count alike.
    """
    return _mean_square(F.relu(1 - _targets(answers, labels) * answers), labels, weights)


def squared_error(answers: Variable, labels: Array, weights: Array | None = None) -> Variable:
    """Returns the mean of ``(t - answer)²`` over samples and classes, () float32.

    t is +1 for a label's class and -1 for the others.

    Args:
        answers: (n, classes) float32.
        labels: (n,) int32.
        weights: (classes,) float32, of the samples of each class; None where all count alike.
    """
    return _mean_square(_targets(answers, labels) - answers, labels, weights)


def _targets(answers: Variable, labels: Array) -> Array:
    targets = np.full(answers.shape, -1, np.float32)
    targets[np.arange(len(labels)), labels] = 1
    return targets


def _mean_square(errors: Variable, labels: Array, weights: Array | None) -> Variable:
    squares = F.square(errors)
    if weights is not None:
        squares = squares * np.broadcast_to(weights[labels][:, None], errors.shape)
    return F.mean(squares)


SQUARED = {"squared-hinge": squared_hinge, "squared-error": squared_error}
"""Losses of one machine for each class, by name."""


def distillation(answers: Variable, teacher: Array, temperature: float) -> Variable:
    """Returns the divergence of the student's answers from the teacher's at ``temperature``, () float32.

    It is multiplied by the temperature's square, so that its gradient keeps its size. Hinton, Vinyals and Dean,
    "Distilling the Knowledge in a Neural Network", arXiv 1503.02531 (2015).

    Args:
        answers: the student's logits, (n, classes) float32.
        teacher: the teacher's logits, (n, classes) float32.
        temperature: above 0.
    """
    targets = F.log_softmax(teacher / temperature).array
    divergence = F.exp(targets).array * (targets - F.log_softmax(answers / temperature))
    return F.sum(divergence) * (temperature**2 / len(targets))
