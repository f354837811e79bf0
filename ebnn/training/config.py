"""What a training run is told."""

from __future__ import annotations

import math
import operator
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any, Literal, get_args

import numpy as np

from ..errors import TrainingError
from ..names import unknown_name
from .estimators import estimator_names

Schedule = Literal["constant", "cosine", "exponential"]
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)
Optimizer = Literal["adam", "bop"]
OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)
Loss = Literal["cross-entropy", "squared-hinge", "squared-error"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
Init = Literal["lecun", "glorot", "he"]
INITS: tuple[Init, ...] = get_args(Init)

_FROM_ZERO = {
    "warmup": 1000,
    "averaging": 0.99999,
    "label_smoothing": 0.9,
    "dropout": 0.95,
    "distillation": 1,
    "rotation": 180,
    "scale": 0.9,
    "elastic": 10,
    "jitter": 10,
    "gain": 0.9,
    "time_shift": 32_767,
    "time_stretch": 0.9,
    "turn": 180,
}
"""Settings that are numbers from 0 on, and the most that each may be."""
_LATER = (
    *("mirror", "jitter", "gain", "time_shift", "time_stretch", "turn", "class_weights"),
    *("stochastic_weights", "scale_rate", "init", "dropout", "loss"),
)
"""Settings that snapshots do not have where they are the default."""


@dataclass(frozen=True)
class TrainConfig:
    """How to train; together with the network and the data it decides every weight.

    Numbers may be NumPy's too; they are kept as Python's own.

    Attributes:
        epochs: passes over the training set.
        batch_size: the most samples in a batch; an epoch is cut into batches of nearly one size.
        optimizer: ``adam`` (Kingma and Ba, arXiv 1412.6980) for every parameter; or ``bop`` (Helwegen et al.,
            arXiv 1906.02107) for the weights of binary layers, which it flips, and Adam for the rest.
        learning_rate: of Adam, at the start.
        bop_gamma: share of the newest gradient in Bop's moving average, at the start; it falls, and rises, in step with
            the learning rate.
        bop_threshold: how large that average must be for a weight to flip. The defaults are for networks of a few KB on
            MNIST, batch normalisation behind every layer; the paper's are 1e-4 and 1e-8, for CIFAR-10.
        schedule: how the learning rate falls: not at all, along half a cosine, or by one factor a step.
        final_rate: what is left of the learning rate at the end of ``cosine`` and ``exponential``, as a fraction.
        warmup: epochs, a fraction of one too, over which the learning rate rises from 0 in a straight line (Goyal et
            al., arXiv 1706.02677).
        clip_weights: keep latent weights within [-1, 1], so that none drifts too far to change its sign again
            (Courbariaux et al., arXiv 1511.00363). Bop's are -1 and +1.
        statistics_samples: training samples on which batch normalisation's statistics are measured at each epoch's end;
            0 keeps the running averages.
        averaging: the network that is evaluated and kept has a moving average of the parameters, of which each step
            keeps this fraction; 0 is off. See :class:`ebnn.training.averaging.WeightAverage`. With Bop the sign of the
            average is a vote of the last steps.
        estimator: pseudo-gradient for every sign of the network; None leaves them as they were built.
        stochastic: draw the activations of training at random, +1 with probability ``clip((x + 1) / 2, 0, 1)``
            (Courbariaux et al., arXiv 1602.02830, section 1.1). Statistics and evaluation take the sign.
        stochastic_weights: draw the binary weights of training at random, +1 with probability
            ``clip((w + 1) / 2, 0, 1)`` (BinaryConnect, arXiv 1511.00363, section 2.3). Statistics and evaluation, as
            the board, take the sign.
        scale_rate: multiply the learning rate of each layer of latent weights by ``sqrt((inputs + outputs) / 1.5)``,
            the inverse of its Glorot coefficient (BinaryConnect, section 2.5); of a convolution both are times its
            kernel's area.
        init: distribution of the first weights, ``lecun``, ``glorot`` or ``he``; None leaves them as they were built.
        dropout: share of the outputs of the float network's hidden layers that are 0 in training; a binarized network
            has no dropout.
        loss: ``cross-entropy``; or, with t = +1 for the label's class and -1 for the others, a mean over samples and
            classes: ``squared-error``, of ``(t - y)²``, or ``squared-hinge`` (Tang, arXiv 1306.0239), of
            ``max(0, 1 - t·y)²``.
        label_smoothing: share of the target that is spread over all classes alike (Szegedy et al., arXiv 1512.00567).
        distillation: weight of the teacher's answers in the loss, where a teacher is given; the labels have the rest
            (Hinton, Vinyals and Dean, arXiv 1503.02531).
        temperature: by which the logits of teacher and student are divided for that.
        shift: the most pixels by which a training image is moved at random along each axis; 0 is off.
        rotation: the most degrees by which it is turned.
        scale: the most by which each of its axes grows or shrinks, as a fraction.
        elastic: standard deviation, in pixels, by which its pixels are displaced smoothly. With rotation, scale or
            elastic the shift too is by fractions of pixels: see :class:`ebnn.training.augmentation.Distortion`.
        mirror: mirror half of the training images at random, left for right.
        jitter, gain, time_shift, time_stretch, turn: distortions of raw series, see
            :class:`ebnn.training.series_augmentation.SeriesDistortion`.
        class_weights: give each class the same weight in the loss, however many samples it has.
        validation: training samples that are held out: they choose the epoch whose weights are kept, and the test set
            is used once, in the end. 0 trains on all, looks at the test set after every epoch, and keeps the last one.
        snapshot_every: epochs between two snapshots; 0 writes none.
        tensorboard: also log to ``tensorboard`` in the folder of the run, for TensorBoard.
        seed: of the order of samples, the distortions, stochastic activations, and the random numbers of
            ``numpy.random`` and ``random``.

    Raises:
        TrainingError: a value is of another type or out of its range.
    """

    epochs: int = 20
    batch_size: int = 128
    optimizer: Optimizer = "adam"
    learning_rate: float = 0.003
    bop_gamma: float = 1e-3
    bop_threshold: float = 1e-6
    schedule: Schedule = "cosine"
    final_rate: float = 0.01
    warmup: float = 0.0
    clip_weights: bool = True
    statistics_samples: int = 4096
    averaging: float = 0.0
    estimator: str | None = None
    stochastic: bool = False
    stochastic_weights: bool = False
    scale_rate: bool = False
    init: Init | None = None
    dropout: float = 0.0
    loss: Loss = "cross-entropy"
    label_smoothing: float = 0.0
    distillation: float = 0.0
    temperature: float = 4.0
    shift: int = 0
    rotation: float = 0.0
    scale: float = 0.0
    elastic: float = 0.0
    mirror: bool = False
    jitter: float = 0.0
    gain: float = 0.0
    time_shift: float = 0.0
    time_stretch: float = 0.0
    turn: float = 0.0
    class_weights: bool = False
    validation: int = 0
    snapshot_every: int = 1
    tensorboard: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = _plain(field.name, str(field.type), getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        whole = {"epochs": 1, "batch_size": 1} | dict.fromkeys(
            ("statistics_samples", "shift", "validation", "snapshot_every", "seed"), 0
        )
        for name, least in whole.items():
            value = getattr(self, name)
            if not least <= value < 2**32:
                raise TrainingError(f"{name} is {value}: give a whole number from {least} on, below 2**32")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise TrainingError(f"learning_rate is {self.learning_rate}: give a number above 0, such as 0.003")
        for name, most in _FROM_ZERO.items():
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise TrainingError(f"{name} is {value}: give a number from 0 to {most:g}")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise TrainingError(f"temperature is {self.temperature}: give a number above 0, such as 4")
        if self.averaging and not self.statistics_samples:
            raise TrainingError("averaging needs statistics of its own: set statistics_samples above 0, such as 4096")
        for name in ("final_rate", "bop_gamma"):
            if not 0 < getattr(self, name) <= 1:
                raise TrainingError(f"{name} is {getattr(self, name)}: give a fraction above 0, up to 1")
        if not (math.isfinite(self.bop_threshold) and self.bop_threshold > 0):
            raise TrainingError(f"bop_threshold is {self.bop_threshold}: give a number above 0, such as 1e-6")
        if self.optimizer not in OPTIMIZERS:
            raise unknown_name("optimizer", self.optimizer, OPTIMIZERS)
        if self.schedule not in SCHEDULES:
            raise unknown_name("schedule", self.schedule, SCHEDULES)
        if self.loss not in LOSSES:
            raise unknown_name("loss", self.loss, LOSSES)
        if self.init is not None and self.init not in INITS:
            raise unknown_name("distribution of weights", self.init, INITS)
        if self.loss != "cross-entropy" and self.label_smoothing:
            raise TrainingError("label_smoothing is for the cross entropy: leave it out, or take that loss")
        if self.estimator is not None and self.estimator not in estimator_names():
            raise unknown_name("estimator", self.estimator, estimator_names())

    def rate_at(self, progress: float) -> float:
        """Returns the learning rate after ``progress``, the fraction of all batches done, 0 to 1.

        The cosine is that of Loshchilov and Hutter, "SGDR", arXiv 1608.03983 (2017), without restarts. Bop's gamma is
        scaled by the same factor: in the paper it decays too.
        """
        rise = min(1.0, progress * self.epochs / self.warmup) if self.warmup else 1.0
        return rise * self._falling_rate(progress)

    def _falling_rate(self, progress: float) -> float:
        if self.schedule == "constant":
            return self.learning_rate
        if self.schedule == "exponential":
            return self.learning_rate * math.pow(self.final_rate, progress)
        left = (1 + math.cos(math.pi * progress)) / 2
        return self.learning_rate * (self.final_rate + (1 - self.final_rate) * left)

    def recipe(self) -> dict[str, Any]:
        """Returns the settings that decide the weights of an epoch, as plain JSON values.

        Two runs may share a snapshot where these agree: with a constant learning rate, ``epochs`` may differ.
        """
        recipe = asdict(self)
        del recipe["snapshot_every"], recipe["tensorboard"]
        for name in _LATER:
            if recipe[name] == getattr(TrainConfig, name):
                del recipe[name]
        if self.optimizer != "bop":
            del recipe["bop_gamma"], recipe["bop_threshold"]
        if self.schedule == "constant":
            del recipe["epochs"], recipe["final_rate"]
        return recipe


def _plain(name: str, kind: str, value: Any) -> Any:
    """A setting as one of Python's own values: NumPy's numbers are taken, and no bool stands for a number."""
    boolean = isinstance(value, bool | np.bool_)
    if kind == "bool":
        if not boolean:
            raise TrainingError(f"{name} is {value!r}: give True or False")
        return bool(value)
    if kind == "int":
        if boolean or not isinstance(value, Integral):
            raise TrainingError(f"{name} is {value!r}: give a whole number")
        return operator.index(value)
    if kind == "float":
        try:
            if boolean or not isinstance(value, Real):
                raise TypeError
            return float(value)
        except (TypeError, OverflowError):
            raise TrainingError(f"{name} is {value!r:.40}: give a number") from None
    if not isinstance(value, str) and not (value is None and "None" in kind):
        raise TrainingError(f"{name} is {value!r}: give a name")
    return value if value is None else str(value)
