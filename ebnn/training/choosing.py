"""What a network for a user's own data is trained with where nothing is asked for: by the data's shape and size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..datasets import Info
from ..datasets.dataset import RAW
from ..model.kinds import InputKind

Shape = tuple[int, int, int]

BATCHES = 2400
"""About as many as a run has, whatever the number of samples."""

FEWEST_EPOCHS, MOST_EPOCHS = 12, 250

HELD_OUT = 2000
"""Training samples from which on a tenth of them chooses the epoch that is kept."""

SMALLEST_ROWS = 8
"""Of a series that a convolution goes over; a shorter one is taken as a table."""


SMALLEST_SIDE = 6
"""Of a picture that a convolution goes over; a smaller one is taken as a table."""

MANY = 4000
"""Pictures to train on from which a network of twice the filters learns more."""


@dataclass(frozen=True)
class Choice:
    """Settings by the names of ``ebnn train``'s options with ``_`` for ``-``, and what was looked at, in words."""

    values: dict[str, Any]
    reason: str

    def sentence(self) -> str:
        """What was chosen, in words, as options to give."""
        shown = " ".join(
            f"--{name.replace('_', '-')}{'' if value is True else f' {value}'}" for name, value in self.values.items()
        )
        return f"{self.reason}: as with {shown}"


def raw_kind(shape: Shape) -> InputKind:
    """Returns what the board is given of raw samples, unless it is asked for."""
    return "int8"


def _is_series(shape: Shape) -> bool:
    _, height, width = shape
    return height == 1 and width >= SMALLEST_ROWS


def choose(about: Info) -> Choice:
    """Returns what suits a user's own data; every part of it may be asked for otherwise."""
    channels, height, width = about.shape
    if about.kind != RAW or min(height, width) >= SMALLEST_SIDE:
        return _pictures(about)
    if _is_series(about.shape):
        return _series(about)
    values = channels * height * width
    # Few values have narrow borders between classes; of many, a network learns the noise too.
    jitter = round(min(0.2, 0.015 * values), 3)
    return Choice(
        {"architecture": "d32w8a8-ow8", **_table_pace(about), "learning_rate": 0.005, "averaging": 0.97}
        | {"label_smoothing": 0.1, "jitter": jitter},
        f"{values:,} values a sample",
    )


def _series(about: Info) -> Choice:
    channels, _, rows = about.shape
    # Two strided convolutions, then about 12 places for the last layer, whatever the window.
    stride = max(1, min(8, round(rows / 30)))
    kernel = max(3, min(rows // 2, 2 * stride + 1))
    places = (rows - kernel) // stride + 1
    second = 2 if places >= 16 else 1
    architecture = f"c12k1x{kernel}s1x{stride}w8a8"
    if places >= 8:
        architecture += f"-c16k1x5s1x{second}w8a8"
    architecture += "-ow8"
    # A window of a long recording begins anywhere within a motion; a recording of its own begins with it.
    distortion: dict[str, float] = {"time_shift": max(1, rows // (4 if about.sliding else 16))}
    distortion |= {"time_stretch": 0.1, "gain": 0.1, "jitter": 0.02}
    if channels % 3 == 0:
        distortion["turn"] = 25 if about.sliding else 10
    training = {**_pace(about), "learning_rate": 0.003, "averaging": 0.98, "label_smoothing": 0.1}
    return Choice(
        {"architecture": architecture, **training, **distortion},
        f"{rows:,} rows of {channels:,} channels a sample",
    )


def _pictures(about: Info) -> Choice:
    _, height, width = about.shape
    side = min(height, width)
    many = 2 if about.train >= MANY else 1
    first, second, third = 8 * many, 16 * many, 24 * many
    if side < SMALLEST_SIDE:
        architecture = "d32w8a8-ow8"
    elif side <= 12:
        architecture = f"c{first}k3p1w8a8-c{second}k3p1w8a8-m2-ow8"
    elif side <= 40:
        architecture = f"c{first}k3p1w8a8-m2-c{second}k3p1w8a8-m2-c{third}k3p1w8a8-m2-ow8"
    else:  # as many places behind the first layer as of a side up to 32
        stride = -(-side // 32)
        architecture = (
            f"c{first}k{2 * stride + 1}s{stride}p{stride}w8a8-m2-c{second}k3p1w8a8-m2-c{third}k3p1w8a8-m2-ow8"
        )
    training = {**_pace(about), "learning_rate": 0.005, "averaging": 0.98, "label_smoothing": 0.1}
    distortion: dict[str, float] = {"shift": max(1, side // 14)} if side > 8 else {}
    if side > 12:
        distortion |= {"rotation": 8, "scale": 0.1}
    return Choice({"architecture": architecture, **training, **distortion}, f"pictures of {height}×{width}")


def _table_pace(about: Info) -> dict[str, Any]:
    """As :func:`_pace`; of few rows batch normalisation needs many at a time, and then few batches do."""
    return _pace(about, 64 if about.train < 4000 else 128, 800 if about.train < 1000 else BATCHES)


def _pace(about: Info, size: int | None = None, most: int = BATCHES) -> dict[str, Any]:
    """How long a run is, in how large batches, and how many samples it holds out.

    ``size`` is that of a batch, None for one by the number of samples; ``most`` is about how many batches there are.
    """
    held_out = about.train // 10 if about.train >= HELD_OUT else 0
    size = size or (16 if about.train < 1000 else 32 if about.train < 4000 else 128)
    batches = max(1, (about.train - held_out) // size)
    epochs = max(FEWEST_EPOCHS, min(MOST_EPOCHS, round(most / batches)))
    values: dict[str, Any] = {"epochs": epochs, "batch_size": size}
    if held_out:
        values["validation"] = held_out
    return values
