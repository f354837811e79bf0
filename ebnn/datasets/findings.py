"""What there is in a data set, and what looks wrong with it: for people before they train."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .dataset import Dataset

FEW_SAMPLES = 10
FEW_RECORDINGS = 4
UNEVEN = 10
"""Times the smallest class from which the largest one is said to be large."""

CLIPPED = 0.01
"""Share of a channel's values that lie at its end from which they look clipped."""

FEWEST_CLIPPED = 10
"""Values at a channel's end below which that is chance."""

FEW_VALUES = 20
"""Different values of a channel up to which it is no measured one, and none of them is clipped."""


@dataclass(frozen=True)
class ClassCount:
    """Samples of a class in both parts, and the recordings that they come from; 0 where each is its own."""

    name: str
    train: int
    test: int
    recordings: int


@dataclass(frozen=True)
class ChannelRange:
    """Values of a channel: name, unit, ends, mean, and standard deviation."""

    name: str
    unit: str
    low: float
    high: float
    mean: float
    spread: float


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong: a word for programs, and a sentence for people."""

    kind: str
    text: str


@dataclass(frozen=True)
class Overview:
    """What was understood of a data set."""

    classes: tuple[ClassCount, ...]
    channels: tuple[ChannelRange, ...]
    findings: tuple[Finding, ...]

    def values(self, data: Dataset) -> dict[str, Any]:
        """What is known, as plain JSON values."""
        return {
            "name": data.name,
            "kind": data.kind,
            "shape": list(data.shape),
            "classes": [vars(each) for each in self.classes],
            "channels": [vars(each) for each in self.channels],
            "rate": data.rate,
            "window": data.shape[2] if data.step is not None else None,
            "step": data.step,
            "own_split": data.own_split,
            "notes": list(data.notes),
            "findings": [vars(each) for each in self.findings],
        }


def look_at(data: Dataset) -> Overview:
    """Returns what there is in a data set, and what looks wrong."""
    images = np.concatenate([data.train_images, data.test_images])
    classes = tuple(_count(data, k) for k in range(data.classes))
    values = images.transpose(1, 0, 2, 3).reshape(images.shape[1], -1).astype(np.float64)
    names = data.channels or tuple(f"channel {c + 1}" for c in range(len(values)))
    units = data.units or ("",) * len(values)
    channels = tuple(
        ChannelRange(name, unit, float(each.min()), float(each.max()), float(each.mean()), float(each.std()))
        for name, unit, each in zip(names, units, values, strict=True)
    )
    findings = [*_of_classes(data, classes), *_of_samples(data, images), *_of_channels(data, channels, values)]
    return Overview(classes, channels, tuple(findings))


def _count(data: Dataset, label: int) -> ClassCount:
    groups = data.groups
    recordings = 0 if groups is None else len(np.unique(groups[data.labels == label]))
    train, test = (int((labels == label).sum()) for labels in (data.train_labels, data.test_labels))
    return ClassCount(data.class_names[label], train, test, recordings)


def _of_classes(data: Dataset, classes: tuple[ClassCount, ...]) -> list[Finding]:
    found = []
    for each in classes:
        total = each.train + each.test
        if not each.train or not each.test:
            part = "training" if not each.train else "test"
            found.append(Finding("no samples", f"class {each.name!r} has no {part} sample: record more of it"))
        elif total < FEW_SAMPLES:
            found.append(Finding("few samples", f"class {each.name!r} has {total} samples only: record more of it"))
        if total >= FEW_SAMPLES and 0 < each.recordings < FEW_RECORDINGS:
            found.append(
                Finding("few recordings", f"class {each.name!r} has {each.recordings} recordings only: make more of it")
            )
    totals = sorted((each.train + each.test, each.name) for each in classes)
    (least, small), (most, large) = totals[0], totals[-1]
    if least and most > UNEVEN * least:
        found.append(
            Finding("uneven", f"class {large!r} has {most / least:.0f} times the samples of {small!r}: --class-weights")
        )
    return found


def _of_samples(data: Dataset, images: npt.NDArray[Any]) -> list[Finding]:
    flat = np.ascontiguousarray(images.reshape(len(images), -1))
    keys = [row.tobytes() for row in flat]
    counts = Counter(keys)
    doubled = sum(count - 1 for count in counts.values())
    found = []
    if doubled:
        found.append(Finding("duplicates", f"{doubled:,} of {len(keys):,} samples are there more than once"))
    labels: dict[bytes, set[int]] = {}
    for key, label in zip(keys, data.labels.tolist(), strict=True):
        labels.setdefault(key, set()).add(label)
    unclear = sum(len(each) > 1 for each in labels.values())
    if unclear:
        found.append(Finding("contradictions", f"{unclear:,} samples are there with different labels"))
    train = set(keys[: len(data.train_labels)])
    both = sum(key in train for key in keys[len(data.train_labels) :])
    if both:
        found.append(Finding("leak", f"{both:,} test samples are training samples too: accuracy will look too good"))
    return found


def _of_channels(data: Dataset, channels: tuple[ChannelRange, ...], values: npt.NDArray[np.float64]) -> list[Finding]:
    found = []
    constant = [each.name for each in channels if each.low == each.high]
    if constant and len(channels) > 1:
        many = f" and {len(constant) - 8} more" if len(constant) > 8 else ""
        found.append(Finding("constant", f"constant: {', '.join(constant[:8])}{many}; they say nothing"))
    for first in range(len(values)):
        for second in range(first + 1, min(len(values), first + 64)):
            alike = np.array_equal(values[first], values[second])
            if alike and channels[first].low != channels[first].high:
                found.append(
                    Finding("equal", f"{channels[first].name} and {channels[second].name} are the same: leave one out")
                )
    if data.kind != "raw":
        return found
    for channel, each in zip(channels, values, strict=True):
        if len(np.unique(each)) <= FEW_VALUES:
            continue
        for end, words in ((channel.high, "highest"), (channel.low, "lowest")):
            share = float((each == end).mean())
            if share >= CLIPPED and share * len(each) >= FEWEST_CLIPPED:
                unit = f" {channel.unit}" if channel.unit else ""
                found.append(
                    Finding(
                        "clipped",
                        f"{channel.name} has its {words} value, {end:g}{unit}, {100 * share:.1f} % of the time: if it "
                        "is clipped, choose a wider range of the sensor",
                    )
                )
        inner = np.quantile(each, (0.01, 0.99))
        reach = max(abs(channel.low - inner[0]), abs(channel.high - inner[1]))
        if inner[1] > inner[0] and reach > 50 * (inner[1] - inner[0]):
            far = channel.low if abs(channel.low - inner[0]) == reach else channel.high
            found.append(Finding("outlier", f"{channel.name} has a value far from all others, {far:g}"))
    return found
