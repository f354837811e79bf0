"""Several networks side by side: what each is worth, what each takes, and which are worth choosing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .boards import Board
from .compile.estimate import Estimate, estimate
from .errors import NetworkError, TrainingError
from .model.network import Network
from .report import counts_instructions
from .training.run_settings import RunSettings
from .training.task import Task, train_network

LONGEST = 255
"""Characters of a folder's name."""


@dataclass(frozen=True)
class Trial:
    """A trained network of a sweep.

    Attributes:
        architecture: as it was given.
        accuracy: fraction of the held-out training images that it gets right.
        epoch: whose weights it has.
        train_seconds: that its epochs took, without its teacher's.
        network: as it was trained.
        estimates: what it takes on each board of the sweep, in one order for all trials.
    """

    architecture: str
    accuracy: float
    epoch: int
    train_seconds: float
    network: Network
    estimates: tuple[Estimate, ...]

    @property
    def data_bytes(self) -> int:
        """Flash for weights, thresholds and score constants."""
        return self.network.weight_bytes + self.network.threshold_bytes + self.network.score_bytes


def estimate_all(architecture: str, network: Network, boards: Sequence[Board]) -> tuple[Estimate, ...]:
    """What a network takes on each board. Raises NetworkError for a board without figures, naming the architecture."""
    try:
        return tuple(estimate(network, board) for board in boards)
    except NetworkError as error:
        raise NetworkError(f"architecture {architecture!r}: {error}") from error


def check_architectures(architectures: Sequence[str], settings: RunSettings, boards: Sequence[Board]) -> None:
    """Refuses what cannot be trained, lowered or estimated, before anything is trained.

    Raises TrainingError, LoweringError or NetworkError; TrainingError also for an architecture that is given twice.
    """
    seen: dict[Network, str] = {}
    for architecture in architectures:
        if len(architecture) > LONGEST:
            raise TrainingError(f"{architecture[:40]}… has {len(architecture)} characters, a folder's name {LONGEST}")
        # Untrained, from one seed: the same layers are the same network, however the architecture is spelled.
        network = settings.check(architecture)
        if network in seen:
            spelled = f" (as {seen[network]})" if seen[network] != architecture else ""
            raise TrainingError(f"{architecture} is given twice{spelled}: leave one of them out")
        seen[network] = architecture
        estimate_all(architecture, network, boards)


def train_sweep(task: Task, folders: Mapping[str, Path], settings: RunSettings, boards: Sequence[Board]) -> Sweep:
    """Trains every architecture in its folder, one after the other, and judges it by held-out training images.

    Args:
        task: with the data; its test images are not used.
        folders: of the runs, by architecture; each gets its model.ebnn.
        settings: for all of them; ``validation`` is above 0.
        boards: for which to estimate the time.

    Raises TrainingError, WriteError: see `ebnn.training.task.train_network`.
    """
    held_out = task.without_test(settings.config.validation)
    trials = []
    for number, (architecture, folder) in enumerate(folders.items(), 1):
        task.progress.say(f"{number} of {len(folders)}: {architecture}")
        teacher = settings.teacher_for(architecture)
        trained = train_network(replace(held_out, out=folder), architecture, settings.config, teacher)
        found = estimate_all(architecture, trained.network, boards)
        best = trained.result.best
        trials.append(Trial(architecture, trained.accuracy, best.epoch, trained.result.seconds, trained.network, found))
    return Sweep(tuple(boards), tuple(trials))


def pareto_front(costs: Sequence[float | None], accuracies: Sequence[float]) -> tuple[bool, ...]:
    """Says of each network whether no other is both as cheap and as accurate, and in one of the two better.

    Args:
        costs: of each network; None is out of the question.
        accuracies: of each network, in the order of the costs.
    """
    points = list(zip(costs, accuracies, strict=True))

    def beaten(cost: float, accuracy: float) -> bool:
        return any(
            other is not None and other <= cost and better >= accuracy and (other, better) != (cost, accuracy)
            for other, better in points
        )

    return tuple(cost is not None and not beaten(cost, accuracy) for cost, accuracy in points)


@dataclass(frozen=True)
class Sweep:
    """Networks that were trained alike, from the least bytes to the most.

    Attributes:
        boards: for which there are estimates.
        trials: one for each architecture.
    """

    boards: tuple[Board, ...]
    trials: tuple[Trial, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "trials", tuple(sorted(self.trials, key=lambda trial: trial.data_bytes)))

    def bytes_front(self) -> tuple[bool, ...]:
        """Which trials are on the Pareto front of accuracy against bytes of weights, thresholds, score constants."""
        return pareto_front([trial.data_bytes for trial in self.trials], self._accuracies())

    def time_front(self, board: int) -> tuple[bool, ...]:
        """Which are on that of accuracy against time on one of the boards; what does not fit there is not."""
        found = [trial.estimates[board] for trial in self.trials]
        return pareto_front([one.us if one.fits else None for one in found], self._accuracies())

    def _accuracies(self) -> list[float]:
        return [trial.accuracy for trial in self.trials]

    def values(self) -> list[dict[str, Any]]:
        """The trials as plain JSON values."""
        by_bytes = self.bytes_front()
        by_time = [self.time_front(board) for board in range(len(self.boards))]
        return [
            {
                "architecture": trial.architecture,
                "validation_accuracy": trial.accuracy,
                "epoch": trial.epoch,
                "train_seconds": trial.train_seconds,
                "hash": trial.network.hash,
                "data_bytes": trial.data_bytes,
                "weight_bytes": trial.network.weight_bytes,
                "threshold_bytes": trial.network.threshold_bytes,
                "score_bytes": trial.network.score_bytes,
                "arena_bytes": trial.network.arena_bytes,
                "avr_arena_bytes": trial.network.avr_arena_bytes,
                "macs": trial.network.macs,
                "bytes_front": by_bytes[i],
                "estimates": [
                    {**found.values(), "time_front": front[i]}
                    for found, front in zip(trial.estimates, by_time, strict=True)
                ],
            }
            for i, trial in enumerate(self.trials)
        ]


def cost_label(board: Board) -> tuple[str, float]:
    """How the cost of a prediction on a board is called, and microseconds (or instructions) in one unit of it."""
    if counts_instructions(board.name):
        return f"thousand instructions, {board.title}", 1e3
    return f"ms, {board.title}", 1e3
