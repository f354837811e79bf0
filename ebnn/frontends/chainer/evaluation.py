"""What a network answers, in test mode."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ...model.axes import check_axes
from ...training.config import Loss
from ...training.labelled_samples import Samples, to_float32
from ...training.results import Evaluation
from .framework import chainer
from .functions import exact_settings, parallel
from .losses import SQUARED, cross_entropy

BATCH_SIZE = 256
"""Samples at a time: enough for the matrix products, small enough for the caches."""


def logits(model: Any, samples: Samples, batch_size: int = BATCH_SIZE) -> npt.NDArray[np.floating]:
    """Returns what ``model`` answers, (n, classes), in test mode: it leaves the running statistics alone.

    It is float32; float64, in which every score of the device is exact, where the last block is one of 8 bits.

    Raises:
        InputError: the samples are none, or their axes or kind are not the network's.
    """
    if not len(samples):
        raise InputError("there are no samples to evaluate: give at least one")
    shape = getattr(model, "input_shape", None)
    if shape is not None:
        check_axes(samples.shape, shape)
    kind = getattr(model, "input_kind", None)
    if kind not in (None, samples.kind):
        raise InputError(f"the samples are {samples.kind}, the network takes {kind}: convert them")
    answers = []
    with parallel(), exact_settings(), chainer.using_config("train", False), chainer.no_backprop_mode():
        for start in range(0, len(samples), batch_size):
            images = to_float32(samples.images[start : start + batch_size], samples.kind)
            try:
                answer = model(model.xp.asarray(images)).array
            except chainer.utils.type_check.InvalidType as error:
                reason = " ".join(str(error).split())
                raise InputError(f"samples of shape {samples.shape} do not fit the network: {reason}") from None
            answers.append(chainer.backends.cuda.to_cpu(answer))
    return np.concatenate(answers)


def predict(model: Any, samples: Samples) -> npt.NDArray[np.int64]:
    """Returns the class of each sample, (n,); of equal logits the first wins."""
    classes: npt.NDArray[np.int64] = np.argmax(logits(model, samples), axis=1)
    return classes


def evaluate(model: Any, samples: Samples, loss: Loss = "cross-entropy") -> Evaluation:
    """Returns ``loss``, which all samples have alike, and accuracy of ``model`` on ``samples``, in test mode."""
    answers = logits(model, samples)
    with chainer.no_backprop_mode():
        found = SQUARED.get(loss, cross_entropy)(answers, samples.labels)
    return Evaluation(float(found.array), float(np.mean(np.argmax(answers, axis=1) == samples.labels)))
