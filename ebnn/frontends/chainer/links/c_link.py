"""The base of all blocks."""

from __future__ import annotations

from typing import Any, ClassVar

import chainer


class CLink(chainer.Chain):  # type: ignore[misc]
    """A block that has a counterpart in C: linear, then those that it has of max-pool, batch normalisation and sign.

    Its children are named as in eBNN, so that old snapshots load: ``bconv`` or ``bl``, ``pool``, ``bn``, ``bst``.

    Attributes:
        binary_input: whether the block takes -1 and +1; else it takes numbers.
    """

    binary_input: ClassVar[bool] = False

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
