"""Chainer as a front end: see :mod:`ebnn.training.front_ends`. Chainer is imported when a method needs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...model.kinds import InputKind
from ...model.network import Network
from ...training.front_ends import FrontEnd

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ...training.config import TrainConfig
    from ...training.labelled_samples import Samples
    from ...training.progress import Progress
    from ...training.quantization import Quantized
    from ...training.results import TrainResult


class ChainerFrontEnd(FrontEnd):
    """Trains chains of the blocks in :mod:`ebnn.links`."""

    title = "Chainer"

    def check(self) -> None:
        from . import framework  # noqa: F401

    def build(self, architecture: str, shape: tuple[int, int, int], classes: int, kind: InputKind, seed: int) -> Any:
        from .chains import build_network

        return build_network(architecture, shape, classes, kind, seed=seed)

    def build_float(
        self, architecture: str, shape: tuple[int, int, int], classes: int, kind: InputKind, seed: int
    ) -> Any:
        from .chains import FloatChain, build_network

        return FloatChain(build_network(architecture, shape, classes, kind, seed=seed))

    def load_float(self, model: Any, path: Path) -> None:
        from .snapshot import load_parameters

        load_parameters(path, model)

    def quantize(self, model: Any, samples: Any, kind: InputKind) -> Quantized:
        from .quantizing import quantize

        return quantize(model, samples, kind)

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
        from .trainer import train

        return train(
            model,
            train_set,
            test_set,
            config,
            out,
            input_kind=kind,
            teacher=teacher,
            resume=resume,
            progress=progress,
        )

    def predict(self, model: Any, samples: Samples) -> npt.NDArray[np.int64]:
        from .evaluation import predict

        return predict(model, samples)

    def lower(self, model: Any, shape: tuple[int, int, int], kind: InputKind) -> Network:
        from .lowering import lower

        return lower(model, shape, kind)


FRONT_END = ChainerFrontEnd()
