"""The order of samples, epoch after epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .labelled_samples import Samples

Batch = tuple[npt.NDArray[Any], npt.NDArray[np.int32]]
Distort = Callable[[npt.NDArray[Any], np.random.RandomState], npt.NDArray[Any]]


class ShuffledBatches:
    """Endless batches of (images, labels), every sample once an epoch, in an order that is new in each epoch.

    An epoch is cut into batches whose sizes differ by one at most: a last batch of a few samples would give batch
    normalisation wild statistics. Order and distortions are drawn from the seed and the number of the epoch alone, so a
    resumed run needs no state but its place.

    Args:
        samples: what to draw from.
        batch_size: the most samples in a batch.
        seed: of order and distortions, below 2**32.
        distort: what is done to the images (n, c, h, w) of a batch, with the random numbers given; of samples that have
            an encoder to the raw ones, and it returns them encoded.
    """

    def __init__(self, samples: Samples, batch_size: int, seed: int, distort: Distort | None = None) -> None:
        self.samples = samples
        self.batch_size = batch_size
        self.seed = seed
        self.distort = distort
        self.batches = -(-len(samples) // batch_size)
        self.epoch = 0
        self.position = 0
        self._order: tuple[int, list[npt.NDArray[np.intp]]] | None = None

    def __next__(self) -> Batch:
        if self._order is None or self._order[0] != self.epoch:
            order = np.random.RandomState([self.seed, self.epoch]).permutation(len(self.samples))
            self._order = self.epoch, np.array_split(order, self.batches)
        chosen = self._order[1][self.position]
        source = self.samples.images if self.distort is None or self.samples.raw is None else self.samples.raw
        images = source[chosen]
        if self.distort is not None:
            images = self.distort(images, np.random.RandomState([self.seed, self.epoch, self.position]))
        self.position += 1
        if self.position == self.batches:
            self.epoch, self.position = self.epoch + 1, 0
        return images, self.samples.labels[chosen]

    @property
    def is_new_epoch(self) -> bool:
        """Whether the batch given last ended an epoch."""
        return self.epoch > 0 and self.position == 0

    @property
    def epoch_detail(self) -> float:
        """Epochs done, as a fraction."""
        return self.epoch + self.position / self.batches

    @property
    def previous_epoch_detail(self) -> float:
        """Epochs done before the batch given last."""
        return max(0.0, self.epoch_detail - 1 / self.batches)
