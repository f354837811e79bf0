"""The base of all blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import chainer
import numpy as np

from ..original_c import layer_text, parameter_bytes


class CLink(chainer.Chain):  # type: ignore[misc]
    """A block that has a counterpart in C: linear, then those that it has of max-pool, batch normalisation and sign.

    Its children are named as in eBNN, so that old snapshots load: ``bconv`` or ``bl``, ``pool``, ``bn``, ``bst``.

    Attributes:
        binary_input: whether the block takes -1 and +1; else it takes numbers.
        cname: how eBNN's generator begins the names of such a layer; "" where its C has none.
    """

    binary_input: ClassVar[bool] = False
    cname: ClassVar[str] = ""

    @property
    def last(self) -> bool:
        """Whether it gives scores, as the last block of a network."""
        return not hasattr(self, "bst")

    def steps(self) -> list[Any]:
        """Returns the child links in the order in which they are applied."""
        return [getattr(self, name) for name in ("bconv", "bl", "pool", "bn", "bst") if hasattr(self, name)]

    def forward(self, x: Any, test: bool = False) -> Any:
        """Returns the block's output for ``x``.

        Args:
            x: (n, c, h, w) float32, or (n, inputs) for a linear block.
            test: test mode even where ``chainer.config.train`` is set: batch normalisation takes the running statistics
                and does not change them.
        """
        with chainer.using_config("train", chainer.config.train and not test):
            for step in self.steps():
                x = step(x)
        return x

    # eBNN's own methods

    def generate_c(self, link_idx: int, inp_shape: Sequence[int]) -> str:
        """Returns the layer's part of a header for eBNN's own C.

        Args:
            link_idx: of the layer in the network, from 0.
            inp_shape: of its input, (n, channels, height, width), or (n, inputs).

        Raises LoweringError where eBNN's C has no such layer.
        """
        self._call(inp_shape)
        return layer_text(self, link_idx, inp_shape)

    def param_mem(self) -> int:
        """Returns the bytes of the layer's arrays in a header for eBNN's own C, once it has its parameters."""
        return parameter_bytes(self)

    def temp_mem(self, inp_shape: Sequence[int]) -> int:
        """Returns the bytes that the layer's packed bits take in eBNN's own C, for an input of that shape."""
        count, *sides = self._call(inp_shape).shape
        return int(count * -(-math.prod(sides) // 8))

    def _call(self, shape: Sequence[int]) -> Any:
        """The output for zeros of that shape; parameters that lack a size get it, nothing else is changed."""
        with chainer.using_config("train", False), chainer.no_backprop_mode():
            return self(np.zeros(tuple(map(int, shape)), np.float32))
