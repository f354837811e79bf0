"""The reference interpreter of a Network, in NumPy: the truth that every backend equals, bit for bit.

Activations are (n, height, width, channels) here. Sums of integers are taken in float32 matrix products: every
partial sum is an integer below 2**24 (checked by Network), so they are exact in any order. Sums of float inputs are
taken tap after tap, in the order of filter memory, as the device takes them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from .blocks import Block, Conv, InputKind, Normalization, Pair, Pool, Threshold
from .network import Network

BATCH_BYTES = 64 * 2**20  # of the largest array of a batch: the patches or the sums of one block


def scores(network: Network, x: ArrayLike) -> NDArray[np.int32]:
    """Integer scores of the samples ``x`` (see Network.predict): (n, classes) int32."""
    samples = network.check_samples(x)
    out = np.empty((len(samples), network.classes), np.int32)
    batch = _batch(network)
    for start in range(0, len(samples), batch):
        *_, last = activations(network, samples[start : start + batch])
        acc = linear_sums(last, network.output.weights, network.kinds[-1]).reshape(len(last), -1)
        wide = acc.astype(np.int64) * network.output.multiplier + network.output.offset
        out[start : start + batch] = wide
    return out


def _batch(network: Network) -> int:
    """How many samples to run at a time."""
    floats: list[int] = [
        macs // weights.size * max(len(weights), weights[0].size)  # positions · (outputs or taps)
        for macs, weights in zip(network.layer_macs, network.layer_weights, strict=True)
    ]
    return max(1, BATCH_BYTES // (4 * max(floats)))


def activations(network: Network, samples: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The input, then each block's output, (n, height, width, channels); bits as bool.

    ``samples`` (n, channels, height, width) as Network.check_samples returns them.
    """
    x = samples.transpose(0, 2, 3, 1)
    yield x
    for kind, block in zip(network.kinds, network.blocks, strict=False):
        x = run_block(block, x, kind)
        yield x


def run_block(block: Block, x: NDArray[Any], kind: InputKind) -> NDArray[np.bool_]:
    """One block's output bits for its input ``x`` (n, height, width, channels)."""
    if isinstance(block.linear, Conv):
        acc = conv_sums(x, block.linear, kind)
    else:
        acc = linear_sums(x, block.linear.weights, kind)
    if block.pool is not None:
        acc = max_pool(acc, block.pool)
    if block.threshold is not None:
        return compare(acc, block.threshold)
    assert block.normalization is not None
    return normalize(acc, block.normalization) >= 0


def conv_sums(x: NDArray[Any], conv: Conv, kind: InputKind) -> NDArray[Any]:
    """The convolution's sums, (n, map height, map width, outputs): int32, or float32 where ``x`` is float."""
    padding = [(0, 0), (conv.pad[0], conv.pad[0]), (conv.pad[1], conv.pad[1]), (0, 0)]
    patches = _windows(np.pad(as_numbers(x, kind), padding), conv.kernel, conv.stride)
    # (n, map height, map width, kernel height, kernel width, channels) → (…, taps)
    taps = patches.transpose(0, 1, 2, 4, 5, 3).reshape(*patches.shape[:3], -1)
    return _sums(taps, conv.weights.reshape(len(conv.weights), -1), kind)


def linear_sums(x: NDArray[Any], weights: NDArray[np.bool_], kind: InputKind) -> NDArray[Any]:
    """The sums of a dense layer, (n, 1, 1, outputs): int32, or float32 where ``x`` is float.

    Float input lies channel first in the device's memory, so its sums run in that order.
    """
    values = as_numbers(x, kind)
    if kind == "float":
        values, weights = values.transpose(0, 3, 1, 2), weights.transpose(0, 3, 1, 2)
    return _sums(values.reshape(len(x), 1, 1, -1), weights.reshape(len(weights), -1), kind)


def max_pool(acc: NDArray[Any], pool: Pool) -> NDArray[Any]:
    """The largest sum of each window; what lies outside the map never wins. (n, height, width, outputs)."""
    lowest = -np.inf if acc.dtype.kind == "f" else np.iinfo(acc.dtype).min
    padding = [(0, 0), (pool.pad[0], pool.pad[0]), (pool.pad[1], pool.pad[1]), (0, 0)]
    windows = _windows(np.pad(acc, padding, constant_values=lowest), pool.size, pool.stride)
    return np.asarray(windows.max(axis=(4, 5)))


def compare(acc: NDArray[np.int32], threshold: Threshold) -> NDArray[np.bool_]:
    """The bits of the integer arithmetic; outputs on the last axis."""
    return np.where(threshold.below, acc <= threshold.value, acc >= threshold.value)


def normalize(acc: NDArray[Any], normalization: Normalization) -> NDArray[np.float32]:
    """Bias and batch normalisation in float32, rounded after each operation; outputs on the last axis."""
    with np.errstate(over="ignore", invalid="ignore"):  # infinite, as on the device
        y = acc.astype(np.float32) + normalization.bias
        y -= normalization.mean
        y *= normalization.inv_std
        y *= normalization.gamma
        y += normalization.beta
    return y


def as_numbers(x: NDArray[Any], kind: InputKind) -> NDArray[np.float32]:
    """Values as the sums see them: bits become −1 and +1."""
    return np.asarray(np.where(x, np.float32(1), np.float32(-1)) if kind == "bits" else x, np.float32)


def _windows(x: NDArray[Any], size: Pair, stride: Pair) -> NDArray[Any]:
    """Windows of (n, height, width, channels): (n, rows, columns, channels, window height, window width), a view."""
    windows: NDArray[Any] = sliding_window_view(x, size, axis=(1, 2))
    return windows[:, :: stride[0], :: stride[1]]


def _sums(taps: NDArray[np.float32], weights: NDArray[np.bool_], kind: InputKind) -> NDArray[Any]:
    """Dot products of (…, taps) with ±1 weights (outputs, taps): (…, outputs)."""
    if kind != "float":
        return np.asarray(taps @ as_numbers(weights, "bits").T, np.int32)
    acc = np.zeros((*taps.shape[:-1], len(weights)), np.float32)
    for tap in range(taps.shape[-1]):
        column = taps[..., tap, None]
        acc += np.where(weights[:, tap], column, -column)
    return acc
