"""A network as the library for Linux runs it: a table of layers, and one block of constants that they point into.

The library chooses tiles, instructions and threads when it opens the network; what stands here is the same for every
core. ``firmware/lib/ebnn-linux/include/ebnn_linux.h`` has the other end of each name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...model import bits
from ...model.layers import NO_POOL, Dense, Depthwise, Identity, Layer, Windowed
from ...model.network import Network
from ...model.transforms import Normalize, Requantize, Scores, Sign, Transform

LIBRARY_VERSION = 1  # EBNN_LINUX_VERSION; a test compares them
LANES = 32  # outputs of a block of weights: EBNN_LINUX_LANES
PANEL = 16  # outputs of a panel: EBNN_LINUX_PANEL
ALIGNMENT = 64  # of an array in the block of constants
NEVER = 2**31 - 1  # a threshold that no sum reaches: of lanes behind the last output

Bytes = NDArray[np.uint8]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True)
class LinuxLayer:
    """A layer of the table: the C fields by name, and the arrays that they point to."""

    comment: str
    fields: dict[str, str]
    weights: NDArray[Any]
    corrections: NDArray[np.int32]
    constants: NDArray[Any]


@dataclass(frozen=True)
class LinuxProgram:
    """A network's table of layers and its block of constants."""

    network: Network
    layers: tuple[LinuxLayer, ...]

    @cached_property
    def _laid_out(self) -> tuple[bytes, tuple[dict[str, int], ...]]:
        block = bytearray()
        places = []
        for layer in self.layers:
            own = {}
            for name in ("weights", "corrections", "constants"):
                array = getattr(layer, name)
                own[name] = len(block) if array.size else 0
                block += np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
                block += bytes(-len(block) % ALIGNMENT)
            places.append(own)
        return bytes(block), tuple(places)

    @property
    def constants(self) -> bytes:
        """The block of constants."""
        return self._laid_out[0]

    @property
    def places(self) -> tuple[dict[str, int], ...]:
        """Where each layer's arrays lie in the block, by their names."""
        return self._laid_out[1]


def linux_program(network: Network) -> LinuxProgram:
    """The table and the constants of a network, in the integer arithmetic; blocks on floats in the float one."""
    return LinuxProgram(network, tuple(map(_layer, network.layers)))


def _layer(layer: Layer) -> LinuxLayer:
    product, rows = weight_rows(layer)
    weights = arrange(product, rows)
    linear, pool = layer.linear, layer.pool or NO_POOL
    _, height, width = layer.input.shape
    kernel, stride, pad = (height, width), (1, 1), (0, 0)
    if isinstance(linear, Windowed):
        kernel, stride, pad = linear.kernel, linear.stride, linear.pad
    elif isinstance(linear, Identity):
        kernel = (1, 1)
    low, high = layer.transform.range if isinstance(layer.transform, Requantize) else (0, 0)
    taps = layer.filter_stream_bits if product == "BITS" else layer.taps
    fields = {
        "product": f"EBNN_LINUX_{product}",
        "input": f"EBNN_LINUX_IN_{layer.kind.name.upper()}",
        "transform": f"EBNN_LINUX_{layer.transform.name.upper()}",
        "dense": str(int(layer.is_dense)),
        **{name: str(getattr(layer.input.shape, name)) for name in ("channels", "height", "width")},
        "outputs": str(layer.outputs),
        "taps": str(taps),
        "kernel": _pair(kernel),
        "stride": _pair(stride),
        "pad": _pair(pad),
        "map": _pair(layer.map_shape[1:]),
        "pool": _pair(pool.size),
        "pool_stride": _pair(pool.stride),
        "pool_pad": _pair(pool.pad),
        "pooled": _pair(layer.output_shape[1:]),
        "average": str(int(pool.sums)),
        "low": str(low),
        "high": str(high),
    }
    comment = f"{layer.name}: {layer.kind} {layer.input.shape} → {layer.output_kind} {layer.output_shape}"
    constants = CONSTANTS[type(layer.transform)](layer)
    return LinuxLayer(comment, fields, weights, _corrections(layer), constants)


def _pair(sides: tuple[int, ...]) -> str:
    return "{" + ", ".join(map(str, sides)) + "}"


# Weights


def weight_rows(layer: Layer) -> tuple[str, NDArray[Any]]:
    """The product that a layer takes, and its weights output by output: bits (outputs, bytes) uint8, or numbers
    (outputs, taps) int8."""
    linear = layer.linear
    if isinstance(linear, Identity):
        return "CHANNELS", np.ones((linear.outputs, 1), np.int8)
    if isinstance(linear, Depthwise):
        return ("CHANNELS" if layer.kind.whole else "FLOAT_CHANNELS"), _numbers(layer).reshape(layer.outputs, -1)
    if not layer.binary:
        return "BYTES_BYTES", _numbers(layer).reshape(layer.outputs, -1)
    if layer.kind.packed:
        return "BITS", _streams(layer)
    weights = layer.weights
    if isinstance(linear, Dense) and layer.kind.channel_first:
        weights = weights.transpose(0, 3, 1, 2)
    return ("BYTES" if layer.kind.whole else "FLOATS"), bits.pack(weights.reshape(layer.outputs, -1))


def arrange(product: str, rows: NDArray[Any]) -> NDArray[Any]:
    """Rows of weights, as `weight_rows` gives them, in the order of their product."""
    return ARRANGED[product](rows)


def _numbers(layer: Layer) -> NDArray[np.int8]:
    """The weights as numbers, −1 and +1 among them."""
    assert layer.weight_kind is not None
    return layer.weight_kind.as_numbers(layer.weights).astype(np.int8)


def _streams(layer: Layer) -> Bytes:
    """Weights over bits, (outputs, bytes): a dense filter follows its input's rows, padding included."""
    weights = layer.weights
    if layer.is_dense:
        weights = weights.reshape(*weights.shape[:2], -1)
        return bits.pack(weights).reshape(layer.outputs, -1)
    return bits.pack(weights.reshape(layer.outputs, -1))


def _pad(array: NDArray[T], unit: int, axis: int, value: int = 0) -> NDArray[T]:
    """``array`` with an axis filled up to a multiple of ``unit``."""
    widths = [(0, -array.shape[axis] % unit if each == axis else 0) for each in range(array.ndim)]
    return np.pad(array, widths, constant_values=value)


def _blocks(filters: Bytes) -> Bytes:
    """(outputs, bytes) → (blocks, bytes, LANES)."""
    padded = _pad(filters, LANES, 0)
    blocks: Bytes = padded.reshape(-1, LANES, filters.shape[1]).transpose(0, 2, 1)
    return blocks


def _panels(filters: NDArray[np.int8]) -> NDArray[np.int8]:
    """(outputs, taps) → (panels, groups of four taps, PANEL, four taps)."""
    padded = _pad(_pad(filters, LANES, 0), 4, 1)
    panels: NDArray[np.int8] = padded.reshape(-1, PANEL, padded.shape[1] // 4, 4).transpose(0, 2, 1, 3)
    return panels


def _by_tap(filters: NDArray[np.int8]) -> NDArray[np.int8]:
    """(outputs, taps) → (taps, lanes)."""
    return _pad(filters.T, LANES, 1)


ARRANGED: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    **dict.fromkeys(("BITS", "BYTES", "FLOATS"), _blocks),
    "BYTES_BYTES": _panels,
    **dict.fromkeys(("CHANNELS", "FLOAT_CHANNELS"), _by_tap),
}


def _corrections(layer: Layer) -> NDArray[np.int32]:
    """What the shift of the values has added to each sum, with the other sign; (lanes,) or empty."""
    if not layer.kind.offset:
        return np.zeros(0, np.int32)
    if isinstance(layer.linear, Identity):
        return corrections_of(layer, np.ones(layer.outputs, np.int64))
    return corrections_of(layer, _numbers(layer).reshape(layer.outputs, -1).sum(axis=1, dtype=np.int64))


def corrections_of(layer: Layer, sums: NDArray[np.integer]) -> NDArray[np.int32]:
    """Corrections, (lanes,), from the sum of each output's weights, (outputs,)."""
    return _pad((-layer.kind.offset * sums).astype(np.int32), LANES, 0)


# Constants of transforms


def _sign(layer: Layer) -> NDArray[Any]:
    """Thresholds as int32, then a byte for eight outputs: which bits are turned over."""
    assert isinstance(layer.transform, Sign)
    value, flips = layer.transform.at_least()
    thresholds = _pad(value.astype("<i4"), LANES, 0, NEVER)
    return np.concatenate([thresholds.view(np.uint8), bits.pack(_pad(flips, LANES, 0))])


def _normalize(layer: Layer) -> NDArray[Any]:
    assert isinstance(layer.transform, Normalize)
    return _pad(layer.transform.table().T, LANES, 1)


def _scores(layer: Layer) -> NDArray[Any]:
    assert isinstance(layer.transform, Scores)
    table = np.stack([layer.transform.multiplier.astype(np.int32), layer.transform.offset])
    return _pad(table, LANES, 1)


def _requantize(layer: Layer) -> NDArray[Any]:
    assert isinstance(layer.transform, Requantize)
    transform = layer.transform
    table = np.stack([transform.bias, transform.multiplier, transform.shift.astype(np.int32)])
    return np.asarray(_pad(table, LANES, 1), np.int32)


CONSTANTS: dict[type[Transform], Callable[[Layer], NDArray[Any]]] = {
    Sign: _sign,
    Normalize: _normalize,
    Scores: _scores,
    Requantize: _requantize,
}
