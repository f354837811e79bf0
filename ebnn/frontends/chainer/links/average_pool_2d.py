"""Average pooling."""

from __future__ import annotations

from typing import Any

import chainer
import numpy as np

from ..functions import average_pooling_2d, sum_pooling_2d
from ..functions.pairs import as_pair


class AveragePool2D(chainer.Link):  # type: ignore[misc]
    """Average pooling; wraps :func:`ebnn.functions.average_pooling_2d`.

    Args:
        ksize: of the window, a number or (height, width); None means all of the map, as the first input has it.
        stride: of the window, a number or (vertical, horizontal); None means ``ksize``.
        pad: zeros on each side, a number or (vertical, horizontal).

    Attributes:
        ksize, stride, pad: pairs; None before the first input of a global pool.

    Raises:
        ValueError: a size is not a whole number, or too small.
    """

    ksize: tuple[int, int] | None
    stride: tuple[int, int] | None

    def __init__(
        self,
        ksize: int | tuple[int, int] | None = None,
        stride: int | tuple[int, int] | None = None,
        pad: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.ksize = None if ksize is None else as_pair("pooling size", ksize, 1)
        self.stride = self.ksize if stride is None else as_pair("pooling stride", stride, 1)
        self.pad = as_pair("pooling pad", pad, 0)

    def prepare(self, x: Any) -> None:
        """Makes the window of a global pool as large as the map ``x`` (n, c, h, w)."""
        if self.ksize is None:
            self.ksize = (int(x.shape[2]), int(x.shape[3]))
            self.stride = self.stride or self.ksize

    @property
    def window(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Size, stride and pad, once they are known."""
        assert self.ksize is not None
        assert self.stride is not None
        return self.ksize, self.stride, self.pad

    @property
    def terms(self) -> int:
        """How many values an average is of."""
        return self.window[0][0] * self.window[0][1]

    def forward(self, x: Any) -> Any:
        """Returns (n, c, out_h, out_w) float for ``x`` (n, c, h, w) float."""
        self.prepare(x)
        return average_pooling_2d(x, *self.window)

    def sums(self, x: Any) -> Any:
        """Returns the exact sums of whole numbers ``x``, an array (n, c, h, w): float64, of the shape of averages."""
        self.prepare(x)
        return sum_pooling_2d(x.astype(np.float64), *self.window).array
