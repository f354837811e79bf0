"""Recordings: what sensors gave, moment after moment, before it is cut into samples."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError

from .labels import ordered_names


@dataclass(frozen=True, eq=False)
class Recording:
    """One recording.

    Attributes:
        name: where it comes from, such as a file and a line.
        label: of its class, any text.
        values: (rows, channels) float32, finite, read-only.
        part: ``train`` or ``test`` where the data say so themselves; else None.
    """

    name: str
    label: str
    values: npt.NDArray[np.float32] = field(repr=False)
    part: str | None = None

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values, np.float32).view()
        if values.ndim != 2 or 0 in values.shape:
            raise DatasetError(
                f"{self.name}: a recording of shape {values.shape}: give (rows, channels), none of them 0"
            )
        if not np.isfinite(values).all():
            raise DatasetError(f"{self.name}: holds a value that is not finite, or too large: leave such rows out")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, eq=False)
class Recordings:
    """Recordings of the same channels.

    Attributes:
        name: of them all.
        items: the recordings.
        channels: names of the channels.
        units: of the channels' values; empty text where it is not known.
        rate: rows a second; None where it is not known.
        notes: how the data were understood, in words, a line each.

    Raises DatasetError where there is no recording, or their channels differ.
    """

    name: str
    items: tuple[Recording, ...]
    channels: tuple[str, ...]
    units: tuple[str, ...] = ()
    rate: float | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.items:
            raise DatasetError(f"{self.name} has no recording")
        if not self.units:
            object.__setattr__(self, "units", ("",) * len(self.channels))
        for item in self.items:
            if item.values.shape[1] != len(self.channels):
                raise DatasetError(
                    f"{item.name} has {item.values.shape[1]} channels, others have {len(self.channels)}: give all "
                    "recordings the same columns"
                )

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, numbers in the order of numbers."""
        return ordered_names({item.label for item in self.items})
