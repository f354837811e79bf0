"""Training of binarized networks: what needs no framework, and the names of the front end that trains.

Configuration, architectures, samples and logs need no Chainer; the front end is imported when a name of its is first
used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .architectures import ARCHITECTURES, GRAMMAR
from .config import SCHEDULES, TrainConfig
from .labelled_samples import Samples, as_samples
from .progress import Progress
from .records import EpochRecord
from .results import Evaluation, TrainResult

if TYPE_CHECKING:
    from ..frontends.chainer.chains import BlockChain, FloatChain, build_network
    from ..frontends.chainer.evaluation import evaluate, logits, predict
    from ..frontends.chainer.quantizing import quantize
    from ..frontends.chainer.trainer import train
    from .comparison import compare_networks
    from .front_ends import find_front_end
    from .run_settings import RunSettings, read_settings, recipe_settings
    from .task import Task, Teacher, Trained, train_float, train_network

__all__ = [
    "ARCHITECTURES",
    "GRAMMAR",
    "SCHEDULES",
    "BlockChain",
    "EpochRecord",
    "Evaluation",
    "FloatChain",
    "Progress",
    "RunSettings",
    "Samples",
    "Task",
    "Teacher",
    "TrainConfig",
    "TrainResult",
    "Trained",
    "as_samples",
    "build_network",
    "compare_networks",
    "evaluate",
    "find_front_end",
    "logits",
    "predict",
    "quantize",
    "read_settings",
    "recipe_settings",
    "train",
    "train_float",
    "train_network",
]

_MODULES = {
    **dict.fromkeys(("BlockChain", "FloatChain", "build_network"), "..frontends.chainer.chains"),
    **dict.fromkeys(("evaluate", "logits", "predict"), "..frontends.chainer.evaluation"),
    "train": "..frontends.chainer.trainer",
    "quantize": "..frontends.chainer.quantizing",
    "compare_networks": ".comparison",
    "find_front_end": ".front_ends",
    **dict.fromkeys(("RunSettings", "read_settings", "recipe_settings"), ".run_settings"),
    **dict.fromkeys(("Task", "Teacher", "Trained", "train_float", "train_network"), ".task"),
}
"""Names that are imported when they are first used, and their modules."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
