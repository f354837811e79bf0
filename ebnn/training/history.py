"""A training run as its files tell it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..atomic import write_atomically
from ..errors import TrainingError
from .records import EpochRecord, best_epoch, read_log

TEST_NAME = "test.json"
"""What the kept network came to on the test images, where these were left out of the epochs."""
_MAX_TEST_BYTES = 1000


@dataclass(frozen=True)
class History:
    """The epochs of a run, finished or not.

    Attributes:
        name: of the run.
        records: one for each epoch; there may be none yet.
        tested: fraction of right answers of the kept network on the test images; None where the run has not ended.
    """

    name: str
    records: tuple[EpochRecord, ...]
    tested: float | None = None

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
        test_accuracy = best and best.test_accuracy
        return {
            "run": self.name,
            "epochs": len(self.records),
            "best_epoch": best and best.epoch,
            "validation_accuracy": best and best.validation_accuracy,
            "test_accuracy": self.tested if test_accuracy is None else test_accuracy,
            "loss": self.records[-1].loss if self.records else None,
            "seconds": round(self.seconds, 3),
        }


def read_history(folder: Path, name: str) -> History:
    """Returns the history of the run in ``folder``.

    Raises:
        TrainingError: it has no log, or a damaged file.
    """
    records = read_log(folder)
    return History(name, records, _read_test(folder, records))


def write_test(folder: Path, records: Sequence[EpochRecord], accuracy: float) -> None:
    """Writes the accuracy on the test images of a run that has ended with these epochs. Raises WriteError."""
    values = {"epochs": len(records), "last_loss": records[-1].loss, "test_accuracy": accuracy}
    write_atomically(folder / TEST_NAME, (json.dumps(values) + "\n").encode())


def _read_test(folder: Path, records: Sequence[EpochRecord]) -> float | None:
    """The accuracy that `write_test` has written; None without one, or where the run has gone on or begun anew."""
    path = folder / TEST_NAME
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no file")
        with path.open("rb") as file:
            content = file.read(_MAX_TEST_BYTES + 1)
        if len(content) > _MAX_TEST_BYTES:
            raise ValueError(f"it has more than {_MAX_TEST_BYTES:,} bytes")
        values = json.loads(content)
        if not isinstance(values, dict) or values.keys() != {"epochs", "last_loss", "test_accuracy"}:
            raise ValueError("it has other fields")
        accuracy = values["test_accuracy"]
        if isinstance(accuracy, bool) or not isinstance(accuracy, int | float) or not 0 <= accuracy <= 1:
            raise ValueError("test_accuracy is no number from 0 to 1")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TrainingError(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise TrainingError(f"{path} is damaged ({error}); ebnn train --resume writes it afresh") from error
    written_of = (values["epochs"], values["last_loss"])
    return float(accuracy) if records and written_of == (len(records), records[-1].loss) else None
