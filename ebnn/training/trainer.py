"""Training on Chainer's ``Trainer``."""

from __future__ import annotations

import math
import random
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chainer
import chainer.functions as F
import numpy as np
from rich.console import Console

from ..blocks import InputKind
from ..errors import TrainingError
from ..functions import parallel
from ..links import BST
from . import snapshot
from .batches import ShuffledBatches, converter
from .clipping import ClipWeights
from .config import TrainConfig
from .evaluation import evaluate, logits
from .lock import only_run
from .progress import TrainingProgress
from .records import EpochRecord, append_log, start_log
from .samples import Samples, as_samples
from .statistics import measure_statistics

CHAIN_NAME = "chain.npz"
_END_OF_EPOCH = 200
_EVERY_BATCH = 300  # extensions of higher priority run first


@dataclass(frozen=True)
class TrainResult:
    """What a training run came to.

    Attributes:
        records: one for each epoch.
        snapshot: the file to resume from; None where none was asked for.
    """

    records: tuple[EpochRecord, ...]
    snapshot: Path | None

    @property
    def test_accuracy(self) -> float:
        """Fraction of right answers on the test set after the last epoch, in test mode."""
        return self.records[-1].test_accuracy

    @property
    def seconds(self) -> float:
        """Time that all epochs took, those before a resume included."""
        return sum(record.seconds for record in self.records)


def train(
    model: Any,
    train_set: tuple[Any, Any],
    test_set: tuple[Any, Any],
    config: TrainConfig,
    out: Path,
    *,
    input_kind: InputKind | None = None,
    resume: bool = False,
    console: Console | None = None,
) -> TrainResult:
    """Trains ``model`` in place and returns the log.

    Cross entropy, Adam (Kingma and Ba, arXiv 1412.6980). At every epoch's end the network is evaluated on the test set
    in test mode, a line is added to ``out/log.jsonl``, and a snapshot replaces ``out/snapshot.npz``. In the end
    ``out/chain.npz`` has the parameters, as ``chainer.serializers.load_npz`` reads them. A run resumed from
    a snapshot ends with the very weights of a run that was never interrupted.

    Args:
        model: chain that takes (n, c, h, w) float32 and returns logits (n, classes) float32.
        train_set: (images, labels), see :func:`ebnn.training.samples.as_samples`.
        test_set: likewise.
        config: how to train.
        out: folder for log and snapshot; made where missing.
        input_kind: what the images are; None takes it from ``model.input_kind``.
        resume: go on from the snapshot in ``out`` where there is one; else a run in ``out`` is overwritten.
        console: where to show progress; None means standard output.

    Raises:
        TrainingError: the data do not fit, the snapshot is damaged or another run's, the loss is not finite, or the run
            was interrupted from the keyboard; the last whole epoch is then in the snapshot.
    """
    kind = input_kind or getattr(model, "input_kind", None)
    if kind is None:
        raise TrainingError("the network does not say what its input is: give input_kind")
    training, test = as_samples("training", *train_set, kind), as_samples("test", *test_set, kind)
    _check_fit(model, training, test, config)
    if config.estimator is not None:
        for link in model.links():
            if isinstance(link, BST):
                link.estimator = config.estimator
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"cannot make the folder {out} ({error.strerror}): give another") from error
    with only_run(out), parallel():
        return _Run(model, training, test, config, out, console or Console()).run(resume)


def _check_fit(model: Any, training: Samples, test: Samples, config: TrainConfig) -> None:
    """Sizes the model by its first sample and compares shapes and classes."""
    if config.shift >= min(training.shape[1:]):
        raise TrainingError(f"shift {config.shift} moves images of {training.shape} out of sight: use a smaller one")
    if training.shape != test.shape:
        raise TrainingError(f"training images have shape {training.shape}, test images {test.shape}: give one shape")
    first = Samples(training.images[:1], training.labels[:1], training.kind)
    try:
        classes = logits(model, first).shape[1]
    except (ValueError, chainer.utils.type_check.InvalidType) as error:
        raise TrainingError(f"images of shape {training.shape} do not fit the network: {error}") from error
    for name, samples in (("training", training), ("test", test)):
        if samples.labels.max() >= classes:
            raise TrainingError(
                f"the {name} set has the label {samples.labels.max()}, the network {classes} classes from 0 on: "
                "build it with more classes"
            )


class _Run:
    """One run: the pieces that the extensions of Chainer's trainer share."""

    def __init__(
        self, model: Any, training: Samples, test: Samples, config: TrainConfig, out: Path, console: Console
    ) -> None:
        self.model = model
        self.training = training
        self.test = test
        self.config = config
        self.out = out
        self.snapshot_path = out / snapshot.SNAPSHOT_NAME
        self.records: list[EpochRecord] = []
        self.identity = config.recipe() | {
            "input": training.kind,
            "network": _fingerprint(model),
            "training set": f"{len(training)} samples ({training.checksum():08x})",
        }
        self.batches = ShuffledBatches(training, config.batch_size, config.seed, config.shift)
        self.optimizer = chainer.optimizers.Adam(config.learning_rate)
        self.optimizer.setup(model)
        if config.clip_weights:
            self.optimizer.add_hook(ClipWeights())
        self.updater = chainer.training.StandardUpdater(
            self.batches, self.optimizer, converter=converter(training), loss_func=self.loss
        )
        self.progress = TrainingProgress(console, config.epochs, self.batches.batches)
        self.start_epoch()

    def run(self, resume: bool) -> TrainResult:
        if resume and self.snapshot_path.exists():
            self.records = snapshot.restore(self.snapshot_path, self.updater, self.identity)
        start_log(self.out, self.records)
        self.state = snapshot.capture(self.updater, self.identity, self.records)
        self.save()
        trainer = chainer.training.Trainer(self.updater, lambda _: self.batches.epoch >= self.config.epochs, self.out)
        trainer.extend(lambda _: self.after_batch(), "batch", priority=_EVERY_BATCH)
        trainer.extend(
            lambda _: self.after_epoch(), "epoch", lambda _: self.batches.is_new_epoch, priority=_END_OF_EPOCH
        )
        with self.progress:
            self.progress.start_at(self.batches.epoch)
            self.start_epoch()
            try:
                trainer.run(show_loop_exception_msg=False)
            except KeyboardInterrupt:
                raise TrainingError(self.interrupted()) from None
        chainer.serializers.save_npz(self.out / CHAIN_NAME, self.model)
        return TrainResult(tuple(self.records), self.snapshot_path if self.config.snapshot_every else None)

    def start_epoch(self) -> None:
        """Seeds the random numbers of the coming epoch, so that they depend on its number alone."""
        seed = zlib.crc32(f"{self.config.seed}/{self.batches.epoch}".encode())
        random.seed(seed)
        np.random.seed(seed)
        self.started = time.perf_counter()
        self.loss_sum = 0.0
        self.right = 0
        self.seen = 0
        self.set_learning_rate()

    def set_learning_rate(self) -> None:
        self.optimizer.alpha = self.config.rate_at(self.batches.epoch_detail / self.config.epochs)

    def loss(self, images: Any, labels: Any) -> Any:
        answers = self.model(images)
        loss = F.softmax_cross_entropy(answers, labels)
        value = float(loss.array)
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss became {value} in epoch {self.batches.epoch + 1} with a learning rate of "
                f"{self.optimizer.alpha:.3g}: use a lower one"
            )
        self.last_loss = value
        self.loss_sum += value * len(labels)
        self.right += int((answers.array.argmax(axis=1) == labels).sum())
        self.seen += len(labels)
        return loss

    def after_batch(self) -> None:
        self.progress.batch_done(self.last_loss)
        self.set_learning_rate()

    def after_epoch(self) -> None:
        self.check_parameters()
        if self.config.statistics_samples:
            measure_statistics(self.model, self.training, self.config.statistics_samples)
        test = evaluate(self.model, self.test)
        record = EpochRecord(
            epoch=self.batches.epoch,
            loss=self.loss_sum / self.seen,
            train_accuracy=self.right / self.seen,
            test_loss=test.loss,
            test_accuracy=test.accuracy,
            learning_rate=self.optimizer.alpha,
            seconds=round(time.perf_counter() - self.started, 3),
        )
        self.records.append(record)
        append_log(self.out, record)
        self.state = snapshot.capture(self.updater, self.identity, self.records)
        every = self.config.snapshot_every
        if every and (record.epoch % every == 0 or record.epoch == self.config.epochs):
            self.save()
        self.progress.epoch_done(record)
        self.start_epoch()

    def check_parameters(self) -> None:
        """Looks for values that are not finite: behind a sign they do not reach the loss."""
        for name, parameter in self.model.namedparams():
            if not math.isfinite(float(abs(parameter.array).sum())):
                raise TrainingError(
                    f"{name} holds a value that is not finite after epoch {self.batches.epoch}: use a learning rate "
                    f"below {self.config.learning_rate:g}"
                )

    def save(self) -> None:
        if self.config.snapshot_every:
            snapshot.write(self.snapshot_path, self.state)

    def interrupted(self) -> str:
        """Writes the last whole epoch to the snapshot and returns what happened, for the message."""
        self.save()
        message = f"training was interrupted in epoch {min(self.batches.epoch + 1, self.config.epochs)}"
        if not self.config.snapshot_every:
            return f"{message}; no snapshots were asked for, so nothing is kept"
        return f"{message}; {self.snapshot_path} holds the network after epoch {len(self.records)}: resume it"


def _fingerprint(model: Any) -> str:
    """Names and shapes of all parameters, in short."""
    parameters = sorted((name, parameter.shape) for name, parameter in model.namedparams())
    count = sum(math.prod(shape) for _, shape in parameters)
    return f"{count} parameters ({zlib.crc32(repr(parameters).encode()):08x})"
