"""Max-pooling."""

from __future__ import annotations

from typing import Any

import chainer

from ..functions import max_pooling_2d
from ..functions.pairs import as_pair


class Pool2D(chainer.Link):  # type: ignore[misc]
    """Max-pooling over windows that lie inside the padded image; wraps :func:`ebnn.functions.max_pooling_2d`.

    Its defaults are eBNN's.

    Args:
        ksize: of the window, a number or (height, width).
        stride: of the window, a number or (vertical, horizontal); None means ``ksize``.
        pad: -inf on each side, a number or (vertical, horizontal).
        kern: another name for ``ksize``, in place of it.

    Attributes:
        ksize, stride, pad: pairs.
        kern: as ksize.

    Raises:
        ValueError: a size is not a whole number, or too small.
    """

    def __init__(
        self,
        ksize: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] | None = 2,
        pad: int | tuple[int, int] = 0,
        *,
        kern: int | tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.ksize = self.kern = as_pair("pooling size", ksize if kern is None else kern, 1)
        self.stride = self.ksize if stride is None else as_pair("pooling stride", stride, 1)
        self.pad = as_pair("pooling pad", pad, 0)

    @property
    def window(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Size, stride and pad."""
        return self.ksize, self.stride, self.pad

    def forward(self, x: Any) -> Any:
        """Returns (n, c, out_h, out_w) float32 for ``x`` (n, c, h, w) float32."""
        return max_pooling_2d(x, self.ksize, self.stride, self.pad)
