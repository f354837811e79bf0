"""Networks that mix bits and 8 bits are trained as others: clipping, Bop, averages, teachers, resuming."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from test_training_run import CONFIG, TEST, TRAIN, run

from ebnn import lower
from ebnn.cli import main
from ebnn.frontends.chainer.latent import latent_weights
from ebnn.links import QuantLayer
from ebnn.training import FloatChain, as_samples, build_network, predict

SHAPE = TRAIN[0].shape[1:]
MIXED = "c6k3p1w8a8-m2-dw2k2p1a8-c8k2-a2s1-d12w8a8-ow8"


def mixed(seed=0, architecture=MIXED):
    return build_network(architecture, SHAPE, int(TRAIN[1].max()) + 1, seed=seed)


def weights(model):
    return np.concatenate([p.array.ravel() for _, p in sorted(model.namedparams())])


@pytest.mark.parametrize("options", [{}, {"averaging": 0.9}, {"optimizer": "bop", "bop_gamma": 0.01}])
def test_a_resumed_run_ends_with_the_same_network(tmp_path, options):
    config = replace(CONFIG, epochs=4, schedule="constant", **options)
    whole = mixed()
    run(whole, tmp_path / "whole", config)
    run(mixed(), tmp_path / "cut", replace(config, epochs=2))
    cut = mixed(seed=7)
    run(cut, tmp_path / "cut", config, resume=True)
    assert np.array_equal(weights(whole), weights(cut))
    assert lower(whole, SHAPE) == lower(cut, SHAPE)


def test_the_trained_network_answers_as_the_chain(tmp_path):
    model = mixed()
    result = run(model, tmp_path, replace(CONFIG, epochs=12, learning_rate=0.01, shift=0))
    network = lower(model, SHAPE)
    assert np.array_equal(network.predict(TEST[0]), predict(model, as_samples("test", *TEST, "uint8")))
    assert result.test_accuracy > 0.8
    assert 0 < result.records[0].flips < 1


def test_only_binary_weights_are_clipped(tmp_path):
    model = mixed()
    for link in model.links():
        if isinstance(link, QuantLayer):
            link.W.array *= 20
    run(model, tmp_path, replace(CONFIG, epochs=1, clip_weights=True))
    largest = {link.binary: abs(link.W.array).max() for link in model.links() if isinstance(link, QuantLayer)}
    assert largest[True] <= 1 < largest[False]


def test_bop_flips_binary_weights_and_no_others(tmp_path):
    model = mixed()
    run(model, tmp_path, replace(CONFIG, epochs=2, optimizer="bop", bop_gamma=0.01))
    assert len(latent_weights(model)) == 2
    for each in latent_weights(model):
        assert set(np.unique(each.array)) <= {-1, 1}
    others = [link.W.array for link in model.links() if isinstance(link, QuantLayer) and not link.binary]
    assert len(others) == 3
    assert all(len(np.unique(each)) > 2 for each in others)


def test_the_range_of_activations_learns(tmp_path):
    model = mixed()
    before = float(model.l1.act.log_range.array)
    run(model, tmp_path, replace(CONFIG, epochs=2))
    assert float(model.l1.act.log_range.array) != before


def test_it_teaches_and_is_taught(tmp_path):
    """The float baseline of the same shape teaches it, and a network of 8 bits may teach another."""
    model = mixed()
    teacher = FloatChain(mixed())
    run(teacher, tmp_path / "float", replace(CONFIG, epochs=2))
    run(model, tmp_path / "taught", replace(CONFIG, epochs=2, distillation=0.5), teacher=teacher)
    run(mixed(1), tmp_path / "again", replace(CONFIG, epochs=1, distillation=0.5), teacher=model)


def test_bop_without_binary_weights_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["train", "--architecture", "d4w8a8-ow8", "--optimizer", "bop", "--out", "run"])
    assert done.exit_code == 1
    assert done.output.strip() == "Error: optimizer bop flips binary weights, and the network has none: use adam"
    assert not list(tmp_path.iterdir())
