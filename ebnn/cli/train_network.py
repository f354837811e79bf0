"""From a data set to a trained network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from .. import datasets
from ..datasets import Dataset
from ..errors import WriteError
from ..extras import import_extra
from ..model.kinds import InputKind
from ..model.network import Network
from .console import print_line

if TYPE_CHECKING:
    from ..training import TrainConfig, TrainResult

TEACHER_FOLDER = "teacher"
HISTORY_NAME = "history.png"
MODEL_NAME = "model.ebnn"
KEPT_FILES = ("log.jsonl", "snapshot.npz", "chain.npz", HISTORY_NAME, ".lock")
"""What a run keeps in its folder for itself."""
FLOAT_RATE = 0.3
"""Learning rate of a float network, as a share of a binarized one's, whose latent weights have to cross zero."""


def check_training(tensorboard: bool = False) -> None:
    """Refuses to begin where a package is missing that training, its picture or its log for TensorBoard needs.

    Raises:
        MissingDependencyError: the message says what to install.
    """
    from ..frontends.chainer import framework  # noqa: F401

    import_extra("matplotlib.figure", f"drawing {HISTORY_NAME}")
    if tensorboard:
        import_extra("tensorboardX", "--tensorboard")


@dataclass(frozen=True)
class Trained:
    """A network, its accuracy, and how often Chainer's test-mode prediction is the same class."""

    network: Network
    accuracy: float
    agreement: int
    test_samples: int
    result: TrainResult

    def values(self) -> dict[str, Any]:
        return {
            "accuracy": self.accuracy,
            "test_samples": self.test_samples,
            "chainer_agreement": self.agreement,
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
        console: where to show progress.
    """

    data: Dataset
    kind: InputKind
    out: Path
    resume: bool
    console: Console

    @property
    def sets(self) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """Training and test set, as the network takes them."""
        images = (
            datasets.convert(x, self.data.kind, self.kind) for x in (self.data.train_images, self.data.test_images)
        )
        train_images, test_images = images
        return (train_images, self.data.train_labels), (test_images, self.data.test_labels)

    def without_test(self, held_out: int) -> Task:
        """The task with the training images that a validation set of that size has in place of the test images."""
        from ..training import as_samples

        data = self.data
        _, chosen = as_samples("training", data.train_images, data.train_labels, data.kind).split(held_out)
        return replace(self, data=replace(data, test_images=chosen.images, test_labels=chosen.labels))


@dataclass(frozen=True)
class Teacher:
    """The float network that is trained first: its architecture and passes over the training images."""

    architecture: str
    epochs: int


def train_network(
    task: Task, architecture: str, config: TrainConfig, teacher: Teacher | None = None, model: Path | None = None
) -> Trained:
    """Trains, after its teacher, lowers, and compares the network with Chainer on the test images.

    The network is written to ``model``, by default to :data:`MODEL_NAME` in the task's folder, and then its history is
    drawn; a picture that cannot be is one line.
    """
    from .. import training
    from ..frontends.chainer.lowering import lower

    data, kind = task.data, task.kind
    model = task.out / MODEL_NAME if model is None else model
    check_files(task.out, model)
    train_set, test_set = task.sets
    chain = training.build_network(architecture, data.shape, data.classes, kind, seed=config.seed)
    result = training.train(
        chain,
        train_set,
        test_set,
        config,
        task.out,
        input_kind=kind,
        teacher=teacher and train_teacher(task, teacher, config),
        resume=task.resume,
        console=task.console,
    )
    network = lower(chain, data.shape, kind)
    classes = network.predict(test_set[0])
    agreement = int((classes == training.predict(chain, training.as_samples("test", *test_set, kind))).sum())
    accuracy = float((classes == test_set[1]).mean())
    try:
        network.save(model)
    except WriteError as error:
        again = "go on with --resume" if config.snapshot_every else "train again"
        raise WriteError(f"{error}; training is done: mend that, then {again} to write the network") from error
    _draw_history(task, result)
    return Trained(network, accuracy, agreement, len(classes), result)


def train_float(task: Task, architecture: str, config: TrainConfig) -> tuple[Any, TrainResult]:
    """Trains the float baseline of an architecture, by Adam and without a teacher; returns it and its run."""
    from .. import training

    check_files(task.out)
    chain = training.FloatChain(
        training.build_network(architecture, task.data.shape, task.data.classes, task.kind, seed=config.seed)
    )
    result = training.train(chain, *task.sets, float_config(config), task.out, resume=task.resume, console=task.console)
    _draw_history(task, result)
    return chain, result


def float_config(config: TrainConfig) -> TrainConfig:
    """How the float baseline of a network that is trained with ``config`` is trained."""
    return replace(
        config,
        learning_rate=FLOAT_RATE * config.learning_rate,
        optimizer="adam",
        clip_weights=False,
        estimator=None,
        stochastic=False,
        distillation=0.0,
    )


def check_files(out: Path, *more: Path) -> None:
    """Refuses a folder of a run in which a file that training writes is a folder, before training."""
    from ..training.records import LOG_NAME
    from ..training.results import CHAIN_NAME, SNAPSHOT_NAME

    for path in (*more, *(out / name for name in (SNAPSHOT_NAME, LOG_NAME, CHAIN_NAME, HISTORY_NAME))):
        if path.is_dir():
            raise WriteError(
                f"{path} is a folder, and a file of that name is to be written: delete it, or name another"
            )


def check_strangers(out: Path, names: Iterable[str]) -> None:
    """Keeps files of these names in a folder in which no run was from being replaced by a run's.

    Raises:
        WriteError: one is there.
    """
    from ..training.lock import LOCK_NAME
    from ..training.records import LOG_NAME

    if any((out / name).exists() for name in (LOCK_NAME, LOG_NAME)):
        return
    for name in names:
        if (out / name).exists():
            raise WriteError(f"{out / name} is there already, and of no run: name another --out, or move that file")


def _draw_history(task: Task, result: TrainResult) -> None:
    """Draws the run; everything else is written by then, so whatever is wrong with a picture is said and no more."""
    picture = task.out / HISTORY_NAME
    try:
        from ..plots import plot_history
        from ..training.history import History

        plot_history([History(task.out.name, result.records)], picture)
    except Exception as error:  # Matplotlib's fonts, caches and backends fail in many ways
        print_line(task.console, f"warning: no picture of the run ({picture}): {' '.join(str(error).split())}")


def train_teacher(task: Task, teacher: Teacher, config: TrainConfig) -> Any:
    """Trains the teacher in a folder of its own within the run's, and returns its chain."""
    print_line(task.console, f"the teacher, {teacher.architecture} with float weights:")
    within = replace(task, out=task.out / TEACHER_FOLDER)
    chain, _ = train_float(within, teacher.architecture, replace(config, epochs=teacher.epochs))
    print_line(task.console, "the network:")
    return chain
