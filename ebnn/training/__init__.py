"""Training of binarized networks: what needs no framework, and the names of the front end that trains.

Configuration, architectures, samples and logs need no Chainer; the front end is imported when a name of its is first
used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .architectures import ARCHITECTURES, GRAMMAR
from .config import SCHEDULES, TrainConfig
from .records import EpochRecord
from .results import Evaluation, TrainResult
from .samples import Samples, as_samples

if TYPE_CHECKING:
    from ..frontends.chainer.chains import BlockChain, FloatChain, build_network
    from ..frontends.chainer.evaluation import evaluate, logits, predict
    from ..frontends.chainer.trainer import train

__all__ = [
    "ARCHITECTURES",
    "GRAMMAR",
    "SCHEDULES",
    "BlockChain",
    "EpochRecord",
    "Evaluation",
    "FloatChain",
    "Samples",
    "TrainConfig",
    "TrainResult",
    "as_samples",
    "build_network",
    "evaluate",
    "logits",
    "predict",
    "train",
]

_MODULES = {
    **dict.fromkeys(("BlockChain", "FloatChain", "build_network"), "chains"),
    **dict.fromkeys(("evaluate", "logits", "predict"), "evaluation"),
    "train": "trainer",
}
"""Names that need Chainer, and their modules in its front end."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"ebnn.frontends.chainer.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
