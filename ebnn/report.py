"""What a run on a board came to, and how long a prediction takes, as people and programs read it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .boards import board_names, bundled_board_names, load_board
from .compile.estimate import Estimate
from .errors import DeviceError

COMPUTERS = ("host", "native")  # what the firmware calls itself where a computer runs it


def counts_instructions(board: str) -> bool:
    """Whether a board's microseconds are instructions: QEMU has no cycles to count."""
    return (board in bundled_board_names() or board in board_names()) and load_board(board).simulator == "qemu"


def timed(board: str) -> str:
    """Whose time a prediction took: a board's, or this computer's where the firmware runs on it."""
    return "on this computer" if board in COMPUTERS else "on the board"


def duration_text(board: str, us: float) -> str:
    """What a board took, to three figures: a time, or instructions where it counts those."""
    if not counts_instructions(board):
        return time_text(us)
    for limit, unit, scale in ((1e3, "", 1.0), (1e6, "k ", 1e3), (float("inf"), "M ", 1e6)):
        if us < limit:
            return f"{_three_figures(us / scale)} {unit}instructions"
    raise ValueError(f"no count: {us}")


def estimate_text(found: Estimate) -> str:
    """The estimated time for a sample: a figure, or its bounds, as in "44 to 56 ms"."""
    return bounds_text(found.board.name, *found.bounds)


def bounds_text(board: str, low: float, high: float) -> str:
    """Bounds to a whole unit, or a tenth below 10, rounded outwards."""
    if low == high:
        return duration_text(board, low)
    for limit, unit, scale in ((1e3, "µs", 1.0), (1e6, "ms", 1e3), (float("inf"), "s", 1e6)):
        if high < limit:
            places = 1 if high < 10 * scale else 0
            low, high = (
                turn(us / scale * 10**places) / 10**places for turn, us in ((math.floor, low), (math.ceil, high))
            )
            return f"{low:.{places}f} to {high:.{places}f} {unit}"
    raise ValueError(f"no time: {low} to {high}")


def time_text(us: float) -> str:
    """Microseconds as people read them, to three figures."""
    for limit, unit, scale in ((1e3, "µs", 1.0), (1e6, "ms", 1e3), (float("inf"), "s", 1e6)):
        if us < limit:
            return f"{_three_figures(us / scale)} {unit}"
    raise ValueError(f"no time: {us}")


def _three_figures(value: float) -> str:
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def count_confusion(labels: NDArray[np.integer], predicted: NDArray[np.integer], classes: int) -> NDArray[np.int64]:
    """Returns how often a sample of the row's label was given the column's class, (classes, classes)."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


@dataclass(frozen=True, eq=False)
class RunReport:
    """What a board answered to samples, held against the reference.

    Attributes:
        board, network: names, as the board says them.
        network_hash: of the network, 64 hexadecimal digits.
        labels, predicted: (n,) int, of the samples that were answered.
        classes: how many there are.
        asked: samples that were to be streamed.
        class_mismatches, score_mismatches: samples whose class, or any of whose scores, is not the reference's.
        device_us: (n,) microseconds that each prediction took, by the board's own clock.
        link: statistics of the link, by name.
        class_names: of the network; none where its classes have none.
        unsure: (n,) bool, answers whose probability is below the network's rejection threshold; None without one.
        ranks: (n,) places of the labels in the order of the board's scores, from 0; None where they are not known.
    """

    board: str
    network: str
    network_hash: str
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    classes: int
    asked: int
    class_mismatches: int
    score_mismatches: int
    device_us: NDArray[np.int64]
    link: dict[str, Any]
    class_names: tuple[str, ...] = ()
    unsure: NDArray[np.bool_] | None = None
    ranks: NDArray[np.int64] | None = None

    def top_accuracy(self, k: int) -> float:
        """Fraction of the answered samples whose label is among the ``k`` classes of the largest scores."""
        return float(np.mean(self.ranks < k)) if self.samples and self.ranks is not None else 0.0

    @property
    def samples(self) -> int:
        """Samples that were answered."""
        return len(self.predicted)

    @property
    def accuracy(self) -> float:
        """Fraction of the answered samples whose class is the label; 0 where none was answered."""
        return float(np.mean(self.predicted == self.labels)) if self.samples else 0.0

    @property
    def device_us_per_sample(self) -> float:
        """Mean microseconds of a prediction by the board's clock; 0 where none was answered."""
        return float(self.device_us.mean()) if self.samples else 0.0

    @property
    def exact(self) -> bool:
        """Whether every answer is the reference's."""
        return self.class_mismatches == 0 and self.score_mismatches == 0

    @property
    def unknown(self) -> dict[str, int] | None:
        """How many right and wrong answers are "unknown", and how many wrong ones are not; None without a threshold."""
        if self.unsure is None:
            return None
        right = self.predicted == self.labels
        counts = {"right": right & self.unsure, "wrong": ~right & self.unsure, "accepted_wrong": ~right & ~self.unsure}
        return {name: int(np.count_nonzero(which)) for name, which in counts.items()}

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(classes, classes): how often a sample of the row's label was given the column's class."""
        return count_confusion(self.labels, self.predicted, self.classes)

    def check_exact(self) -> None:
        """Raises DeviceError where an answer is not the reference's."""
        if not self.exact:
            raise DeviceError(
                f"{self.class_mismatches} classes and {self.score_mismatches} scores of {self.samples} differ from "
                "the reference: the board does not compute what it must. An interrupted upload leaves such a mixture: "
                "flash it again; if that changes nothing, please report it with the model"
            )

    def values(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "board": self.board,
            "network": self.network,
            "network_hash": self.network_hash,
            "samples": self.samples,
            "asked": self.asked,
            "accuracy": self.accuracy,
            "top_5_accuracy": None if self.ranks is None else self.top_accuracy(5),
            "class_mismatches": self.class_mismatches,
            "score_mismatches": self.score_mismatches,
            "device_us_per_sample": self.device_us_per_sample,
            "unit": "instructions" if counts_instructions(self.board) else "microseconds",
            "confusion": self.confusion.tolist(),
            "class_names": list(self.class_names),
            "unknown": self.unknown,
            "link": self.link,
        }
