"""Curves of characters, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["trace"]

_BLOCKS = " ▁▂▃▄▅▆▇█"
_PLAIN = " _.-=+*#@"


def trace(values: Sequence[float], width: int, rows: int = 1, ascii_only: bool = False) -> list[str]:
    """Returns a curve as ``rows`` lines of ``width`` characters, the last values at the right.

    It goes from the smallest value, at the bottom, to the largest; a column is the mean of its values.
    """
    glyphs = _PLAIN if ascii_only else _BLOCKS
    columns = _means(values, width)
    if not columns.size:
        return [" " * width] * rows
    low, high = float(columns.min()), float(columns.max())
    steps = 8 * rows - 1
    heights = np.full(columns.size, (steps + 1) // 2) if high <= low else (columns - low) / (high - low) * steps
    levels = 1 + np.round(heights).astype(int)  # 1 to 8 * rows: the smallest value is seen too
    lines = []
    for row in reversed(range(rows)):
        line = "".join(glyphs[int(np.clip(level - 8 * row, 0, 8))] for level in levels)
        lines.append(line.rjust(width))
    return lines


def _means(values: Sequence[float], width: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """As many means as there are columns, or the values where they are fewer."""
    array = np.asarray(values, np.float64)
    if array.size <= width:
        return array
    edges = np.linspace(0, array.size, width + 1).astype(int)
    means: np.ndarray[tuple[int], np.dtype[np.float64]] = np.add.reduceat(array, edges[:-1]) / np.diff(edges)
    return means
