"""Training of binarized networks: a trainer on Chainer's, and networks to train.

Configuration, architectures, samples and logs need no Chainer; it is imported when a name that needs it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .architectures import ARCHITECTURES, GRAMMAR
from .config import SCHEDULES, TrainConfig
from .records import EpochRecord
from .samples import Samples, as_samples

if TYPE_CHECKING:
    from .chains import BlockChain, FloatChain, build_network
    from .evaluation import Evaluation, evaluate, logits, predict
    from .trainer import TrainResult, train

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
    **dict.fromkeys(("Evaluation", "evaluate", "logits", "predict"), "evaluation"),
    **dict.fromkeys(("TrainResult", "train"), "trainer"),
}
"""Where the names that need Chainer are."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
