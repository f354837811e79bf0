"""Integer scores that put the classes in the same order as floating-point ones, whatever the sums are.

With the multipliers given, every two classes and every pair of sums that they can have bound the difference of the two
offsets, from below where the first class wins, from above where the second does. Such bounds have a solution where
their shortest paths have no negative cycle. So multipliers are tried until there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

MAX_MULTIPLIER = 32_767  # of a score: an int16
MAX_SCORE = 2**31 - 1
_FACTORS = 32_768  # factors between floating-point and integer scores that are looked at
_MOST_TRIED = 1_024  # of them, the most promising first
_STEPS = 2**26  # bounds evaluated at most
_CALL_STEPS = 256  # bounds that take the time of a call
_NEAREST_TRIED = 16  # where none of them is exact
_UNBOUNDED = 2**40
MOST_SUMS = 2**27  # of all pairs of classes: a minute's work


@dataclass(frozen=True, eq=False)
class ClassOrder:
    """``score = multiplier · acc + offset``, each (classes,); a score times ``scale`` is near the floating-point one.

    Of the ``pairs`` of sums that two classes can have for one and the same input, ``turned`` are decided for the other
    class.
    """

    multiplier: NDArray[np.int16]
    offset: NDArray[np.int32]
    scale: float
    turned: int
    pairs: int


def find_class_order(
    table: NDArray[np.float32], gain: NDArray[np.float64], shift: NDArray[np.float64], weights: NDArray[np.bool_]
) -> ClassOrder:
    """Integer scores that turn no pair, or few where none are found.

    Args:
        table: floating-point scores (classes, n + 1) for the sums −n, −n + 2, …, n: finite, monotone in the sum.
        gain, shift: (classes,), which make ``gain · acc + shift`` of a sum, the table but for rounding.
        weights: (classes, n), True is +1.
    """
    classes, reach = weights.shape
    pairs_of_classes = classes * (classes - 1) // 2
    factors = _factors(gain, shift, reach)
    bounds = _Bounds(table, weights, gain, min(factors))
    pairs = bounds.pairs
    for factor in factors[: max(1, min(_MOST_TRIED, _STEPS // bounds.steps))]:
        multiplier, near = (np.rint(values * factor).astype(np.int64) for values in (gain, shift))
        offset = bounds.solve(multiplier, near)
        if offset is not None and (np.abs(multiplier) * reach + np.abs(offset)).max() <= MAX_SCORE:
            return ClassOrder(multiplier.astype(np.int16), offset.astype(np.int32), 1 / factor, 0, pairs)
    sums = pairs_of_classes * (reach + 1)
    nearest = factors[: max(1, min(_NEAREST_TRIED, _STEPS // (2 * sums)))]
    rounded = [tuple(np.rint(values * factor).astype(np.int64) for values in (gain, shift)) for factor in nearest]
    turned = np.zeros(len(nearest), np.int64)
    for rival in _all_rivals(table, weights):
        turned += [rival.turned(multiplier, offset) for multiplier, offset in rounded]
    best = int(turned.argmin())
    multiplier, offset = rounded[best]
    return ClassOrder(multiplier.astype(np.int16), offset.astype(np.int32), 1 / nearest[best], int(turned[best]), pairs)


def _factors(gain: NDArray[np.float64], shift: NDArray[np.float64], reach: int) -> list[float]:
    """Factors that keep to the ranges of multipliers and scores, those that round the gains least first."""
    largest = float(np.abs(gain).max())
    limits = [MAX_MULTIPLIER / largest] if largest > 0 else []
    # One unit is kept back for each rounding.
    limits.append((MAX_SCORE - reach - 1) / max(float((np.abs(gain) * reach + np.abs(shift)).max()), 1e-30))
    limit = min(limits)
    if largest == 0:
        return [limit]
    factors = limit * (1 - np.arange(_FACTORS) / (2 * _FACTORS))
    error = np.zeros(_FACTORS)
    for one in gain:
        error = np.maximum(error, np.abs(np.rint(one * factors) - one * factors))
    return [float(factor) for factor in factors[np.argsort(error / factors, kind="stable")]]


class _Rivals:
    """Two classes, ``first`` before ``second``, whose weights ``differ`` in so many places.

    The sum of the weights that agree is any of −agree … agree in steps of 2, that of the others −differ … differ: the
    first class's sum is the one plus the other, the second's the one minus the other. Where the first has sum ``a``,
    the second has one of ``a`` 's own, in steps of 4.
    """

    def __init__(self, table: NDArray[np.float32], first: int, second: int, differ: int) -> None:
        reach = table.shape[1] - 1
        agree = reach - differ
        self.first, self.second = first, second
        self.pairs = (agree + 1) * (differ + 1)
        self.sums = np.arange(-reach, reach + 1, 2)
        # The second class's sums in the order of its scores; where in it those lie that can meet each of the first's.
        self.order = 1 if table[second, 0] <= table[second, -1] else -1
        lowest = np.maximum(-2 * agree - self.sums, self.sums - 2 * differ)
        highest = np.minimum(2 * agree - self.sums, self.sums + 2 * differ)
        if self.order < 0:
            lowest, highest = -highest, -lowest
        self.low, self.high = (lowest + reach) // 2, (highest + reach) // 2
        # The first wins against so many of the second's.
        self.beaten = np.searchsorted(table[second, :: self.order], table[first], side="right")

    def closest_wins(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each sum of the first, the highest-scored sum of the second that it beats: both sums, where there are."""
        last = self.beaten - 1
        place = np.minimum(self.high, last - (last - self.low) % 2)
        there = place >= self.low
        return self.sums[there], self.order * self.sums[place[there]]

    def closest_losses(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each sum of the first, the lowest-scored sum of the second that beats it: both sums, where there are."""
        place = np.maximum(self.low, self.beaten + (self.beaten - self.low) % 2)
        there = place <= self.high
        return self.sums[there], self.order * self.sums[place[there]]

    def turned(self, multiplier: NDArray[np.int64], offset: NDArray[np.int64]) -> int:
        """How many pairs of sums that can meet these scores decide for the other class of the two."""
        first = multiplier[self.first] * self.sums + offset[self.first]
        second = (multiplier[self.second] * self.sums + offset[self.second])[:: self.order]
        beaten = np.searchsorted(second, first, side="right")
        start, end = np.minimum(beaten, self.beaten), np.maximum(beaten, self.beaten)
        start = np.maximum(start, self.low)
        start += (start - self.low) % 2
        counts: NDArray[np.int64] = np.maximum((np.minimum(end, self.high + 1) - start + 1) // 2, 0)
        total: int = counts.sum().item()
        return total


def _all_rivals(table: NDArray[np.float32], weights: NDArray[np.bool_]) -> Iterator[_Rivals]:
    """One after the other: together they take a gigabyte."""
    for j, k in combinations(range(len(weights)), 2):
        yield _Rivals(table, j, k, int(np.count_nonzero(weights[j] != weights[k])))


_Decisions = tuple[int, int, NDArray[np.int64], NDArray[np.int64]]  # two classes, a sum of each in every pair


class _Bounds:
    """Bounds on the differences of offsets, from the closest decisions of all rivals.

    Kept are those that can be the tightest with any factor from ``least`` on: rounding moves ``factor · gain`` by half
    a unit at most, so a decision counts only where ``gain`` itself leaves it that near to the tightest.
    """

    def __init__(
        self, table: NDArray[np.float32], weights: NDArray[np.bool_], gain: NDArray[np.float64], least: float
    ) -> None:
        self.classes, reach = weights.shape
        self.wins: list[_Decisions] = []
        self.losses: list[_Decisions] = []
        self.pairs = 0
        near = 2.1 * reach / least  # a tenth more than twice what rounding moves a sum by
        for rival in _all_rivals(table, weights):
            self.pairs += rival.pairs
            j, k = rival.first, rival.second
            for found, (first, second), sign in (
                (self.wins, rival.closest_wins(), -1),
                (self.losses, rival.closest_losses(), 1),
            ):
                if len(first):
                    tight = sign * (gain[j] * first - gain[k] * second)
                    kept = tight >= tight.max() - near
                    found.append((j, k, first[kept], second[kept]))

    @property
    def steps(self) -> int:
        """What evaluating them once takes."""
        bounds = self.wins + self.losses
        return int(sum(len(first) + _CALL_STEPS for _, _, first, _ in bounds) + self.classes**3)

    def solve(self, multiplier: NDArray[np.int64], near: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Offsets that keep every decision, near to ``near``; None where there are none."""
        # limit[u, v] is the most by which offset v may exceed offset u.
        limit = np.full((self.classes, self.classes), _UNBOUNDED, np.int64)
        np.fill_diagonal(limit, 0)
        for j, k, first, second in self.wins:
            limit[j, k] = (multiplier[j] * first - multiplier[k] * second).min()
        for j, k, first, second in self.losses:
            limit[k, j] = (multiplier[k] * second - multiplier[j] * first).min() - 1
        for via in range(self.classes):
            limit = np.minimum(limit, limit[:, via, None] + limit[via])
        if (np.diagonal(limit) < 0).any():
            return None
        most = (near[:, None] + limit).min(axis=0)
        least = (near[None, :] - limit).max(axis=1)
        middle: NDArray[np.int64] = (most + least) // 2
        return middle
