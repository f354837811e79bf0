"""What was understood of a data set: tables, and a small picture of each class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from ..datasets import Dataset
from ..datasets.findings import Overview
from .console import print_whole
from .listings import listing
from .text_pictures import picture
from .traces import trace

_CLASSES = 8  # that get a picture
_CHANNELS = 12  # of a series that are drawn
_ROWS = 16  # of channels that the table has
_WIDTH = 40  # of a curve
_SIDE = 16  # of a picture


def classes_table(overview: Overview) -> Table:
    """Classes, with their samples in both parts."""
    recorded = any(each.recordings for each in overview.classes)
    table = listing(("class",), ("recordings", "training", "test") if recorded else ("training", "test"))
    for each in overview.classes:
        counts = [f"{each.recordings:,}"] if recorded else []
        table.add_row(each.name, *counts, f"{each.train:,}", f"{each.test:,}")
    return table


def channels_table(overview: Overview) -> Table:
    """Channels, with the range of their values; of many channels the first ones."""
    table = listing(("channel", "unit"), ("lowest", "highest", "mean", "std"))
    for each in overview.channels[:_ROWS]:
        table.add_row(
            each.name, each.unit, *(f"{value:.5g}" for value in (each.low, each.high, each.mean, each.spread))
        )
    if len(overview.channels) > _ROWS:
        table.add_row(f"… {len(overview.channels) - _ROWS} more", "", "", "", "", "")
    return table


def print_classes(console: Console, data: Dataset) -> None:
    """Prints what :func:`class_pictures` gives: of pictures as many side by side as there is room for."""
    pictures = class_pictures(data, console.options.ascii_only)
    if isinstance(pictures, Columns):
        console.print(pictures)
    elif pictures is not None:
        print_whole(console, pictures)


def class_pictures(data: Dataset, ascii_only: bool = False) -> Columns | Table | None:
    """The first training sample of each class: curves of a series, a picture of pixels; None for a table's rows."""
    _, height, width = data.shape
    shown = [k for k in range(data.classes) if (data.train_labels == k).any()][:_CLASSES]
    samples = {k: data.train_images[np.flatnonzero(data.train_labels == k)[0]] for k in shown}
    if height == 1 and width < 8:
        return None
    if height > 1:
        panels = [Panel("\n".join(picture(_small(samples[k]))), title=data.class_names[k]) for k in shown]
        return Columns(panels)
    table = listing(("class", "channel", "its first training sample"))
    for k in shown:
        for channel, values in enumerate(samples[k][:_CHANNELS, 0]):
            name = data.channels[channel] if data.channels else f"channel {channel + 1}"
            (curve,) = trace(values.tolist(), min(_WIDTH, width), ascii_only=ascii_only)
            table.add_row("" if channel else data.class_names[k], name, curve)
    return table


def _small(image: NDArray[Any]) -> NDArray[Any]:
    """An image (channels, height, width) with sides of at most :data:`_SIDE`, by leaving pixels out."""
    _, height, width = image.shape
    return image[:, :: -(-height // _SIDE), :: -(-width // _SIDE)]
