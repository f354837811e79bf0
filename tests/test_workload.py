"""The counts of work, against loops written as the C kernels' are, and against figures worked out by hand."""

import random
from statistics import NormalDist

import numpy as np
import pytest
from support.parts import block_of, kernel_of, last_of, net_of, placed, step_of
from support.random_networks import random_network

import ebnn
from ebnn import datasets
from ebnn.compile.kernels.conv import fraction_tested
from ebnn.compile.target import AVR, WORDS
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Conv, Pool
from ebnn.model.transforms import Normalize, Sign
from tools.costs import fired


def conv_network(kind, shape, filters, kernel, pad, pool=None):
    """One convolution block, half of its weights +1 as a chessboard, then two classes."""
    weights = np.arange(filters * kernel * kernel * shape[0]).reshape(filters, kernel, kernel, shape[0]) % 2 == 1
    threshold = Sign(np.zeros(filters), np.zeros(filters, bool))
    block = block_of(Conv(weights, (1, 1), (pad, pad)), pool, threshold)
    out = placed(block, kind, Shape(*shape)).output_shape
    scores = last_of(np.ones((2, out.height, out.width, out.channels), bool), np.ones(2), np.zeros(2), 1.0)
    return net_of(Input(kind, Shape(*shape)), (block,), scores)


def test_a_convolution_of_bits_by_hand():
    """4×4 bits, two filters of 3×3 with a border of 1: 4 of the 16 patches lie inside."""
    network = conv_network("bits", (1, 4, 4), 2, 3, 1)
    assert kernel_of(network, 0, optimize="size") == "conv_bits"
    # Rows under the kernel, from top to bottom: 2, 3, 3, 2; each for 4 columns, whose bits lie in one byte. A patch
    # takes a word, a masked one two.
    assert step_of(network, 0, optimize="size").work() == {
        "layers": 1,
        "pixels": 16,
        "patches": 16,
        "flips": 0,
        "rows": 40,
        "masked_patches": 12,
        "patch_bytes": 4 * 4 + 12 * 8,
        "bytes": 40,
        "tests": 8,
        "words": 8,
        "eights": 0,
        "rests": 8,
        "masked_tests": 24,
        "masked_words": 24,
        "masked_eights": 0,
        "masked_rests": 24,
        "skips": 0,
    }


def test_filters_are_counted_by_fours():
    """3×3×32 bits are nine words: a group of eight and one more; seven filters are four at once and three alone."""
    network = conv_network("bits", (32, 4, 4), 7, 3, 0)
    assert kernel_of(network, 0) == "conv_octets_4"
    work = step_of(network, 0).work()
    patches = 4
    assert (work["fours"], work["tests"]) == (patches, pytest.approx(3 * patches))
    assert (work["words_of_four"], work["words"]) == (9 * patches, pytest.approx(9 * 3 * patches))
    assert (work["eights"], work["rests"]) == (7 * patches, 7 * patches)
    assert work["bytes"] == patches * 36
    assert work["masked_patches"] == work["masked_tests"] == 0


def test_a_pooled_convolution_skips_what_is_settled():
    """A window that is settled early skips filters: they go one by one."""
    network = conv_network("bits", (32, 4, 4), 8, 3, 0, Pool((2, 2), (2, 2)))
    assert kernel_of(network, 0) == "conv_octets"
    work = step_of(network, 0).work(fired=0.75)
    assert (work["tests"], work["skips"]) == (24, 8)


def test_a_convolution_of_bytes_by_hand():
    network = conv_network("uint8", (2, 4, 4), 3, 3, 0)
    assert kernel_of(network, 0, optimize="size") == "conv_bytes"
    work = step_of(network, 0, optimize="size").work()
    assert work["patches"] == 4
    assert work["patch_bytes"] == work["gathered"] == 4 * 18
    assert (work["taps"], work["ones"]) == (4 * 3 * 18, 4 * 3 * 9)


def test_sums_by_columns_by_hand():
    """A map of 4×4 places: each row a strip over 6 columns, of 4 sums each; two rows at a time but on AVR."""
    network = conv_network("uint8", (1, 4, 4), 2, 3, 1)
    assert kernel_of(network, 0) == "conv_columns"
    for target, strips in ((AVR, 4), (WORDS, 2)):
        assert step_of(network, 0, target=target).work() == {
            "layers": 1,
            "strips": strips,
            "sums": strips * 6 * 4,
            "columns": strips * 6,
            "filters": strips * 2,
            "lookups": strips * 2 * 4,  # those over three are the others
            "more_lookups": 0,
            "partials": 0,
            "additions": 0,
            "pixels": 16,
            "pooled": 32,
            "flips": 0,
        }


def test_truth_tables_by_hand():
    """Two filters are a byte; windows of 3 rows, 2 apart, overlap."""
    network = conv_network("bits", (1, 4, 4), 2, 3, 1, Pool((3, 3), (1, 1)))
    assert kernel_of(network, 0) == "conv_table"
    assert step_of(network, 0).work() == {
        "layers": 1,
        "rows": 4,
        "positions": 16,
        "looked_up": 16,
        "reads": 16 // 8,
        "columns": 16,
        "taps": 48,
        "pixels": 4,
        "pooled": 4 * 3,
        "written": 4,
        "merged": 2 * 4,
        "flips": 0,
    }


def test_dense_layers_by_hand():
    scores = last_of(np.ones((2, 1, 3, 3), bool), np.ones(2), np.zeros(2), 1.0)
    bits = net_of(Input("bits", Shape(3, 1, 3)), (), scores)
    assert kernel_of(bits, 0) == "output_bits"
    assert step_of(bits, 0).work() == {"layers": 1, "tests": 2, "words": 2, "eights": 0, "rests": 2}
    pixels = net_of(Input("int8", Shape(3, 1, 3)), (), scores)
    assert kernel_of(pixels, 0) == "output_bytes"
    assert step_of(pixels, 0).work() == {"layers": 1, "outputs": 2, "inputs": 9, "taps": 18, "ones": 18}


def kernel_loops(network, layer):
    """Patches, whole patches, rows and their bytes, as the loops of conv.h and window.h pass over them."""
    block = network.layers[layer]
    shape, out = block.input.shape, block.output_shape
    conv, pool = block.linear, block.pool or Pool((1, 1), (1, 1))
    map_shape = block.map_shape

    def window(at, stride, pad, size, limit):
        start = at * stride - pad
        return min(max(start, 0), limit), min(max(start + size, 0), limit)

    patches = whole = row_count = octets = 0
    for y in range(out.height):
        for x in range(out.width):
            for my in range(*window(y, pool.stride[0], pool.pad[0], pool.size[0], map_shape.height)):
                for mx in range(*window(x, pool.stride[1], pool.pad[1], pool.size[1], map_shape.width)):
                    top, bottom = window(my, conv.stride[0], conv.pad[0], conv.kernel[0], shape.height)
                    left, right = window(mx, conv.stride[1], conv.pad[1], conv.kernel[1], shape.width)
                    patches += 1
                    whole += (bottom - top) * (right - left) == conv.kernel[0] * conv.kernel[1]
                    for _ in range(top, bottom):
                        row_count += 1
                        octets += len({bit // 8 for bit in range(left * shape.channels, right * shape.channels)})
    return patches, whole, row_count, octets


def test_counts_are_those_of_the_loops():
    choose = random.Random(7)
    seen = 0
    while seen < 150:
        network = random_network(choose)
        for layer in range(len(network.layers) - 1):
            kernel = kernel_of(network, layer, optimize="size")
            if kernel not in ("conv_bits", "conv_octets"):
                continue
            seen += 1
            work = step_of(network, layer, optimize="size").work(fired=1.0)
            patches, whole, rows, octets = kernel_loops(network, layer)
            words = network.layers[layer].filter_words
            filters = network.layers[layer].outputs
            assert work["patches"] == patches
            assert work["masked_patches"] == patches - whole
            assert work["rows"] == rows
            assert work["bytes"] == octets
            assert work["words"] == pytest.approx(whole * filters * words)
            assert work["masked_words"] == pytest.approx((patches - whole) * filters * words)
            assert 8 * work["eights"] + work["rests"] == pytest.approx(work["words"])


@pytest.mark.parametrize("gamma", [1.0, -1.0])
def test_how_often_a_window_is_settled_early(gamma):
    """An output that fires for half of the windows: at once if all positions agree, or each with 1 − 0.5^(1/4).

    On an image neighbours are partly alike, behind the first block they are not.
    """
    block = block_of(
        Conv(np.ones((1, 1, 1, 1), bool)),
        Pool((2, 2), (2, 2)),
        Sign(np.zeros(1), np.array([gamma < 0])),
        Normalize(*(np.array([value], np.float32) for value in (0, 0, 1, gamma, 0))),
    )
    alike = 0.5 * 1 + 0.5 * 4
    one = 1 - 0.5**0.25
    apart = sum((1 - one) ** k for k in range(4))
    assert fraction_tested(block, first=True) == pytest.approx((0.4 * alike + 0.6 * apart) / 4)
    assert fraction_tested(block) == pytest.approx(apart / 4)


def test_the_normalisation_tells_how_often_an_output_fires():
    """With beta = gamma the pooled sums must fall a standard deviation short for the bit to be 0."""
    fires = NormalDist().cdf(1.0)
    block = block_of(
        Conv(np.ones((1, 1, 1, 1), bool)),
        Pool((1, 2), (1, 2)),
        Sign(np.zeros(1), np.zeros(1, bool)),
        Normalize(*(np.array([value], np.float32) for value in (0, 5, 1, 2, 2))),
    )
    one = 1 - (1 - fires) ** 0.5
    assert fraction_tested(block) == pytest.approx((1 + (1 - one)) / 2)


def test_comparisons_of_trained_networks_are_foretold(mnist):
    """Within 3 % of those made on test images, in the first block and behind it, on bits and on pixels."""
    for name in ("mnist-101", "mnist-bits", "mnist-tiny", "mnist-uno"):
        network = ebnn.load(name)
        x = datasets.convert(mnist.test_images[:100], mnist.kind, network.input.kind)
        for layer, made in enumerate(fired(network, x)):
            if made is not None:
                assert fraction_tested(network.layers[layer], layer == 0) == pytest.approx(made, rel=0.03), (
                    name,
                    layer,
                )


def test_no_pool_settles_nothing_early():
    assert fraction_tested(conv_network("bits", (1, 4, 4), 2, 3, 1).layers[0]) == 1.0
