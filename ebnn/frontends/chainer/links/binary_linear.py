"""A fully connected layer with binary weights."""

from __future__ import annotations

from typing import Any

import chainer.links as L
import numpy as np

from ..functions import binary_linear, exact_settings
from .drawing import drawn_by
from .flattening import keep_axes


class BinaryLinear(L.Linear):  # type: ignore[misc]
    """Fully connected layer with binary weights; owns the latent weights, wraps :func:`ebnn.functions.binary_linear`.

    Args:
        in_size: length of one input; None takes it from the first input seen. As in Chainer, a single positional
            argument is the output size.
        out_size: length of one output.
        nobias: without the float bias.
        initialW: initialiser of the latent weights; None means LeCun's normal distribution.
        initial_bias: initialiser of the bias; None means 0.

    Attributes:
        W: (out_size, in_size) float32 latent weights.
        b: (out_size,) float32, or None.
        axes: shape of one input, of those with more axes than one; None before the first.
        random: where the weights of training are drawn from; None, as built, takes the signs.
    """

    axes: tuple[int, ...] | None = None
    random: np.random.Generator | None = None

    def __init__(
        self,
        in_size: int | None,
        out_size: int | None = None,
        nobias: bool = False,
        initialW: Any = None,
        initial_bias: Any = None,
    ) -> None:
        with exact_settings():
            super().__init__(in_size, out_size, nobias, initialW, initial_bias)

    def forward(self, x: Any) -> Any:
        """Returns (n, out_size) float32 for ``x`` (n, ...) float32.

        Raises:
            InputError: an earlier input had other axes.
        """
        keep_axes(self, x)
        if self.W.array is None:
            self.in_size = x.size // x.shape[0]
            with exact_settings():
                self._initialize_params(self.in_size)
        return binary_linear(x, self.W, self.b, drawn_by(self.random))
