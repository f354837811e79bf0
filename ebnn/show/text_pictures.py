"""Images as text, with what a board said of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.columns import Columns
from rich.panel import Panel

from ..report import RunReport

_SHADES = " .:-=+*#%@"
_SHOWN = 6  # images
_WRONG = 2  # of them at most


def answered_images(images: NDArray[Any], report: RunReport) -> Columns:
    """A few images (n, channels, height, width), each with the class that the board gave it; mistakes are among them.

    The first images are those of the report's answers, one for each.
    """
    wrong = np.flatnonzero(report.predicted != report.labels)[:_WRONG]
    right = np.flatnonzero(report.predicted == report.labels)[: _SHOWN - len(wrong)]
    panels = []
    for i in (*right, *wrong):
        verdict = "right" if report.predicted[i] == report.labels[i] else f"wrong, is {report.labels[i]}"
        panels.append(
            Panel("\n".join(picture(images[i])), title=f"board: {report.predicted[i]}", subtitle=verdict, width=20)
        )
    return Columns(panels)


def picture(image: NDArray[Any]) -> list[str]:
    """Lines that show an image (channels, height, width) in text, one character pair a pixel."""
    grey = image.astype(np.float64).mean(axis=0)
    grey = (grey - grey.min()) / max(float(np.ptp(grey)), 1e-9)
    rows = (grey * (len(_SHADES) - 1)).round().astype(int)
    return ["".join(_SHADES[level] * 2 for level in row) for row in rows]
