"""The counts of work, against loops written as the C kernels' are, and against figures worked out by hand."""

import random
from statistics import NormalDist

import numpy as np
import pytest
from support.random_networks import random_network

from ebnn.blocks import Block, Conv, Input, Normalization, Pool, Scores, Shape, Threshold
from ebnn.network import Network
from ebnn.workload import fraction_tested, layer_kernel, layer_work


def conv_network(kind, shape, filters, kernel, pad, pool=None):
    """One convolution block, half of its weights +1 as a chessboard, then two classes."""
    weights = np.arange(filters * kernel * kernel * shape[0]).reshape(filters, kernel, kernel, shape[0]) % 2 == 1
    threshold = Threshold(np.zeros(filters), np.zeros(filters, bool))
    block = Block(Conv(weights, (1, 1), (pad, pad)), pool, threshold)
    out = block.output_shape(Shape(*shape))
    scores = Scores(np.ones((2, out.height, out.width, out.channels), bool), np.ones(2), np.zeros(2), 1.0)
    return Network(Input(kind, Shape(*shape)), (block,), scores)


def test_a_convolution_of_bits_by_hand():
    """4×4 bits, two filters of 3×3 with a border of 1: 4 of the 16 patches lie inside."""
    network = conv_network("bits", (1, 4, 4), 2, 3, 1)
    assert layer_kernel(network, 0) == "conv_word"
    work = layer_work(network, 0)
    # Rows under the kernel, from top to bottom: 2, 3, 3, 2; each for 4 columns. A patch takes a word, a masked one two.
    # A row is one piece, but for the kernel's third, bits 6 to 8 of the patch: it is cut at bit 8. That row lies inside
    # at 3 of the 4 places down, and its bit 8 at 3 of the 4 places across: 9 pieces more.
    assert work == {
        "layers": 1,
        "pixels": 16,
        "patches": 16,
        "rows": 40,
        "tests": 32,
        "skips": 0,
        "flips": 0,
        "patch_bytes": 4 * 4 + 12 * 8,
        "chunks": 40 + 9,
    }


def test_longer_patches_are_counted_in_groups_of_words():
    """3×3×32 bits are nine words: a group of eight and one more."""
    network = conv_network("bits", (32, 4, 4), 2, 3, 1)
    assert layer_kernel(network, 0) == "conv_bits"
    work = layer_work(network, 0)
    assert (work["groups"], work["words"], work["totals"]) == (2 * 4, 2 * 4, 2 * 4)
    assert work["masked_words"] == 2 * 12 * 9
    assert work["chunks"] == work["rows"] == 40  # whole bytes: each row is copied at once


def test_a_convolution_of_pixels_by_hand():
    network = conv_network("uint8", (2, 3, 3), 3, 2, 0, Pool((2, 2), (1, 1)))
    assert layer_kernel(network, 0) == "conv_few"
    work = layer_work(network, 0, fired=0.5)
    # The map is 2×2, the pool sees all of it once: 4 patches of 8 taps, 12 comparisons of which half are made.
    assert work["patches"] == 4
    assert work["patch_bytes"] == work["gathered"] == 4 * 8
    assert (work["tests"], work["skips"]) == (6, 6)
    assert work["choices"] == 4 * 2 * (1 + 2 + 4 + 8)  # of two digits of four values
    network = conv_network("uint8", (2, 4, 4), 3, 3, 0)
    assert layer_kernel(network, 0) == "conv_bytes"
    work = layer_work(network, 0)
    assert (work["taps"], work["ones"]) == (4 * 3 * 18, 4 * 3 * 9)


def test_dense_layers_by_hand():
    scores = Scores(np.ones((2, 1, 3, 3), bool), np.ones(2), np.zeros(2), 1.0)
    bits = Network(Input("bits", Shape(3, 1, 3)), (), scores)
    assert layer_kernel(bits, 0) == "output_bits"
    assert layer_work(bits, 0) == {
        "layers": 1,
        "outputs": 2,
        "groups": 0,
        "words": 0,
        "totals": 0,
        "tail_bytes": 2 * 2,  # 9 bits are 2 bytes
    }
    pixels = Network(Input("int8", Shape(3, 1, 3)), (), scores)
    assert layer_kernel(pixels, 0) == "output_bytes"
    assert layer_work(pixels, 0) == {"layers": 1, "outputs": 2, "inputs": 9, "taps": 18, "ones": 18}


def kernel_loops(network, layer):
    """Patches, whole patches, rows and pieces, as the loops of layers.h and window.h pass over them."""
    block = network.blocks[layer]
    shape, out = network.shapes[layer : layer + 2]
    conv, pool = block.linear, block.pool or Pool((1, 1), (1, 1))
    map_shape = block.map_shape(shape)

    def window(at, stride, pad, size, limit):
        start = at * stride - pad
        return min(max(start, 0), limit), min(max(start + size, 0), limit)

    patches = whole = row_count = pieces = 0
    for y in range(out.height):
        for x in range(out.width):
            for my in range(*window(y, pool.stride[0], pool.pad[0], pool.size[0], map_shape.height)):
                for mx in range(*window(x, pool.stride[1], pool.pad[1], pool.size[1], map_shape.width)):
                    top, bottom = window(my, conv.stride[0], conv.pad[0], conv.kernel[0], shape.height)
                    left, right = window(mx, conv.stride[1], conv.pad[1], conv.kernel[1], shape.width)
                    patches += 1
                    whole += (bottom - top) * (right - left) == conv.kernel[0] * conv.kernel[1]
                    for row in range(top, bottom):
                        row_count += 1
                        kernel_row, kernel_column = (
                            row - (my * conv.stride[0] - conv.pad[0]),
                            left - (mx * conv.stride[1] - conv.pad[1]),
                        )
                        to = (kernel_row * conv.kernel[1] + kernel_column) * shape.channels
                        pairs = [(to + i) // 8 for i in range((right - left) * shape.channels)]
                        other = [(left * shape.channels + i) // 8 for i in range(len(pairs))]
                        at_once = (to | left * shape.channels | len(pairs)) % 8 == 0
                        pieces += 1 if at_once else len(set(zip(pairs, other, strict=True)))
    return patches, whole, row_count, pieces


def test_counts_are_those_of_the_loops():
    choose = random.Random(7)
    seen = 0
    while seen < 150:
        network = random_network(choose)
        for layer in range(len(network.blocks)):
            if layer_kernel(network, layer) not in ("conv_bits", "conv_word"):
                continue
            seen += 1
            work = layer_work(network, layer, fired=1.0)
            patches, whole, rows, pieces = kernel_loops(network, layer)
            filter_bytes = network.filter_bits(layer, network.layer_weights[layer].shape[1:]) // 8
            filters = network.blocks[layer].outputs
            assert work["patches"] == patches
            assert work["rows"] == rows
            assert work["chunks"] == pieces
            if layer_kernel(network, layer) == "conv_bits":
                words = filter_bytes // 4
                assert 8 * work["groups"] + work["words"] == pytest.approx(whole * filters * words)
                assert work["masked_words"] == pytest.approx((patches - whole) * filters * words)


@pytest.mark.parametrize("gamma", [1.0, -1.0])
def test_how_often_a_window_is_settled_early(gamma):
    """An output that fires for half of the windows: at once if all positions agree, or each with 1 − 0.5^(1/4)."""
    block = Block(
        Conv(np.ones((1, 1, 1, 1), bool)),
        Pool((2, 2), (2, 2)),
        Threshold(np.zeros(1), np.array([gamma < 0])),
        Normalization(*(np.array([value], np.float32) for value in (0, 0, 1, gamma, 0))),
    )
    alike = 0.5 * 1 + 0.5 * 4
    one = 1 - 0.5**0.25
    apart = sum((1 - one) ** k for k in range(4))
    assert fraction_tested(block) == pytest.approx((alike + apart) / 2 / 4)


def test_the_normalisation_tells_how_often_an_output_fires():
    """With beta = gamma the pooled sums must fall a standard deviation short for the bit to be 0."""
    fires = NormalDist().cdf(1.0)
    block = Block(
        Conv(np.ones((1, 1, 1, 1), bool)),
        Pool((1, 2), (1, 2)),
        Threshold(np.zeros(1), np.zeros(1, bool)),
        Normalization(*(np.array([value], np.float32) for value in (0, 5, 1, 2, 2))),
    )
    one = 1 - (1 - fires) ** 0.5
    expected = ((fires + 2 * (1 - fires)) + (1 + (1 - one))) / 2 / 2
    assert fraction_tested(block) == pytest.approx(expected)


def test_no_pool_settles_nothing_early():
    assert fraction_tested(conv_network("bits", (1, 4, 4), 2, 3, 1).blocks[0]) == 1.0
