"""Training speed: images per second of the training step, ebnn's links beside plain Chainer links of the same shape.

::

    uv run python -m benchmarks.training                          the recipes, one and two threads
    uv run python -m benchmarks.training --recipe mnist-uno --threads 1 --rounds 20 --json speed.json

A step is: the next batch, forward, loss, backward, Adam, clipping. Left out is what ``ebnn train`` does besides after
each batch: the moving average of the parameters (the recipes' ``averaging``), the learning rate of the next one, and
the sums of loss and right answers. The plain chain is what one writes with Chainer's own links and two functions of a
few lines, a sign with a straight-through estimator for activations and one for weights. Both take the same batches,
distorted by ebnn's augmentation or not. Each runs in a process of its own, in turns; the ratio is the median over the
turns, since another busy process slows both.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

import chainer
import chainer.functions as F
import chainer.links as L
import click
import numpy as np
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from ebnn import datasets
from ebnn.atomic import write_json
from ebnn.errors import EbnnError
from ebnn.frontends.chainer.batch_iterator import BatchIterator, converter
from ebnn.frontends.chainer.clipping import ClipWeights
from ebnn.frontends.chainer.losses import cross_entropy
from ebnn.functions import parallel
from ebnn.links import Pool2D
from ebnn.model.kinds import InputKind
from ebnn.recipes import load_recipe
from ebnn.show.console import print_line, print_whole
from ebnn.training import BlockChain, Samples, TrainConfig, build_network
from ebnn.training.allocator import keep_freed_memory
from ebnn.training.augmentation import distortion

Side = Literal["ebnn", "plain"]
RECIPES = ("mnist-tiny", "mnist-uno", "mnist-mlp", "mnist-101")
DISTORTIONS = {"shift": 1, "rotation": 7.0, "scale": 0.07, "elastic": 0.5}
IMAGES = 4096
WARM_UP = 3  # steps before the first turn


class SignFunction(chainer.FunctionNode):  # type: ignore[misc]
    """-1 and +1, with a straight-through estimator inside |x| <= 1."""

    def forward(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        self.retain_inputs((0,))
        return (np.where(inputs[0] >= 0, 1, -1).astype(inputs[0].dtype),)

    def backward(self, indexes: tuple[int, ...], gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        (x,) = self.get_retained_inputs()
        return (gradients[0] * (abs(x.array) <= 1).astype(x.dtype),)


class WeightSignFunction(chainer.FunctionNode):  # type: ignore[misc]
    """-1 and +1; the gradient passes as it is."""

    def forward(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (np.where(inputs[0] >= 0, 1, -1).astype(inputs[0].dtype),)

    def backward(self, indexes: tuple[int, ...], gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        return gradients


def sign(x: Any) -> Any:
    return SignFunction().apply((x,))[0]


def weight_sign(x: Any) -> Any:
    return WeightSignFunction().apply((x,))[0]


class PlainConvolution(L.Convolution2D):  # type: ignore[misc]
    """Chainer's convolution with binary weights."""

    def forward(self, x: Any) -> Any:
        return F.convolution_2d(x, weight_sign(self.W), None, self.stride, self.pad)


class PlainLinear(L.Linear):  # type: ignore[misc]
    """Chainer's fully connected layer with binary weights."""

    def forward(self, x: Any) -> Any:
        return F.linear(x, weight_sign(self.W))


class PlainBlock(chainer.Chain):  # type: ignore[misc]
    """Chainer's own links in the shape of one of ebnn's blocks, with its weights."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.pool: Pool2D | None = getattr(block, "pool", None)
        self.binary = hasattr(block, "bst")
        with self.init_scope():
            if hasattr(block, "bconv"):
                given = block.bconv
                sizes = (given.W.shape[1], given.out_channels, given.ksize, given.stride, given.pad)
                self.linear = PlainConvolution(*sizes, nobias=True, initialW=given.W.array)
            else:
                given = block.bl
                self.linear = PlainLinear(given.W.shape[1], given.out_size, nobias=True, initialW=given.W.array)
            self.bn = L.BatchNormalization(len(given.W))

    def forward(self, x: Any) -> Any:
        x = self.linear(x)
        if self.pool is not None:
            x = F.max_pooling_2d(x, self.pool.ksize, self.pool.stride, self.pool.pad, cover_all=False)
        x = self.bn(x)
        return sign(x) if self.binary else x


class PlainChain(chainer.ChainList):  # type: ignore[misc]
    """The network ``model`` in Chainer's own links."""

    def __init__(self, model: BlockChain) -> None:
        super().__init__(*(PlainBlock(block) for block in model.link_order()))

    def forward(self, x: Any) -> Any:
        for block in self:
            x = block(x)
        return x


class PlainClip:
    """Optimizer hook that keeps the latent weights within [-1, 1]."""

    name = "PlainClip"
    call_for_each_param = False
    timing = "post"

    def __call__(self, optimizer: Any) -> None:
        for link in optimizer.target.links():
            if isinstance(link, PlainConvolution | PlainLinear):
                link.W.array = np.clip(link.W.array, -1, 1)


@dataclass(frozen=True)
class Case:
    """What is measured.

    Attributes:
        recipe: whose architecture, input and batches it is.
        threads: that a step may use.
        augmentation: whether the images are distorted.
    """

    recipe: str
    threads: int
    augmentation: bool

    def __str__(self) -> str:
        augmentation = "with" if self.augmentation else "without"
        return f"{self.recipe}, {augmentation} augmentation, threads: {self.threads}"


@dataclass(frozen=True)
class Speed:
    """Images per second, medians over the turns, and the median of their ratios."""

    case: Case
    ebnn: float
    plain: float
    ratio: float


class Stepper:
    """One side of a case, ready to train on random images: speed depends on their shape alone."""

    def __init__(self, case: Case, side: Side, images: int = IMAGES) -> None:
        options = load_recipe(case.recipe).options
        data = datasets.info(options["dataset"])
        kind: InputKind = options.get("input_kind", data.kind)
        model = build_network(options["architecture"], data.shape, data.classes, kind)
        self.model = model if side == "ebnn" else PlainChain(model)
        random = np.random.default_rng(0)
        samples = Samples(
            random.integers(0, 2 if kind == "bits" else 256, (images, *data.shape)).astype(np.uint8),
            random.integers(0, data.classes, images).astype(np.int32),
            kind,
        )
        self.batch_size = min(options.get("batch_size", 128), images)
        config = TrainConfig(**DISTORTIONS) if case.augmentation else TrainConfig()  # type: ignore[arg-type]
        self.batches = BatchIterator(samples, self.batch_size, 0, distortion(config, samples))
        self.convert = converter(samples)
        self.optimizer = chainer.optimizers.Adam(options["learning_rate"]).setup(self.model)
        self.optimizer.add_hook(ClipWeights() if side == "ebnn" else PlainClip())
        self.threads = case.threads
        self.side = side

    def context(self) -> AbstractContextManager[Any]:
        """ebnn shares a step among threads itself; of plain Chainer only BLAS does."""
        return parallel(self.threads) if self.side == "ebnn" else threadpool_limits(self.threads, user_api="blas")

    def steps(self, count: int) -> float:
        """Trains for ``count`` batches and returns images per second."""
        images = 0
        with self.context():
            started = time.perf_counter()
            for _ in range(count):
                x, labels = self.convert(next(self.batches), None)
                self.optimizer.update(lambda x, labels: cross_entropy(self.model(x), labels, 0.0), x, labels)
                images += len(labels)
            return images / (time.perf_counter() - started)


_stepper: Stepper


def _prepare(case: Case, side: Side) -> None:
    global _stepper
    if side == "ebnn":
        keep_freed_memory()
    _stepper = Stepper(case, side)
    _stepper.steps(WARM_UP)


def _measure(count: int) -> float:
    return _stepper.steps(count)


@contextmanager
def _worker(case: Case, side: Side) -> Iterator[ProcessPoolExecutor]:
    """A process that has one side of the case ready."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh, initializer=_prepare, initargs=(case, side)) as pool:
        yield pool


def measure(case: Case, rounds: int, steps: int) -> Speed:
    """Lets both sides take turns, ``rounds`` times ``steps`` batches each."""
    with _worker(case, "ebnn") as ours, _worker(case, "plain") as plain:
        ours.submit(_measure, 1).result()
        plain.submit(_measure, 1).result()
        turns = [(ours.submit(_measure, steps).result(), plain.submit(_measure, steps).result()) for _ in range(rounds)]
    return summarize(case, turns)


def summarize(case: Case, turns: Sequence[tuple[float, float]]) -> Speed:
    """From images per second of ebnn and of plain Chainer in each turn."""
    return Speed(
        case,
        median(ours for ours, _ in turns),
        median(plain for _, plain in turns),
        median(ours / plain for ours, plain in turns),
    )


def table(speeds: Sequence[Speed]) -> Table:
    """One row for each case."""
    made = Table("recipe", "augmentation", box=MARKDOWN)
    for header in ("threads", "ebnn, images/s", "plain Chainer, images/s", "ebnn / plain"):
        made.add_column(header, justify="right")
    for speed in speeds:
        case = speed.case
        figures = (f"{speed.ebnn:,.0f}", f"{speed.plain:,.0f}", f"{speed.ratio:.2f}")
        made.add_row(case.recipe, "yes" if case.augmentation else "no", str(case.threads), *figures)
    return made


@click.command(context_settings={"show_default": True})
@click.option("--recipe", "recipes", multiple=True, default=RECIPES, help="May be repeated.")
@click.option("--threads", multiple=True, type=click.IntRange(min=1), default=(1, 2), help="May be repeated.")
@click.option("--rounds", type=click.IntRange(min=1), default=9, help="Turns of each side.")
@click.option("--steps", type=click.IntRange(min=1), default=10, help="Batches in a turn.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Also write to this file.")
def main(recipes: tuple[str, ...], threads: tuple[int, ...], rounds: int, steps: int, json_file: Path | None) -> None:
    """Measure the training step against plain Chainer links of the same shape."""
    try:
        for name in recipes:
            load_recipe(name)
    except EbnnError as error:
        raise click.ClickException(str(error)) from error
    cases = [Case(name, count, distorted) for name in recipes for count in threads for distorted in (False, True)]
    console = Console(highlight=False)
    speeds = []
    for case in cases:
        speeds.append(measure(case, rounds, steps))
        print_line(console, f"{case}: {speeds[-1].ratio:.2f} times plain Chainer")
    print_whole(console, table(speeds))
    if json_file is not None:
        write_json(json_file, {"rounds": rounds, "steps": steps, "speeds": [asdict(speed) for speed in speeds]})


if __name__ == "__main__":
    main()
