"""Functions of 8-bit training: values, straight-through gradients, pools and depthwise convolutions."""

import chainer
import chainer.functions as F
import numpy as np
import pytest

import ebnn.functions as BF


def test_weights_are_rounded_to_steps_of_their_output():
    w = np.array([[1.27, -0.634, 0.0], [0, 0, 0], [-2.54, 0.01, 0.03]], np.float32)
    steps = BF.weight_steps(w)
    np.testing.assert_allclose(steps, [0.01, 1, 0.02], rtol=1e-6)
    np.testing.assert_array_equal(BF.integer_weights(w, steps), [[127, -63, 0], [0, 0, 0], [-127, 0, 2]])
    np.testing.assert_allclose(BF.weight_steps(w, per_output=False), [0.02] * 3, rtol=1e-6)
    x = chainer.Variable(w)
    y = BF.quantize_weights(x, steps)
    np.testing.assert_array_equal(y.array, BF.integer_weights(w, steps) * steps[:, None])
    y.grad = gradient = np.arange(9, dtype=np.float32).reshape(3, 3)
    y.backward()
    np.testing.assert_array_equal(x.grad, gradient)


@pytest.mark.parametrize(("low", "high"), [(0, 255), (-127, 127)])
def test_activations_are_clipped_and_rounded_and_their_range_learns(low, high):
    """The gradient is that of the clip without the rounding, for the values and for the range."""
    log_range = chainer.Variable(np.asarray(np.log(2), np.float64))
    x = chainer.Variable(np.array([-5, -1.01, -0.013, 0, 0.01, 1.004, 1.99, 2.2, 9]))
    y = BF.quantize(x, log_range, low, high)
    np.testing.assert_array_equal(y.array, np.clip(np.rint(x.array * high / 2), low, high))
    y.grad = gradient = np.linspace(-1, 2, 9)
    y.backward()
    smooth, smooth_range = chainer.Variable(x.array), chainer.Variable(log_range.array)
    clipped = F.clip(smooth * F.broadcast_to(high * F.exp(-smooth_range), (9,)), float(low), float(high))
    clipped.grad = gradient
    clipped.backward()
    np.testing.assert_allclose(x.grad, smooth.grad)
    np.testing.assert_allclose(log_range.grad, smooth_range.grad)


WINDOWS = [((2, 3), (1, 2), (0, 1)), ((3, 2), (2, 1), (2, 0)), ((1, 1), (1, 1), (0, 0))]


def results(function, *arrays):
    """What a function gives for arrays, and the gradient of each for random gradients of that."""
    inputs = [chainer.Variable(array) for array in arrays]
    y = function(*inputs)
    y.grad = np.random.default_rng(1).normal(size=y.shape)
    y.backward()
    return [y.array, *(each.grad for each in inputs)]


@pytest.mark.parametrize(("ksize", "stride", "pad"), WINDOWS)
def test_average_pooling_is_chainers(ksize, stride, pad):
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 6))
    ours = results(lambda x: BF.average_pooling_2d(x, ksize, stride, pad), x)
    theirs = results(lambda x: F.average_pooling_2d(x, ksize, stride, pad), x)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("multiplier", [1, 2])
@pytest.mark.parametrize(("ksize", "stride", "pad"), WINDOWS)
def test_depthwise_convolution_is_a_grouped_one(ksize, stride, pad, multiplier):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 3, 5, 6)), rng.normal(size=(3 * multiplier, 1, *ksize))
    b = rng.normal(size=3 * multiplier)
    ours = results(lambda *a: BF.depthwise_convolution_2d(*a, stride, pad), x, w, b)
    theirs = results(lambda *a: F.convolution_2d(*a, stride, pad, groups=3), x, w, b)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-12)
