"""Training on Chainer's ``Trainer``."""

from __future__ import annotations

import io
import math
import random
import time
import zlib
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...atomic import write_atomically
from ...errors import TrainingError, WriteError
from ...model.kinds import INPUT_KINDS, InputKind
from ...training.allocator import keep_freed_memory
from ...training.augmentation import distortion
from ...training.config import TrainConfig
from ...training.labelled_samples import Samples, as_pair, as_samples
from ...training.lock import only_run
from ...training.progress import Progress, told
from ...training.records import EpochRecord, append_log, best_epoch, start_log
from ...training.results import CHAIN_NAME, SNAPSHOT_NAME, Evaluation, TrainResult
from ...training.tensorboard import EventLog, event_log
from . import snapshot
from .averaging import WeightAverage
from .batch_iterator import BatchIterator, converter
from .bop import Bop
from .clipping import ClipWeights
from .evaluation import evaluate
from .fitting import check_fit, check_teacher
from .framework import chainer
from .functions import exact_settings, parallel
from .initialization import draw_weights
from .latent import binary_layers, latent_weights, rate_scales, weight_signs
from .links import BST, FloatBlock
from .losses import SQUARED, cross_entropy, distillation
from .statistics import measure_statistics

_END_OF_EPOCH = 200
_EVERY_BATCH = 300  # extensions of higher priority run first


def train(
    model: Any,
    train_set: tuple[Any, Any],
    test_set: tuple[Any, Any],
    config: TrainConfig,
    out: Path,
    *,
    input_kind: InputKind | None = None,
    teacher: Any = None,
    resume: bool = False,
    console: Any = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Trains ``model`` in place and returns the log.

    It minimises the cross entropy, or ``config.loss``. At every epoch's end the network is evaluated in test mode, on
    the validation set where ``config`` asks for one, else on the test set; a line is added to ``out/log.jsonl``, and a
    snapshot replaces ``out/snapshot.npz``. In the end ``out/chain.npz`` has the parameters, as
    ``chainer.serializers.load_npz`` reads them; with a validation set, those of the best epoch. A run resumed from
    a snapshot ends with the very weights of a run that was never interrupted.

    Args:
        model: chain that takes (n, c, h, w) float32 and returns logits (n, classes) float32.
        train_set: (images, labels), see :func:`ebnn.training.labelled_samples.as_samples`.
        test_set: (images, labels) as well.
        config: how to train.
        out: folder for log and snapshot; made where missing.
        input_kind: what the images are; None takes it from ``model.input_kind``.
        teacher: trained chain for distillation, which answers the same images in test mode; it is not changed.
        resume: go on from the snapshot in ``out`` where there is one; else a run in ``out`` is overwritten.
        console: rich's console on which progress is shown; None means standard output.
        progress: who is told of it in place of the console; ``Progress()`` keeps it to itself.

    Raises:
        TrainingError: the data or the teacher do not fit, the network could not be lowered or written as a header, the
            snapshot is damaged or another run's, the loss is not finite, or the run was interrupted from the keyboard;
            the last whole epoch is then in the snapshot. All that can be known before is refused before any work.
    """
    kind = input_kind or getattr(model, "input_kind", None)
    if kind is None:
        raise TrainingError("the network does not say what its input is: give input_kind")
    if kind in INPUT_KINDS and getattr(model, "input_kind", None) not in (None, kind):
        raise TrainingError(f"the network takes {model.input_kind}, input_kind is {kind}: leave it out")
    shape = getattr(model, "input_shape", None)
    training = _checked("training", train_set, kind, shape)
    test = _checked("test", test_set, kind, shape)
    with exact_settings():
        return _train(model, training, test, config, Path(out), teacher, resume, progress or _shown_on(console))


def _train(
    model: Any,
    training: Samples,
    test: Samples,
    config: TrainConfig,
    out: Path,
    teacher: Any,
    resume: bool,
    progress: Progress,
) -> TrainResult:
    check_fit(model, training, test, config)
    if config.optimizer == "bop" and not latent_weights(model):
        raise TrainingError("optimizer bop flips binary weights, and the network has none: use adam")
    if (teacher is not None) != (config.distillation > 0):
        raise TrainingError(
            f"distillation is {config.distillation}: give a teacher with a weight above 0, and only with one"
        )
    if teacher is not None:
        check_teacher(teacher, model, training)
    if config.estimator is not None:
        for link in _signs(model):
            link.estimator = config.estimator
    _drop_out(config.dropout, model)
    if config.init is not None:
        draw_weights(model, config.init, config.seed)
    keep_freed_memory()
    with (
        only_run(out),
        parallel(),
        chainer.using_config("train", True),
        chainer.using_config("enable_backprop", True),
    ):
        try:
            return _Run(model, training, test, config, out, teacher, progress).run(resume)
        finally:
            _draw_from(None, _signs(model))
            _draw_from(None, binary_layers(model))


def _checked(name: str, given: Any, kind: InputKind, shape: tuple[int, ...] | None) -> Samples:
    """Samples of a pair; those that have an encoder keep their raw values."""
    samples = as_samples(name, *as_pair(name, given), kind, shape)
    if isinstance(given, Samples):
        return replace(samples, groups=given.groups, raw=given.raw, encoder=given.encoder)
    return samples


def _shown_on(console: Any) -> Progress:
    from ...show.training_progress import ConsoleProgress  # rich takes a tenth of a second

    return ConsoleProgress(console)


def _signs(model: Any) -> list[BST]:
    return [link for link in model.links() if isinstance(link, BST)]


def _draw_from(random: np.random.Generator | None, links: Iterable[Any]) -> None:
    """Makes the signs of activations, or of weights, stochastic, or with None plain again."""
    for link in links:
        link.random = random


def _drop_out(share: float, model: Any) -> None:
    """Gives the hidden layers of a float network their dropout."""
    blocks = [link for link in model.links() if isinstance(link, FloatBlock)]
    if share and not blocks:
        raise TrainingError(f"dropout is {share:g}, a binarized network has none: leave it out, or train a float one")
    for block in blocks:
        block.dropout = share


class _Run:
    """One run: the pieces that the extensions of Chainer's trainer share."""

    def __init__(
        self,
        model: Any,
        samples: Samples,
        test: Samples,
        config: TrainConfig,
        out: Path,
        teacher: Any,
        progress: Progress,
    ) -> None:
        self.model = model
        self.training = samples
        self.validation: Samples | None = None
        if config.validation:
            self.training, self.validation = samples.split(config.validation)
        self.test = test
        self.teacher = teacher
        self.config = config
        self.out = out
        self.snapshot_path = out / SNAPSHOT_NAME
        self.records: list[EpochRecord] = []
        self.saved = 0
        self.earlier: tuple[int, ...] = ()
        self.events: EventLog | None = None
        self.kept: snapshot.Arrays = {}
        self.average = WeightAverage(model, config.averaging) if config.averaging else None
        self.identity = config.recipe() | {
            "input": samples.kind,
            "network": _fingerprint(model),
            "training set": f"{len(samples)} samples ({samples.checksum():08x})",
            "teacher": None if teacher is None else _checksum(teacher),
        }
        distort = distortion(config, self.training)
        self.batches = BatchIterator(self.training, config.batch_size, config.seed, distort)
        if config.optimizer == "bop":
            self.optimizer = Bop(config.learning_rate, config.bop_gamma, config.bop_threshold)
        else:
            self.optimizer = chainer.optimizers.Adam(config.learning_rate)
        self.weights = class_weights(self.training.labels) if config.class_weights else None
        self.optimizer.setup(model)
        self.rate_scales = rate_scales(model)
        if config.clip_weights:
            self.optimizer.add_hook(ClipWeights())
        self.updater = chainer.training.StandardUpdater(
            self.batches, self.optimizer, converter=converter(self.training), loss_func=self.loss
        )
        self.progress = progress
        self.start_epoch()

    def run(self, resume: bool) -> TrainResult:
        """Trains; what a full disk leaves can be resumed."""
        try:
            return self.train(resume)
        except WriteError as error:
            after = f" after epoch {self.saved}" if self.saved else ""
            again = f"go on with --resume{after}" if self.config.snapshot_every else "train again"
            raise TrainingError(f"{error}; mend that, then {again}") from error

    def train(self, resume: bool) -> TrainResult:
        if resume and self.snapshot_path.exists():
            self.restore()
        self.capture()
        self.save()
        start_log(self.out, self.records)
        trainer = chainer.training.Trainer(self.updater, lambda _: self.batches.epoch >= self.config.epochs, self.out)
        trainer.extend(lambda _: self.after_batch(), "batch", priority=_EVERY_BATCH)
        trainer.extend(
            lambda _: self.after_epoch(), "epoch", lambda _: self.batches.is_new_epoch, priority=_END_OF_EPOCH
        )
        with (
            event_log(self.config.tensorboard, self.out, self.records) as self.events,
            told(self.progress, self.config.epochs, self.batches.batches, self.batches.epoch),
        ):
            self.start_epoch()
            try:
                trainer.run(show_loop_exception_msg=False)
            except KeyboardInterrupt:
                raise TrainingError(self.interrupted()) from None
        if self.kept:
            chainer.serializers.NpzDeserializer(self.kept).load(self.model)
        last = self.records[-1]
        if last.test_loss is not None and last.test_accuracy is not None:
            test = Evaluation(last.test_loss, last.test_accuracy)
        else:
            test = evaluate(self.model, self.test, self.config.loss)
        parameters = io.BytesIO()
        chainer.serializers.save_npz(parameters, self.model)
        write_atomically(self.out / CHAIN_NAME, parameters.getvalue())
        kept = self.snapshot_path if self.config.snapshot_every else None
        return TrainResult(tuple(self.records), test, kept, self.earlier)

    def start_epoch(self) -> None:
        """Seeds the random numbers of the coming epoch, so that they depend on its number alone."""
        seed = zlib.crc32(f"{self.config.seed}/{self.batches.epoch}".encode())
        random.seed(seed)
        np.random.seed(seed)
        self.started = time.perf_counter()
        self.loss_sum = 0.0
        self.right = 0
        self.seen = 0
        self.signs_before = weight_signs(self.model)
        if self.config.stochastic:
            _draw_from(np.random.default_rng([self.config.seed, self.batches.epoch]), _signs(self.model))
        if self.config.stochastic_weights:
            _draw_from(np.random.default_rng([self.config.seed, self.batches.epoch, 1]), binary_layers(self.model))
        self.set_learning_rate()

    def set_learning_rate(self) -> None:
        rate = self.optimizer.alpha = self.config.rate_at(self.batches.epoch_detail / self.config.epochs)
        if self.config.scale_rate:
            for weights, scale in zip(latent_weights(self.model), self.rate_scales, strict=True):
                weights.update_rule.hyperparam.alpha = rate * scale

    def loss(self, images: Any, labels: Any) -> Any:
        answers = self.model(images)
        if self.config.loss in SQUARED:
            loss = SQUARED[self.config.loss](answers, labels, self.weights)
        else:
            loss = cross_entropy(answers, labels, self.config.label_smoothing, self.weights)
        if self.teacher is not None:
            with chainer.using_config("train", False), chainer.no_backprop_mode():
                targets = self.teacher(images).array.astype(np.float32, copy=False)
            share = self.config.distillation
            loss = (1 - share) * loss + share * distillation(answers, targets, self.config.temperature)
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
        if self.average is not None:
            self.average.update(self.updater.iteration)
        self.progress.batch_done(self.last_loss)
        self.set_learning_rate()

    def after_epoch(self) -> None:
        self.check_parameters()
        flipped = weight_signs(self.model) != self.signs_before
        self.flips = float(flipped.mean()) if flipped.size else None
        with nullcontext() if self.average is None else self.average.in_place():
            record = self.evaluate()
            self.records.append(record)
            chosen = self.validation is not None or self.average is not None
            if chosen and best_epoch(self.records) is record:
                self.kept = snapshot.parameters(self.model)
        self.capture()
        every = self.config.snapshot_every
        if every and (record.epoch % every == 0 or record.epoch == self.config.epochs):
            self.save()
        append_log(self.out, record)
        if self.events is not None:
            self.events.add(record)
        self.progress.epoch_done(record)
        self.start_epoch()

    def evaluate(self) -> EpochRecord:
        """Measures batch normalisation's statistics and says how the network does."""
        if self.config.statistics_samples:
            measure_statistics(self.model, self.training, self.config.statistics_samples)
        name = "test" if self.validation is None else "validation"
        seen = evaluate(self.model, self.test if self.validation is None else self.validation, self.config.loss)
        return EpochRecord(
            epoch=self.batches.epoch,
            loss=self.loss_sum / self.seen,
            train_accuracy=self.right / self.seen,
            learning_rate=self.optimizer.alpha,
            seconds=round(time.perf_counter() - self.started, 3),
            flips=self.flips,
            **{f"{name}_loss": seen.loss, f"{name}_accuracy": seen.accuracy},
        )

    def check_parameters(self) -> None:
        """Looks for values that are not finite, statistics too: behind a sign they do not reach the loss."""
        for name, array in snapshot.parameters(self.model).items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise TrainingError(
                    f"{name} holds a value that is not finite after epoch {self.batches.epoch}: use a learning rate "
                    f"below {self.config.learning_rate:g}"
                )

    def capture(self) -> None:
        extras = {"kept": self.kept, "average": {} if self.average is None else self.average.arrays}
        self.state = snapshot.capture(self.updater, self.identity, self.records, extras, self.earlier)

    def restore(self) -> None:
        self.records, extras, known = snapshot.restore(self.snapshot_path, self.updater, self.identity)
        if len(self.records) > self.config.epochs:
            raise TrainingError(
                f"{self.snapshot_path} has {len(self.records)} epochs, {self.config.epochs} are asked for: give as "
                "many or more, or another folder to start afresh"
            )
        self.earlier = known.earlier
        if known.epochs is not None:
            self.earlier = (*known.earlier, known.epochs)
            self.progress.say(
                f"{self.config.epochs} epochs instead of {known.epochs}: the learning rate of the first "
                f"{len(self.records)} fell for {known.epochs}, so the network will be another one than that of "
                f"{self.config.epochs} from the start"
            )
        self.kept = extras["kept"]
        if self.average is not None:
            if extras["average"].keys() != self.average.arrays.keys():
                raise TrainingError(
                    f"{self.snapshot_path} lacks the average of the weights: delete it, or give another folder, to "
                    "start afresh"
                )
            self.average.arrays = extras["average"]

    def save(self) -> None:
        if self.config.snapshot_every:
            snapshot.write(self.snapshot_path, self.state)
            self.saved = len(self.records)

    def interrupted(self) -> str:
        """Writes the last whole epoch to the snapshot and returns what happened, for the message."""
        self.save()
        message = f"training was interrupted in epoch {min(self.batches.epoch + 1, self.config.epochs)}"
        if not self.config.snapshot_every:
            return f"{message}; no snapshots were asked for, so nothing is kept"
        if not self.records:
            return f"{message}, before its first epoch was over: go on with --resume"
        return f"{message}; {self.snapshot_path} holds the network after epoch {len(self.records)}: go on with --resume"


def class_weights(labels: np.ndarray) -> np.ndarray:
    """Returns the weight of a sample of each class, (classes,) float32: all classes come to the same, samples to 1.

    Args:
        labels: (n,) of the training samples.
    """
    counts = np.bincount(labels).astype(np.float64)
    weights = np.divide(len(labels) / np.count_nonzero(counts), counts, out=np.zeros_like(counts), where=counts > 0)
    return weights.astype(np.float32)


def _checksum(model: Any) -> str:
    """The CRC-32 of all parameters and statistics."""
    checksum = 0
    for name, value in sorted(snapshot.parameters(model).items()):
        checksum = zlib.crc32(value.tobytes(), zlib.crc32(name.encode(), checksum))
    return f"{checksum:08x}"


def _fingerprint(model: Any) -> str:
    """Names and shapes of all parameters, and how windows move over their input, in short."""
    parameters = sorted((name, parameter.shape) for name, parameter in model.namedparams())
    windows = [
        (name, type(link).__name__, *(getattr(link, side, None) for side in ("ksize", "stride", "pad")))
        for name, link in sorted(model.namedlinks(), key=lambda each: each[0])
    ]
    count = sum(math.prod(shape) for _, shape in parameters)
    return f"{count} parameters ({zlib.crc32(repr((parameters, windows)).encode()):08x})"
