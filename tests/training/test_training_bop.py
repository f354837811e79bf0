"""Bop, against algorithm 1 of arXiv 1906.02107 worked by hand, and in runs."""

from dataclasses import replace

import chainer
import numpy as np
import pytest
from test_training_run import CONFIG, network, run

from ebnn.errors import TrainingError
from ebnn.frontends.chainer.bop import Bop
from ebnn.frontends.chainer.latent import latent_weights
from ebnn.links import BatchNormalization, BinaryLinear
from ebnn.training import FloatChain


def one_layer(*weights: float) -> BinaryLinear:
    return BinaryLinear(len(weights), 1, nobias=True, initialW=np.array([weights], np.float32))


def step(optimizer: Bop, *gradient: float) -> list[float]:
    weights = optimizer.target.W
    weights.grad = np.array([gradient], np.float32)
    optimizer.update()
    return weights.array[0].tolist()


def test_three_weights_by_hand() -> None:
    # gamma 0.5, threshold 0.25; the averages are 0.5, 0.5, 0.2 and -0.25, then 0.75, -0.25, 0.15 and -0.125,
    # then -1.625, -0.125, 1.075 and -1.0625
    optimizer = Bop(0.01, gamma=0.5, threshold=0.25).setup(one_layer(0.3, -0.2, 0.0, -0.0001))
    assert step(optimizer, 1, 1, 0.4, -0.5) == [-1, -1, 1, 1]
    assert step(optimizer, 1, -1, 0.1, 0) == [-1, 1, 1, 1]
    assert step(optimizer, -4, 0, 2, -2) == [1, 1, -1, 1]


def test_gamma_follows_the_learning_rate() -> None:
    for share, threshold, flips in ((1, 0.5, True), (1, 0.51, False), (0.5, 0.25, True), (0.5, 0.26, False)):
        optimizer = Bop(0.01, gamma=0.5, threshold=threshold).setup(one_layer(1))
        optimizer.alpha = 0.01 * share
        assert step(optimizer, 1) == [-1 if flips else 1]


def test_the_rest_is_adams() -> None:
    """In a block of its own, batch normalisation moves as under Adam alone."""
    moved = []
    for optimizer in (Bop(0.01, 0.5, 0.1), chainer.optimizers.Adam(0.01)):
        link = BatchNormalization(3)
        optimizer.setup(link)
        for gradient in (1, -2, 0.5):
            link.gamma.grad = np.full(3, gradient, np.float32)
            link.beta.grad = np.full(3, -gradient, np.float32)
            optimizer.update()
        moved.append(np.concatenate([link.gamma.array, link.beta.array]))
    assert np.array_equal(*moved)


def test_a_run_learns_with_weights_of_minus_and_plus_one(tmp_path) -> None:
    model = network()
    config = replace(CONFIG, epochs=12, shift=0, learning_rate=0.02, optimizer="bop", bop_gamma=0.01)
    result = run(model, tmp_path, config)
    assert result.test_accuracy > 0.9
    assert len(latent_weights(model)) == 3
    assert all(set(np.unique(weights.array)) == {-1, 1} for weights in latent_weights(model))


def test_averaging_is_a_vote(tmp_path) -> None:
    model = network()
    run(model, tmp_path, replace(CONFIG, optimizer="bop", bop_gamma=0.01, averaging=0.9))
    values = np.concatenate([weights.array.ravel() for weights in latent_weights(model)])
    assert abs(values).max() <= 1
    assert ((values > -0.99) & (values < 0.99)).any()


def test_a_network_without_binary_weights_is_refused(tmp_path) -> None:
    with pytest.raises(TrainingError, match="bop flips binary weights, and the network has none: use adam"):
        run(FloatChain(network()), tmp_path, replace(CONFIG, optimizer="bop"))


def test_its_settings_are_part_of_a_run_that_has_it(tmp_path) -> None:
    config = replace(CONFIG, epochs=1)
    run(network(), tmp_path, config)
    run(network(), tmp_path, replace(config, bop_gamma=0.5), resume=True)  # nothing that Adam knows
    with pytest.raises(TrainingError, match=r"optimizer adam, now bop"):
        run(network(), tmp_path, replace(config, optimizer="bop"), resume=True)
    run(network(), tmp_path, replace(config, optimizer="bop"))
    with pytest.raises(TrainingError, match=r"run \(bop_threshold .*, now 0\.1\)"):
        run(network(), tmp_path, replace(config, optimizer="bop", bop_threshold=0.1), resume=True)
