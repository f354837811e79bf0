"""Evolution: genes and networks, fitness, selection, runs that stop and go on; the command, word by word."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from sklearn.metrics import matthews_corrcoef

import ebnn
from benchmarks import evolution
from ebnn import datasets
from ebnn.cli import main
from ebnn.compile.linux.candidates import CandidateRunner
from ebnn.datasets import Dataset
from ebnn.errors import TrainingError, UnknownNameError
from ebnn.model.network import Network
from ebnn.model.transforms import Scores, Sign
from ebnn.training.evolution import Evolution, EvolutionConfig, EvolutionResult, children_of, first_genes, select
from ebnn.training.fitness import confusion_of, low_loss, matthews, mean_cross_entropy, winning_outputs
from ebnn.training.genes import GenePlan, LayerGenes, _random_bits
from ebnn.training.labelled_samples import Samples
from ebnn.training.progress import Progress
from ebnn.training.records import EpochRecord, read_log
from ebnn.training.untrained import draw_network

SHAPES = [
    ("d20", (1, 28, 28), "bits"),  # rows of 28 bits, padded to 32
    ("c8k3p1-m2-d20", (1, 9, 10), "bits"),
    ("c8k3p1-m2-c6k3-d20", (2, 9, 10), "uint8"),
    ("c8k3w8a8-dw2k3-m2-a2-d5w8", (2, 19, 20), "int8"),
    ("c8k3a8-g", (2, 9, 10), "uint8"),
    ("d30", (2, 3, 4), "float"),
    ("c4k3-d30-ow8", (2, 9, 4), "float"),
    ("dw-d9a8", (3, 5, 6), "bits"),
    ("a2-d9", (3, 5, 6), "bits"),
    ("c6k3a8s-ok2gw8", (3, 7, 8), "uint8"),
]


def samples_of(network: Network, count: int, seed: int = 0) -> NDArray[np.generic]:
    random = np.random.default_rng(seed)
    kind = network.input.values
    shape = (count, *network.input.shape)
    if not kind.whole:
        return random.normal(size=shape).astype(np.float32)
    return random.integers(int(kind.low), int(kind.high) + 1, shape).astype(kind.dtype)


@pytest.mark.parametrize(("architecture", "shape", "kind"), SHAPES)
def test_every_candidate_runs_as_its_network(architecture: str, shape: tuple[int, int, int], kind: str) -> None:
    network = draw_network(architecture, shape, 3, kind, seed=1)
    assert network != draw_network(architecture, shape, 3, kind, seed=2)
    plan, runner, x = GenePlan(network), CandidateRunner(network), samples_of(network, 40)
    genes = plan.copies(4)
    assert plan.to_network(genes, 0) == network
    for layer, own in zip(plan.layers, genes, strict=True):
        layer.mutate(own, 0.1, np.random.default_rng(3))
    hashes = set()
    for i in (2, 0, 3, 1):
        plan.write(genes, i, runner)
        changed = plan.to_network(genes, i)
        assert np.array_equal(runner.scores(network.pack_input(x)), changed.scores(x))
        again = GenePlan(changed).copies(1)
        assert all(np.array_equal(a.rows[i], b.rows[0]) for a, b in zip(genes, again, strict=True))
        hashes.add(changed.hash)
    assert len(hashes) == 4


def test_the_benchmarks_plain_loop_does_the_same_work() -> None:
    plan, genes = evolution.population("d9-d7", (1, 4, 5), 3)
    x = samples_of(plan.network, 15)
    for i in range(2):
        network = plan.to_network(genes, i)
        assert np.array_equal(evolution.plain_scores(network, x), network.scores(x))
    speed = evolution.measure("d9", (1, 4, 5), 3, 30, seconds=0.01, threads=1)
    assert min(speed.compiled, speed.products, speed.plain) > 0
    assert speed.macs == 9 * 20 + 3 * 9


def test_a_mutation_hits_weights_and_thresholds_with_its_probability() -> None:
    network = draw_network("d64", (1, 10, 12), 2, "bits")
    plan = GenePlan(network, bias_bits=True)
    for rate in (0.002, 0.3):
        genes, before = plan.copies(50), plan.copies(50)
        for layer, own in zip(plan.layers, genes, strict=True):
            layer.mutate(own, rate, np.random.default_rng(5))
        flipped = np.unpackbits(genes[0].rows ^ before[0].rows).sum()
        weights = 50 * 64 * 120
        assert abs(flipped - rate * weights) < 5 * math.sqrt(rate * weights)
        padding = np.unpackbits(genes[0].rows, axis=-1, bitorder="little").reshape(50, 64, 10, 16)[..., 12:]
        assert not padding.any()
        terms = genes[0].terms != before[0].terms
        assert abs(terms.sum() - rate * 3200) < 5 * math.sqrt(rate * 3200) + 1
        assert set(np.unique(genes[0].terms)) == {-1, 1}
        assert set(np.unique(genes[1].terms)) <= {62, 64}


def test_a_small_network_changes_once_on_average() -> None:
    plan = GenePlan(draw_network("d4", (1, 1, 5), 2, "bits"))  # 20 and 8 weights, 4 and 2 terms
    assert plan.rate(0.001) == 1 / 34
    assert plan.rate(0.5) == 0.5
    assert plan.rate(0) == 0


def test_random_bits_have_their_probability() -> None:
    for rate in (0.0, 1 / 65_536, 0.05, 0.5, 0.75, 1.0):
        found = np.unpackbits(_random_bits((1000, 100), rate, np.random.default_rng(1))).mean()
        assert abs(found - rate) < 5 * math.sqrt(rate * (1 - rate) / 800_000) + 1e-5


def test_thresholds_stay_where_sums_are() -> None:
    network = draw_network("d8-d8", (1, 1, 5), 2, "bits")
    plan = GenePlan(network)
    genes = plan.copies(200)
    for seed in range(20):
        for layer, own in zip(plan.layers, genes, strict=True):
            layer.mutate(own, 0.9, np.random.default_rng(seed))
    assert np.abs(genes[0].terms).max() == 6  # sums of five end at 5
    for i in range(200):
        first = plan.to_network(genes, i).layers[0].transform
        assert isinstance(first, Sign)


def test_an_output_comes_from_one_parent_as_a_whole() -> None:
    plan = GenePlan(draw_network("d30", (1, 4, 4), 2, "bits"))
    genes = first_genes(plan, EvolutionConfig(population=10, elite=4), fresh=True)
    elite = [own.take(np.arange(4)) for own in genes]
    config = EvolutionConfig(population=40, elite=4, mutation=0, crossover=1, seed=3)
    children = children_of(plan, elite, config, 7)
    mixed = 0
    for own, parents in zip(children, elite, strict=True):
        for child in range(36):
            kin = set()
            for output in range(own.rows.shape[1]):
                fits = [
                    k
                    for k in range(4)
                    if np.array_equal(own.rows[child, output], parents.rows[k, output])
                    and own.terms[child, output] == parents.terms[k, output]
                ]
                assert fits
                kin.add(fits[0])
            mixed += len(kin) > 1
            assert len(kin) <= 2 or own.rows.shape[1] == 2
    assert mixed > 20
    again = children_of(plan, elite, config, 7)
    assert all(np.array_equal(a.rows, b.rows) for a, b in zip(children, again, strict=True))
    other = children_of(plan, elite, config, 8)
    assert not all(np.array_equal(a.rows, b.rows) for a, b in zip(children, other, strict=True))


def test_the_fittest_stay_and_of_equals_the_newest() -> None:
    def genes(*marks: int) -> list[LayerGenes]:
        rows = np.array(marks, np.uint8).reshape(-1, 1, 1)
        return [LayerGenes(rows, rows[..., 0].astype(np.int32))]

    chosen, fitness = select(genes(10, 11, 12), np.array([0.5, 0.9, 0.7]), genes(1, 2), np.array([0.9, 0.6]), 3)
    assert chosen[0].rows.ravel().tolist() == [11, 1, 12]
    assert fitness.tolist() == [0.9, 0.9, 0.7]


def test_winning_outputs_by_hand() -> None:
    """Right: 4 · 0.5 = 2 and 0; wrong: the third. Their logistic functions, by three samples."""
    scores, labels = np.array([[4, 1], [-8, 0], [3, 3]], np.int32), np.array([0, 1, 1])
    assert winning_outputs(scores, labels, 0.5) == pytest.approx((1 / (1 + math.exp(-2)) + 0.5) / 3)


def test_matthews_is_scikit_learns() -> None:
    random = np.random.default_rng(2)
    for classes in (2, 3, 10):
        scores = random.integers(0, 50, (300, classes)).astype(np.int32)
        labels = np.where(random.random(300) < 0.4, scores.argmax(axis=1), random.integers(0, classes, 300))
        assert matthews(scores, labels, 1) == pytest.approx(matthews_corrcoef(labels, scores.argmax(axis=1)))
    assert matthews(np.array([[1, 0], [1, 0]], np.int32), np.array([0, 1]), 1) == 0


def test_confusion_and_cross_entropy_by_hand() -> None:
    assert confusion_of(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist() == [[1, 1], [0, 1]]
    scores = np.array([[0, 2], [2, 0]], np.int32)
    wanted = (math.log(1 + math.e) - 0 + math.log(1 + math.exp(-1))) / 2
    assert mean_cross_entropy(scores, np.array([0, 0]), 0.5) == pytest.approx(wanted)


def test_a_loss_by_hand() -> None:
    """Scores −3, 3, 3, −3 have a standard deviation of 3: logits of ±1, one answer right, one wrong."""
    scores = np.array([[-3, 3], [3, -3]], np.int32)
    wanted = -(math.log(1 + math.exp(-2)) + math.log(1 + math.exp(2))) / 2
    assert low_loss(scores, np.array([1, 1]), 0.001) == pytest.approx(wanted)
    assert low_loss(np.zeros((2, 2), np.int32), np.array([0, 1]), 1) == pytest.approx(-math.log(2))


# Runs


def stripes(count: int, seed: int, classes: int = 2) -> Samples:
    """Images of 6 × 6 bits, their class in where they are dense; with noise."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count).astype(np.int32)
    images = (random.random((count, 1, 6, 6)) < 0.3).astype(np.uint8)
    for k in range(classes):
        images[labels == k, 0, 2 * k : 2 * k + 2] |= (random.random((int((labels == k).sum()), 2, 6)) < 0.5).view(
            np.uint8
        )
    return Samples(images, labels, "bits")


CONFIG = EvolutionConfig(generations=12, population=20, elite=4, mutation=0.02, seed=5)


class Interrupting(Progress):
    """Presses Ctrl-C after some generation."""

    def __init__(self, after: int) -> None:
        self.after = after

    def epoch_done(self, record: EpochRecord) -> None:
        if record.epoch == self.after:
            raise KeyboardInterrupt


def evolve(out: Path, config: EvolutionConfig = CONFIG, resume: bool = False, **more: object) -> EvolutionResult:
    network = draw_network("d12", (1, 6, 6), 3, "bits", config.seed)
    return Evolution(network, stripes(150, 1, 3), stripes(90, 2, 3), config, out, fresh=True, **more).run(resume)  # type: ignore[arg-type]


def without_seconds(records: Sequence[EpochRecord]) -> list[dict[str, object]]:
    return [{name: value for name, value in vars(record).items() if name != "seconds"} for record in records]


def test_networks_get_better_and_the_seed_decides_them(tmp_path: Path) -> None:
    one = evolve(tmp_path / "one")
    last = one.records[-1]
    assert last.train_accuracy > one.records[0].train_accuracy
    assert last.test_accuracy is not None
    assert last.test_accuracy > 0.5  # of three classes
    assert one.evaluated == (20 + 12 * 16) * 150
    network, test = one.network, stripes(90, 2, 3)
    assert float(np.mean(network.predict(test.images) == test.labels)) == last.test_accuracy
    assert evolve(tmp_path / "again").network == network
    assert evolve(tmp_path / "other", EvolutionConfig(**{**vars(CONFIG), "seed": 6})).network != network
    assert without_seconds(read_log(tmp_path / "one")) == without_seconds(one.records)


def test_numpy_gives_the_same_network(tmp_path: Path) -> None:
    compiled, plain = evolve(tmp_path / "c"), evolve(tmp_path / "numpy", compiled=False)
    assert (compiled.compiled, plain.compiled) == (True, False)
    assert compiled.network == plain.network
    assert without_seconds(compiled.records) == without_seconds(plain.records)


def test_without_a_compiler_numpy_does_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    said: list[str] = []

    class Listening(Progress):
        def say(self, line: str) -> None:
            said.append(line)

    assert not evolve(tmp_path / "run", progress=Listening()).compiled
    assert "NumPy runs the networks, which is slower: $CC names the C compiler 'no-such-compiler'" in said[0]


@pytest.mark.parametrize("validation", [0, 40])
def test_an_interrupted_run_ends_as_an_undisturbed_one(tmp_path: Path, validation: int) -> None:
    config = EvolutionConfig(**{**vars(CONFIG), "validation": validation})
    whole = evolve(tmp_path / "whole", config)
    with pytest.raises(TrainingError, match=r"interrupted in generation 6; .*snapshot\.npz holds the network"):
        evolve(tmp_path / "part", config, progress=Interrupting(5))
    with pytest.raises(TrainingError, match="interrupted in generation 9"):
        evolve(tmp_path / "part", config, resume=True, progress=Interrupting(8))
    resumed = evolve(tmp_path / "part", config, resume=True)
    assert resumed.network == whole.network
    assert resumed.fitness == whole.fitness
    assert without_seconds(read_log(tmp_path / "part")) == without_seconds(whole.records)
    if validation:
        training, held_out = stripes(150, 1, 3).split(40)
        ranks = [record.rank() for record in whole.records]
        kept = whole.records[ranks.index(max(ranks))]
        assert float(np.mean(whole.network.predict(held_out.images) == held_out.labels)) == kept.validation_accuracy
        assert float(np.mean(whole.network.predict(training.images) == training.labels)) == kept.train_accuracy


def test_a_run_may_become_longer(tmp_path: Path) -> None:
    short = EvolutionConfig(**{**vars(CONFIG), "generations": 4})
    evolve(tmp_path / "run", short)
    assert evolve(tmp_path / "run", resume=True).network == evolve(tmp_path / "whole").network
    with pytest.raises(TrainingError, match="has 12 generations, 4 are asked for"):
        evolve(tmp_path / "run", short, resume=True)


def test_a_snapshot_of_another_run_or_damaged_is_refused(tmp_path: Path) -> None:
    evolve(tmp_path)
    with pytest.raises(TrainingError, match=r"is of another run: its mutation is 0\.02, this run's 0\.5"):
        evolve(tmp_path, EvolutionConfig(**{**vars(CONFIG), "mutation": 0.5}), resume=True)
    path = tmp_path / "snapshot.npz"
    content = path.read_bytes()
    for damaged in (content[:300], b"", content[:-40] + bytes(40), b"PK" + content):
        path.write_bytes(damaged)
        with pytest.raises(TrainingError, match=r"snapshot\.npz is damaged"):
            evolve(tmp_path, resume=True)


def test_a_trained_network_gets_no_worse(tmp_path: Path) -> None:
    """The first network stays in the elite until another is as fit."""
    first = evolve(tmp_path / "first")
    config = EvolutionConfig(generations=3, population=12, elite=2, mutation=0.001, fitness="accuracy", seed=1)
    training, test = stripes(150, 1, 3), stripes(90, 2, 3)
    second = Evolution(first.network, training, test, config, tmp_path / "second").run()
    assert second.records[0].train_accuracy >= first.records[-1].train_accuracy
    bit = EvolutionConfig(bias="bit")
    with pytest.raises(TrainingError, match="thresholds that are no bits: leave --bias bit out"):
        Evolution(first.network, training, test, bit, tmp_path / "bit")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generations": 0}, "generations is 0: give a whole number from 1 to 200,000"),
        ({"elite": 100}, "elite is 100: give a whole number from 1 to 99"),
        ({"mutation": 1.5}, r"mutation is 1\.5: give a probability from 0 to 1"),
        ({"crossover": float("nan")}, "crossover is nan"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_settings_out_of_range(settings: dict[str, float], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        EvolutionConfig(**settings)  # type: ignore[arg-type]


def test_names_that_do_not_exist() -> None:
    with pytest.raises(UnknownNameError, match="no fitness is called 'scor', did you mean score"):
        EvolutionConfig(fitness="scor")
    with pytest.raises(UnknownNameError, match="no bias is called"):
        EvolutionConfig(bias="byte")
    with pytest.raises(TrainingError, match="architecture 'd0'"):
        draw_network("d0", (1, 4, 4), 2, "bits")
    with pytest.raises(TrainingError, match=r"architecture 'c4k9' on samples of 1×4×4: conv1: a kernel of 9×9 does"):
        draw_network("c4k9", (1, 4, 4), 2, "bits")


def test_random_networks_are_bit_dense() -> None:
    network = draw_network("d800", (1, 28, 28), 2, "bits", 3)
    hidden, last = (layer.transform for layer in network.layers)
    assert isinstance(hidden, Sign)
    assert isinstance(last, Scores)
    assert set(np.unique(hidden.value)) == {-1, 1}
    assert set(np.unique(last.offset)) <= {798, 800}
    GenePlan(network, bias_bits=True)


# The command


def run(*words: str) -> str:
    result = CliRunner().invoke(main, [*words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_story_command_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ZeroOne on the digits: evolve, look at the run, go on, run the network, evolve it further."""
    monkeypatch.chdir(tmp_path)
    data = ["--dataset", "digits", "--classes", "0,1"]
    words = ["evolve", *data, "--fraction", "0.05", "--input", "bits", "--architecture", "d60", "--bias", "bit"]
    small = ["--population", "20", "--elite", "4", "--mutation", "0.02"]
    output = run(*words, *small, "--generations", "4", "--json", "a.json")
    values = json.loads(Path("a.json").read_text())
    network = ebnn.load("runs/evolve-digits/model.ebnn")
    assert (values["hash"], values["class_names"], values["generations"]) == (network.hash, ["0", "1"], 4)
    assert network.meta.class_names == ("0", "1")
    part: Dataset = datasets.load("digits", reading=datasets.Reading(classes=("0", "1"), fraction=0.05))
    assert part.train_images.shape[0] == 2 * 33
    answers = network.predict((part.test_images != 0).view(np.uint8))
    wrong = int((answers != part.test_labels).sum())
    assert f"test error {100 * wrong / len(answers):.2f} %: {wrong} of {len(answers)} samples" in output
    assert values["test_error"] == pytest.approx(wrong / len(answers))
    assert np.array(values["train_confusion"]).sum(axis=1).tolist() == [33, 33]
    assert "ebnn run runs/evolve-digits/model.ebnn --dataset digits --classes 0,1" in output
    assert Path("runs/evolve-digits/history.png").stat().st_size > 1000
    assert "evolve-digits" in run("history", "runs/evolve-digits", "-o", "curve.png")
    more = run(*words, *small, "--generations", "30", "--resume")
    assert "resumed after generation 4 of 30" in more
    assert "class mismatches  0" in run("run", "runs/evolve-digits/model.ebnn", *data, "--limit", "20")
    again = ["evolve", "runs/evolve-digits/model.ebnn", *data, "--out", "on", "--fitness", "mcc", "--validation", "20"]
    last = run(*again, *small, "--generations", "3", "-o", "better.ebnn")
    assert "validation" in last
    assert json.loads(Path("on/test.json").read_text())["epochs"] == 3
    assert ebnn.load("better.ebnn").meta.class_names == ("0", "1")


def test_a_published_network_of_convolutions_evolves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist: Dataset
) -> None:
    monkeypatch.chdir(tmp_path)
    few = ["--population", "4", "--elite", "1", "--generations", "2", "--mutation", "0.0001"]
    assert len(mnist.train_labels) == 60_000
    output = run("evolve", "mnist-tiny", "--dataset", "mnist", "--fraction", "0.002", *few, "--out", "run")
    assert "training error" in output
    assert ebnn.load("run/model.ebnn").layers[0].name == ebnn.load("mnist-tiny").layers[0].name


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--resume", "--overwrite"], "--resume and --overwrite contradict each other"),
        (["--classes", "0,1", "mnist-tiny"], "digits has images of 1×8×8, this network takes 1×28×28"),
        (["--architecture", "d0"], "architecture 'd0'"),
        (["--population", "1"], "population is 1: give a whole number from 2 to 10,000"),
        (["--resume"], "has no snapshot.npz to go on from"),
        (["--validation", "5000"], "validation holds out 5,000 of 1,347 training samples"),
    ],
)
def test_what_cannot_be_is_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["evolve", *words])
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
