"""Training runs: what they learn, log, and refuse; resume equals a run that was never interrupted."""

import contextlib
import io
import json
import math
import tracemalloc
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import chainer
import numpy as np
import pytest
from rich.console import Console

from ebnn.errors import TrainingError, UnknownNameError
from ebnn.frontends.chainer.averaging import WeightAverage
from ebnn.frontends.chainer.statistics import measure_statistics
from ebnn.links import BST, BatchNormalization, BinaryConvolution2D, BinaryLinear
from ebnn.training import FloatChain, TrainConfig, as_samples, build_network, evaluate, logits, predict, train
from ebnn.training.records import LOG_NAME
from ebnn.training.results import SNAPSHOT_NAME

SHAPE = (1, 6, 5)
QUIET = Console(quiet=True)
CONFIG = TrainConfig(epochs=4, batch_size=20, seed=5, shift=1)
ALL_OPTIONS = replace(
    CONFIG,
    warmup=0.5,
    averaging=0.9,
    estimator="approx_sign",
    stochastic=True,
    label_smoothing=0.1,
    distillation=0.5,
    rotation=5,
    scale=0.1,
    elastic=0.3,
    validation=20,
)


def make_set(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images whose class is the brightest of three bars."""
    random = np.random.RandomState(seed)
    labels = random.randint(0, 3, n)
    images = random.randint(0, 100, (n, *SHAPE)).astype(np.uint8)
    images[np.arange(n), :, 2 * labels] += 120
    return images, labels


TRAIN, TEST = make_set(110, 1), make_set(50, 2)


def network(seed: int = 0):
    return build_network("c6k3p1-m2-d9", SHAPE, 3, seed=seed)


def run(model, out: Path, config: TrainConfig = CONFIG, train_set=TRAIN, test_set=TEST, **options):
    return train(model, train_set, test_set, config, out, **({"console": QUIET} | options))


def state(model) -> dict[str, np.ndarray]:
    return {name: np.copy(value) for name, value in chainer.serializers.npz.serialize(model).items()}


def same(a, b) -> bool:
    a, b = state(a), state(b)
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def stop_at(model, batch: int, error: type[BaseException]) -> None:
    """Makes ``model`` raise ``error`` in the forward pass of the given training batch."""
    forward, seen = model.forward, 0

    def counting(x):
        nonlocal seen
        if chainer.config.train and chainer.config.enable_backprop:
            seen += 1
            if seen == batch:
                raise error
        return forward(x)

    model.forward = counting


class Killed(BaseException):
    """Nothing in the trainer can handle this, as nothing can a kill."""


def test_it_learns_and_logs(tmp_path):
    model = network()
    result = run(model, tmp_path, replace(CONFIG, epochs=12, shift=0, learning_rate=0.02))
    assert result.test_accuracy > 0.9
    lines = [json.loads(line) for line in (tmp_path / LOG_NAME).read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, 13))
    assert set(lines[0]) >= {"epoch", "loss", "train_accuracy", "test_accuracy", "seconds"}
    assert lines[-1]["test_accuracy"] == result.test_accuracy
    test = as_samples("test", *TEST, "uint8")
    assert evaluate(model, test).accuracy == result.test_accuracy
    assert np.mean(predict(model, test) == TEST[1]) == result.test_accuracy
    assert result.snapshot == tmp_path / SNAPSHOT_NAME


def test_the_same_seed_gives_the_same_weights(tmp_path):
    models = [network(), network(), network()]
    for i, seed in enumerate((5, 5, 6)):
        np.random.seed(i)  # what the caller does with the global generator must not matter
        run(models[i], tmp_path, replace(CONFIG, seed=seed, epochs=2))
    assert same(models[0], models[1])
    assert not same(models[0], models[2])


@pytest.mark.parametrize("batch", [2, 7, 12, 13, 15])  # 6 batches an epoch
def test_a_resumed_run_equals_an_undisturbed_one(tmp_path, batch):
    undisturbed = network()
    expected = run(undisturbed, tmp_path / "a")
    killed = network()
    stop_at(killed, batch, Killed)
    with pytest.raises(Killed):
        run(killed, tmp_path / "b")
    resumed = network(seed=99)  # its own weights must not matter
    result = run(resumed, tmp_path / "b", resume=True)
    assert same(undisturbed, resumed)
    timeless = [[replace(record, seconds=0) for record in r.records] for r in (expected, result)]
    assert timeless[0] == timeless[1]
    lines = [json.loads(line) for line in (tmp_path / "b" / LOG_NAME).read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]


@pytest.mark.parametrize("optimizer", ["adam", "bop"])
@pytest.mark.parametrize("batch", [3, 8, 14, 19])  # 5 batches an epoch
def test_a_resumed_run_with_every_option_equals_an_undisturbed_one(tmp_path, batch, optimizer):
    teacher = FloatChain(network(seed=8))
    config = replace(ALL_OPTIONS, epochs=4, optimizer=optimizer, bop_gamma=0.01)
    undisturbed, killed, resumed = network(), network(), network(seed=99)
    expected = run(undisturbed, tmp_path / "a", config, teacher=teacher)
    stop_at(killed, batch, Killed)
    with pytest.raises(Killed):
        run(killed, tmp_path / "b", config, teacher=teacher)
    result = run(resumed, tmp_path / "b", config, teacher=teacher, resume=True)
    assert same(undisturbed, resumed)
    assert result.test == expected.test
    assert result.best.epoch == expected.best.epoch


@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, validation=20)])
def test_resuming_a_finished_run_changes_nothing(tmp_path, config):
    model, again = network(), network(seed=1)
    first = run(model, tmp_path, config)
    assert run(again, tmp_path, config, resume=True) == first
    assert same(model, again)


def test_a_run_cannot_become_shorter(tmp_path):
    config = replace(CONFIG, schedule="constant", epochs=2)
    run(network(), tmp_path, config)
    with pytest.raises(TrainingError, match="has 2 epochs, 1 are asked for"):
        run(network(), tmp_path, replace(config, epochs=1), resume=True)


def test_a_constant_rate_can_go_on_for_longer(tmp_path):
    config = replace(CONFIG, schedule="constant")
    whole, parts = network(), network()
    run(whole, tmp_path / "a", config)
    run(parts, tmp_path / "b", replace(config, epochs=2))
    run(parts, tmp_path / "b", config, resume=True)
    assert same(whole, parts)


@pytest.mark.parametrize("done", [2, 3])  # of 3: stopped, or finished
def test_more_epochs_follow_the_longer_schedule(tmp_path, done, capsys):
    """The first ones had the rates of the shorter run; what follows is the same, however often it is interrupted."""
    short, longer = replace(CONFIG, epochs=3), replace(CONFIG, epochs=5)
    for name in "ab":
        model = network()
        if done < 3:
            stop_at(model, 6 * done + 2, Killed)
        with pytest.raises(Killed) if done < 3 else contextlib.nullcontext():
            run(model, tmp_path / name, short)
    whole, parts = network(), network()
    result = run(whole, tmp_path / "a", longer, resume=True, console=None)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "instead of" in line]
    assert line == (
        f"5 epochs instead of 3: the learning rate of the first {done} fell for 3, so the network will be another one "
        "than that of 5 from the start"
    )
    stop_at(parts, 6 * (5 - done) - 2, Killed)
    with pytest.raises(Killed):
        run(parts, tmp_path / "b", longer, resume=True)
    again = run(network(seed=3), tmp_path / "b", longer, resume=True)
    assert (result.earlier, again.earlier) == ((3,), (3,))
    assert [replace(record, seconds=0) for record in result.records] == [
        replace(record, seconds=0) for record in again.records
    ]
    rates = [record.learning_rate for record in result.records]
    assert rates[:done] == [short.rate_at(epoch / 3) for epoch in range(1, done + 1)]
    assert rates[done:] == [longer.rate_at(epoch / 5) for epoch in range(done + 1, 6)]
    with pytest.raises(TrainingError, match=r"run \(epochs 5, now 3\)"):
        run(network(), tmp_path / "a", short, resume=True)
    with pytest.raises(TrainingError, match=r"run \(learning_rate 0\.003, now 0\.1\)"):
        run(network(), tmp_path / "a", replace(longer, epochs=9, learning_rate=0.1), resume=True)


def test_windows_that_move_otherwise_are_another_network(tmp_path):
    """Their parameters have the same shapes."""
    run(build_network("c6k3p1-m2", SHAPE, 3), tmp_path, replace(CONFIG, epochs=1))
    with pytest.raises(TrainingError, match=r"run \(network .* parameters .*, now"):
        run(build_network("c6k3s2p1-m1", SHAPE, 3), tmp_path, replace(CONFIG, epochs=1), resume=True)


@pytest.mark.parametrize("every", [1, 3])
def test_an_interrupt_keeps_the_last_whole_epoch(tmp_path, every):
    config = replace(CONFIG, snapshot_every=every)
    model, resumed, undisturbed = network(), network(), network()
    stop_at(model, 6 + 6 + 3, KeyboardInterrupt)
    with pytest.raises(
        TrainingError, match=r"interrupted in epoch 3; .*snapshot.npz holds .* after epoch 2: go on with"
    ):
        run(model, tmp_path, config)
    run(resumed, tmp_path, config, resume=True)
    run(undisturbed, tmp_path / "a", config)
    assert same(resumed, undisturbed)


def test_without_snapshots_an_interrupt_says_so(tmp_path):
    model = network()
    stop_at(model, 3, KeyboardInterrupt)
    with pytest.raises(TrainingError, match="interrupted in epoch 1; no snapshots were asked for"):
        run(model, tmp_path, replace(CONFIG, snapshot_every=0))
    assert not (tmp_path / SNAPSHOT_NAME).exists()


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "foreign", "text"])
def test_a_damaged_snapshot_is_named(tmp_path, damage):
    run(network(), tmp_path, replace(CONFIG, epochs=1))
    path = tmp_path / SNAPSHOT_NAME
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[content.index(b"model:main/l1/bconv/W.npy") + 200] ^= 0x10  # in its array
    path.write_bytes({"empty": b"", "cut": content[:-100], "text": b"hello"}.get(damage, content))
    if damage == "foreign":
        np.savez(path, weights=np.zeros(3))
    with pytest.raises(TrainingError, match=r"snapshot.npz is damaged or no snapshot of a training run: delete it"):
        run(network(), tmp_path, replace(CONFIG, epochs=1), resume=True)


def rewrite(path: Path, packing: int = zipfile.ZIP_STORED, **changed: np.ndarray) -> None:
    """Puts other arrays into a snapshot."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files} | changed
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, np.asanyarray(array))
            archive.writestr(f"{name}.npy", data.getvalue())


def described(path: Path, **changed) -> np.ndarray:
    """The description of a snapshot with other values."""
    with np.load(path) as file:
        description = json.loads(file["description"].tobytes()) | changed
    return np.frombuffer(json.dumps(description).encode(), np.uint8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: {"packing": zipfile.ZIP_BZIP2}, "is damaged or no snapshot"),
        (lambda path: {"zeros": np.zeros(10**8, np.uint8), "packing": zipfile.ZIP_DEFLATED}, "is damaged or no snap"),
        (lambda path: {"description": np.frombuffer(b"[" * 100_000, np.uint8)}, "is damaged or no snapshot"),
        (lambda path: {"description": described(path, records=[{"epoch": 1}])}, "is damaged or no snapshot"),
        (lambda path: {"description": described(path, records=7)}, "is damaged or no snapshot"),
        (lambda path: {"description": described(path, identity=3)}, "is damaged or no snapshot"),
        (lambda path: {"model:main/l1/bn/beta": np.float32(7)}, r"state \(model:main/l1/bn/beta is float32 of shape"),
        (lambda path: {"optimizer:main/l1/bn/beta/m": np.zeros(6)}, r"/m is float64 of shape \(6,\), not float32"),
        (lambda path: {"iterator:main/epoch": np.int64(10**9)}, "not the end of its last epoch"),
        (lambda path: {"iterator:main/position": np.int64(3)}, "not the end of its last epoch"),
        (lambda path: {"kept:other": np.zeros(3)}, "kept:other is float64"),
        (lambda path: {"kept:l1/bn/beta/m": np.zeros(6, np.float32)}, "kept has other parameters"),
    ],
)
def test_a_hostile_snapshot_is_refused(tmp_path, change, message):
    run(network(), tmp_path, replace(CONFIG, epochs=1))
    path = tmp_path / SNAPSHOT_NAME
    rewrite(path, **change(path))
    with pytest.raises(TrainingError, match=message):
        run(network(), tmp_path, replace(CONFIG, epochs=1), resume=True)


def test_an_array_that_says_it_is_huge_takes_no_memory(tmp_path):
    run(network(), tmp_path, replace(CONFIG, epochs=1))
    path = tmp_path / SNAPSHOT_NAME
    with zipfile.ZipFile(path, "a") as archive:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (2**40,)})
        archive.writestr("iteration2.npy", header.getvalue())
    tracemalloc.start()
    with pytest.raises(TrainingError, match="is damaged or no snapshot"):
        run(network(), tmp_path, replace(CONFIG, epochs=1), resume=True)
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_a_snapshot_of_another_run_is_named(tmp_path):
    run(network(), tmp_path)
    with pytest.raises(TrainingError, match=r"run \(batch_size 20, now 32; learning_rate 0\.003, now 0\.1\)"):
        run(network(), tmp_path, replace(CONFIG, learning_rate=0.1, batch_size=32), resume=True)
    with pytest.raises(TrainingError, match="training set 110 samples"):
        run(network(), tmp_path, train_set=make_set(110, 3), resume=True)
    with pytest.raises(TrainingError, match=r"network .* parameters"):
        run(build_network("d9", SHAPE, 3), tmp_path, resume=True)


def test_the_best_epoch_is_kept_and_the_test_set_used_once(tmp_path, monkeypatch):
    seen = []

    def evaluating(model, samples, loss):
        seen.append((len(samples), state(model)))
        return evaluate(model, samples, loss)

    monkeypatch.setattr("ebnn.frontends.chainer.trainer.evaluate", evaluating)
    model = network()
    result = run(model, tmp_path, replace(CONFIG, epochs=8, validation=30, learning_rate=0.5, schedule="constant"))
    assert [n for n, _ in seen] == [30] * 8 + [len(TEST[0])]
    accuracies = [record.validation_accuracy for record in result.records]
    assert result.best.validation_accuracy == max(accuracies)
    assert result.best.epoch < 8  # else this would not tell the best from the last
    assert all(np.array_equal(value, seen[result.best.epoch - 1][1][name]) for name, value in state(model).items())
    assert result.test == evaluate(model, as_samples("test", *TEST, "uint8"))
    lines = [json.loads(line) for line in (tmp_path / LOG_NAME).read_text().splitlines()]
    assert [line["validation_accuracy"] for line in lines] == accuracies
    assert "test_accuracy" not in lines[0]
    loaded = network(seed=1)
    chainer.serializers.load_npz(tmp_path / "chain.npz", loaded)
    assert same(loaded, model)


def test_the_average_of_all_steps_is_kept(tmp_path, monkeypatch):
    """Its weights are recomputed here from those after every step; its statistics are its own."""
    model, decay, steps = network(), 0.8, []
    expected = {name: p.array.copy() for name, p in model.namedparams()}
    update = WeightAverage.update

    def watching(average, step):
        update(average, step)
        steps.append({name: p.array.copy() for name, p in average.model.namedparams()})

    monkeypatch.setattr(WeightAverage, "update", watching)
    run(model, tmp_path, replace(CONFIG, epochs=2, averaging=decay))
    assert len(steps) == 12
    for i, step in enumerate(steps, 1):
        kept = min(decay, (1 + i) / (10 + i))
        expected = {name: kept * value + (1 - kept) * step[name] for name, value in expected.items()}
    for name, parameter in model.namedparams():
        np.testing.assert_allclose(parameter.array, expected[name], rtol=1e-4, atol=1e-6)
    means = model.link_order()[0].bn.avg_mean.copy()
    measure_statistics(model, as_samples("training", *TRAIN, "uint8"), CONFIG.statistics_samples)
    assert np.array_equal(model.link_order()[0].bn.avg_mean, means)


def test_the_validation_set_is_held_out():
    samples = as_samples("training", *TRAIN, "uint8")
    rest, held_out = samples.split(30)
    assert (len(rest), len(held_out)) == (80, 30)
    both = np.concatenate([rest.images, held_out.images])
    order = [int(np.flatnonzero((TRAIN[0] == image).all(axis=(1, 2, 3)))[0]) for image in both]
    assert sorted(order) == list(range(110))
    assert np.array_equal(np.concatenate([rest.labels, held_out.labels]), TRAIN[1][order])
    assert np.array_equal(samples.split(30)[1].images, held_out.images)


def test_a_student_learns_what_its_teacher_says(tmp_path):
    """With distillation alone the labels do not matter."""
    teacher = FloatChain(network())
    run(teacher, tmp_path / "teacher", replace(CONFIG, epochs=12, shift=0, clip_weights=False))
    before = state(teacher)
    config = replace(CONFIG, epochs=12, shift=0, learning_rate=0.02, distillation=1.0)
    student = network(seed=1)
    wrong = (TRAIN[0], (TRAIN[1] + 1) % 3)
    assert run(student, tmp_path / "student", config, wrong, teacher=teacher).test_accuracy > 0.9
    assert all(np.array_equal(value, before[name]) for name, value in state(teacher).items())


def test_a_teacher_goes_with_distillation(tmp_path):
    with pytest.raises(TrainingError, match=r"distillation is 0\.5: give a teacher"):
        run(network(), tmp_path, replace(CONFIG, distillation=0.5))
    with pytest.raises(TrainingError, match=r"distillation is 0\.0: give a teacher with a weight above 0"):
        run(network(), tmp_path, teacher=FloatChain(network()))
    config = replace(CONFIG, epochs=1, distillation=0.5)
    run(network(), tmp_path, config, teacher=FloatChain(network()))
    with pytest.raises(TrainingError, match=r"run \(teacher \w{8}, now \w{8}\)"):
        run(network(), tmp_path, config, teacher=FloatChain(network(seed=1)), resume=True)


def test_more_validation_than_samples_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="validation holds out 110 samples, the training set has 110"):
        run(network(), tmp_path, replace(CONFIG, validation=110))


def test_evaluation_leaves_the_statistics(tmp_path):
    model = network()
    run(model, tmp_path, replace(CONFIG, epochs=1, statistics_samples=0))
    before = state(model)
    samples = as_samples("test", *TEST, "uint8")
    assert chainer.config.train
    first = logits(model, samples, batch_size=7)
    evaluate(model, samples)
    assert chainer.config.train
    assert all(np.array_equal(value, before[name]) for name, value in state(model).items())
    np.testing.assert_allclose(first, logits(model, samples), rtol=1e-5, atol=1e-5)


def test_statistics_are_those_of_the_training_set(tmp_path):
    model = network()
    run(model, tmp_path, replace(CONFIG, epochs=1, shift=0))
    first = model.link_order()[0]
    sums = first.pool(first.bconv(TRAIN[0].astype(np.float32))).array
    np.testing.assert_allclose(first.bn.avg_mean, sums.mean(axis=(0, 2, 3)), rtol=1e-5)
    n = sums[:, 0].size
    np.testing.assert_allclose(first.bn.avg_var, sums.var(axis=(0, 2, 3)) * n / (n - 1), rtol=1e-5)
    assert all(link.decay == 0.9 for link in model.links() if isinstance(link, BatchNormalization))


def test_latent_weights_are_clipped_and_all_is_float32(tmp_path):
    for clip in (True, False):
        model = network()
        run(model, tmp_path, replace(CONFIG, learning_rate=0.5, clip_weights=clip))
        layers = [link for link in model.links() if isinstance(link, BinaryLinear | BinaryConvolution2D)]
        assert len(layers) == 3
        assert (max(np.abs(link.W.array).max() for link in layers) <= 1) == clip
    for name, value in state(model).items():
        assert value.dtype == np.float32 or name.endswith("/N"), name


def test_the_estimator_reaches_every_sign(tmp_path):
    model = network()
    run(model, tmp_path, replace(CONFIG, epochs=1, estimator="approx_sign"))
    assert [link.estimator for link in model.links() if isinstance(link, BST)] == ["approx_sign"] * 2


@pytest.mark.parametrize("kind", ["bits", "int8", "float"])
def test_other_kinds_of_input(tmp_path, kind):
    def convert(images):
        return {"bits": images > 110, "int8": (images // 2).astype(np.int8), "float": images / np.float32(255)}[kind]

    model = build_network("d16", SHAPE, 3, input_kind=kind)
    sets = [(convert(images), labels) for images, labels in (TRAIN, TEST)]
    assert run(model, tmp_path, replace(CONFIG, epochs=12, shift=0, learning_rate=0.02), *sets).test_accuracy > 0.8


def test_bits_are_minus_and_plus_one():
    samples = as_samples("test", np.array([[[0, 1]]]), np.array([0]), "bits")
    seen = []

    def model(x):
        seen.append(x)
        return chainer.Variable(np.zeros((1, 2), np.float32))

    model.xp = np
    logits(model, samples)
    assert seen[0].tolist() == [[[[-1, 1]]]]
    assert seen[0].dtype == np.float32


def test_flips_are_those_of_the_epoch(tmp_path):
    """Recounted here from the weights before and after a run of one epoch."""
    model = network()
    layers = [link for link in model.links() if isinstance(link, BinaryLinear | BinaryConvolution2D)]
    before = [np.sign(link.W.array) for link in layers]
    result = run(model, tmp_path, replace(CONFIG, epochs=1, learning_rate=0.1))
    counts = [int((np.sign(link.W.array) != signs).sum()) for link, signs in zip(layers, before, strict=True)]
    assert 0 < sum(counts) < sum(signs.size for signs in before)
    assert result.records[0].flips == sum(counts) / sum(signs.size for signs in before)
    floats = run(FloatChain(network()), tmp_path / "float", replace(CONFIG, epochs=1, clip_weights=False))
    assert floats.records[0].flips is None


def test_stochastic_signs_are_for_gradients_alone(tmp_path):
    """What is measured and evaluated is the network of the plain sign, which has no random numbers left."""
    model = network()
    result = run(model, tmp_path, replace(CONFIG, stochastic=True, epochs=12, learning_rate=0.02))
    assert result.test_accuracy > 0.8
    assert [link.random for link in model.links() if isinstance(link, BST)] == [None, None]
    assert evaluate(model, as_samples("test", *TEST, "uint8")) == result.test
    means = model.link_order()[1].bn.avg_mean.copy()
    measure_statistics(model, as_samples("training", *TRAIN, "uint8"), CONFIG.statistics_samples)
    assert np.array_equal(model.link_order()[1].bn.avg_mean, means)
    plain, again = network(), network()
    run(plain, tmp_path, replace(CONFIG, epochs=2))
    run(again, tmp_path, replace(CONFIG, epochs=2, stochastic=True))
    assert not same(plain, again)


def poison(model, normalization) -> None:
    """Makes a value not finite in the first training batch."""
    forward = model.forward

    def poisoning(x):
        if chainer.config.train and chainer.config.enable_backprop:
            normalization.gamma.array[0] = np.nan
        return forward(x)

    model.forward = poisoning


def test_a_loss_that_is_not_finite_stops(tmp_path):
    model = network()
    poison(model, model.l3.bn)
    with pytest.raises(TrainingError, match=r"loss became nan in epoch 1 with a learning rate of 0\.003: use a lower"):
        run(model, tmp_path)
    hidden = network()
    poison(hidden, hidden.l1.bn)  # the sign makes -1 of it, and the loss stays finite
    with pytest.raises(TrainingError, match=r"l1/b\w+/\w+ holds a value that is not finite after epoch 1"):
        run(hidden, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_set": (TRAIN[0][:0], TRAIN[1][:0])}, "the training set is empty"),
        ({"test_set": (TEST[0][:0], TEST[1][:0])}, "the test set is empty"),
        ({"train_set": (TRAIN[0], TRAIN[1] + 1)}, "label 3, the network 3 classes, 0 to 2: subtract 1 from"),
        ({"train_set": (TRAIN[0], TRAIN[1] + 100)}, "label 102, the network 3 classes, 0 to 2: subtract 100 from"),
        ({"train_set": (TRAIN[0], TRAIN[1] * 2)}, "label 4, the network 3 classes, 0 to 2: build it with more classes"),
        ({"train_set": (TRAIN[0], TRAIN[1] + 253)}, "has the label 255: classes count from 0 to 254, subtract 253"),
        ({"train_set": (TRAIN[0], TRAIN[1] * 0 + 2)}, "all 110 training samples have the label 2"),
        ({"train_set": (TRAIN[0], [[1], [1, 2]])}, "training labels differ in shape"),
        ({"train_set": ([[1], [1, 2]], TRAIN[1])}, "the training set: samples that differ in shape"),
        ({"train_set": (TRAIN[0].astype(object), TRAIN[1])}, "training images are object"),
        ({"train_set": (TRAIN[0], TRAIN[1] - 1)}, "training set has the label -1: classes count from 0"),
        ({"train_set": (TRAIN[0], TRAIN[1][:-1])}, r"training labels have shape \(109,\) .*: give \(110,\) integers"),
        ({"train_set": (TRAIN[0], TRAIN[1] / 2)}, "type float64"),
        ({"train_set": (TRAIN[0] / 2, TRAIN[1])}, "training images are float64: uint8 input takes uint8"),
        (
            {"train_set": (TRAIN[0][:, 0, 0], TRAIN[1])},
            r"shape \(110, 5\) do not fit: this network takes \(n, 1, 6, 5\)",
        ),
        ({"test_set": (TEST[0][..., :4], TEST[1])}, r"the test set: samples of shape \(50, 1, 6, 4\) do not fit"),
        ({"input_kind": "bits"}, "the network takes uint8, input_kind is bits: leave it out"),
        ({"input_kind": "pixels"}, "input kind 'pixels' is unknown: use one of bits, uint8"),
    ],
)
def test_data_that_do_not_fit(tmp_path, change, message):
    with pytest.raises(TrainingError, match=message):
        run(network(), tmp_path, **change)


@pytest.mark.parametrize("kind", ["bits", "uint8", "int8", "float"])
@pytest.mark.parametrize("change", [lambda x: x.astype(object), lambda x: x.astype(str), lambda x: x * 1j])
def test_types_that_are_no_numbers(kind, change):
    with pytest.raises(TrainingError, match="the test images are"):
        as_samples("test", change(TEST[0]), TEST[1], kind)


def test_images_that_do_not_fit_the_network(tmp_path):
    sets = [(images[..., :3], labels) for images, labels in (TRAIN, TEST)]
    with pytest.raises(TrainingError, match=r"training set: samples of shape \(110, 1, 6, 3\) do not fit"):
        run(network(), tmp_path, CONFIG, *sets)


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot make the folder"):
        run(network(), tmp_path / "file" / "out")


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"epochs": True},
        {"epochs": np.float32(2)},
        {"epochs": "2"},
        {"epochs": np.arange(2)},
        {"learning_rate": "0.1"},
        {"learning_rate": True},
        {"learning_rate": 10**400},
        {"learning_rate": 1 + 0j},
        {"warmup": None},
        {"stochastic": 1},
        {"tensorboard": "no"},
        {"optimizer": None},
        {"estimator": 3},
        {"batch_size": 1.5},
        {"learning_rate": 0},
        {"learning_rate": math.nan},
        {"final_rate": 0},
        {"final_rate": 1.1},
        {"schedule": "linear"},
        {"estimator": "step"},
        {"optimizer": "sgd"},
        {"bop_gamma": 0},
        {"bop_gamma": 1.5},
        {"bop_gamma": math.nan},
        {"bop_threshold": 0},
        {"bop_threshold": math.inf},
        {"statistics_samples": -1},
        {"seed": -1},
        {"shift": -1},
        {"validation": -1},
        {"warmup": -0.5},
        {"averaging": 1},
        {"averaging": 0.9, "statistics_samples": 0},
        {"label_smoothing": 1},
        {"distillation": 1.5},
        {"temperature": 0},
        {"rotation": math.nan},
        {"scale": -0.1},
        {"elastic": 11},
    ],
)
def test_settings_out_of_range_are_named(change):
    with pytest.raises((TrainingError, UnknownNameError), match=next(iter(change))):
        TrainConfig(**change)


def test_numbers_of_numpy_are_kept_as_plain_ones():
    given = {"epochs": np.int64(3), "seed": np.uint8(7), "learning_rate": np.float32(0.5), "rotation": 5}
    config = TrainConfig(**given, warmup=np.int8(1), clip_weights=np.bool_(False), schedule=np.str_("constant"))
    plain = TrainConfig(3, seed=7, learning_rate=0.5, rotation=5.0, warmup=1.0, clip_weights=False, schedule="constant")
    assert config == plain
    assert json.dumps(asdict(config)) == json.dumps(asdict(plain))
    assert {type(value) for value in asdict(config).values()} == {int, float, bool, str, type(None)}


def test_learning_rates():
    expected = {"constant": [1, 1, 1], "cosine": [1, 0.505, 0.01], "exponential": [1, 0.1, 0.01]}
    for schedule, rates in expected.items():
        config = TrainConfig(schedule=schedule, learning_rate=1)
        assert [config.rate_at(progress) for progress in (0, 0.5, 1)] == pytest.approx(rates)


def test_a_warm_up_rises_from_zero_and_joins_the_schedule():
    config = TrainConfig(epochs=10, warmup=2, learning_rate=1)
    plain = replace(config, warmup=0)
    assert [config.rate_at(p) for p in (0, 0.1)] == pytest.approx([0, plain.rate_at(0.1) / 2])
    assert [config.rate_at(p) for p in (0.2, 0.6, 1)] == [plain.rate_at(p) for p in (0.2, 0.6, 1)]


def test_lines_where_there_is_no_terminal(tmp_path, capsys):
    run(network(), tmp_path, replace(CONFIG, epochs=2), console=None)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("epoch 2/2  loss ")
    run(network(), tmp_path, replace(CONFIG, epochs=2), console=None, resume=True)
    assert capsys.readouterr().out == "resumed after epoch 2 of 2\n"


def test_a_bar_on_a_terminal(tmp_path):
    import io

    screen = io.StringIO()
    run(network(), tmp_path, console=Console(file=screen, force_terminal=True, width=100))
    assert "24/24" in screen.getvalue()
    assert "left" in screen.getvalue()


@pytest.mark.parametrize("label", [-1, 255, 2**32, 2**40])
def test_a_label_that_no_class_has_is_refused(tmp_path, label):
    images, labels = TRAIN
    labels = labels.astype(np.int64)
    labels[3] = label
    with pytest.raises(TrainingError, match=f"the training set has the label {label}"):
        run(network(), tmp_path, train_set=(images, labels))


@pytest.mark.parametrize("shift", [min(SHAPE[1:]), 4_000_000_000])
def test_a_shift_out_of_sight_is_refused(tmp_path, shift):
    with pytest.raises(TrainingError, match=f"shift {shift} moves images .* out of sight"):
        run(network(), tmp_path, replace(CONFIG, shift=shift))
