"""How much work each layer of a network is: how often the kernels' loops run, by name.

The counts follow ``firmware/lib/ebnn``: each is one that the time of a kernel grows with. ``estimate`` multiplies them
with what one of each costs on a core.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from . import bits
from .blocks import Block, Conv, Pool
from .kernels import GROUP, layer_kernel
from .kernels.columns import LOOKUPS, strips
from .network import Network

Work = dict[str, float]

_CORRELATION = 0.4  # of neighbouring sums of an image, from none (0) to all alike (1): as MNIST's are, 0.2 to 0.6
_RARELY = 1e-6
_EIGHT = 8  # words whose mismatches are added up bit by bit before they are counted


def layer_work(
    network: Network,
    layer: int,
    arithmetic: str = "integer",
    optimize: str = "balanced",
    fired: float | None = None,
    *,
    avr: bool = False,
) -> Work:
    """How often each loop of the layer's kernel runs for one sample.

    Args:
        network: any.
        layer: index of a block; ``len(network.blocks)`` is the last layer.
        arithmetic: "integer" or "float".
        optimize: "size", "compact", "balanced" or "speed".
        fired: the fraction of comparisons that a pooled convolution makes before its window is settled, where it is
            known; by default `fraction_tested`.
        avr: whether on AVR, where some kernels do it another way.
    """
    kernel = layer_kernel(network, layer, arithmetic, optimize)
    if kernel == "conv_columns":
        return _columns_work(network, layer, avr)
    if kernel == "conv_table":
        return _table_work(network, layer)
    if kernel.startswith("conv"):
        return _conv_work(network, layer, kernel, fired)
    weights = network.layer_weights[layer]
    outputs, taps = len(weights), weights[0].size
    work: Work = {"layers": 1}
    if kernel == "dense_float":
        return work | {"outputs": outputs, "taps": outputs * taps}
    if kernel.endswith("bytes"):
        work |= {"outputs": outputs, "inputs": taps, "taps": outputs * taps, "ones": float(weights.sum())}
    else:
        work |= _counting(kernel, outputs, network.filter_bits(layer, weights.shape[1:]) // 32, outputs)
    if layer < len(network.blocks) and "float" not in kernel:
        work["flips"] = _flips(network.blocks[layer])
    return work


def fraction_tested(block: Block, first: bool = False) -> float:
    """The fraction of the comparisons in a pooling window that are made before one of them settles the output.

    How often an output fires follows from its batch normalisation, which makes the maximum a normal variable over the
    training data; where that is not known, every second one does. The positions of a window are taken for partly alike
    in the ``first`` block, on an image, and for independent behind it, as measured with the networks trained on MNIST.
    """
    positions = math.prod(block.pool.size) if block.pool is not None else 1
    if positions == 1:
        return 1.0
    fires = np.clip(_fires(block), _RARELY, 1 - _RARELY)  # (outputs,)
    one = 1 - (1 - fires) ** (1 / positions)
    apart, alike = fires / one, fires + (1 - fires) * positions
    correlation = _CORRELATION if first else 0.0
    return float(np.mean(correlation * alike + (1 - correlation) * apart)) / positions


def _fires(block: Block) -> NDArray[np.float64]:
    """Probability that an output's comparison is true somewhere in its window, (outputs,)."""
    normalization, threshold = block.normalization, block.threshold
    if normalization is None or threshold is None:
        return np.full(block.outputs, 0.5)
    spread = np.maximum(np.abs(normalization.gamma.astype(np.float64)), _RARELY)
    ones = np.array([NormalDist().cdf(float(ratio)) for ratio in normalization.beta / spread])
    return np.where(threshold.below, 1 - ones, ones)


def _conv_work(network: Network, layer: int, kernel: str, fired: float | None) -> Work:
    block = network.blocks[layer]
    assert isinstance(block.linear, Conv)
    conv, shape, out = block.linear, network.shapes[layer], network.shapes[layer + 1]
    rows = list(_positions(block, 0, out.height, shape.height))
    columns = list(_positions(block, 1, out.width, shape.width))
    patches = len(rows) * len(columns)
    height, width = sum(end - begin for begin, end, _ in rows), sum(end - begin for begin, end, _ in columns)
    taps, inside = conv.weights[0].size, height * width * shape.channels
    pixels, filters = out.height * out.width, block.outputs
    work: Work = {"layers": 1, "pixels": pixels, "patches": patches}
    if kernel == "conv_float":
        places = patches * filters * conv.kernel[0] * conv.kernel[1]
        work |= {"outputs": pixels * filters, "sums": patches * filters, "places": places}
        return work | {"taps": patches * filters * taps, "taps_inside": filters * inside}
    if kernel.startswith("conv_float"):  # each output gathers its patches anew, and sums up all of them
        gathers, tests = filters, float(patches * filters)
        work = {"layers": 1, "outputs": pixels * filters}
    else:
        gathers, tests = 1, patches * filters * (fraction_tested(block, layer == 0) if fired is None else fired)
        work["flips"] = pixels * _flips(block)
    work["rows"] = gathers * height * len(columns)
    if kernel.endswith("bytes"):
        work |= {"tests": tests, "skips": patches * filters - tests}
        work |= {"patch_bytes": gathers * patches * taps, "gathered": gathers * inside}
        return work | {"taps": tests * taps, "ones": tests * float(conv.weights.sum()) / filters}
    whole = sum(end - begin == conv.kernel[0] for begin, end, _ in rows) * sum(
        end - begin == conv.kernel[1] for begin, end, _ in columns
    )
    words = network.filter_bits(layer, conv.weights.shape[1:]) // 32
    masked = 1 - whole / patches
    work["masked_patches"] = gathers * (patches - whole)
    if "octets" in kernel:
        work["bytes"] = gathers * inside // 8
    else:
        work["patch_bytes"] = gathers * (2 * patches - whole) * words * 4
        work["bytes"] = gathers * height * sum(_bytes_across(shape.channels, column) for column in columns)
    work |= _counting(kernel, tests * (1 - masked), words, filters)
    for name, count in _counting(kernel, tests * masked, words, filters).items():
        work[f"masked_{name}"] = count
    return work | {"skips": patches * filters - tests}


def _columns_work(network: Network, layer: int, avr: bool) -> Work:
    """Sums by columns: what is made for each strip, looked up for each filter, and pooled."""
    block, out = network.blocks[layer], network.shapes[layer + 1]
    strip = strips(block, network.shapes[layer])[0 if avr else 1]
    pool = block.pool or Pool((1, 1), (1, 1))
    rows = min(
        (out.height - 1) * pool.stride[0] + pool.size[0] - pool.pad[0], block.map_shape(network.shapes[layer]).height
    )
    count = -(-rows // strip.lanes) * strip.strips(strip.run)
    pixels = out.height * out.width
    return {
        "layers": 1,
        "strips": count,
        "sums": count * strip.rows * strip.columns(strip.run),
        "columns": count * strip.columns(strip.run),
        "filters": count * block.outputs,
        "lookups": count * block.outputs * strip.run,
        "more_lookups": count * block.outputs * strip.run * (strip.lookups - LOOKUPS),
        "pixels": pixels,
        "pooled": pixels * block.outputs,
        "flips": pixels * _flips(block),
    }


def _table_work(network: Network, layer: int) -> Work:
    """Truth tables: entries looked up for each position of the map, and ORed over each pooling window."""
    block, shape, out = network.blocks[layer], network.shapes[layer], network.shapes[layer + 1]
    assert isinstance(block.linear, Conv)
    size = (block.pool or Pool((1, 1), (1, 1))).size
    entry = bits.row_bytes(block.outputs)
    rows, columns = block.map_shape(shape)[1:]
    pixels = out.height * out.width
    across = rows * shape.width * shape.channels
    return {
        "layers": 1,
        "rows": rows,
        "reads": across // 8 if block.linear.kernel[0] in (1, 3) else across,  # of columns, where not on AVR
        "positions": rows * columns,
        "looked_up": rows * columns * entry,
        "columns": across,
        "taps": across * block.linear.kernel[0],
        "pixels": pixels,
        "pooled": pixels * size[1] * entry,
        "written": pixels * entry,
        "merged": out.height * (size[0] > (block.pool or Pool((1, 1), (1, 1))).stride[0]) * columns * entry,
        "flips": pixels * _flips(block),
    }


def _counting(kernel: str, tests: float, words: int, filters: int) -> Work:
    """The loops that count the mismatches of so many words in ``tests`` filters of the layer's ``filters``.

    Where ``kernel`` takes four at a time, the last ones, fewer than four, go one by one.
    """
    alone = tests if not kernel.endswith(f"_{GROUP}") else tests * (filters % GROUP) / filters
    eights, rest = divmod(words, _EIGHT)
    work: Work = {"tests": alone, "words": alone * words}
    if alone != tests:
        work |= {"fours": (tests - alone) / GROUP, "words_of_four": (tests - alone) / GROUP * words}
    return work | {"eights": tests * eights, "rests": tests * rest}


def _positions(block: Block, axis: int, outputs: int, side: int) -> Iterator[tuple[int, int, int]]:
    """Along one axis, for each output and each position of its window: the image's (begin, end) under the kernel, and
    which of the kernel's own rows or columns falls on ``begin``."""
    assert isinstance(block.linear, Conv)
    conv, pool = block.linear, block.pool or Pool((1, 1), (1, 1))
    size, stride, pad = conv.kernel[axis], conv.stride[axis], conv.pad[axis]
    map_side = (side + 2 * pad - size) // stride + 1
    for output in range(outputs):
        start = output * pool.stride[axis] - pool.pad[axis]
        for at in range(max(start, 0), min(start + pool.size[axis], map_side)):
            corner = at * stride - pad
            begin = min(max(corner, 0), side)
            yield begin, min(max(corner + size, 0), side), begin - corner


def _bytes_across(channels: int, column: tuple[int, int, int]) -> int:
    """Bytes that hold the bits of one row of a patch."""
    begin, end, _ = column
    return (end * channels + 7) // 8 - begin * channels // 8 if end > begin else 0


def _flips(block: Block) -> int:
    """Outputs that are walked to turn some of them over."""
    return block.outputs if block.threshold is not None and bool(block.threshold.below.any()) else 0
