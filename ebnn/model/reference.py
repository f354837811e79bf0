"""The reference interpreter of a Network, in NumPy: the truth that every backend equals, bit for bit.

Activations are (n, height, width, channels) here. Sums of integers are taken in matrix products of float32, or of
float64 where one can pass 2**24: every partial sum is an integer that the type holds, so they are exact in any order.
Sums of float inputs are taken tap after tap, in the order of filter memory, as the device takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .kinds import Kind, Pair
from .layers import Conv, Dense, Depthwise, Identity, Layer, Linear, Pool, Windowed
from .weights import weight_kind

BATCH_BYTES = 64 * 2**20  # of the largest array of a batch: the patches or the sums of one layer
MAX_FLOAT32 = 2**24  # float32 holds every integer up to here


def scores(layers: Sequence[Layer], samples: NDArray[Any]) -> NDArray[np.int32]:
    """Integer scores, (n, classes) int32, of ``samples`` as `ebnn.model.samples.check_samples` returns them."""
    out = np.empty((len(samples), layers[-1].outputs), np.int32)
    batch = _batch(layers)
    for start in range(0, len(samples), batch):
        *_, last = activations(layers, samples[start : start + batch])
        out[start : start + batch] = last.reshape(len(last), -1)
    return out


def _batch(layers: Sequence[Layer]) -> int:
    """How many samples to run at a time."""
    floats = [layer.map_shape.height * layer.map_shape.width * max(layer.outputs, layer.taps) for layer in layers]
    return max(1, BATCH_BYTES // (4 * max(floats)))


def activations(layers: Sequence[Layer], samples: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The input, then each layer's output, (n, height, width, channels); bits as bool, the last one's are scores.

    ``samples`` (n, channels, height, width) as `ebnn.model.samples.check_samples` returns them.
    """
    x = samples.transpose(0, 2, 3, 1)
    yield x
    for layer in layers:
        x = run_layer(layer, x)
        yield x


def run_layer(layer: Layer, x: NDArray[Any]) -> NDArray[Any]:
    """One layer's output for its input ``x`` (n, height, width, channels)."""
    acc = sums(layer.linear, x, layer.kind)
    if layer.pool is not None:
        acc = sum_pool(acc, layer.pool) if layer.pool.sums else max_pool(acc, layer.pool)
    return layer.transform.apply(acc)


def sums(linear: Linear, x: NDArray[Any], kind: Kind) -> NDArray[Any]:
    """What a linear part makes of ``x``, values of ``kind``: (n, map height, map width, outputs), int32 or float32."""
    return SUMS[type(linear)](x, linear, kind)


def conv_sums(x: NDArray[Any], conv: Conv, kind: Kind) -> NDArray[Any]:
    """The convolution's sums, (n, map height, map width, outputs): int32, or float32 where ``x`` is float."""
    patches = _patches(x, conv, kind)
    # (n, map height, map width, kernel height, kernel width, channels) → (…, taps)
    taps = patches.transpose(0, 1, 2, 4, 5, 3).reshape(*patches.shape[:3], -1)
    return _dot(taps, conv.weights.reshape(len(conv.weights), -1), kind)


def depthwise_sums(x: NDArray[Any], conv: Depthwise, kind: Kind) -> NDArray[Any]:
    """The sums of a depthwise convolution, as in `conv_sums`."""
    patches = _patches(x, conv, kind)  # (n, map height, map width, channels, kernel height, kernel width)
    each = len(conv.weights) // x.shape[3]
    channels = [patches[:, :, :, o // each].reshape(*patches.shape[:3], -1) for o in range(len(conv.weights))]
    return np.concatenate(
        [_dot(taps, conv.weights[o].reshape(1, -1), kind) for o, taps in enumerate(channels)], axis=-1
    )


def dense_sums(x: NDArray[Any], dense: Dense, kind: Kind) -> NDArray[Any]:
    """The sums of a dense layer, (n, 1, 1, outputs): int32, or float32 where ``x`` is float.

    Floats are added in the order of the device's memory, channel first; the order of integers is all one.
    """
    values, weights = kind.as_numbers(x), dense.weights
    if kind.channel_first:
        values, weights = values.transpose(0, 3, 1, 2), weights.transpose(0, 3, 1, 2)
    return _dot(values.reshape(len(x), 1, 1, -1), weights.reshape(len(weights), -1), kind)


def identity_sums(x: NDArray[Any], linear: Identity, kind: Kind) -> NDArray[Any]:
    """The values themselves, int32."""
    return kind.as_numbers(x).astype(np.int32)


SUMS: dict[type[Linear], Callable[[NDArray[Any], Any, Kind], NDArray[Any]]] = {
    Conv: conv_sums,
    Depthwise: depthwise_sums,
    Dense: dense_sums,
    Identity: identity_sums,
}


def _patches(x: NDArray[Any], conv: Windowed, kind: Kind) -> NDArray[np.float32]:
    """What lies under the kernel: (n, map height, map width, channels, kernel height, kernel width), a view."""
    padding = [(0, 0), (conv.pad[0], conv.pad[0]), (conv.pad[1], conv.pad[1]), (0, 0)]
    return _windows(np.pad(kind.as_numbers(x), padding), conv.kernel, conv.stride)


def max_pool(acc: NDArray[Any], pool: Pool) -> NDArray[Any]:
    """The largest sum of each window; what lies outside the map never wins. (n, height, width, outputs)."""
    lowest = -np.inf if acc.dtype.kind == "f" else np.iinfo(acc.dtype).min
    padding = [(0, 0), (pool.pad[0], pool.pad[0]), (pool.pad[1], pool.pad[1]), (0, 0)]
    windows = _windows(np.pad(acc, padding, constant_values=lowest), pool.size, pool.stride)
    return np.asarray(windows.max(axis=(4, 5)))


def sum_pool(acc: NDArray[Any], pool: Pool) -> NDArray[Any]:
    """The sum of each window; what lies outside the map is 0. (n, height, width, outputs) int32."""
    padding = [(0, 0), (pool.pad[0], pool.pad[0]), (pool.pad[1], pool.pad[1]), (0, 0)]
    windows = _windows(np.pad(acc, padding), pool.size, pool.stride)
    return np.asarray(windows.sum(axis=(4, 5), dtype=np.int32))


def _windows(x: NDArray[Any], size: Pair, stride: Pair) -> NDArray[Any]:
    """Windows of (n, height, width, channels): (n, rows, columns, channels, window height, window width), a view."""
    windows: NDArray[Any] = sliding_window_view(x, size, axis=(1, 2))
    return windows[:, :: stride[0], :: stride[1]]


def _dot(taps: NDArray[np.float32], weights: NDArray[Any], kind: Kind) -> NDArray[Any]:
    """Dot products of (…, taps) with weights (outputs, taps): (…, outputs)."""
    if kind.whole:
        assert kind.largest is not None
        weighed = weight_kind(weights)
        single = int(weighed.magnitudes(weights).max()) * kind.largest <= MAX_FLOAT32
        dtype = np.float32 if single else np.float64
        factors = weighed.as_numbers(weights).astype(dtype, copy=False)
        return np.asarray(taps.astype(dtype, copy=False) @ factors.T, np.int32)
    acc = np.zeros((*taps.shape[:-1], len(weights)), np.float32)
    for tap in range(taps.shape[-1]):
        column = taps[..., tap, None]
        acc += np.where(weights[:, tap], column, -column)
    return acc
