"""Motion: how much more a sensor's numbers change than at rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["THRESHOLD", "MotionMeter"]

THRESHOLD = 6.0
"""Times as much as at rest, from which on it is motion."""

_NOW_SECONDS, _BLOCK_SECONDS, _REST_SECONDS = 0.15, 0.4, 4.0
_LEAST = 0.002  # of a channel's largest value: the change that a sensor at rest is taken to show at least


class MotionMeter:
    """Compares how much the numbers change now with the quietest while of the last seconds.

    Args:
        rate: samples a second.
    """

    def __init__(self, rate: float) -> None:
        self._now = max(3, round(_NOW_SECONDS * rate))
        self._block = max(self._now, round(_BLOCK_SECONDS * rate))
        self._recent: deque[Sequence[float]] = deque(maxlen=self._block)
        self._blocks: deque[NDArray[np.float64]] = deque(maxlen=max(2, round(_REST_SECONDS / _BLOCK_SECONDS)))
        self._count = 0
        self._largest: NDArray[np.float64] | None = None

    def clear(self) -> None:
        """Forgets what came just now, after a break; what rest is stays known."""
        self._recent.clear()
        self._count = 0

    def feed(self, values: Sequence[float], learn: bool = True) -> float | None:
        """Takes a sample and returns how many times as much as at rest the numbers change; None before that is known.

        ``learn`` says whether it may be rest, which it is not while something is recorded.
        """
        self._recent.append(values)
        magnitude = np.abs(np.asarray(values, np.float64))
        self._largest = magnitude if self._largest is None else np.maximum(self._largest, magnitude)
        if learn:
            self._count += 1
            if self._count >= self._block:
                self._count = 0
                self._blocks.append(np.asarray(self._recent).std(axis=0))
        if not self._blocks or len(self._recent) < self._now:
            return None
        now = np.asarray(list(self._recent)[-self._now :]).std(axis=0)
        rest = np.maximum(np.min(self._blocks, axis=0), _LEAST * self._largest)
        return float(np.mean(now / np.maximum(rest, 1e-9)))
