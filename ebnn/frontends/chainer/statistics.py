"""Batch normalisation's statistics, measured anew on the training set."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...training.labelled_samples import Samples, to_float32
from .framework import chainer
from .links import BatchNormalization

BATCH_SIZE = 512
"""Samples at a time: a batch's own statistics are what the layers behind it see."""


def measure_statistics(model: Any, samples: Samples, count: int) -> None:
    """Sets every running mean and variance of ``model`` to the average over up to ``count`` of ``samples``.

    The running averages of training hold about ten batches, and lag behind weights that still change; signs turn that
    noise into errors. Training itself uses the statistics of each batch, so it goes on as if this had not been.
    Wu and Johnson, "Rethinking 'Batch' in BatchNorm", arXiv 2105.07576 (2021), section 3.

    As no gradients are computed, no sign is stochastic.

    Args:
        model: chain with :class:`ebnn.links.BatchNormalization` in it.
        samples: of the training set.
        count: samples to use at most, the same ones at every call.
    """
    normalizations = [link for link in model.links() if isinstance(link, BatchNormalization)]
    decays = [link.decay for link in normalizations]
    chosen = np.random.RandomState(0).permutation(len(samples))[:count]
    try:
        with chainer.using_config("train", True), chainer.no_backprop_mode():
            for done, part in enumerate(np.array_split(chosen, -(-len(chosen) // BATCH_SIZE))):
                for link in normalizations:
                    link.decay = done / (done + 1)  # makes the running average a mean over all batches so far
                model(model.xp.asarray(to_float32(samples.images[part], samples.kind)))
    finally:
        for link, decay in zip(normalizations, decays, strict=True):
            link.decay = decay
