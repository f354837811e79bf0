"""Data as a trained network takes them: read in its window and size, its classes in its order, its samples encoded."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import datasets
from .datasets import Dataset, Reading, Span
from .datasets.dataset import RAW
from .errors import InputError
from .model.network import Network


def reading_for(network: Network, reading: Reading) -> Reading:
    """Returns how the user's own data are read for a network: what they do not say, as it was when it was trained."""
    channels, height, width = network.raw_shape
    meta = network.meta
    changes: dict[str, Any] = {}
    if meta.window_step is not None and height == 1 and width > 1:
        changes = {"window": Span(rows=width), "step": Span(rows=meta.window_step)}
    elif network.encoder is None and height > 1:
        changes = {"size": (height, width), "colour": channels == 3}
    return dataclasses.replace(
        reading, **{name: value for name, value in changes.items() if getattr(reading, name) is None}
    )


def data_for(network: Network, data: Dataset) -> Dataset:
    """Returns a data set with the labels of a network's classes.

    Raises:
        InputError: its samples have another shape, or it has a class that the network has not.
    """
    shape = tuple(network.raw_shape)
    if data.shape != shape:
        sides, taken = ("×".join(map(str, each)) for each in (data.shape, shape))
        raise InputError(
            f"{data.name} has images of {sides}, this network takes {taken}: choose the --dataset it was trained on"
        )
    names = network.meta.class_names
    if data.classes > network.classes and not names:
        raise InputError(
            f"{data.name} has {data.classes} classes, this network {network.classes}: choose another --dataset"
        )
    if data.kind == RAW and network.encoder is None and network.input.kind != "float":
        raise InputError(f"{data.name} has raw samples, and this network has no encoder for them: train one on them")
    if not names or names == data.class_names:
        return data
    if counts_classes(network, data):
        return data
    foreign = [name for name in data.class_names if name not in names]
    if foreign:
        raise InputError(
            f"{data.name} has the class {foreign[0]!r}, this network knows {', '.join(names)}: choose the data it was "
            "trained on, or its classes with --classes"
        )
    index = np.array([names.index(name) for name in data.class_names], np.int32)
    return dataclasses.replace(
        data, train_labels=index[data.train_labels], test_labels=index[data.test_labels], class_names=names
    )


def counts_classes(network: Network, data: Dataset) -> bool:
    """Returns whether data number their classes where the network's have names: then class 0 is its first."""
    names = network.meta.class_names
    numbered = all(name.isdecimal() for name in data.class_names) and data.classes <= network.classes
    return bool(names) and numbered and not set(data.class_names) <= set(names)


def samples_for(network: Network, data: Dataset, limit: int | None = None) -> NDArray[Any]:
    """Returns the first test samples of a data set as a network's input, all where ``limit`` is None.

    Raises:
        InputError: they do not fit.
    """
    images = data.test_images[:limit]
    if data.kind == RAW:
        return network.encode(images)
    if network.encoder is not None:
        return network.encode(images.astype(np.float32))
    return datasets.convert(images, data.kind, network.input.kind)
