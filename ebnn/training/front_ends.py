"""Front ends: each trains networks on one framework, in a room of its own in ``ebnn/frontends``, found by its folder.

A room has a module ``front_end`` with an object ``FRONT_END``, whose class derives from :class:`FrontEnd`. Importing it
imports no framework; its methods do.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import TrainingError
from ..model.kinds import InputKind
from ..model.network import Network
from ..names import unknown_name

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .config import TrainConfig
    from .labelled_samples import Samples
    from .progress import Progress
    from .quantization import Quantized
    from .results import TrainResult

DEFAULT = "chainer"
_ROOMS = "ebnn.frontends"


class FrontEnd(ABC):
    """What training needs of a framework. A model is the framework's own, and nobody else looks into it.

    Attributes:
        title: how messages call the framework.
    """

    title: str

    @abstractmethod
    def check(self) -> None:
        """Raises MissingDependencyError where the framework is absent or does not work."""

    @abstractmethod
    def build(self, architecture: str, shape: tuple[int, int, int], classes: int, kind: InputKind, seed: int) -> Any:
        """Returns an untrained model that :meth:`lower` takes.

        Args:
            architecture: see :func:`ebnn.training.architectures.read_architecture`; a last layer with ``classes``
                outputs follows.
            shape: of one sample, (channels, height, width).
            classes: number of them.
            kind: what the board is given.
            seed: of the first weights.

        Raises:
            TrainingError, UnknownNameError: the architecture cannot be read, or does not fit the shape.
        """

    def build_float(
        self, architecture: str, shape: tuple[int, int, int], classes: int, kind: InputKind, seed: int
    ) -> Any:
        """Returns the untrained float baseline of an architecture, which is not lowered.

        Raises:
            TrainingError: also where the front end has no such models.
        """
        raise TrainingError(f"{self.title} trains no float networks here: use another --front-end")

    def load_float(self, model: Any, path: Path) -> None:
        """Gives a model of :meth:`build_float` the parameters that :meth:`train` left in a file.

        Raises:
            TrainingError: the file is damaged, or of another network; or the front end has no such models.
        """
        raise TrainingError(f"float networks of {self.title} cannot be quantized here: use another --front-end")

    def quantize(self, model: Any, samples: Any, kind: InputKind) -> Quantized:
        """Returns the network of 8 bits that a model of :meth:`build_float` becomes, and what that did to each layer.

        Args:
            model: trained.
            samples: that calibrate it, (n, channels, height, width) of ``kind``.
            kind: what it takes.

        Raises:
            LoweringError: it has a layer that the device has not.
            TrainingError: the front end has no such models.
        """
        raise TrainingError(f"float networks of {self.title} cannot be quantized here: use another --front-end")

    @abstractmethod
    def train(
        self,
        model: Any,
        train_set: tuple[Any, Any],
        test_set: tuple[Any, Any],
        config: TrainConfig,
        out: Path,
        *,
        kind: InputKind,
        teacher: Any = None,
        resume: bool = False,
        progress: Progress,
    ) -> TrainResult:
        """Trains a model in place, and returns the log.

        Args:
            model: of :meth:`build` or :meth:`build_float`.
            train_set, test_set: (images, labels), see :func:`ebnn.training.as_samples`.
            config: how to train.
            out: folder for the log and the snapshot; made where missing.
            kind: what the images are.
            teacher: trained model of :meth:`build_float`, for distillation.
            resume: go on from the snapshot in ``out``, where there is one.
            progress: who is told how it goes.

        Raises:
            TrainingError: something does not fit, or training was interrupted.
        """

    @abstractmethod
    def predict(self, model: Any, samples: Samples) -> npt.NDArray[np.int64]:
        """Returns the class of each sample, (n,), in test mode."""

    @abstractmethod
    def lower(self, model: Any, shape: tuple[int, int, int], kind: InputKind) -> Network:
        """Returns the Network that predicts as a model does in test mode. Raises LoweringError where there is none."""


@functools.cache
def front_end_names() -> tuple[str, ...]:
    """Returns the names of all front ends, the default one first."""
    rooms = importlib.import_module(_ROOMS).__path__
    names = {room.name for room in pkgutil.iter_modules(rooms) if room.ispkg}
    return DEFAULT, *sorted(names - {DEFAULT})


def find_front_end(name: str = DEFAULT) -> FrontEnd:
    """Returns the front end of that name. Raises UnknownNameError where there is none."""
    if name not in front_end_names():
        raise unknown_name("front end", name, front_end_names())
    found: FrontEnd = importlib.import_module(f"{_ROOMS}.{name}.front_end").FRONT_END
    return found
