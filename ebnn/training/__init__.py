"""Training of binarized networks: a trainer on Chainer's, and networks to train."""

import ebnn.chainer_compat  # noqa: F401  (before the first import of Chainer)

from .architectures import ARCHITECTURES, GRAMMAR, BlockChain, FloatChain, build_network
from .config import SCHEDULES, TrainConfig
from .evaluation import Evaluation, evaluate, logits, predict
from .records import EpochRecord
from .samples import Samples, as_samples
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
