"""What BinaryConnect trains with: drawn weights, scaled rates, first weights by name, dropout, squared hinge."""

import json
from dataclasses import replace
from pathlib import Path

import chainer
import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from ebnn import load
from ebnn.cli import main
from ebnn.errors import TrainingError, UnknownNameError
from ebnn.frontends.chainer.initialization import draw_weights
from ebnn.frontends.chainer.latent import rate_scales
from ebnn.frontends.chainer.losses import squared_error, squared_hinge
from ebnn.links import BinaryLinear, QuantLinear
from ebnn.training import FloatChain, TrainConfig, build_network, evaluate, train
from ebnn.training.labelled_samples import as_samples

QUIET = Console(quiet=True)
SHAPE = (1, 4, 4)
RANDOM = np.random.RandomState(1)
TRAIN = RANDOM.randint(0, 256, (60, *SHAPE)).astype(np.uint8), RANDOM.randint(0, 3, 60)
CONFIG = TrainConfig(epochs=3, batch_size=20, seed=4, init="he", schedule="constant")


def weights_of(model):
    return {name: np.copy(value) for name, value in chainer.serializers.npz.serialize(model).items()}


def trained(folder: Path, config: TrainConfig, architecture: str = "c4k3a8-d9", model=None, **options):
    model = build_network(architecture, SHAPE, 3) if model is None else model
    train(model, TRAIN, TRAIN, config, folder, console=QUIET, **options)
    return weights_of(model)


def test_squared_error_by_hand():
    """Two samples of two classes: (1 − 0.5)² + (−1 − 1)² and (−1 − 0)² + (1 − 1)²."""
    answers = chainer.Variable(np.float32([[0.5, 1], [0, 1]]))
    labels = np.int32([0, 1])
    assert float(squared_error(answers, labels).array) == pytest.approx((0.25 + 4 + 1 + 0) / 4)
    assert float(squared_error(answers, labels, np.float32([2, 4])).array) == pytest.approx((2 * 4.25 + 4) / 4)


def test_squared_hinge_by_hand():
    answers = chainer.Variable(np.array([[0.5, -2.0, 1.0], [1.5, 0.0, -1.0]], np.float32))
    labels = np.array([0, 2], np.int32)
    # 1 − 0.5, 1 − 2 → 0, 1 + 1; 1 + 1.5, 1 + 0, 1 + 1
    first, second = 0.5**2 + 0 + 2**2, 2.5**2 + 1 + 2**2
    assert float(squared_hinge(answers, labels).array) == pytest.approx((first + second) / 6)
    weights = np.array([3, 1, 0.5], np.float32)
    assert float(squared_hinge(answers, labels, weights).array) == pytest.approx((3 * first + 0.5 * second) / 6)


@pytest.mark.parametrize("layer", [BinaryLinear, QuantLinear])
def test_weights_are_drawn_in_training_alone(layer):
    link = layer(4, 1, nobias=True) if layer is BinaryLinear else layer(4, 1, True, "binary")
    link.W.array[...] = [[-1.5, -0.5, 0.5, 2.0]]
    link.random = np.random.default_rng(0)
    one_hot = np.eye(4, dtype=np.float32)
    with chainer.using_config("train", True):
        drawn = np.stack([link(one_hot).array[:, 0] for _ in range(2000)])
        with chainer.no_backprop_mode():
            statistics = link(one_hot).array[:, 0]
    assert set(np.unique(drawn)) == {-1, 1}
    # clip((w + 1) / 2, 0, 1): four standard deviations around 0.25 and 0.75
    np.testing.assert_allclose((drawn == 1).mean(axis=0), [0, 0.25, 0.75, 1], atol=4 * (0.1875 / 2000) ** 0.5)
    assert statistics.tolist() == [-1, -1, 1, 1]
    with chainer.using_config("train", False):
        assert link(one_hot).array[:, 0].tolist() == [-1, -1, 1, 1]


def test_scaled_signs_are_drawn_too():
    link = QuantLinear(3, 1, True, "bwn")
    link.W.array[...] = [[0.5, -0.25, 0.75]]
    link.random = np.random.default_rng(0)
    with chainer.using_config("train", True):
        drawn = np.stack([link(np.eye(3, dtype=np.float32)).array[:, 0] for _ in range(50)])
    np.testing.assert_allclose(np.abs(drawn), 0.5)  # the mean magnitude
    assert len(np.unique(drawn)) == 2


def test_the_gradient_passes_drawn_weights_unchanged():
    link = BinaryLinear(3, 2, nobias=True)
    link.random = np.random.default_rng(0)
    x = np.array([[1, 2, 3]], np.float32)
    with chainer.using_config("train", True):
        loss = chainer.functions.sum(link(x))
        link.cleargrads()
        loss.backward()
    assert link.W.grad.tolist() == [[1, 2, 3], [1, 2, 3]]


@pytest.mark.parametrize(
    ("name", "variance"), [("lecun", 1 / 400), ("he", 2 / 400), ("glorot", 2 / (400 + 300))], ids=lambda each: str(each)
)
def test_first_weights_have_their_distribution(name, variance):
    model = build_network("d300-d300", (1, 20, 20), 3)
    before = np.copy(model.l1.bl.W.array)
    expected = np.random.RandomState(1).rand()
    np.random.seed(1)
    draw_weights(model, name, 1)
    drawn = np.copy(model.l1.bl.W.array)
    assert not np.array_equal(before, drawn)
    assert drawn.var() == pytest.approx(variance, rel=0.02)
    assert abs(drawn.mean()) < 4 * (variance / drawn.size) ** 0.5
    assert np.random.rand() == expected
    draw_weights(model, name, 1)
    assert np.array_equal(drawn, model.l1.bl.W.array)


def test_rates_grow_with_a_layer():
    """Adam's first step moves every weight by the rate, so the scales show."""
    model = build_network("c4k3-d9", SHAPE, 3)
    assert rate_scales(model) == pytest.approx([(45 / 1.5) ** 0.5, (25 / 1.5) ** 0.5, (12 / 1.5) ** 0.5])


@pytest.mark.parametrize("scaled", [False, True])
def test_a_scaled_rate_moves_latent_weights_by_its_scale(tmp_path, scaled):
    model = build_network("d9", SHAPE, 3)
    before = weights_of(model)
    config = TrainConfig(epochs=1, batch_size=60, learning_rate=1e-3, schedule="constant", scale_rate=scaled)
    after = trained(tmp_path, config, model=model)
    moved = {name: np.abs(after[name] - before[name]).max() for name in before if name.endswith(("W", "beta"))}
    scale = ((16 + 9) / 1.5) ** 0.5 if scaled else 1
    assert moved["l1/bl/W"] == pytest.approx(scale * 1e-3, rel=0.01)
    assert moved["l1/bn/beta"] == pytest.approx(1e-3, rel=0.01)


@pytest.mark.parametrize("architecture", ["c4k3-d9", "c4k3wsa8n0-d9a8s-ows", "c4k3w8a8-ok2ws"])
def test_a_resumed_run_ends_with_the_same_weights(tmp_path, architecture):
    """Drawn weights, scaled rates and the hinge loss depend on the epoch's number alone."""
    config = replace(CONFIG, stochastic_weights=True, scale_rate=True, loss="squared-hinge")
    whole = trained(tmp_path / "whole", config, architecture)
    trained(tmp_path / "parts", replace(config, epochs=2), architecture)
    parts = trained(tmp_path / "parts", config, architecture, resume=True)
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)
    plain = trained(tmp_path / "plain", replace(config, stochastic_weights=False), architecture)
    assert not all(np.array_equal(whole[name], plain[name]) for name in whole)


def test_dropout_is_the_float_network_s(tmp_path):
    model = FloatChain(build_network("c4k3-d9", SHAPE, 3))
    config = replace(CONFIG, dropout=0.5)
    whole = trained(tmp_path / "whole", config, model=model)
    again = FloatChain(build_network("c4k3-d9", SHAPE, 3))
    trained(tmp_path / "parts", replace(config, epochs=1), model=again)
    resumed = FloatChain(build_network("c4k3-d9", SHAPE, 3))
    parts = trained(tmp_path / "parts", config, model=resumed, resume=True)
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)
    x = np.ones((1, *SHAPE), np.float32)
    hidden = model.blocks[0]
    with chainer.using_config("train", False):
        plain = hidden(x).array
    with chainer.using_config("train", True):
        hidden.bn.decay = 1.0
        hidden.dropout = 0.0
        full = hidden(x).array
        hidden.dropout = 0.5
        dropped = np.stack([hidden(x).array for _ in range(200)])
        scores = model.blocks[-1](np.ones((2, 9), np.float32)).array
    assert np.isfinite(scores).all()
    assert plain.shape == full.shape
    np.testing.assert_allclose(dropped[dropped != 0], np.broadcast_to(2 * full, dropped.shape)[dropped != 0])
    positive = np.broadcast_to(full > 0, dropped.shape)
    assert positive.any()
    assert (dropped[positive] == 0).mean() == pytest.approx(0.5, abs=0.1)
    with pytest.raises(TrainingError, match=r"dropout is 0\.5, a binarized network has none"):
        trained(tmp_path / "no", config)


def test_the_log_has_the_hinge_loss(tmp_path):
    model = build_network("d9", SHAPE, 3)
    trained(tmp_path, replace(CONFIG, loss="squared-hinge"), model=model)
    record = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    samples = as_samples("test", *TRAIN, "uint8")
    assert record["test_loss"] == pytest.approx(evaluate(model, samples, "squared-hinge").loss)
    assert record["test_loss"] != pytest.approx(evaluate(model, samples).loss, rel=1e-3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"loss": "hinge"}, "no loss is called 'hinge'"),
        ({"init": "xavier"}, "no distribution of weights is called 'xavier'; there are lecun, glorot, he"),
        ({"dropout": 1.0}, r"dropout is 1\.0: give a number from 0 to 0\.95"),
        ({"loss": "squared-hinge", "label_smoothing": 0.1}, "label_smoothing is for the cross entropy"),
    ],
)
def test_what_cannot_be_asked_for(values, message):
    with pytest.raises((TrainingError, UnknownNameError), match=message):
        TrainConfig(**values)


def test_a_snapshot_of_before_has_none_of_them():
    assert not {"loss", "init", "dropout", "scale_rate", "stochastic_weights"} & TrainConfig().recipe().keys()
    assert CONFIG.recipe()["init"] == "he"


def test_binaryconnect_beside_its_baseline_command_by_command(tmp_path, monkeypatch):
    """What Binary-Neural-Networks did: both runs, their options, one picture with both curves."""
    monkeypatch.chdir(tmp_path)

    def ebnn(*words: str) -> str:
        result = CliRunner().invoke(main, list(words), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    options = "--dataset digits --epochs 2 --batch-size 100 --schedule constant --init he --learning-rate 0.003".split()
    shape = ["--architecture", "d24a8-d24a8-d24a8"]
    told = ebnn("train", *options, *shape, "--stochastic-weights", "--clip", "--out", "drawn", "--validation", "100")
    assert "and Chainer agree on 450 of 450" in told
    assert {layer.weight_kind.name for layer in load("drawn/model.ebnn").layers} == {"bits"}
    ebnn("train", *options, *shape, "--float", "--dropout", "0.5", "--out", "baseline", "--validation", "100")
    table = ebnn("history", "drawn", "baseline", "-o", "both.svg")
    assert "drawn" in table
    picture = Path("both.svg").read_text()
    assert picture.count('<g id="axes_') == 3
    ebnn(
        "compare", *options, *shape, "--dropout", "0.5", "-o", "compare.png", "--out", "runs", "--json", "compare.json"
    )
    assert Path("compare.png").read_bytes().startswith(b"\x89PNG")
    values = json.loads(Path("compare.json").read_text())
    assert (values["config"]["dropout"], values["float_config"]["dropout"]) == (0.5, 0.5)
    assert values["config"]["init"] == "he"
