"""The stochastic sign: its odds, its gradient, and when it is drawn."""

import chainer
import numpy as np
import pytest

from ebnn.functions import sign, stochastic_sign
from ebnn.links import BST

N = 40_000
X = np.array([-3, -1, -0.5, 0, 0.25, 1, 2], np.float32)
ODDS = np.array([0, 0, 0.25, 0.5, 0.625, 1, 1])  # of +1


def generator(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("axis", [0, 1])
def test_odds(dtype: type, axis: int) -> None:
    x = np.repeat(np.expand_dims(X, axis), N, axis).astype(dtype)
    y = stochastic_sign(x, generator()).array
    assert y.dtype == dtype
    assert y.shape == x.shape
    assert set(np.unique(y)) == {-1, 1}
    odds = (y == 1).mean(axis=axis)
    certain = np.isin(ODDS, (0, 1))
    assert np.array_equal(odds[certain], ODDS[certain])
    np.testing.assert_allclose(odds, ODDS, atol=5 * 0.5 / N**0.5)


def test_draws_are_independent_in_every_memory_order() -> None:
    x = np.zeros((3, 40, 50), np.float32).transpose(2, 0, 1)
    y = stochastic_sign(x, generator()).array
    assert y.strides == x.strides
    for axis in range(3):
        neighbours = np.moveaxis(y, axis, 0)
        assert abs((neighbours[1:] * neighbours[:-1]).mean()) < 0.1


def test_the_generator_decides() -> None:
    x = np.zeros(1000, np.float32)
    first = stochastic_sign(x, generator()).array
    assert np.array_equal(first, stochastic_sign(x, generator()).array)
    assert not np.array_equal(first, stochastic_sign(x, generator(8)).array)


@pytest.mark.parametrize(("estimator", "expected"), [("hard_tanh", [0, 2, 2, 0]), ("approx_sign", [0, 2, 4, 0])])
def test_the_gradient_is_the_estimators(estimator: str, expected: list[float]) -> None:
    x = chainer.Variable(np.array([-2, -0.5, 0, 3], np.float32))
    y = stochastic_sign(x, generator(), estimator)
    y.grad = np.full(4, 2, np.float32)
    y.backward()
    assert x.grad.tolist() == expected


def test_the_link_draws_while_there_are_gradients_in_train_mode() -> None:
    link, x = BST(), np.full(1000, 0.5, np.float32)
    assert (link(x).array == 1).all()
    link.random = generator()
    assert (link(x).array == -1).any()
    with chainer.using_config("train", False):
        assert np.array_equal(link(x).array, sign(x).array)
    with chainer.no_backprop_mode():
        assert np.array_equal(link(x).array, sign(x).array)
