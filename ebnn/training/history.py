"""A training run as its log tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .records import EpochRecord, best_epoch, read_log


@dataclass(frozen=True)
class History:
    """The epochs of a run, finished or not.

    Attributes:
        name: of the run.
        records: one for each epoch; there may be none yet.
    """

    name: str
    records: tuple[EpochRecord, ...]

    @property
    def held_out(self) -> Literal["validation", "test"]:
        """The set on which every epoch was evaluated."""
        return "test" if self.records and self.records[-1].validation_accuracy is None else "validation"

    @property
    def best(self) -> EpochRecord:
        """The record of the epoch whose weights are kept: the validation set's choice, or else the last."""
        return best_epoch(self.records)

    @property
    def seconds(self) -> float:
        """Time that the epochs took."""
        return sum(record.seconds for record in self.records)

    def values(self) -> dict[str, Any]:
        """The run as plain JSON values; what it does not have is None."""
        best = self.best if self.records else None
        return {
            "run": self.name,
            "epochs": len(self.records),
            "best_epoch": best and best.epoch,
            "validation_accuracy": best and best.validation_accuracy,
            "test_accuracy": best and best.test_accuracy,
            "loss": self.records[-1].loss if self.records else None,
            "seconds": round(self.seconds, 3),
        }


def read_history(folder: Path, name: str) -> History:
    """Returns the history of the run in ``folder``.

    Raises:
        TrainingError: it has no log, or a damaged one.
    """
    return History(name, read_log(folder))
