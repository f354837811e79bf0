"""Running averages of parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt


class WeightAverage:
    """The exponential moving average of a model's parameters; of a latent weight it is the average whose sign counts.

    Early on the average is over a tenth of all steps, so that it does not remember the first weights. Polyak and
    Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992); in this form Tarvainen and Valpola, "Mean
    Teachers", arXiv 1703.01780 (2017).

    Args:
        model: whose parameters are averaged; they have their sizes.
        decay: what is kept of the average at each step, below 1.
    """

    def __init__(self, model: Any, decay: float) -> None:
        self.model = model
        self.decay = decay
        self.arrays: dict[str, npt.NDArray[Any]] = {name: p.array.copy() for name, p in model.namedparams()}

    def update(self, step: int) -> None:
        """Takes the parameters after ``step`` steps, 1 after the first, into the average."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, parameter in self.model.namedparams():
            average = self.arrays[name]
            average += np.float32(share) * (parameter.array - average)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Gives the model the averages as its parameters, as long as the context lasts."""
        latest = {name: parameter.array for name, parameter in self.model.namedparams()}
        try:
            self._set(self.arrays)
            yield
        finally:
            self._set(latest)

    def _set(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        for name, parameter in self.model.namedparams():
            parameter.array = arrays[name]
