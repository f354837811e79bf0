"""Training without gradients: a genetic algorithm on the weights and thresholds of a network.

Each generation the fittest networks, the elite, stay; the others are their children: an elite network's copy, or, with
the probability of crossover, one whose outputs come from either of two, each with its weights and its threshold; then
each weight and each threshold mutates with a small probability. Networks of a generation run in machine code on all
samples, compiled once (`ebnn.compile.linux.candidates`), or without a C compiler in NumPy; the results are the same.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compile.linux.candidates import CandidateRunner
from ..errors import BuildError, TrainingError
from ..model.network import Network
from ..names import unknown_name
from .evolution_snapshot import read_snapshot, write_snapshot
from .fitness import accuracy, find_fitness, mean_cross_entropy
from .genes import GenePlan, Genes, LayerGenes
from .labelled_samples import Samples
from .lock import only_run
from .progress import Progress, told
from .records import EpochRecord, append_log, start_log
from .results import SNAPSHOT_NAME

BIASES = ("free", "bit")
FIRST_MUTATION = 0.5
"""Of the first networks where nothing was trained: their weights are all drawn anew."""

_SNAPSHOT_SECONDS = 10.0
"""From one snapshot to the next, at least."""


@dataclass(frozen=True)
class EvolutionConfig:
    """How networks evolve; together with the first network and the data it decides every weight.

    Attributes:
        generations: how many.
        population: networks of a generation, the elite among them.
        elite: of them, the fittest, which stay and have all children.
        mutation: the probability with which a weight, or a threshold, changes in a child; of a small network at least
            what changes one on average, unless it is 0.
        crossover: the probability with which a child has two parents.
        fitness: what selects, of :data:`ebnn.training.fitness.FITNESS`.
        bias: ``free``: thresholds are any whole numbers; ``bit``: each is a bias of one bit, as TinyML.jl has them.
        validation: training samples that are held out, to choose the generation that is kept; 0: the last one.
        seed: of all that is drawn.

    Raises TrainingError, naming the value and its limits.
    """

    generations: int = 100
    population: int = 100
    elite: int = 10
    mutation: float = 0.003
    crossover: float = 0.5
    fitness: str = "score"
    bias: str = "free"
    validation: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("generations", 1, 200_000),
            ("population", 2, 10_000),
            ("elite", 1, self.population - 1),
            ("validation", 0, 10**9),
            ("seed", 0, 2**32 - 1),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise TrainingError(f"{name} is {value!r}: give a whole number from {low:,} to {high:,}")
        for name in ("mutation", "crossover"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not (math.isfinite(value) and 0 <= value <= 1):
                raise TrainingError(f"{name} is {value!r}: give a probability from 0 to 1")
        find_fitness(self.fitness)
        if self.bias not in BIASES:
            raise unknown_name("bias", self.bias, BIASES)

    def recipe(self) -> dict[str, Any]:
        """What must agree where a run is resumed: all but the number of generations."""
        return {name: value for name, value in asdict(self).items() if name != "generations"}


@dataclass(frozen=True)
class EvolutionResult:
    """What evolution came to.

    Attributes:
        network: the fittest of the generation that is kept.
        records: one for each generation; their learning rate is the mutation's probability.
        fitness: of the fittest network in the last generation.
        evaluated: networks times samples that were run, of this run's generations.
        compiled: whether they ran in machine code.
    """

    network: Network
    records: tuple[EpochRecord, ...]
    fitness: float
    evaluated: int
    compiled: bool

    @property
    def seconds(self) -> float:
        """Time that all generations took, those before a resume included."""
        return sum(record.seconds for record in self.records)


class State(NamedTuple):
    """What the next generation comes from.

    Attributes:
        number: of the generation.
        elite: its fittest networks.
        fitness: theirs.
        kept: the genes of the network that is kept; None where that is the fittest of the last generation.
        rank: of the best generation so far.
    """

    number: int
    elite: Genes
    fitness: NDArray[np.float64]
    kept: Genes | None
    rank: tuple[float, float]


class Scorer:
    """Scores of networks given by their genes, compiled where there is a C compiler.

    Attributes:
        why_not: why it is not compiled; None where it is.
    """

    def __init__(self, plan: GenePlan, threads: int = 1, compiled: bool = True) -> None:
        self.plan = plan
        self.runner: CandidateRunner | None = None
        self.why_not: str | None = "NumPy was asked for"
        if compiled:
            try:
                self.runner, self.why_not = CandidateRunner(plan.network, threads), None
            except BuildError as error:
                self.why_not = str(error).splitlines()[0]

    def on(self, samples: Samples) -> Callable[[Genes, int], NDArray[np.int32]]:
        """Returns what gives the scores, (n, classes) int32, of a network of some genes for these samples."""
        images, packed, runner = samples.images, self.plan.network.pack_input(samples.images), self.runner

        def score(genes: Genes, index: int) -> NDArray[np.int32]:
            if runner is None:
                return self.plan.to_network(genes, index).scores(images)
            self.plan.write(genes, index, runner)
            return runner.scores(packed)

        return score


def first_genes(plan: GenePlan, config: EvolutionConfig, fresh: bool) -> Genes:
    """Returns the first generation's genes: the network and mutations of it, or random ones where it is ``fresh``."""
    random = np.random.default_rng([config.seed, 0])
    genes = plan.copies(config.population)
    for layer, own in zip(plan.layers, genes, strict=True):
        others = own.take(np.arange(1, config.population))
        layer.mutate(others, FIRST_MUTATION if fresh else plan.rate(config.mutation), random)
        own.rows[1:], own.terms[1:] = others.rows, others.terms
    return genes


def children_of(plan: GenePlan, elite: Genes, config: EvolutionConfig, generation: int) -> Genes:
    """Returns the genes of a generation's children; they depend on the elite, the seed and the generation alone."""
    random = np.random.default_rng([config.seed, generation])
    count = config.population - config.elite
    first, second = random.integers(0, config.elite, (2, count))
    crossed = random.random(count) < config.crossover
    children = [own.take(first) for own in elite]
    for layer, own, parents in zip(plan.layers, children, elite, strict=True):
        outputs = layer.layer.outputs
        taken = (random.random((count, outputs)) < 0.5) & crossed[:, None]
        layer.cross(own, parents.take(second), taken)
        layer.mutate(own, plan.rate(config.mutation), random)
    return children


def select(
    children: Genes, children_fitness: NDArray[np.float64], elite: Genes, fitness: NDArray[np.float64], count: int
) -> tuple[Genes, NDArray[np.float64]]:
    """Returns the fittest of children and elite, the fittest first; of equals children go first, so that genes move."""
    every = np.concatenate([children_fitness, fitness])
    order = np.argsort(-every, kind="stable")[:count]
    chosen = [
        LayerGenes(
            np.concatenate([new.rows, old.rows])[order],
            np.concatenate([new.terms, old.terms])[order],
        )
        for new, old in zip(children, elite, strict=True)
    ]
    return chosen, every[order]


class Evolution:
    """One run of the genetic algorithm."""

    def __init__(
        self,
        network: Network,
        training: Samples,
        test: Samples,
        config: EvolutionConfig,
        out: Path,
        *,
        fresh: bool = False,
        threads: int = 1,
        compiled: bool = True,
        progress: Progress | None = None,
    ) -> None:
        """Prepares a run.

        Args:
            network: to begin with.
            training: what the networks are judged by.
            test: on which the fittest of each generation is shown; with ``config.validation`` it is not looked at.
            config: how.
            out: folder of the run.
            fresh: whether the network is drawn at random, so that the first generation is too.
            threads: that run networks.
            compiled: whether to run networks in machine code, where there is a C compiler.
            progress: who is told.

        Raises:
            TrainingError: the configuration does not fit the network or the data.
        """
        self.config, self.out, self.fresh = config, out, fresh
        self.progress = progress or Progress()
        self.network = network
        self.training, self.held_out = training, test
        if config.validation:
            if config.validation >= len(training):
                raise TrainingError(
                    f"validation holds out {config.validation:,} of {len(training):,} training samples: give fewer"
                )
            self.training, self.held_out = training.split(config.validation)
        for name, samples in (("training", self.training), ("test", test)):
            if int(samples.labels.max()) >= network.classes:
                raise TrainingError(
                    f"the {name} set has the label {samples.labels.max()}, the network {network.classes} classes"
                )
        self.plan = GenePlan(network, config.bias == "bit")
        self.scorer = Scorer(self.plan, threads, compiled)
        self.fitness = find_fitness(config.fitness)
        self.identity = config.recipe() | {
            "network": network.hash,
            "fresh": fresh,
            "training set": f"{len(self.training)} samples ({self.training.checksum():08x})",
        }
        self.evaluated = 0

    def run(self, resume: bool = False) -> EvolutionResult:
        """Evolves; a run that is resumed ends with the network of one that was not interrupted.

        Raises:
            TrainingError: the snapshot is damaged or another run's; or the run was interrupted from the keyboard, and
                its last generation is in the snapshot.
        """
        with only_run(self.out):
            return self._run(resume)

    def _run(self, resume: bool) -> EvolutionResult:
        config, path = self.config, self.out / SNAPSHOT_NAME
        state: State | None = None
        records = list[EpochRecord]()
        if resume and path.exists():
            elite, fitness, known, kept = read_snapshot(path, self.identity, self.plan, config.elite)
            state = State(len(known), elite, fitness, kept, max(record.rank() for record in known))
            records.extend(known)
            if state.number > config.generations:
                raise TrainingError(
                    f"{path} has {state.number} generations, {config.generations} are asked for: give as many or "
                    "more, or another folder to start afresh"
                )
        if self.scorer.why_not is not None:
            self.progress.say(f"NumPy runs the networks, which is slower: {self.scorer.why_not}")
        start_log(self.out, records)
        saved = -math.inf  # the first generation is kept at once
        score, judge = self.scorer.on(self.training), self.scorer.on(self.held_out)
        with told(self.progress, config.generations, 1, len(records)):
            try:
                while state is None or state.number < config.generations:
                    following, record = self._generation(state, score, judge)
                    records.append(record)
                    state = following
                    append_log(self.out, record)
                    self.progress.batch_done(record.loss)
                    self.progress.epoch_done(record)
                    if time.monotonic() - saved >= _SNAPSHOT_SECONDS:
                        self._save(path, state, records)
                        saved = time.monotonic()
            except KeyboardInterrupt:
                raise TrainingError(self._interrupted(path, state, records)) from None
        self._save(path, state, records)
        network = self.plan.to_network(state.elite if state.kept is None else state.kept, 0)
        compiled = self.scorer.runner is not None
        return EvolutionResult(network, tuple(records), float(state.fitness[0]), self.evaluated, compiled)

    def answers(self, network: Network, samples: Samples) -> NDArray[np.int64]:
        """Returns the classes, (n,) int64, that a network of the run gives samples."""
        return np.asarray(self.scorer.on(samples)(GenePlan(network).copies(1), 0).argmax(axis=1), np.int64)

    def _fitness_of(self, genes: Genes, count: int, score: Callable[[Genes, int], NDArray[np.int32]]) -> NDArray[Any]:
        """The fitness of the first ``count`` networks."""
        labels, scale = self.training.labels, self.network.scale
        self.evaluated += count * len(labels)
        return np.array([self.fitness(score(genes, i), labels, scale) for i in range(count)], np.float64)

    def _generation(
        self,
        state: State | None,
        score: Callable[[Genes, int], NDArray[np.int32]],
        judge: Callable[[Genes, int], NDArray[np.int32]],
    ) -> tuple[State, EpochRecord]:
        """The state after one more generation, and its record."""
        config, started = self.config, time.perf_counter()
        number = 1 if state is None else state.number + 1
        if state is None:
            genes = first_genes(self.plan, config, self.fresh)
            fitness = self._fitness_of(genes, config.population, score)
            order = np.argsort(-fitness, kind="stable")[: config.elite]
            parents, best = [own.take(order) for own in genes], fitness[order]
        else:
            parents, best = state.elite, state.fitness
        children = children_of(self.plan, parents, config, number)
        children_fitness = self._fitness_of(children, config.population - config.elite, score)
        elite, best = select(children, children_fitness, parents, best, config.elite)
        record = self._record(number, elite, parents, score, judge, started)
        if state is not None and record.rank() <= state.rank:
            return State(number, elite, best, state.kept, state.rank), record
        kept = [own.take(np.zeros(1, np.intp)) for own in elite] if config.validation else None
        return State(number, elite, best, kept, record.rank()), record

    def _record(
        self,
        number: int,
        elite: Genes,
        parents: Genes,
        score: Callable[[Genes, int], NDArray[np.int32]],
        judge: Callable[[Genes, int], NDArray[np.int32]],
        started: float,
    ) -> EpochRecord:
        """How the fittest network does."""
        scale, labels = self.network.scale, self.training.labels
        own, others = score(elite, 0), judge(elite, 0)
        name = "validation" if self.config.validation else "test"
        changed = sum(layer.differing(a, b) for layer, a, b in zip(self.plan.layers, elite, parents, strict=True))
        weights = sum(layer.weights for layer in self.plan.layers)
        return EpochRecord(
            epoch=number,
            loss=mean_cross_entropy(own, labels, scale),
            train_accuracy=accuracy(own, labels, scale),
            learning_rate=self.config.mutation,
            seconds=round(time.perf_counter() - started, 3),
            flips=changed / weights if weights else None,
            **{
                f"{name}_loss": mean_cross_entropy(others, self.held_out.labels, scale),
                f"{name}_accuracy": accuracy(others, self.held_out.labels, scale),
            },
        )

    def _save(self, path: Path, state: State, records: Sequence[EpochRecord]) -> None:
        """Writes the snapshot; an interrupted run may have one more record than its state has generations."""
        write_snapshot(path, self.identity, state.elite, state.fitness, records[: state.number], state.kept)

    def _interrupted(self, path: Path, state: State | None, records: Sequence[EpochRecord]) -> str:
        """Writes the last whole generation to the snapshot and returns what happened, for the message."""
        if state is None:
            return "evolution was interrupted before its first generation was over: begin again with --overwrite"
        self._save(path, state, records)
        done = state.number
        return (
            f"evolution was interrupted in generation {min(done + 1, self.config.generations)}; {path} holds the "
            f"networks after generation {done}: go on with --resume"
        )
