"""The sign and its estimators, against values worked by hand."""

import chainer
import numpy as np
import pytest

from ebnn.functions import estimator, estimator_names, estimators, sign

X = np.array([-2, -1, -0.5, 0, 0.25, 1, 1.5], np.float32)
GY = np.array([1, 2, 3, 4, 5, 6, 7], np.float32)
LN2 = np.log(2)


def gradient(name: str, x: np.ndarray, gy: np.ndarray) -> np.ndarray:
    variable = chainer.Variable(x)
    y = sign(variable, name)
    y.grad = gy
    y.backward()
    return variable.grad


@pytest.mark.parametrize("name", estimator_names())
def test_forward_is_plus_one_from_zero_on(name: str) -> None:
    x = np.array([[-3, -1e-30, -0.0], [0.0, 1e-30, np.inf]], np.float32)
    y = sign(x, name).array
    assert y.dtype == np.float32
    assert y.tolist() == [[-1, -1, 1], [1, 1, 1]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("identity", [1, 2, 3, 4, 5, 6, 7]),
        ("hard_tanh", [0, 2, 3, 4, 5, 6, 0]),
        ("approx_sign", [0, 0, 3, 8, 7.5, 0, 0]),
    ],
)
def test_windows(name: str, expected: list[float]) -> None:
    got = gradient(name, X, GY)
    assert got.dtype == np.float32
    assert got.tolist() == expected


def test_tanh_is_one_minus_its_square() -> None:
    # tanh(ln 2) = (2 - 1/2) / (2 + 1/2) = 0.6
    got = gradient("tanh", np.array([0, LN2, -LN2], np.float32), np.array([3, 1, 2], np.float32))
    np.testing.assert_allclose(got, [3, 0.64, 1.28], rtol=1e-6)


def test_swish_sign() -> None:
    # At bx = ln 4: tanh(ln 2) = 0.6, cosh(ln 4) = (4 + 1/4) / 2, so 5 (2 - 0.6 ln 4) / 3.125; at 0: 5 · 2 / 2.
    x = np.array([0, 0.4 * LN2, -0.4 * LN2], np.float32)
    np.testing.assert_allclose(gradient("swish_sign", x, np.ones(3, np.float32)), [5, 1.8691574, 1.8691574], rtol=1e-6)


@pytest.mark.parametrize("name", estimator_names())
def test_far_values_stay_finite_and_float32(name: str) -> None:
    got = gradient(name, np.array([-1e30, -100, 100, 1e30], np.float32), np.ones(4, np.float32))
    assert got.dtype == np.float32
    assert np.isfinite(got).all()


def test_input_is_left_alone() -> None:
    for name in estimator_names():
        x = X.copy()
        gradient(name, x, GY.copy())
        assert np.array_equal(x, X)


def test_unknown_estimator_lists_the_known() -> None:
    with pytest.raises(ValueError, match="no estimator is called 'step'; there are identity, hard_tanh"):
        sign(X, "step")


def test_a_new_estimator_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimators, "_estimators", dict(estimators._estimators))

    @estimator
    def double(x: np.ndarray, gy: np.ndarray) -> np.ndarray:
        return gy * 2

    assert gradient("double", X, GY).tolist() == [2, 4, 6, 8, 10, 12, 14]


def test_memory_order_is_kept() -> None:
    x = np.zeros((3, 4, 5), np.float32).transpose(2, 0, 1)
    assert sign(x).array.strides == x.strides
