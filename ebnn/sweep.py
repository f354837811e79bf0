"""Several networks side by side: what each is worth, what each takes, and which are worth choosing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .boards import Board
from .compile.estimate import Estimate, estimate
from .errors import NetworkError
from .model.network import Network
from .report import counts_instructions


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
