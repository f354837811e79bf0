"""From a data set to an evolved network: the files of a run, as training by gradient leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import datasets
from ..datasets.dataset import RAW
from ..errors import WriteError
from ..model.network import Network
from .evolution import Evolution, EvolutionConfig, EvolutionResult
from .fitness import confusion_of
from .history import write_test
from .labelled_samples import Samples
from .run_folders import MODEL_NAME, check_files
from .task import Task, describe
from .untrained import draw_network


@dataclass(frozen=True)
class Evolved:
    """An evolved network, and its answers to the training samples and the test samples.

    Attributes:
        network: which.
        result: of the run.
        train_confusion, test_confusion: counts of labels, down, by answers, across, (classes, classes).
    """

    network: Network
    result: EvolutionResult
    train_confusion: NDArray[np.int64]
    test_confusion: NDArray[np.int64]

    @property
    def train_error(self) -> float:
        """Fraction of wrong answers to the training samples."""
        return _error(self.train_confusion)

    @property
    def test_error(self) -> float:
        """Fraction of wrong answers to the test samples."""
        return _error(self.test_confusion)

    def values(self) -> dict[str, Any]:
        """What it came to, as plain JSON values."""
        best = self.result.records[-1]
        return {
            "accuracy": 1 - self.test_error,
            "test_samples": int(self.test_confusion.sum()),
            "train_error": self.train_error,
            "test_error": self.test_error,
            "train_confusion": self.train_confusion.tolist(),
            "test_confusion": self.test_confusion.tolist(),
            "class_names": [self.network.class_name(k) for k in range(self.network.classes)],
            "generations": len(self.result.records),
            "fitness": self.result.fitness,
            "loss": best.loss,
            "train_seconds": self.result.seconds,
            "hash": self.network.hash,
        }


def _error(confusion: NDArray[np.int64]) -> float:
    return 1 - float(confusion.trace()) / int(confusion.sum())


def evolve_network(
    task: Task,
    start: Network | str,
    config: EvolutionConfig,
    model: Path | None = None,
    *,
    threads: int = 1,
) -> Evolved:
    """Evolves a network on the task's training samples, and counts its errors there and on the test samples.

    The network is written to ``model``, by default to :data:`MODEL_NAME` in the task's folder; then the task's
    progress is told that the run is done.

    Args:
        task: its data, folder, encoder, and whether to go on from a snapshot.
        start: the network to begin with, whose labels the data have; or the architecture of a random one.
        config: how to evolve.
        model: the file to write.
        threads: that run networks.

    Raises:
        TrainingError: see :class:`ebnn.training.evolution.Evolution`.
        WriteError: a file cannot be written.
    """
    data = task.data
    model = task.out / MODEL_NAME if model is None else model
    check_files(task.out, model)
    fresh = isinstance(start, str)
    if isinstance(start, str):
        start = draw_network(start, task.shape, data.classes, task.kind, config.seed, task.encoder, describe(data))
    training = _samples(start, data.train_images, data.train_labels, data.train_groups, data.kind)
    test = _samples(start, data.test_images, data.test_labels, data.test_groups, data.kind)
    evolution = Evolution(start, training, test, config, task.out, fresh=fresh, threads=threads, progress=task.progress)
    result = evolution.run(task.resume)
    network = result.network
    train_confusion, test_confusion = (
        confusion_of(evolution.answers(network, samples), samples.labels, network.classes)
        for samples in (training, test)
    )
    evolved = Evolved(network, result, train_confusion, test_confusion)
    try:
        network.save(model)
        if config.validation:
            write_test(task.out, result.records, 1 - evolved.test_error)
    except WriteError as error:
        raise WriteError(
            f"{error}; evolution is done: mend that, then go on with --resume to write the network"
        ) from error
    task.progress.run_done(task.out, result.records)
    return evolved


def _samples(
    network: Network,
    images: NDArray[Any],
    labels: NDArray[np.int32],
    groups: NDArray[np.int32] | None,
    kind: str,
) -> Samples:
    """Samples of a data set as the network takes them."""
    taken = network.input.kind
    if network.encoder is not None:
        raw = images.astype(np.float32)
        return Samples(network.encode(raw), labels, taken, groups, raw, network.encoder)
    if kind == RAW:
        return Samples(images, labels, taken, groups)
    return Samples(datasets.convert(images, kind, taken), labels, taken, groups)
