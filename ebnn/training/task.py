"""From a data set to a trained network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import datasets
from ..datasets import Dataset, Reading
from ..datasets.dataset import RAW
from ..errors import NetworkError, TrainingError, WriteError
from ..model.encoders import Encoder, Thermometer
from ..model.kinds import InputKind, Shape
from ..model.meta import MAX_NAME, Meta
from ..model.network import Network
from .config import TrainConfig
from .encoder_fitting import LEVELS
from .float_run import FloatRun
from .front_ends import DEFAULT, find_front_end
from .history import write_test
from .labelled_samples import Samples, as_pair, as_samples
from .progress import Progress
from .rejection import learn_rejection, with_rejection
from .results import TrainResult
from .run_folders import MODEL_NAME, TEACHER_FOLDER, check_files
from .series_augmentation import encoded

FLOAT_RATE = 0.3
"""Learning rate of a float network, as a share of a binarized one's, whose latent weights have to cross zero."""


@dataclass(frozen=True)
class Trained:
    """A network, its accuracy, and how often its front end's test-mode prediction is the same class."""

    network: Network
    accuracy: float
    agreement: int
    test_samples: int
    result: TrainResult
    front_end: str = DEFAULT

    def values(self) -> dict[str, Any]:
        return {
            "accuracy": self.accuracy,
            "test_samples": self.test_samples,
            **{name: value for name, value in self.network.meta.notes.items() if name == "rejection"},
            f"{self.front_end}_agreement": self.agreement,
            **run_values(self.result),
        }


def run_values(result: TrainResult) -> dict[str, Any]:
    """What a run came to, for JSON."""
    values: dict[str, Any] = {"train_seconds": result.seconds, "epoch": result.best.epoch}
    if result.earlier:
        values["earlier_epochs"] = list(result.earlier)
    if result.best.validation_accuracy is not None:
        values["validation_accuracy"] = result.best.validation_accuracy
    return values


@dataclass(frozen=True)
class Task:
    """What is trained on, and where.

    Attributes:
        data: the images and labels.
        kind: what the board is given.
        out: folder of the run.
        resume: go on from the snapshot in it, where there is one.
        progress: who is told how it goes; by default nobody.
        tests: whether its test images are the data set's.
        front_end: name of the front end that trains.
        encoder: what makes raw samples what the board is given; None where the data need none.
        reject: learn a rejection threshold on the validation set, with at most this fraction of its right answers
            "unknown"; None learns none.
        source: name or path that the data were loaded by; None where they were not.
        reading: how they were read.
    """

    data: Dataset
    kind: InputKind
    out: Path
    resume: bool = False
    progress: Progress = field(default_factory=Progress)
    tests: bool = True
    front_end: str = DEFAULT
    encoder: Encoder | None = None
    reject: float | None = None
    source: str | None = None
    reading: Reading = field(default_factory=Reading)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a sample as the network takes it, (channels, height, width)."""
        if self.encoder is None:
            return self.data.shape
        return tuple(self.encoder.output(Shape(*self.data.shape)).shape)  # type: ignore[return-value]

    @property
    def sets(self) -> tuple[Any, Any]:
        """Training and test set, as the network takes them: pairs of images and labels, or samples of an encoder."""
        data, encoder = self.data, self.encoder
        if encoder is not None:
            parts = (
                (data.train_images, data.train_labels, data.train_groups),
                (data.test_images, data.test_labels, data.test_groups),
            )
            train_set, test_set = (
                Samples(encoded(encoder, raw), labels, self.kind, groups, raw, encoder) for raw, labels, groups in parts
            )
            return train_set, test_set
        if data.kind == RAW:
            return (data.train_images, data.train_labels), (data.test_images, data.test_labels)
        images = (
            datasets.convert(x, self.data.kind, self.kind) for x in (self.data.train_images, self.data.test_images)
        )
        train_images, test_images = images
        return (train_images, self.data.train_labels), (test_images, self.data.test_labels)

    def without_test(self, held_out: int) -> Task:
        """The task with the training images that a validation set of that size has in place of the test images."""
        data = self.data
        if self.encoder is not None:
            train_set, _ = self.sets
            _, chosen = train_set.split(held_out)
            held_out_data = replace(data, test_images=chosen.raw, test_labels=chosen.labels, test_groups=chosen.groups)
            return replace(self, data=held_out_data, tests=False)
        kind = "float" if data.kind == RAW else data.kind
        _, chosen = as_samples("training", data.train_images, data.train_labels, kind).split(held_out)
        held_out_data = replace(data, test_images=chosen.images, test_labels=chosen.labels, test_groups=None)
        return replace(self, data=held_out_data, tests=False)


def describe(data: Dataset) -> Meta:
    """Returns what a network keeps of the data that it was trained on: names of classes and channels, rate and step."""
    names = tuple(_printable(name) for name in data.class_names)
    if len(set(names)) < len(names):
        names = tuple(f"{name[: MAX_NAME - 4]} {k}" for k, name in enumerate(names))
    channels = tuple(map(_printable, data.channels))
    units = data.units if data.units and all(data.units) else ()
    try:
        return Meta(names, channels, tuple(map(_printable, units)), data.rate, data.step)
    except NetworkError:
        return Meta(names)


def _printable(name: str) -> str:
    """A name of any text as one that fits a network's file."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in name).strip()[:MAX_NAME]
    return shown or "?"


@dataclass(frozen=True)
class Teacher:
    """The float network that is trained first: its architecture and passes over the training images."""

    architecture: str
    epochs: int


def train_network(
    task: Task, architecture: str, config: TrainConfig, teacher: Teacher | None = None, model: Path | None = None
) -> Trained:
    """Trains, after its teacher, lowers, and compares the network with the trained model on the test images.

    The network is written to ``model``, by default to :data:`MODEL_NAME` in the task's folder; then the task's
    progress is told that the run is done.

    Raises:
        TrainingError: see :func:`ebnn.training.train`.
        WriteError: a file cannot be written.
    """
    front_end = find_front_end(task.front_end)
    data, kind = task.data, task.kind
    model = task.out / MODEL_NAME if model is None else model
    check_files(task.out, model)
    check_reject(task.reject, config)
    train_set, test_set = task.sets
    trained = front_end.build(architecture, task.shape, data.classes, kind, config.seed)
    result = front_end.train(
        trained,
        train_set,
        test_set,
        replace(config, dropout=0.0),
        task.out,
        kind=kind,
        teacher=teacher and train_teacher(task, teacher, config),
        resume=task.resume,
        progress=task.progress,
    )
    lowered = front_end.lower(trained, task.shape, kind)
    network = Network(lowered.input, lowered.layers, task.encoder, describe(data))
    if task.reject is not None:
        _, held_out = samples_of("training", train_set, kind).split(config.validation)
        rejection = learn_rejection(network, held_out.images, held_out.labels, task.reject)
        network = with_rejection(network, rejection)
        task.progress.say(rejection.sentence())
    test_images, test_labels = test_set
    classes = network.predict(test_images)
    agreement = int((classes == front_end.predict(trained, as_samples("test", *as_pair("test", test_set), kind))).sum())
    accuracy = float((classes == test_labels).mean())
    try:
        network.save(model)
        _write_test(task, result, accuracy)
    except WriteError as error:
        again = "go on with --resume" if config.snapshot_every else "train again"
        raise WriteError(f"{error}; training is done: mend that, then {again} to write the network") from error
    task.progress.run_done(task.out, result.records)
    return Trained(network, accuracy, agreement, len(classes), result, task.front_end)


def check_reject(reject: float | None, config: TrainConfig) -> None:
    """Raises TrainingError where a rejection threshold is to be learned and there is nothing to learn it on."""
    if reject is None:
        return
    if not 0 <= reject < 1:
        raise TrainingError(f"reject is {reject}: give a fraction from 0 to below 1")
    if not config.validation:
        raise TrainingError(
            "a rejection threshold is learned on samples that are held out: give --validation N, a tenth of them or so"
        )


def samples_of(name: str, given: Any, kind: InputKind) -> Samples:
    """Returns a set of a task as samples, with their recordings where it has them; ``name`` is for messages."""
    return given if isinstance(given, Samples) else as_samples(name, *as_pair(name, given), kind)


def train_float(task: Task, architecture: str, config: TrainConfig) -> tuple[Any, TrainResult]:
    """Trains the float baseline of an architecture, by Adam and without a teacher; returns it and its run."""
    check_files(task.out)
    front_end = find_front_end(task.front_end)
    trained = front_end.build_float(architecture, task.shape, task.data.classes, task.kind, config.seed)
    levels = task.encoder.levels if isinstance(task.encoder, Thermometer) else LEVELS
    source = task.source or task.data.name
    FloatRun(architecture, task.kind, source, task.front_end, levels, task.reading).write(task.out)
    result = front_end.train(
        trained,
        *task.sets,
        float_config(config),
        task.out,
        kind=task.kind,
        resume=task.resume,
        progress=task.progress,
    )
    _write_test(task, result, result.test_accuracy)
    task.progress.run_done(task.out, result.records)
    return trained, result


def float_config(config: TrainConfig) -> TrainConfig:
    """How the float baseline of a network that is trained with ``config`` is trained."""
    return replace(
        config,
        learning_rate=FLOAT_RATE * config.learning_rate,
        optimizer="adam",
        clip_weights=False,
        estimator=None,
        stochastic=False,
        stochastic_weights=False,
        scale_rate=False,
        distillation=0.0,
    )


def _write_test(task: Task, result: TrainResult, accuracy: float) -> None:
    """Writes the accuracy on the test images, where the log does not have it and they are the data set's."""
    if task.tests and result.best.test_accuracy is None:
        write_test(task.out, result.records, accuracy)


def train_teacher(task: Task, teacher: Teacher, config: TrainConfig) -> Any:
    """Trains the teacher in a folder of its own within the run's, and returns its model."""
    task.progress.say(f"the teacher, {teacher.architecture} with float weights:")
    within = replace(task, out=task.out / TEACHER_FOLDER)
    chain, _ = train_float(within, teacher.architecture, replace(config, epochs=teacher.epochs))
    task.progress.say("the network:")
    return chain
