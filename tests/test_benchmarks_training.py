"""The benchmarks of training: what the ablation compares, and that plain Chainer's step does the same work."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import chainer
import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks import ablation
from benchmarks.ablation import BASE, BASE_NAME, VARIANTS, Results, Setting, document, table
from benchmarks.training import Case, PlainChain, Stepper, measure, summarize
from ebnn import datasets
from ebnn.errors import TrainingError
from ebnn.frontends.chainer.losses import cross_entropy
from ebnn.functions import estimator_names
from ebnn.training import as_samples, build_network, train

TINY = ("--data", "digits", "--architecture", "c4k3-m2", "--limit", "600", "--validation", "100", "--epochs", "2")
SETTING = Setting("c4k3-m2", "digits", 600, replace(BASE, epochs=2, validation=100))
QUIET = Console(quiet=True)


def run_ablation(*arguments: str) -> str:
    result = CliRunner().invoke(ablation.main, arguments)
    assert result.exception is None, result.output
    return result.output


def rows(out: str) -> dict[str, dict]:
    return {row["variant"]: row for row in json.loads(Path(out, "results.json").read_text())["runs"]}


def test_the_ablation_trains_what_it_says_and_repeats_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = run_ablation("--out", "out", *TINY, "--only", "base", "--only", "distillation 0.5")
    assert output.count("epoch 2/2") == 3  # a teacher among them
    data = datasets.load("digits")
    chain = build_network("c4k3-m2", data.shape, data.classes, data.kind, seed=0)
    images, labels = data.train_images[:600], data.train_labels[:600]
    alone = train(chain, (images, labels), (images[:1], labels[:1]), SETTING.base, tmp_path / "alone", console=QUIET)
    row = rows("out")["base"]
    assert (row["epoch"], row["seed"]) == (alone.best.epoch, 0)
    assert row["validation_accuracy"] == alone.best.validation_accuracy
    assert row["validation_loss"] == alone.best.validation_loss
    again = run_ablation("--out", "out", *TINY, "--only", "base", "--only", "batch 64", "--seeds", "1")
    assert again.count("epoch 2/2") == 1
    assert rows("out").keys() == {"base", "distillation 0.5", "batch 64"}
    assert rows("out")["base"] == row
    assert "batch 64" in again.splitlines()[-2]


def test_a_variant_that_was_stopped_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_ablation("--out", "out", *TINY, "--only", "base")
    before = rows("out")
    Path("out/results.json").unlink()  # as if it had been killed before it was written
    output = run_ablation("--out", "out", *TINY, "--only", "base")
    assert "resumed after epoch 2 of 2" in output
    assert rows("out") == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "magic"], "no variant is called 'magic': there are base, no averaging"),
        (["--limit", "500"], "has results of other settings"),
        (["--epochs", "0"], "epochs is 0"),
        (["--out", "fresh", "--validation", "600"], "--validation is 600, of 600 training images"),
        (["--out", "fresh", "--validation", "0"], "--validation is 0"),
    ],
)
def test_the_ablation_refuses(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/results.json").write_text(json.dumps({"setting": SETTING.values(), "runs": []}))
    result = CliRunner().invoke(ablation.main, ["--out", "out", *TINY, *arguments])
    assert result.exit_code == 1
    assert message in result.output
    assert not list(Path().rglob("log.jsonl"))


def test_damaged_results_are_refused(tmp_path):
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(TrainingError, match="is damaged: delete it"):
        Results(tmp_path / "results.json", SETTING)


def test_the_ablation_has_no_test_images():
    data = datasets.load("digits")
    _, held_out = as_samples("training", data.train_images[:600], data.train_labels[:600], data.kind).split(100)
    (train_images, _), (test_images, test_labels) = SETTING.task(None, QUIET).sets
    assert np.array_equal(train_images, data.train_images[:600])
    assert np.array_equal(test_images, held_out.images)
    assert np.array_equal(test_labels, held_out.labels)


def test_each_variant_is_one_change():
    configs = [variant.config(BASE, 3) for variant in VARIANTS]
    assert configs[0] == replace(BASE, seed=3)
    assert len({tuple(asdict(config).items()) for config in configs}) == len(VARIANTS)
    assert len({variant.folder for variant in VARIANTS}) == len(VARIANTS)
    assert {config.estimator for config in configs} == set(estimator_names())
    assert all(variant.source for variant in VARIANTS)


def test_differences_are_taken_over_seeds_that_the_base_has(tmp_path):
    results = Results(tmp_path / "results.json", SETTING)
    for variant, seed, accuracy, loss in [
        (BASE_NAME, 0, 0.90, 0.4),
        (BASE_NAME, 1, 0.92, 0.2),
        ("batch 64", 1, 0.93, 0.1),
        ("batch 64", 2, 0.99, 0.3),
    ]:
        row = {"variant": variant, "seed": seed, "epoch": 1, "validation_accuracy": accuracy, "validation_loss": loss}
        results.add(row)
    lines = [" ".join(line.split()) for line in document(results, SETTING, VARIANTS).splitlines()]
    shown = [line for line in lines if line.startswith(("| base", "| batch"))]
    assert len(table(results, VARIANTS).rows) == 2
    assert shown[0].startswith("| base | 2 | 91.00 | 1.41 | 0.3000 | |")
    assert shown[1].startswith("| batch 64 | 2 | 96.00 | 4.24 | 0.2000 | +1.00 |")
    assert Results(tmp_path / "results.json", SETTING).rows == results.rows


@pytest.mark.parametrize("architecture", ["c4k3-m2-c8k3p1-d12", "d16"])
def test_plain_chainer_does_the_same(architecture):
    """Loss, gradients and the weights after steps of Adam: the benchmark compares two ways to one result."""
    random = np.random.RandomState(0)
    x = random.randint(0, 256, (20, 1, 8, 8)).astype(np.float32)
    labels = random.randint(0, 10, 20).astype(np.int32)
    model = build_network(architecture, (1, 8, 8), 10)
    plain = PlainChain(model)
    found = []
    for chain in (model, plain):
        optimizer = chainer.optimizers.Adam(0.01).setup(chain)
        losses = []
        for _ in range(3):
            chain.cleargrads()
            loss = cross_entropy(chain(x), labels, 0.0)
            loss.backward()
            gradients = [parameter.grad.copy() for parameter in chain.params()]
            optimizer.update()
            losses.append(float(loss.array))
        found.append((losses, gradients, [parameter.array for parameter in chain.params()]))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-4)
    shapes = [sorted(part.shape for part in parts) for _, parts, _ in found]
    assert shapes[0] == shapes[1]
    for which in (1, 2):
        sums = [sorted(float(np.abs(part).sum()) for part in side[which]) for side in found]
        assert sums[0] == pytest.approx(sums[1], rel=1e-3)


@pytest.mark.parametrize("side", ["ebnn", "plain"])
def test_a_step_trains(side):
    stepper = Stepper(Case("mnist-tiny", 1, True), side, images=16)
    before = [parameter.array.copy() for parameter in stepper.model.params()]
    assert stepper.steps(2) > 0
    after = [parameter.array for parameter in stepper.model.params()]
    assert all((old != new).any() for old, new in zip(before, after, strict=True))


def test_both_sides_take_turns_in_processes_of_their_own():
    speed = measure(Case("mnist-tiny", 2, False), rounds=1, steps=1)
    assert speed.ratio == speed.ebnn / speed.plain > 0


def test_medians_of_turns():
    speed = summarize(Case("mnist-tiny", 1, False), [(10, 5), (30, 10), (20, 20)])
    assert (speed.ebnn, speed.plain, speed.ratio) == (20, 10, 2)
