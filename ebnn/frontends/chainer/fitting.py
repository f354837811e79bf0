"""Whether data, network and teacher fit together: found out before a run begins."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...compile.header import header_text
from ...compile.target import BOARD_CLASSES
from ...errors import EbnnError, InputError, TrainingError
from ...training.config import TrainConfig
from ...training.labelled_samples import Samples
from . import snapshot
from .evaluation import logits
from .framework import chainer
from .lowering import lower


def check_fit(model: Any, training: Samples, test: Samples, config: TrainConfig) -> None:
    """Sizes the model by its first sample, compares shapes and classes, and lowers the untrained network once.

    Raises:
        TrainingError: something does not fit, or the network could not be lowered or written as a header.
    """
    if config.shift >= min(training.shape[1:]):
        raise TrainingError(f"shift {config.shift} moves images of {training.shape} out of sight: use a smaller one")
    if training.shape != test.shape:
        raise TrainingError(f"training images have shape {training.shape}, test images {test.shape}: give one shape")
    if config.validation >= len(training):
        raise TrainingError(
            f"validation holds out {config.validation} samples, the training set has {len(training)}: use fewer"
        )
    classes = _answer("the network", model, training).shape[1]
    if classes > BOARD_CLASSES:
        raise TrainingError(
            f"the network has {classes} classes, a board tells {BOARD_CLASSES} apart: build it with fewer"
        )
    for name, samples in (("training", training), ("test", test)):
        _check_labels(name, samples, classes)
    used = training.split(config.validation)[0] if config.validation else training
    if (used.labels == used.labels[0]).all():
        raise TrainingError(
            f"all {len(used):,} training samples have the label {used.labels[0]}: give samples of at least two classes"
        )
    _check_parameters("the network", model)
    if hasattr(model, "link_order"):
        _check_lowering(model, training)


def check_teacher(teacher: Any, model: Any, training: Samples) -> None:
    """Compares a teacher's input and classes with the network's.

    Raises:
        TrainingError: they are others, or the teacher is the network itself or has a value that is not finite.
    """
    if teacher is model:
        raise TrainingError("the network cannot be its own teacher: give another chain")
    kind = getattr(teacher, "input_kind", None) or training.kind
    if kind != training.kind:
        raise TrainingError(f"the teacher takes {kind}, the network {training.kind}: train one on {training.kind}")
    taught, classes = (_answer(*each, training).shape[1] for each in (("the teacher", teacher), ("the network", model)))
    if taught != classes:
        raise TrainingError(f"the teacher tells {taught} classes apart, the network {classes}: give one with {classes}")
    _check_parameters("the teacher", teacher)


def _answer(name: str, model: Any, samples: Samples) -> Any:
    """What a chain answers to the first sample, (1, classes) floats."""
    first = Samples(samples.images[:1], samples.labels[:1], samples.kind)
    try:
        answer = logits(model, first)
    except (InputError, ValueError, AssertionError, chainer.utils.type_check.InvalidType) as error:
        reason = " ".join(str(error).split())
        raise TrainingError(f"images of shape {samples.shape} do not fit {name}: {reason}") from error
    if answer.ndim != 2 or answer.dtype not in (np.float32, np.float64):
        raise TrainingError(
            f"{name} answers one sample with {answer.dtype} of shape {answer.shape}: logits are floats (1, classes)"
        )
    return answer


def _check_labels(name: str, samples: Samples, classes: int) -> None:
    low, high = int(samples.labels.min()), int(samples.labels.max())
    if high < classes:
        return
    way_out = "build it with more classes"
    if low and high - low < classes:
        way_out = f"subtract {low} from the labels of both sets"
    raise TrainingError(
        f"the {name} set has the label {high}, the network {classes} classes, 0 to {classes - 1}: {way_out}"
    )


def _check_parameters(name: str, model: Any) -> None:
    for parameter, array in snapshot.parameters(model).items():
        if array.dtype.kind == "f" and array.dtype != np.float32:
            raise TrainingError(f"{name} has {parameter} in {array.dtype}, training is in float32: build it in float32")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise TrainingError(f"{name} has a value in {parameter} that is not finite: build or train it anew")


def _check_lowering(model: Any, training: Samples) -> None:
    """What cannot be lowered untrained cannot be lowered trained: limits of layers, sums, rows, and of the header."""
    try:
        header_text(lower(model, training.shape, training.kind), name="network")
    except EbnnError as error:
        raise TrainingError(f"the network could be trained, but not run: {error}") from error
