"""Network: shapes and sizes worked by hand, every refusal, the hash, and samples as they reach the device."""

import copy
import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from support.parts import block_of, last_of, net_of, placed
from support.random_networks import RANGES, TYPES

from ebnn.compile.plan import scratch_bytes
from ebnn.compile.target import WORDS
from ebnn.errors import EbnnError, InputError, NetworkError
from ebnn.model import reference
from ebnn.model.kinds import KINDS, MAX_FLOAT, Input, Shape
from ebnn.model.layers import Block, Conv, Dense, Pool
from ebnn.model.network import Network
from ebnn.model.transforms import Normalize, Sign


def ones(*shape):
    return np.ones(shape, bool)


def thresholds(*values, below=()):
    return Sign(np.array(values), np.isin(np.arange(len(values)), below))


def normalization(outputs):
    return Normalize(*(np.full(outputs, value) for value in (0, 0, 1, 1, 0)))


def scores(classes, height, width, channels, multiplier=1, offset=0):
    weights = ones(classes, height, width, channels)
    return last_of(weights, np.full(classes, multiplier), np.full(classes, offset), 0.5)


def mnist_like(below=()):
    """The shape of eBNN's binary MNIST network."""
    conv = Conv(ones(10, 3, 3, 1), stride=(2, 2))
    block = block_of(conv, Pool((3, 3), (2, 2)), thresholds(*range(10), below=below))
    return net_of(Input("bits", (1, 28, 28)), (block,), scores(10, 6, 6, 10))


def three_layers():
    """uint8 3×4×5 → convolution 2×3, stride 1×2, pad 1×0 → dense 7 → 3 classes. Nothing in it is square."""
    conv = block_of(Conv(ones(2, 2, 3, 3), (1, 2), (1, 0)), None, thresholds(0, 4591), normalization(2))
    dense = block_of(Dense(ones(7, 5, 2, 2)), None, thresholds(*range(7), below=[3]))
    return net_of(Input("uint8", (3, 4, 5)), (conv, dense), scores(3, 1, 1, 7))


def only_scores(kind="bits", shape=(1, 2, 3), classes=2):
    channels, height, width = shape
    return net_of(Input(kind, shape), (), scores(classes, height, width, channels))


def float_network():
    block = block_of(Conv(ones(1, 2, 2, 1)), None, None, normalization(1))
    return net_of(Input("float", (1, 2, 3)), (block,), scores(2, 1, 2, 1))


# Shapes and sizes


def test_sizes_of_a_convolutional_network_worked_by_hand():
    """SPEC 2.3, 2.5, 2.6, 4.2 and 6.1 on a 28×28 image of bits."""
    network = mnist_like()
    assert network.input.bytes == 112
    # (28 − 3) / 2 + 1 = 13 positions, (13 − 3) / 2 + 1 = 6 windows along each side.
    assert network.shapes == ((1, 28, 28), (10, 6, 6))
    assert [layer.kind.name for layer in network.layers] == ["bits", "bits"]
    # 10 filters of 9 bits: a word each. 10 outputs of 6 rows of 60 bits, 8 bytes a row: 12 words each.
    assert [layer.weight_bytes for layer in network.layers] == [40, 480]
    assert network.weight_bytes == 520
    assert network.threshold_bytes == 20
    assert mnist_like(below=[9]).threshold_bytes == 22  # a bit for each output
    assert network.score_bytes == 60
    assert network.arena_bytes == 112 + 56 + 48  # 13 entries of 2 bytes, a word whole, for each of 2 windows
    assert [layer.macs for layer in network.layers] == [10 * 9 * 13 * 13, 3600]
    assert network.macs == 18_810
    assert network.classes == 10


def test_sizes_of_a_network_that_is_nowhere_square_worked_by_hand():
    """SPEC 2.3 to 2.6, 4.2 and 6.1 on bytes: patch of 18 bytes, dense rows of 4 bits in a byte each."""
    network = three_layers()
    assert network.input.bytes == 60
    assert network.shapes == ((3, 4, 5), (2, 5, 2), (7, 1, 1))
    assert [layer.weight_bytes for layer in network.layers] == [2 * 4, 7 * 8, 3 * 4]
    assert [layer.transform.constant_bytes for layer in network.layers[:-1]] == [2 * 2, 7 * 2 + 1]
    # Two groups of 3 taps have 4 sums each, for 5 columns, and 2 places have a partial sum: 42 of two lanes, 4 bytes.
    # Marks are 16 bits for each of 2 filters, of two rows and of a window.
    assert network.arena_bytes == 60 + (168 + 12) + 8
    assert [layer.macs for layer in network.layers] == [18 * 2 * 5 * 2, 20 * 7, 7 * 3]
    assert network.macs == 521
    assert [layer.name for layer in network.layers] == ["conv1", "dense2", "output"]


def test_sizes_of_a_float_network_worked_by_hand():
    """SPEC 2.4, 4.7: 4 bytes a value, 5 floats of normalisation an output."""
    network = float_network()
    assert network.input.bytes == 24
    assert network.threshold_bytes == 20
    assert network.arena_bytes == 24 + 16 + 4
    assert network.weight_bytes == 4 + 2 * 4


def test_a_padded_convolution_of_bits_needs_room_for_its_mask():
    """SPEC 6.1: 99 bits of patch are 16 bytes, with a mask 32; bytes and floats need no mask."""
    for kind, pad, size in [("bits", 0, 16), ("bits", 1, 32), ("uint8", 1, 99), ("float", 1, 396)]:
        ends = None if kind == "float" else thresholds(0)
        block = block_of(Conv(ones(1, 1, 1, 99), (1, 1), (0, pad)), None, ends, normalization(1))
        assert scratch_bytes(placed(block, kind, (99, 1, 1)), WORDS) == size


@pytest.mark.parametrize(
    ("values", "below", "size"),
    [
        ([32_767, -32_768], [], 4),
        ([32_768, 0], [], 8),
        ([-32_769, 0], [], 8),
        ([32_767, 0], [0], 8 + 1),  # acc <= 32767 is not acc >= 32768
        ([-32_769, 0], [0], 4 + 1),  # acc <= −32769 is not acc >= −32768
    ],
)
def test_thresholds_take_two_bytes_where_all_fit(values, below, size):
    """SPEC 4.4: the device's form says the same, in the smallest type that holds every threshold of a block."""
    block = block_of(Dense(ones(2, 1, 1, 300)), None, thresholds(*values, below=below))
    network = net_of(Input("uint8", (300, 1, 1)), (block,), scores(2, 1, 1, 2))
    assert network.threshold_bytes == size
    value, flip = block.transform.at_least()
    for acc in (-32_770, -32_769, -32_768, -1, 0, 1, 32_766, 32_767, 32_768, 32_769):
        for i in range(2):
            expected = acc <= values[i] if i in below else acc >= values[i]
            assert ((acc >= int(value[i])) != flip[i]) == expected


@pytest.mark.parametrize(
    ("side", "size", "stride", "pad", "count"),
    [(28, 3, 2, 0, 13), (5, 5, 1, 0, 1), (1, 1, 7, 0, 1), (1, 3, 1, 1, 1), (4, 2, 3, 1, 2), (1, 2, 1, 5, 10)],
)
def test_positions_of_a_window(side, size, stride, pad, count):
    """SPEC 4.2, with counts taken by hand: the last one has a kernel that can lie wholly in the padding."""
    conv = block_of(Conv(ones(1, size, 1, 1), (stride, 1), (pad, 0)), None, thresholds(0))
    assert placed(conv, "bits", Shape(1, side, 1)).output_shape == (1, count, 1)
    conv = block_of(Conv(ones(1, 1, size, 1), (1, stride), (0, pad)), None, thresholds(0))
    assert placed(conv, "bits", Shape(1, 1, side)).output_shape == (1, 1, count)


def test_pooling_follows_the_map():
    """SPEC 4.2 and 4.3: a pool of 2×3, stride 2×1, pad 1×2 on a map of 3×4."""
    block = block_of(Conv(ones(5, 1, 1, 2)), Pool((2, 3), (2, 1), (1, 2)), thresholds(*[0] * 5))
    assert placed(block, "bits", Shape(2, 3, 4)).map_shape == (5, 3, 4)
    assert placed(block, "bits", Shape(2, 3, 4)).output_shape == (5, 2, 6)


# Refusals


def conv_block(weights, *geometry, pool=None):
    return block_of(Conv(weights, *geometry), pool, thresholds(*[0] * len(weights)))


def dense_block(outputs, taps):
    weights = np.broadcast_to(np.ones((1, 1, 1, 1), bool), (outputs, 1, taps, 1))
    return block_of(Dense(weights), None, thresholds(*[0] * outputs))


def network_of(kind, shape, *blocks, last):
    return lambda: net_of(Input(kind, shape), blocks, last)


REFUSALS = [
    (lambda: Input("pixels", (1, 2, 3)), "input kind 'pixels' is unknown: use one of bits, uint8, int8, float"),
    (lambda: Input("bits", (1, 2)), r"shape \(1, 2\) is not three whole numbers"),
    (lambda: Input("bits", (1, 2, 3.5)), r"shape \(1, 2, 3.5\) is not three whole numbers"),
    (lambda: Input("bits", (1, 0, 3)), r"input is 1×0×3 .* each must be 1 to 32767"),
    (lambda: Input("bits", (1, 2, 32_768)), r"input is 1×2×32768 .* each must be 1 to 32767"),
    (lambda: Conv(ones(2, 3, 3)), r"conv weights has shape \(2, 3, 3\): it needs 4 axes"),
    (lambda: Conv(ones(2, 0, 3, 1)), r"conv weights has shape \(2, 0, 3, 1\): it needs 4 axes, none of them empty"),
    (lambda: Conv([[[[1, -1]]]]), "conv weights holds a value that bool cannot"),
    (lambda: Dense([[[[0.5]]]]), "dense weights holds a value that bool cannot"),
    (lambda: Dense([[[[float("nan")]]]]), "dense weights holds a value that bool cannot"),
    (lambda: Conv(ones(1, 1, 1, 1), (0, 1)), r"stride \(0, 1\) is not a pair .* from 1 to 32767"),
    (lambda: Conv(ones(1, 1, 1, 1), 1), r"stride 1 is not a pair"),
    (lambda: Conv(ones(1, 1, 1, 1), (1, 1), (0, -1)), r"pad \(0, -1\) is not a pair .* from 0 to 32767"),
    (lambda: Conv(ones(1, 1, 1, 1), (1, 1.0)), r"stride \(1, 1.0\) is not a pair"),
    (lambda: Pool((2, 2), (1, 40_000)), r"pool stride \(1, 40000\) is not a pair .* from 1 to 32767"),
    (lambda: Pool((0, 2), (1, 1)), r"pool size \(0, 2\) is not a pair"),
    (lambda: Pool((2, 2), (1, 1), (0, 2)), "pool pad 2 leaves windows of size 2 empty: use a pad below the size"),
    (lambda: Sign([0.5], [False]), "sign value holds a value that int32 cannot"),
    (lambda: Sign([2**31], [False]), "sign value holds a value that int32 cannot"),
    (lambda: Sign([2**70], [False]), "sign value holds a value that int32 cannot"),
    (lambda: Sign([1, 2], [False]), r"sign: value, below differ in length: \[1, 2\]"),
    (lambda: Normalize([0], [0], [np.inf], [0], [0]), "normalisation? inv_std holds a value that is not finite"),
    (lambda: Normalize([0], [np.nan], [1], [0], [0]), "normalisation? mean holds a value that is not finite"),
    (lambda: Normalize([0], [0], [1], [0], [1e39]), "normalisation? beta holds a value that is not finite"),
    (lambda: Normalize([0], [0, 0], [1], [0], [0]), r"differ in length: \[1, 2\]"),
    (lambda: block_of(Dense(ones(1, 1, 1, 1)), Pool((1, 1), (1, 1)), thresholds(0)), "a dense block cannot pool"),
    (lambda: Sign([1, 2], [False, True], normalization(3)), "2 thresholds cannot have 3 normalisations"),
    (lambda: block_of(Dense(ones(1, 1, 1, 1)), None, thresholds(0, 0)), "1 outputs cannot end in sign of 2"),
    (lambda: block_of(Dense(ones(2, 1, 1, 1)), None, None, normalization(3)), "2 outputs cannot end in normalize of 3"),
    (lambda: last_of(ones(1, 1, 1, 1), [32_768], [0], 1), "scores multiplier holds a value that int16 cannot"),
    (lambda: last_of(ones(1, 1, 1, 1), [0], [2**31], 1), "scores offset holds a value that int32 cannot"),
    (lambda: last_of(ones(2, 1, 1, 1), [0], [0], 1), "2 outputs cannot end in scores of 1"),
    (lambda: last_of(ones(1, 1, 1, 1), [0], [0], 0), "scale of the scores is 0.0, it must be above 0"),
    (lambda: last_of(ones(1, 1, 1, 1), [0], [0], float("nan")), "scale of the scores is nan"),
    (lambda: last_of(ones(1, 1, 1, 1), [0], [0], float("inf")), "scale of the scores is inf"),
    (lambda: last_of(ones(1, 1, 1, 1), [0], [0], 1e39), "scale of the scores is 1e\\+39"),
    (
        network_of("bits", (1, 2, 2), conv_block(ones(1, 3, 2, 1)), last=scores(2, 1, 1, 1)),
        "conv1: a kernel of 3×2 does not fit a 2×2 map padded by 0×0: use a smaller one or more padding",
    ),
    (
        network_of("bits", (1, 2, 2), conv_block(ones(1, 1, 1, 1), pool=Pool((1, 3), (1, 1))), last=scores(2, 1, 1, 1)),
        "conv1: a pooling window of 1×3 does not fit a 2×2 map",
    ),
    (
        network_of("bits", (1, 1, 9), conv_block(ones(1, 1, 1, 1), (1, 1), (0, 16_380)), last=scores(2, 1, 1, 1)),
        "conv1: a padded side of 32769 is over 32767: use less padding",
    ),
    (
        network_of("bits", (2, 2, 2), conv_block(ones(1, 1, 1, 3)), last=scores(2, 2, 2, 1)),
        "conv1 takes 3 channels, its input has 2",
    ),
    (
        network_of("bits", (2, 2, 3), last=scores(2, 3, 2, 2)),
        r"the last layer takes \(3, 2, 2\) values \(height, width, channels\), its input is 2×2×3",
    ),
    (
        network_of("bits", (2, 1, 32_767), conv_block(ones(3, 1, 1, 2)), last=scores(2, 1, 32_767, 3)),
        "a row of the last layer's input has 98301 bits, 65535 fit",
    ),
    (
        network_of("bits", (16_384, 1, 4), conv_block(ones(1, 1, 4, 16_384)), last=scores(2, 1, 1, 1)),
        "a row of conv1's input has 65536 bits, 65535 fit",
    ),
    (
        network_of("uint8", (64, 32, 32), conv_block(ones(1, 32, 32, 64)), last=scores(2, 1, 1, 1)),
        "a filter of conv1 has 65536 taps, 65535 fit",
    ),
    # 3.5: 65,793 · 255 = 2**24 − 1, 131,072 · 128 = 2**24.
    (network_of("uint8", (3, 1, 21_931), last=scores(2, 1, 21_931, 3)), None),
    (
        network_of("uint8", (3, 1, 21_932), last=scores(2, 1, 21_932, 3)),
        "a sum of the last layer can reach 16,777,980, the trainer's float32 is exact to 16,777,216: use fewer inputs",
    ),
    (network_of("int8", (8, 128, 128), last=scores(2, 128, 128, 8)), None),
    (
        network_of("int8", (8, 129, 128), last=scores(2, 129, 128, 8)),
        "a sum of the last layer can reach 16,908,288",
    ),
    (
        network_of("float", (1, 1, 1), block_of(Dense(ones(1, 1, 1, 1)), None, thresholds(0)), last=scores(2, 1, 1, 1)),
        "dense1 takes float input and needs its normalisation",
    ),
    (
        network_of(
            "float",
            (1, 1, 1),
            block_of(Dense(ones(1, 1, 1, 1)), None, thresholds(0), normalization(1)),
            last=scores(2, 1, 1, 1),
        ),
        "dense1 takes float input and cannot have integer thresholds",
    ),
    (
        network_of(
            "bits", (1, 1, 1), block_of(Dense(ones(1, 1, 1, 1)), None, None, normalization(1)), last=scores(2, 1, 1, 1)
        ),
        "dense1 needs its thresholds",
    ),
    (
        network_of("bits", (1, 1, 3), block_of(Dense(ones(1, 1, 3, 1)), None, thresholds(5)), last=scores(2, 1, 1, 1)),
        "dense1 has a threshold of 5, its sums end at 3",
    ),
    (
        network_of("bits", (1, 1, 3), block_of(Dense(ones(1, 1, 3, 1)), None, thresholds(-5)), last=scores(2, 1, 1, 1)),
        "dense1 has a threshold of 5, its sums end at 3",
    ),
    (network_of("bits", (1, 1, 3), last=scores(255, 1, 3, 1)), None),
    (network_of("bits", (1, 1, 3), last=scores(256, 1, 3, 1)), None),
    (network_of("bits", (1, 1, 3), last=scores(32_768, 1, 3, 1)), "32768×1×1 .* each must be 1 to 32767"),
    (network_of("bits", (1, 1, 3), last=scores(2, 1, 3, 1)), None),
    (
        network_of("bits", (1, 1, 3), last=scores(1, 1, 3, 1)),
        "the last layer has a single output, and the largest of one score is always class 0: give it two outputs",
    ),
    # 16 MiB of weights and thresholds: filters of 1,023 words and 5 bytes beside, 2 · 128 words for the scores.
    (network_of("bits", (1, 1, 32_736), dense_block(4_094, 32_736), last=scores(2, 1, 1, 4_094)), None),
    (
        network_of("bits", (1, 1, 32_736), dense_block(4_096, 32_736), last=scores(2, 1, 1, 4_096)),
        "the network has 16,778,764 B of constants, 16,777,216 fit: use fewer filters or a pool before a dense layer",
    ),
    (
        network_of("float", (1, 1, 3), last=scores(2, 1, 3, 1)),
        "the last layer takes float input, but scores are integers: put a block",
    ),
    # 5.1: 32,768 · 65,535 + 32,767 = 2**31 − 1.
    (network_of("bits", (3, 1, 21_845), last=scores(2, 1, 21_845, 3, -32_768, 32_767)), None),
    (network_of("bits", (3, 1, 21_845), last=scores(2, 1, 21_845, 3, -32_768, -32_767)), None),
    (
        network_of("bits", (3, 1, 21_845), last=scores(2, 1, 21_845, 3, -32_768, 32_768)),
        "a score can reach 2,147,483,648, an int32 ends at 2,147,483,647",
    ),
    (
        network_of("bits", (1, 1, 1), last=scores(2, 1, 1, 1, 0, -(2**31))),
        "a score can reach 2,147,483,648, an int32 ends at 2,147,483,647",
    ),
]


@pytest.mark.parametrize(("make", "message"), REFUSALS, ids=range(len(REFUSALS)))
def test_what_cannot_exist_is_refused_with_its_value_and_limit(make, message):
    """SPEC 3.5, 4.1, 4.3, 4.7, 5.1, 5.4 and the limits of the C types; None: just within the limit."""
    if message is None:
        make()
        return
    with pytest.raises(NetworkError, match=message):
        make()


def test_pairs_are_the_same_however_they_are_given():
    """A list, NumPy's integers or truth values: the same network, arena and hash."""
    wanted = Conv(ones(1, 2, 2, 1), (1, 1), (0, 0))
    for stride, pad in [([1, 1], [0, 0]), (np.array([1, 1]), np.array([0, 0])), ((True, True), (False, False))]:
        conv = Conv(ones(1, 2, 2, 1), stride, pad)
        assert (conv.stride, conv.pad, conv.padded) == (wanted.stride, wanted.pad, False)
        network = net_of(Input("bits", [1, 2, 2]), [block_of(conv, None, thresholds(0))], scores(2, 1, 1, 1))
        assert "true" not in json.dumps(network.describe()[0])


def test_a_network_is_frozen():
    """Neither the arrays it was made of nor its own can change it."""
    weights = ones(1, 1, 1, 3)
    dense = Dense(weights)
    weights[...] = False
    assert dense.weights.all()
    for array in three_layers().describe()[1].values():
        assert array.size
    for array in (dense.weights, thresholds(1).value, normalization(1).mean, scores(2, 1, 1, 1).transform.offset):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        three_layers().input = None


# Hash


PINNED = "616b947c95baec4ec19789ca8f0270625efaa1f401ee04a7bcc6ff9af681d867"


def tiny():
    """The network whose hash is pinned; its parts are as small and as different as can be."""
    conv = Conv(np.array([[[[1], [0]]], [[[0], [1]]]]), (1, 2), (0, 1))
    norm = Normalize([0.5, 0], [1, -1], [0.25, 1], [1, -2], [0, 0.125])
    block = block_of(conv, Pool((1, 2), (1, 1), (0, 1)), Sign([1, -2], [False, True]), norm)
    last = last_of(
        np.array([1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0]).reshape(2, 1, 4, 2), [3, -4], [5, -6], 0.1
    )
    return net_of(Input("int8", (1, 1, 5)), (block,), last)


def test_the_hash_is_pinned():
    """SPEC 8.2: this value must never change, on no Python, NumPy or machine: boards answer with it."""
    assert tiny().hash == PINNED
    assert tiny().hash32 == int(PINNED[:8], 16)


def test_the_hash_is_what_the_specification_says():
    """SPEC 8.2: SHA-256 over the sorted JSON, then each array's name, type, shape and little-endian bytes."""
    description = (
        '{"blocks": [{"linear": "conv", "pad": [0, 1], "pool": {"pad": [0, 1], "size": [1, 2], "stride": [1, 1]}, '
        '"stride": [1, 2], "weights": [2, 1, 2, 1]}], "input": {"kind": "int8", "shape": [1, 1, 5]}, '
        '"output": {"scale": 0.1, "weights": [2, 1, 4, 2]}}'
    )
    members = [
        ("block0.below |u1 (1,)", "02"),
        ("block0.beta <f4 (2,)", "00000000 0000003e"),
        ("block0.bias <f4 (2,)", "0000003f 00000000"),
        ("block0.gamma <f4 (2,)", "0000803f 000000c0"),
        ("block0.inv_std <f4 (2,)", "0000803e 0000803f"),
        ("block0.mean <f4 (2,)", "0000803f 000080bf"),
        ("block0.threshold <i4 (2,)", "01000000 feffffff"),
        ("block0.weights |u1 (1,)", "09"),
        ("output.multiplier <i2 (2,)", "0300 fcff"),
        ("output.offset <i4 (2,)", "05000000 faffffff"),
        ("output.weights |u1 (2,)", "b9 51"),
    ]
    data = description.encode() + b"".join(f"\n{name}\n".encode() + bytes.fromhex(content) for name, content in members)
    assert tiny().hash == hashlib.sha256(data).hexdigest()


def flipped(array, at):
    changed = np.array(array)
    changed.flat[at] = ~changed.flat[at] if changed.dtype == bool else changed.flat[at] + 1
    return changed


def variants():
    """(what, a network that differs from tiny() in just that)."""
    network = tiny()
    block, last = (Block(layer.linear, layer.pool, layer.transform) for layer in network.layers)
    sign, scores = block.transform, last.transform

    def with_block(**changes):
        return Network(network.input, [replace(block, **changes), last])

    def with_last(**changes):
        return Network(network.input, [block, replace(last, **changes)])

    for i in range(4):
        yield f"weight {i}", with_block(linear=replace(block.linear, weights=flipped(block.linear.weights, i)))
    for i in range(2):
        yield f"threshold {i}", with_block(transform=replace(sign, value=flipped(sign.value, i)))
        yield f"direction {i}", with_block(transform=replace(sign, below=flipped(sign.below, i)))
        for name in Normalize.FIELDS:
            value = np.array(getattr(sign.normalize, name))
            value[i] = np.nextafter(value[i], np.float32(9))
            normalize = replace(sign.normalize, **{name: value})
            yield f"{name} {i}", with_block(transform=replace(sign, normalize=normalize))
        for name in ("multiplier", "offset"):
            changed = replace(scores, **{name: flipped(getattr(scores, name), i)})
            yield f"{name} {i}", with_last(transform=changed)
    for i in range(16):
        yield f"last weight {i}", with_last(linear=replace(last.linear, weights=flipped(last.linear.weights, i)))
    yield "scale", with_last(transform=replace(scores, scale=np.nextafter(0.1, 1)))
    yield "kind", Network(Input("uint8", (1, 1, 5)), [block, last])
    yield "no normalisation", with_block(transform=replace(sign, normalize=None))
    # Geometries that leave the shapes behind them as they are.
    yield "stride", with_block(linear=replace(block.linear, stride=(2, 2)))
    unpadded = replace(block, linear=replace(block.linear, pad=(0, 0)))
    yield "input side and pad", Network(Input("int8", (1, 1, 7)), [unpadded, last])
    yield "input side", Network(Input("int8", (1, 1, 4)), [block, last])
    yield "pool stride", with_block(pool=Pool((1, 2), (2, 1), (0, 1)))
    yield "pool size and pad", with_block(pool=Pool((1, 4), (1, 1), (0, 2)))


def test_every_change_changes_the_hash():
    """SPEC 8.2: no weight, threshold, direction, normalisation value, constant, scale or side goes unseen."""
    hashes = {"none": tiny().hash}
    for what, network in variants():
        assert network.hash not in hashes.values(), what
        assert network != tiny(), what
        hashes[what] = network.hash
    assert len(hashes) > 45


def test_conv_and_dense_differ_in_the_hash():
    """SPEC 8.2: the same weights over the whole input, as a convolution and as a dense layer."""
    parts = [block_of(linear, None, thresholds(0, 1)) for linear in (Conv(ones(2, 1, 3, 1)), Dense(ones(2, 1, 3, 1)))]
    conv, dense = (net_of(Input("bits", (1, 1, 3)), (part,), scores(2, 1, 1, 2)) for part in parts)
    assert conv.hash != dense.hash


def test_equal_content_is_equal():
    """SPEC 8.2: the hash depends on content alone; networks compare and hash by it."""
    assert tiny() == tiny()
    assert hash(tiny()) == hash(copy.deepcopy(tiny()))
    assert tiny() != "a string"
    wide = tiny()
    block, last = wide.layers
    scores = last.transform
    again = last_of(
        last.linear.weights.astype(np.int64),
        scores.multiplier.astype(">i2"),
        scores.offset.astype(">i8"),
        np.float64(0.1),
    )
    swapped = net_of(wide.input, [block], again)
    assert swapped.hash == wide.hash
    assert swapped.scores([[[[1, 2, 3, 4, 5]]]]).tolist() == wide.scores([[[[1, 2, 3, 4, 5]]]]).tolist()


# Samples


@pytest.mark.parametrize("kind", ["bits", "uint8", "int8", "float"])
def test_pack_input_places_every_value_on_its_own(kind):
    """SPEC 2.1, 2.3, 2.4: one value at a time; 3 channels, 2 rows, 3 pixels: 9 bits a row, 2 bytes."""
    block = block_of(Conv(ones(1, 1, 1, 3)), None, None if kind == "float" else thresholds(0), normalization(1))
    network = net_of(Input(kind, (3, 2, 3)), (block,), scores(2, 2, 3, 1))
    for c in range(3):
        for y in range(2):
            for x in range(3):
                sample = np.zeros((1, 3, 2, 3), np.float32 if kind == "float" else np.int16)
                value = {"bits": 1, "uint8": 200, "int8": -56, "float": -1.5}[kind]
                sample[0, c, y, x] = value
                expected = bytearray(network.input.bytes)
                if kind == "bits":
                    expected[2 * y + (3 * x + c) // 8] = 1 << (3 * x + c) % 8
                elif kind == "float":  # −1.5 is 0xBFC00000
                    at = 4 * (6 * c + 3 * y + x)
                    expected[at : at + 4] = bytes.fromhex("0000c0bf")
                else:
                    expected[9 * y + 3 * x + c] = 200
                assert network.pack_input(sample).tolist() == [list(expected)]


@pytest.mark.parametrize("kind", ["bits", "uint8", "int8"])
def test_samples_may_leave_the_only_channel_out(kind):
    network = only_scores(kind, (1, 2, 3))
    x = np.random.default_rng(0).integers(*RANGES[kind], (5, 2, 3)).astype(TYPES[kind])
    for take in (network.scores, network.predict, network.pack_input, network.check_samples):
        np.testing.assert_array_equal(take(x), take(x[:, None]))
    assert network.check_samples(x).shape == (5, 1, 2, 3)
    assert network.check_samples(x).dtype == {"bits": bool, "uint8": np.uint8, "int8": np.int8}[kind]


def test_scores_and_classes():
    """SPEC 5.1, 5.2: worked by hand, ties go to the first; types as documented."""
    last = last_of(np.array([[1, 1, 1], [1, 0, 1], [0, 0, 0]]).reshape(3, 1, 3, 1), [2, 2, -2], [1, 1, 1], 1.0)
    network = net_of(Input("uint8", (1, 1, 3)), (), last)
    x = [[[1, 0, 255]], [[0, 3, 0]], [[0, 0, 0]]]
    # 256, 256, −256; 3, −3, −3; 0, 0, 0.
    expected = [[513, 513, 513], [7, -5, 7], [1, 1, 1]]
    assert network.scores(x).tolist() == expected
    assert network.predict(x).tolist() == [0, 0, 0]
    assert network.scores(x).dtype == np.int32
    assert network.predict(x).dtype == np.int64
    assert network.predict([[[0, 200, 0]], [[0, 0, 9]]]).tolist() == [0, 0]
    falling = replace(last, transform=replace(last.transform, multiplier=[-1, 1, 1]))
    # −200, −200, −200; −9, 9, −9
    assert net_of(network.input, (), falling).predict([[[0, 200, 0]], [[0, 0, 9]]]).tolist() == [0, 1]


@pytest.mark.parametrize("kind", ["bits", "uint8", "int8", "float"])
def test_an_empty_batch(kind):
    network = float_network() if kind == "float" else only_scores(kind)
    for shape in [(0, 2, 3), (0, 1, 2, 3)]:
        x = np.zeros(shape, np.float32 if kind == "float" else np.uint8)
        assert network.predict(x).shape == (0,)
        assert network.scores(x).shape == (0, 2)
        packed = network.pack_input(x)
        assert (packed.shape, packed.dtype) == ((0, network.input.bytes), np.uint8)


@pytest.mark.parametrize(
    ("kind", "x", "message"),
    [
        ("bits", np.zeros((2, 3), int), r"samples of shape \(2, 3\) do not fit: this network takes \(n, 1, 2, 3\)"),
        ("bits", np.zeros((4, 3, 2), int), r"samples of shape \(4, 3, 2\) do not fit"),
        ("bits", np.zeros((4, 2, 2, 3), int), r"samples of shape \(4, 2, 2, 3\) do not fit"),
        ("bits", np.zeros((4, 1, 2, 3, 1), int), "do not fit"),
        ("bits", 1, r"samples of shape \(\) do not fit"),
        ("bits", [[[1, 2, 3], [1]]], "differ in shape"),
        ("bits", np.full((1, 2, 3), 2), "samples from 2 to 2 do not fit: this network takes bits, 0 to 1"),
        ("bits", np.full((1, 2, 3), -1), "samples from -1 to -1 do not fit"),
        ("bits", np.zeros((1, 2, 3)), "samples of type float64 do not fit: this network takes bits, as whole numbers"),
        ("uint8", np.full((1, 2, 3), 256), "takes uint8, 0 to 255"),
        ("uint8", np.full((1, 2, 3), -1), "takes uint8, 0 to 255"),
        ("uint8", np.full((1, 2, 3), 2**64 - 1, np.uint64), "takes uint8, 0 to 255"),
        ("uint8", np.zeros((1, 2, 3), np.float32), "samples of type float32 do not fit"),
        ("int8", np.full((1, 2, 3), 128), "takes int8, -128 to 127"),
        ("int8", np.full((1, 2, 3), -129), "takes int8, -128 to 127"),
        ("int8", np.full((1, 2, 3), "1"), "samples of type <U1 do not fit"),
        ("int8", np.full((1, 2, 3), None), "samples of type object do not fit"),
        ("float", np.full((1, 2, 3), np.nan), "not finite"),
        ("float", np.full((1, 2, 3), -np.inf, np.float32), "not finite"),
        ("float", np.full((1, 2, 3), 1e300), "not finite or over 1.27e"),
        ("float", np.full((1, 2, 3), 3e38, np.float32), "not finite or over 1.27e"),
        ("float", np.full((1, 2, 3), 1j), "samples of type complex128 do not fit: this network takes float32"),
        ("float", np.full((1, 2, 3), "1"), "this network takes float32"),
    ],
)
def test_samples_that_do_not_fit_are_refused(kind, x, message):
    """Every way in raises InputError, which is an EbnnError, and says what fits."""
    network = float_network() if kind == "float" else only_scores(kind)
    for take in (network.check_samples, network.pack_input, network.predict, network.scores):
        with pytest.raises(InputError, match=message):
            take(x)
    assert issubclass(InputError, EbnnError)


@pytest.mark.parametrize(
    ("kind", "value"), [("bits", True), ("uint8", 255), ("int8", -128), ("int8", 127), ("float", -MAX_FLOAT)]
)
def test_values_at_the_ends_fit(kind, value):
    network = float_network() if kind == "float" else only_scores(kind)
    x = np.full((1, 2, 3), value)
    assert network.check_samples(x).ravel()[0] == value
    assert len(network.scores(x)) == 1


@pytest.mark.parametrize("size", [1, 2 * 4 * 18 * 10, 2 * 4 * 18 * 10 + 1, 3 * 4 * 18 * 10, 2**30])
def test_many_samples_are_the_same_as_one_at_a_time(monkeypatch, size):
    """The reference runs as many samples at a time as its memory holds: 18 taps at 10 positions each here; or one."""
    network = three_layers()
    x = np.random.default_rng(3).integers(0, 256, (7, 3, 4, 5), np.uint8)
    one_by_one = [network.scores(x[i : i + 1])[0] for i in range(7)]
    monkeypatch.setattr("ebnn.model.reference.BATCH_BYTES", size)
    runs = []
    original = reference.activations
    monkeypatch.setattr(reference, "activations", lambda *given: runs.append(len(given[1])) or original(*given))
    np.testing.assert_array_equal(network.scores(x), one_by_one)
    at_a_time = min(max(size // 720, 1), 7)
    assert runs == [at_a_time] * (7 // at_a_time) + [7 % at_a_time] * (7 % at_a_time > 0)


def test_the_callers_samples_are_left_alone():
    network = only_scores("bits")
    x = np.ones((1, 1, 2, 3), bool)
    kept = network.check_samples(x)
    x[...] = False
    assert kept.all()


@pytest.mark.parametrize(("kind", "largest"), [("bits", 1), ("uint8", 255), ("int8", 128)])
def test_largest_values(kind, largest):
    """SPEC 3.5 counts on these: a bit is ±1, an int8 reaches −128."""
    assert KINDS[kind].largest == largest


def test_a_network_says_what_it_is():
    assert repr(tiny()) == f"<Network int8 1×1×5 → 2 classes, hash {tiny().hash[:8]}>"
