"""Parameters whose size is taken from the first input."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import chainer
import numpy as np

from ..functions import exact_settings


def size_blocks(blocks: Iterable[Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Passes one sample of zeros through the blocks, so that those made without an input size get their parameters.

    It runs in test mode: the statistics of batch normalisation stay as they are.

    Args:
        blocks: links in order, on the CPU.
        shape: of one sample, (channels, height, width).

    Returns:
        The shape of the last block's output for one sample.
    """
    h = np.zeros((1, *shape), np.float32)
    with exact_settings(), chainer.using_config("train", False), chainer.no_backprop_mode():
        for block in blocks:
            h = block(h).array
    return tuple(h.shape[1:])
