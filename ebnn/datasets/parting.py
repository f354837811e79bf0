"""Where one recording ends and the next begins in a long table, and whether rows are moments at all or samples."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.floating]

MOTION = re.compile(r"(acc?(el)?(eration)?|gyro?(scope)?|mag(neto)?(meter)?|imu|[agm])[ _.]?[xyz][\d]*", re.IGNORECASE)
"""Names of channels that only a series has."""

SMOOTH = 0.4
"""Below it rows follow each other as moments do; rows in no order come to about 1 (von Neumann's ratio, halved)."""

_SHORTEST, _HIT = 8, 0.85
_LEAST_EVIDENCE = 8.0


def roughness(parts: Sequence[Values]) -> float:
    """Returns how rows differ from their neighbours, against how they differ at all: the median of parts and channels.

    It is the mean square of differences of neighbours by twice the variance: near 0 where a sensor was read moment
    after moment, near 1 where each row is another thing. ``nan`` where no part has 8 rows or all are constant.
    """
    ratios: list[float] = []
    for part in parts:
        if len(part) < _SHORTEST:
            continue
        values = np.asarray(part, np.float64)
        spread = values.var(axis=0)
        change = (np.diff(values, axis=0) ** 2).mean(axis=0)
        ratios += list(change[spread > 0] / (2 * spread[spread > 0]))
    return float(np.median(ratios)) if ratios else float("nan")


def find_length(parts: Sequence[Values]) -> int | None:
    """Returns how many rows a recording has where recordings of one length follow each other without a mark.

    At a seam the values jump. For each length and each place of the first seam the share of seams that are jumps is
    held against the share of all rows that are; the length with the most evidence is taken, where it is enough.

    Args:
        parts: (rows, channels) each, such as the file of each class.

    Returns:
        The length, or None where nothing speaks for one.
    """
    jumps = [_jumps(part) for part in parts if len(part) >= 2 * _SHORTEST]
    jumps = [each for each in jumps if each.any()]
    if not jumps:
        return None
    longest = max(map(len, jumps)) // 2
    best: tuple[float, int] = (0.0, 0)
    for length in range(_SHORTEST, longest + 1):
        evidence = sum(_evidence(each, length) for each in jumps if len(each) >= length)
        best = max(best, (evidence, length))
    return best[1] if best[0] >= _LEAST_EVIDENCE + np.log(max(2, longest)) else None


def first_seam(part: Values, length: int) -> int:
    """Returns the row, 0 to ``length`` − 1, at which the first whole recording of that length begins."""
    jumps = _jumps(part)
    folded = np.zeros(length)
    for row in np.flatnonzero(jumps):
        folded[(row + 1) % length] += 1
    # Without evidence for another place the file begins with a recording.
    return 0 if folded[0] >= folded.max() else int(folded.argmax())


def _jumps(part: Values) -> npt.NDArray[np.bool_]:
    """(rows − 1,): whether from a row to the next the values change more than just before and after."""
    values = np.asarray(part, np.float64)
    spread = values.std(axis=0)
    steps = np.abs(np.diff(values, axis=0)[:, spread > 0]) / spread[spread > 0]
    size = np.pad(steps.mean(axis=1) if steps.size else np.zeros(max(0, len(values) - 1)), 3)
    around = np.max([size[i : len(size) - 6 + i] for i in (0, 1, 2, 4, 5, 6)], axis=0)
    here = size[3:-3]
    return np.asarray((here > 1.3 * around) & (here > 0), bool)


def _evidence(jumps: npt.NDArray[np.bool_], length: int) -> float:
    """The logarithm of how much likelier the seams of the best place are jumps than any rows."""
    share = min(0.5, max(1e-3, float(jumps.mean())))
    seams = np.pad(jumps, (1, 0))  # seams[i]: row i begins something
    whole = seams[: len(seams) // length * length].reshape(-1, length)
    hits = whole.sum(axis=0)
    rest = seams[len(whole) * length :]
    hits[: len(rest)] += rest
    counts = np.full(length, len(whole))
    counts[: len(rest)] += 1
    counts[0] -= 1  # the file's first row is no seam
    likelihood = hits * np.log(_HIT / share) + (counts - hits) * np.log((1 - _HIT) / (1 - share))
    return float(max(0.0, likelihood.max() - np.log(length)))
