"""Samples as pictures for pages: images as PNG, series as curves."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datasets.dataset import PICTURE_SIDE
from ..extras import import_extra
from .page import Picture

_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf")
_WIDE, _HIGH = 160, 100  # of a curve's picture


def sample_picture(sample: NDArray[Any], brightest: float, alt: str, caption: str) -> Picture | None:
    """Returns the picture of a sample (channels, height, width); None where it is none, as a row of a table.

    ``brightest`` is the largest 8-bit value that samples have; images of floats are drawn from their smallest value to
    their largest. Raises MissingDependencyError where an image needs Pillow and it is absent.
    """
    channels, height, width = sample.shape
    if sample.dtype != np.uint8 and height < PICTURE_SIDE:
        series = height == 1 and width > 1
        return Picture(_curves(sample[:, 0]), "image/svg+xml", alt, caption) if series else None
    if height == 1 or channels not in (1, 3):
        return None
    values = sample.astype(np.float64)
    low, high = (0.0, brightest) if sample.dtype == np.uint8 else (float(values.min()), float(values.max()))
    return Picture(
        _png((255 * (values - low) / ((high - low) or 1.0)).round().astype(np.uint8)), "image/png", alt, caption
    )


def _png(image: NDArray[np.uint8]) -> bytes:
    pillow = import_extra("PIL.Image", "a picture of a sample")
    shown = np.ascontiguousarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
    buffer = io.BytesIO()
    pillow.fromarray(shown).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _curves(series: NDArray[Any]) -> bytes:
    """A curve for each channel of (channels, samples), as SVG."""
    values = series.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    x = np.linspace(2, _WIDE - 2, values.shape[1])
    lines = []
    for k, channel in enumerate(values):
        y = _HIGH - 2 - (channel - low) / ((high - low) or 1.0) * (_HIGH - 4)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        lines.append(f'<polyline fill="none" stroke="{_COLOURS[k % len(_COLOURS)]}" points="{points}"/>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}">'
    return (head + "".join(lines) + "</svg>").encode()
