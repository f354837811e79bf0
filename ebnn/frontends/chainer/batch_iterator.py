"""Batches as Chainer's updater takes them."""

from __future__ import annotations

from typing import Any

from ...training.batches import Batch, ShuffledBatches
from ...training.labelled_samples import Samples, to_float32
from .framework import chainer


class BatchIterator(ShuffledBatches, chainer.dataset.Iterator):  # type: ignore[misc]
    """:class:`ebnn.training.batches.ShuffledBatches` as a Chainer iterator; its place goes into a snapshot."""

    def serialize(self, serializer: Any) -> None:
        self.epoch = int(serializer("epoch", self.epoch))
        self.position = int(serializer("position", self.position))


def converter(samples: Samples) -> Any:
    """Returns the Chainer converter that makes the images of a batch float32 on the device of the updater."""

    @chainer.dataset.converter()  # type: ignore[untyped-decorator]
    def convert(batch: Batch, device: Any) -> tuple[Any, Any]:
        images, labels = to_float32(batch[0], samples.kind), batch[1]
        return (images, labels) if device is None else (device.send(images), device.send(labels))

    return convert
