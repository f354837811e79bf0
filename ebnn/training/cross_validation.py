"""Cross-validation: as many networks as folds, each tested on recordings that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .run_settings import RunSettings
from .task import Task, Trained, train_network


@dataclass(frozen=True, eq=False)
class Fold:
    """A network and its answers, (n,) each: the classes that it predicts for its test samples, and their labels."""

    trained: Trained
    predicted: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int32]


@dataclass(frozen=True)
class CrossValidation:
    """What the folds came to together."""

    folds: tuple[Fold, ...]

    @property
    def samples(self) -> int:
        """That were tested on, each once."""
        return sum(len(fold.labels) for fold in self.folds)

    @property
    def right(self) -> int:
        """How many of them have the right answer."""
        return sum(int((fold.predicted == fold.labels).sum()) for fold in self.folds)

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.right / self.samples

    def confusion(self, classes: int) -> npt.NDArray[np.int64]:
        """How often each class, by row, was taken for each, by column: (classes, classes)."""
        counts = np.zeros((classes, classes), np.int64)
        for fold in self.folds:
            np.add.at(counts, (fold.labels, fold.predicted), 1)
        return counts


def fold_folders(out: Path, count: int) -> list[Path]:
    """Returns the folders of the folds' runs."""
    return [out / f"fold-{number}" for number in range(1, count + 1)]


def cross_validate(task: Task, settings: RunSettings, architecture: str, folders: Sequence[Path]) -> CrossValidation:
    """Trains and tests a network on each fold of a task's data, in a folder each; the encoder is fitted to each anew.

    Raises:
        DatasetError: a class has fewer recordings than there are folds.
        TrainingError: see :func:`ebnn.training.task.train_network`.
    """
    folds = []
    for number, (data, folder) in enumerate(zip(task.data.folds(len(folders)), folders, strict=True), 1):
        task.progress.say(f"fold {number} of {len(folders)}:")
        within, _ = settings.task_of(data, folder, task.progress)
        trained = train_network(within, architecture, settings.config, settings.teacher_for(architecture))
        test_images, test_labels = within.sets[1]
        folds.append(Fold(trained, trained.network.predict(test_images), test_labels))
    return CrossValidation(tuple(folds))
