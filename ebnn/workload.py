"""How much work each layer of a network is: how often the kernels' loops run, by name.

The counts follow ``firmware/lib/ebnn``: each is one that the time of a kernel grows with. ``estimate`` multiplies them
with what one of each costs on a core.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from . import bits
from .blocks import Block, Conv, Pool, Shape
from .network import Network

Work = dict[str, float]

_CORRELATION = 0.5  # of neighbouring sums of an image, from none (0) to all alike (1): between the two, as MNIST's are
_RARELY = 1e-6
_SMALL = {"bits": (32, "word"), "bytes": (16, "few")}  # up to so many taps, a kernel of its own; as in layers.h
_GROUP = 8  # words whose mismatches are added up bit by bit before they are counted


def layer_kernel(network: Network, layer: int, arithmetic: str = "integer") -> str:
    """Which kernel runs the layer: "conv", "dense" or "output", and what it runs on: "_bits", "_bytes" or "_float".

    "_float" is the float arithmetic, on floats; "_float_bits" and "_float_bytes" are its blocks on other input.
    Convolutions of up to 32 bits are "conv_word", of up to 16 bytes "conv_few".
    """
    if layer == len(network.blocks):
        name, floating = "output", False
    else:
        block = network.blocks[layer]
        name, floating = block.kind, arithmetic == "float" or block.threshold is None
    kind = {"bits": "bits", "float": "float"}.get(network.kinds[layer], "bytes")
    if floating:
        return f"{name}_float" if kind == "float" else f"{name}_float_{kind}"
    taps = network.layer_weights[layer][0].size
    if name == "conv" and taps <= _SMALL.get(kind, (0, ""))[0]:
        kind = _SMALL[kind][1]
    return f"{name}_{kind}"


def layer_work(network: Network, layer: int, arithmetic: str = "integer", fired: float | None = None) -> Work:
    """How often each loop of the layer's kernel runs for one sample.

    Args:
        network: any.
        layer: index of a block; ``len(network.blocks)`` is the last layer.
        arithmetic: "integer" or "float".
        fired: the fraction of comparisons that a pooled convolution makes before its window is settled, where it is
            known; by default `fraction_tested`.
    """
    kernel = layer_kernel(network, layer, arithmetic)
    if kernel.startswith("conv"):
        return _conv_work(network, layer, kernel, fired)
    weights = network.layer_weights[layer]
    outputs, taps = len(weights), weights[0].size
    shape = network.shapes[layer]
    work: Work = {"layers": 1, "outputs": outputs}
    if kernel == "dense_float":
        return work | {"taps": outputs * taps}
    if kernel.endswith("bits"):
        words, tail = divmod(shape.height * bits.row_bytes(shape.width * shape.channels), 4)
        work |= _counting(words, outputs) | {"tail_bytes": outputs * tail}
    else:
        work |= {"inputs": taps, "taps": outputs * taps, "ones": float(weights.sum())}
    if layer < len(network.blocks) and "float" not in kernel:
        work["flips"] = _flips(network.blocks[layer])
    return work


def fraction_tested(block: Block) -> float:
    """The fraction of the comparisons in a pooling window that are made before one of them settles the output.

    How often an output fires follows from its batch normalisation, which makes the maximum a normal variable over the
    training data; where that is not known, every second one does. The positions of a window are taken for half alike.
    """
    positions = math.prod(block.pool.size) if block.pool is not None else 1
    if positions == 1:
        return 1.0
    fires = np.clip(_fires(block), _RARELY, 1 - _RARELY)  # (outputs,)
    one = 1 - (1 - fires) ** (1 / positions)
    apart, alike = fires / one, fires + (1 - fires) * positions
    return float(np.mean(_CORRELATION * alike + (1 - _CORRELATION) * apart)) / positions


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
        return work | {"outputs": pixels * filters, "sums": patches * filters, "taps": patches * filters * taps}
    if kernel.startswith("conv_float"):  # each output gathers its patches anew, and sums up all of them
        gathers, tests = filters, float(patches * filters)
        work = {"layers": 1, "outputs": pixels * filters, "rows": filters * height * len(columns), "tests": tests}
    else:
        gathers, tests = 1, patches * filters * (fraction_tested(block) if fired is None else fired)
        work |= {"rows": height * len(columns), "tests": tests, "skips": patches * filters - tests}
        work["flips"] = pixels * _flips(block)
    if kernel in ("conv_bytes", "conv_few", "conv_float_bytes"):
        work |= {"patch_bytes": gathers * patches * taps, "gathered": gathers * inside}
        if kernel == "conv_few":
            return work | {"choices": patches * sum(2 ** (tap % 4) for tap in range(taps))}
        return work | {"taps": tests * taps, "ones": tests * float(conv.weights.sum()) / filters}
    whole = sum(end - begin == conv.kernel[0] for begin, end, _ in rows) * sum(
        end - begin == conv.kernel[1] for begin, end, _ in columns
    )
    filter_bytes = network.filter_bits(layer, conv.weights[0].shape) // 8
    masked = 1 - whole / patches
    kernel_rows = Counter(first_row + row for begin, end, first_row in rows for row in range(end - begin))
    chunks = sum(_chunks(block, shape, column, row) * count for column in columns for row, count in kernel_rows.items())
    work |= {"patch_bytes": gathers * (2 * patches - whole) * filter_bytes, "chunks": gathers * chunks}
    if kernel == "conv_word":
        return work
    words = filter_bytes // 4
    return work | _counting(words, tests * (1 - masked)) | {"masked_words": tests * masked * words}


def _counting(words: int, times: float) -> Work:
    """The loops that count the mismatches of so many words, so many times."""
    groups, rest = divmod(words, _GROUP)
    return {"groups": times * groups, "words": times * rest, "totals": times * (groups > 0)}


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


def _chunks(block: Block, shape: Shape, column: tuple[int, int, int], kernel_row: int) -> int:
    """Pieces in which the bits of one row of a patch are copied: each lies within one byte on both sides, or is all."""
    assert isinstance(block.linear, Conv)
    begin, end, first_column = column
    source = begin * shape.channels
    target = (kernel_row * block.linear.kernel[1] + first_column) * shape.channels
    left, count = (end - begin) * shape.channels, 0
    if (source | target | left) % 8 == 0:
        return 1
    while left > 0:
        step = min(left, 8 - max(source % 8, target % 8))
        source, target, left, count = source + step, target + step, left - step, count + 1
    return count


def _flips(block: Block) -> int:
    """Outputs that are walked to turn some of them over."""
    return block.outputs if block.threshold is not None and bool(block.threshold.below.any()) else 0
