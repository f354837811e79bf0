"""What is known of a network beside its answers: names, units, rates. It changes no answer and is outside the hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..errors import NetworkError

MAX_NAME = 64  # characters of a name or a unit
MAX_NOTES = 65_536  # characters of the notes, as JSON


@dataclass(frozen=True)
class Meta:
    """What is known of a network beside its answers.

    Attributes:
        class_names: one for each class, or none.
        channel_names, channel_units: one for each channel of a raw sample, or none.
        sample_rate: samples of a series in a second, in Hz.
        window_step: samples from one window of a series to the next.
        rejection: the probability below which an answer is "unknown".
        bit_outputs: True where the outputs are a vector of bits, each 1 where its score is 0 or above; else they are
            scores of classes.
        notes: how it was trained and how well, as plain JSON values.

    Raises NetworkError where a value is of another type or out of its range.
    """

    class_names: tuple[str, ...] = ()
    channel_names: tuple[str, ...] = ()
    channel_units: tuple[str, ...] = ()
    sample_rate: float | None = None
    window_step: int | None = None
    rejection: float | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    bit_outputs: bool | None = None

    def __post_init__(self) -> None:
        for name in ("class_names", "channel_names", "channel_units"):
            given = getattr(self, name)
            if isinstance(given, str):
                raise NetworkError(f"{name} is one text: give a text for each")
            object.__setattr__(self, name, tuple(_text(name, text) for text in given))
        if len(set(self.class_names)) != len(self.class_names):
            raise NetworkError("two classes have one name: give each its own")
        if self.sample_rate is not None:
            object.__setattr__(self, "sample_rate", _number("sample_rate", self.sample_rate, 0, 1e9))
        if self.window_step is not None:
            step = _number("window_step", self.window_step, 0, 2**31)
            if step != int(step):
                raise NetworkError(f"window_step is {self.window_step}: give a whole number")
            object.__setattr__(self, "window_step", int(step))
        if self.rejection is not None:
            object.__setattr__(self, "rejection", _number("rejection", self.rejection, 0, 1))
        if self.bit_outputs not in (True, False, None):
            raise NetworkError(f"bit_outputs is {self.bit_outputs!r:.40}: give True or False")
        object.__setattr__(self, "bit_outputs", self.bit_outputs or None)
        if self.bit_outputs and (self.class_names or self.rejection is not None):
            raise NetworkError("outputs that are bits have no class names and no rejection: leave them out")
        try:
            text = json.dumps(dict(self.notes), allow_nan=False)
        except (TypeError, ValueError):
            raise NetworkError("the notes hold what JSON cannot: give texts, numbers, lists") from None
        if len(text) > MAX_NOTES:
            raise NetworkError(f"the notes have {len(text):,} characters, {MAX_NOTES:,} fit")
        object.__setattr__(self, "notes", json.loads(text))

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return bool(self.describe())

    def check(self, classes: int, channels: int) -> None:
        """Raises NetworkError where there are names for another number of classes or channels."""
        for names, count, what in (
            (self.class_names, classes, "classes"),
            (self.channel_names, channels, "channels"),
            (self.channel_units, channels, "channels"),
        ):
            if names and len(names) != count:
                raise NetworkError(f"{len(names)} names for {count} {what}: give one for each, or none")

    def step_of(self, window: int) -> int:
        """Samples from one window of a running series to the next: where windows do not overlap, a quarter of one."""
        step = self.window_step or window
        return step if step < window else max(1, window // 4)

    def describe(self) -> dict[str, Any]:
        """What is known as plain JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        known = {name: value for name, value in values.items() if value is not None and value not in ((), {})}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in known.items()}

    @classmethod
    def rebuild(cls, values: Mapping[str, Any]) -> Meta:
        """What `describe` described; what a newer version adds is left out, as none of it changes an answer."""
        names = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})


def _text(name: str, text: Any) -> str:
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_NAME or not text.isprintable():
        raise NetworkError(f"{name} holds {text!r:.80}: give 1 to {MAX_NAME} printable characters")
    return text


def _number(name: str, value: Any, above: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not above < value <= most:
        raise NetworkError(f"{name} is {value!r:.40}: give a number above {above:g}, up to {most:g}")
    return float(value)
