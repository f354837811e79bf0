"""A rejection threshold: from which probability on a network's answer counts, learned on samples that it was not
trained on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import TrainingError
from ..figures import percent
from ..model.network import Network
from ..model.probabilities import SURE, softmax

FALSE_REJECTS = 0.05
"""Of the right answers, the most that become "unknown" where nobody says how many."""


@dataclass(frozen=True)
class Rejection:
    """A threshold, and what it did to the samples that it was learned on.

    Attributes:
        threshold: answers whose probability is below it are "unknown".
        false_reject: the fraction of the right answers that become "unknown".
        false_accept: the fraction of the wrong answers, those to foreign samples among them, that do not; None where
            there were none.
        right, wrong: how many answers there were of each.
    """

    threshold: float
    false_reject: float
    false_accept: float | None
    right: int
    wrong: int

    def values(self) -> dict[str, Any]:
        """The threshold and its rates as plain JSON values."""
        return asdict(self)

    def sentence(self) -> str:
        """What a user should know of it, in a line."""
        accepts = "no wrong answer to learn from"
        if self.false_accept is not None:
            accepts = f"{percent(self.false_accept, 1)} of {self.wrong:,} wrong answers are accepted"
        return (
            f"unknown below a probability of {self.threshold:.3f}: {percent(self.false_reject, 1)} of {self.right:,} "
            f"right answers are rejected, {accepts}"
        )


def learn_rejection(
    network: Network,
    samples: ArrayLike,
    labels: ArrayLike,
    false_rejects: float = FALSE_REJECTS,
    foreign: ArrayLike | None = None,
) -> Rejection:
    """Returns the highest threshold that rejects no more than ``false_rejects`` of the right answers.

    Args:
        network: which.
        samples: (n, channels, height, width) in the network's input type, that it was not trained on.
        labels: (n,) whole numbers, the classes that are right.
        false_rejects: from 0 to below 1.
        foreign: more samples, of no class at all.

    Raises:
        InputError: samples do not fit the network.
        TrainingError: no answer is right, or the fraction is out of range.
    """
    if not 0 <= false_rejects < 1:
        raise TrainingError(
            f"{false_rejects} of the right answers cannot be rejected: give a fraction from 0 to below 1"
        )
    scores = network.scores(samples)
    best = softmax(scores, network.scale).max(axis=1)
    right = np.argmax(scores, axis=1) == np.asarray(labels)
    if not right.any():
        raise TrainingError("no answer to the held-out samples is right: there is no threshold to learn from them")
    wrong = best[~right]
    if foreign is not None:
        wrong = np.concatenate([wrong, softmax(network.scores(foreign), network.scale).max(axis=1)])
    ordered: NDArray[np.uint16] = np.sort(best[right])
    least = int(ordered[int(false_rejects * len(ordered))])
    return Rejection(
        threshold=least / SURE,
        false_reject=float(np.mean(ordered < least)),
        false_accept=float(np.mean(wrong >= least)) if len(wrong) else None,
        right=len(ordered),
        wrong=len(wrong),
    )


def with_rejection(network: Network, rejection: Rejection) -> Network:
    """Returns the network with a threshold, and in its notes what the threshold does."""
    notes = {**network.meta.notes, "rejection": rejection.values()}
    return network.with_meta(replace(network.meta, rejection=rejection.threshold, notes=notes))
