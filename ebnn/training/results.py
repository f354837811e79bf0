"""What a training run comes to, and the files that it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .records import EpochRecord, best_epoch

CHAIN_NAME = "chain.npz"
"""The trained parameters."""
SNAPSHOT_NAME = "snapshot.npz"
"""The state that a run is resumed from."""


class Evaluation(NamedTuple):
    """How well a network does on a set of samples."""

    loss: float
    """Mean cross entropy."""
    accuracy: float
    """Fraction of samples whose class is right."""


@dataclass(frozen=True)
class TrainResult:
    """What a training run came to.

    Attributes:
        records: one for each epoch.
        test: how the trained network does on the test set, in test mode.
        snapshot: the file to resume from; None where none was asked for.
        earlier: lengths, in epochs, that the run had before it was made longer, where the learning rate depends on
            them: such a run ends with other weights than one that had its last length from the start.
    """

    records: tuple[EpochRecord, ...]
    test: Evaluation
    snapshot: Path | None
    earlier: tuple[int, ...] = ()

    @property
    def best(self) -> EpochRecord:
        """The record of the epoch whose weights the network has: the validation set's choice, or else the last."""
        return best_epoch(self.records)

    @property
    def test_accuracy(self) -> float:
        """Fraction of right answers on the test set."""
        return self.test.accuracy

    @property
    def seconds(self) -> float:
        """Time that all epochs took, those before a resume included."""
        return sum(record.seconds for record in self.records)
