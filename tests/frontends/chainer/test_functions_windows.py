"""Convolution and max-pooling: restated in plain loops, and against values worked by hand."""

from itertools import product

import chainer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebnn.frontends.chainer.functions import pooling, unfolding
from ebnn.functions import (
    binary_convolution_2d,
    binary_linear,
    convolution_2d,
    max_pooling_2d,
    parallel,
)

SEED = 20170209


def loops_convolution(x, w, stride, pad, gy_of):
    """Output, gradient of x and gradient of w of a convolution, tap by tap; ``gy_of(shape)`` makes gy."""
    n, _, height, width = x.shape
    outputs, _, kh, kw = w.shape
    out_h = (height + 2 * pad[0] - kh) // stride[0] + 1
    out_w = (width + 2 * pad[1] - kw) // stride[1] + 1
    y = np.zeros((n, outputs, out_h, out_w))
    gy = gy_of(y.shape)
    gx, gw = np.zeros(x.shape), np.zeros(w.shape)
    for r, c, i, j in product(range(out_h), range(out_w), range(kh), range(kw)):
        row, column = r * stride[0] + i - pad[0], c * stride[1] + j - pad[1]
        if 0 <= row < height and 0 <= column < width:
            y[:, :, r, c] += x[:, :, row, column] @ w[:, :, i, j].T
            gx[:, :, row, column] += gy[:, :, r, c] @ w[:, :, i, j]
            gw[:, :, i, j] += gy[:, :, r, c].T @ x[:, :, row, column]
    return y, gy, gx, gw


def loops_pooling(x, ksize, stride, pad, gy_of):
    """Output and gradient of x of a max-pooling; the first maximum of a window takes the gradient."""
    n, channels, height, width = x.shape
    out_h = (height + 2 * pad[0] - ksize[0]) // stride[0] + 1
    out_w = (width + 2 * pad[1] - ksize[1]) // stride[1] + 1
    y = np.zeros((n, channels, out_h, out_w))
    gy = gy_of(y.shape)
    gx = np.zeros(x.shape)
    for b, k, r, c in product(range(n), range(channels), range(out_h), range(out_w)):
        best = None
        for i, j in product(range(ksize[0]), range(ksize[1])):
            row, column = r * stride[0] + i - pad[0], c * stride[1] + j - pad[1]
            inside = 0 <= row < height and 0 <= column < width
            if inside and (best is None or x[b, k, row, column] > x[b, k, best[0], best[1]]):
                best = row, column
        y[b, k, r, c] = x[b, k, best[0], best[1]]
        gx[b, k, best[0], best[1]] += gy[b, k, r, c]
    return y, gy, gx


def integers(seed):
    """Small integers as float32: every sum of them is exact, whatever its order."""
    random = np.random.RandomState(seed)
    return lambda shape: random.randint(-4, 5, shape).astype(np.float32)


@st.composite
def windows(draw):
    size = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    ksize = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    pad = tuple(max(draw(st.integers(0, 2)), -(-(k - s) // 2)) for k, s in zip(ksize, size, strict=True))
    return size, ksize, draw(st.tuples(st.integers(1, 3), st.integers(1, 3))), pad


@given(windows(), st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_convolution_equals_loops(window, n, channels, outputs, workers, seed):
    size, ksize, stride, pad = window
    make = integers(seed)
    x, w = make((n, channels, *size)), make((outputs, channels, *ksize))
    y, gy, gx, gw = loops_convolution(x, w, stride, pad, make)
    with parallel(workers):
        vx, vw = chainer.Variable(x), chainer.Variable(w)
        got = convolution_2d(vx, vw, None, stride, pad)
        got.grad = gy
        got.backward()
    for array, expected in ((got.array, y), (vx.grad, gx), (vw.grad, gw)):
        assert array.dtype == np.float32
        assert np.array_equal(array, expected)


@given(windows(), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_pooling_equals_loops(window, n, channels, workers, seed):
    size, ksize, stride, pad = window
    pad = tuple(min(p, k - 1) for p, k in zip(pad, ksize, strict=True))
    ksize = tuple(min(k, s + 2 * p) for k, s, p in zip(ksize, size, pad, strict=True))
    pad = tuple(min(p, k - 1) for p, k in zip(pad, ksize, strict=True))
    ksize = tuple(min(k, s + 2 * p) for k, s, p in zip(ksize, size, pad, strict=True))
    make = integers(seed)
    x = make((n, channels, *size))
    y, gy, gx = loops_pooling(x, ksize, stride, pad, make)
    with parallel(workers):
        vx = chainer.Variable(x)
        got = max_pooling_2d(vx, ksize, stride, pad)
        got.grad = gy
        got.backward()
    for array, expected in ((got.array, y), (vx.grad, gx)):
        assert array.dtype == np.float32
        assert np.array_equal(array, expected)


@pytest.mark.parametrize("size", [(4, 6), (5, 6), (4, 7)])  # tiled by the windows, or with a rest
def test_blocks_of_channels_do_not_show(monkeypatch, size):
    make = integers(SEED)
    x = make((3, 5, *size))
    y, gy, gx = loops_pooling(x, (2, 3), (2, 3), (0, 0), make)
    monkeypatch.setattr(pooling, "_BLOCK_FLOATS", 2 * x[:, 0].size)
    vx = chainer.Variable(x)
    got = max_pooling_2d(vx, (2, 3))
    got.grad = gy
    got.backward()
    assert np.array_equal(got.array, y)
    assert np.array_equal(vx.grad, gx)


def test_blocks_of_columns_do_not_show(monkeypatch):
    make = integers(SEED)
    x, w = make((3, 2, 9, 8)), make((4, 2, 3, 2))
    y, gy, gx, gw = loops_convolution(x, w, (2, 1), (1, 1), make)
    monkeypatch.setattr(unfolding, "_BLOCK_FLOATS", 1)
    vx, vw = chainer.Variable(x), chainer.Variable(w)
    got = convolution_2d(vx, vw, None, (2, 1), (1, 1))
    got.grad = gy
    got.backward()
    assert np.array_equal(got.array, y)
    assert np.array_equal(vx.grad, gx)
    assert np.array_equal(vw.grad, gw)


def test_binary_convolution_by_hand():
    x = chainer.Variable(np.arange(1, 10, dtype=np.float32).reshape(1, 1, 3, 3))
    w = chainer.Variable(np.array([[[[0.5, 0.0], [2.0, -0.1]]]], np.float32))  # signs + + + -
    b = chainer.Variable(np.array([0.5], np.float32))
    y = binary_convolution_2d(x, w, b)
    assert y.array.tolist() == [[[[2.5, 4.5], [8.5, 10.5]]]]  # 1 + 2 + 4 - 5 = 2, 2 + 3 + 5 - 6 = 4, …
    y.grad = np.array([[[[1, 10], [100, 1000]]]], np.float32)
    y.backward()
    assert w.grad.tolist() == [[[[5421, 6532], [8754, 9865]]]]  # 1 + 20 + 400 + 5000, and so on
    assert x.grad.tolist() == [[[[1, 11, 10], [101, 1109, 990], [100, 900, -1000]]]]
    assert b.grad.tolist() == [1111]
    assert {x.grad.dtype, w.grad.dtype, b.grad.dtype} == {np.dtype(np.float32)}


def test_a_tap_in_the_padding_contributes_nothing():
    x = np.ones((1, 1, 2, 2), np.float32)
    w = np.ones((1, 1, 3, 3), np.float32)
    assert binary_convolution_2d(x, w, None, 1, 1).array.tolist() == [[[[4, 4], [4, 4]]]]


def test_binary_linear_by_hand():
    x = chainer.Variable(np.array([[[3], [5]], [[-2], [7]]], np.float32))  # two samples of 2 × 1
    w = chainer.Variable(np.array([[0.2, -0.3], [0.0, 9.0], [-1.0, -1.0]], np.float32))
    b = chainer.Variable(np.array([0, 0.25, 0], np.float32))
    y = binary_linear(x, w, b)
    assert y.array.tolist() == [[-2, 8.25, -8], [-9, 5.25, -5]]
    y.grad = np.array([[1, 10, 100], [2, 20, 200]], np.float32)
    y.backward()
    assert w.grad.tolist() == [[3 - 4, 5 + 14], [30 - 40, 50 + 140], [300 - 400, 500 + 1400]]
    assert x.grad.tolist() == [[[-89], [-91]], [[-178], [-182]]]  # 1 + 10 - 100, -1 + 10 - 100, doubled
    assert b.grad.tolist() == [3, 30, 300]
    assert {y.array.dtype, x.grad.dtype, w.grad.dtype} == {np.dtype(np.float32)}


def test_pooling_gives_a_tie_to_the_first():
    x = chainer.Variable(np.array([[[[7, 7], [7, 7]]]], np.float32))
    y = max_pooling_2d(x, 2)
    y.grad = np.array([[[[5]]]], np.float32)
    y.backward()
    assert y.array.tolist() == [[[[7]]]]
    assert x.grad.tolist() == [[[[5, 0], [0, 0]]]]


def test_windows_that_cannot_be():
    x = np.zeros((1, 1, 4, 5), np.float32)
    with pytest.raises(ValueError, match="5x3 does not fit into an image of 4x5 padded by 0 and 0: use a smaller"):
        convolution_2d(x, np.zeros((1, 1, 5, 3), np.float32))
    with pytest.raises(ValueError, match="can lie wholly in a padding"):
        max_pooling_2d(x, 2, pad=2)
    with pytest.raises(ValueError, match="stride is 0: give an integer of at least 1"):
        max_pooling_2d(x, 2, 0)
    with pytest.raises(ValueError, match=r"pad is \(1, 2, 3\)"):
        convolution_2d(x, np.zeros((1, 1, 1, 1), np.float32), pad=(1, 2, 3))


def test_an_error_in_a_part_is_raised_and_the_threads_end():
    from ebnn.frontends.chainer.functions.parallel import in_parts

    def fail(first, stop):
        raise RuntimeError(f"part {first}")

    with parallel(2), pytest.raises(RuntimeError, match="part 0"):
        in_parts(fail, 4)
    seen = []
    in_parts(lambda first, stop: seen.append((first, stop)), 4)
    assert seen == [(0, 4)]
