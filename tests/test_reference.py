"""The reference interpreter against cases worked by hand and against slow loops written from SPEC.md alone."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import slow_reference
from support.degenerate import DEGENERATE
from support.parts import block_of, last_of, net_of
from support.random_chains import build, chain_specs, samples
from support.random_networks import random_network, random_samples

from ebnn import lower
from ebnn.model import reference
from ebnn.model.kinds import Input
from ebnn.model.layers import Conv, Dense, Pool
from ebnn.model.transforms import Normalize, Sign


def last_layer(height, width, channels, classes=2):
    return last_of(np.ones((classes, height, width, channels), bool), [1] * classes, [0] * classes, 1.0)


def hidden(network, x):
    """The bits of every block's output, (height, width, channels) of the first sample."""
    return [bits[0] for bits in reference.activations(network.layers[:-1], network.check_samples(x))][1:]


def check_against_slow_loops(network, x, arithmetic="integer"):
    got = network.scores(x)
    activations = list(reference.activations(network.layers[:-1], network.check_samples(x)))
    packed = network.pack_input(x)
    for i in range(len(x)):
        slow = slow_reference.run(network, np.asarray(x)[i].tolist(), arithmetic)
        assert got[i].tolist() == slow.scores
        assert network.predict(x[i : i + 1]).tolist() == [slow.winner]
        assert [tuple(shape) for shape in network.shapes] == slow.shapes
        assert packed[i].tobytes() == slow_reference.memory(network.input.kind, slow.shapes[0], slow.activations[0])
        for bits, expected in zip(activations[1:], slow.activations[1:], strict=True):
            for (c, y, column), value in expected.items():
                assert bits[i, y, column, c] == (value > 0)


# By hand


@pytest.mark.parametrize(
    ("kind", "values", "weights", "acc"),
    [
        ("bits", [1, 0, 1, 1, 0], [1, 1, 0, 1, 0], 5 - 2 * 2),  # 3.1: two of five differ
        ("bits", [0], [0], 1),  # 1.1: a stored 0 means −1, and −1 · −1 = 1
        ("bits", [1], [0], -1),
        ("uint8", [255, 0, 7], [1, 0, 0], 248),  # 3.2
        ("int8", [-128, 127, 1], [0, 1, 0], 254),
        ("int8", [-128, -128], [1, 1], -256),
    ],
)
def test_sums_worked_by_hand(kind, values, weights, acc):
    """SPEC 1.1, 3.1, 3.2, 5.1: the sum is seen through a score of multiplier 3 and offset −7."""
    last = last_of(np.array([weights, weights]).reshape(2, 1, -1, 1), [3, 1], [-7, 0], 1.0)
    network = net_of(Input(kind, (1, 1, len(values))), (), last)
    assert network.scores([[values]]).tolist() == [[3 * acc - 7, acc]]


def test_a_tap_outside_contributes_nothing():
    """SPEC 3.4: 3×3 ones on a 2×2 image of ones with pad 1: 4 taps everywhere, not 4 − 5; and of −1: −4."""
    conv = Conv(np.ones((1, 3, 3, 1), bool), (1, 1), (1, 1))
    for image, acc in [(1, 4), (0, -4)]:
        x = np.full((1, 1, 2, 2), image)
        for value, bit in [(acc, 1), (acc + 1, 0)]:
            block = block_of(conv, None, Sign([value], [False]))
            network = net_of(Input("bits", (1, 2, 2)), (block,), last_layer(2, 2, 1))
            assert hidden(network, x)[0].ravel().tolist() == [bit] * 4


def test_a_kernel_wholly_outside_sums_to_zero():
    """SPEC 3.4: 1×1 on one pixel, pad 1: eight of the nine positions see no pixel, and 0 >= 0 gives a bit."""
    conv = Conv(np.ones((2, 1, 1, 1), bool), (1, 1), (1, 1))
    block = block_of(conv, None, Sign([0, 1], [False, False]))
    network = net_of(Input("uint8", (1, 1, 1)), (block,), last_layer(3, 3, 2))
    zero, one = hidden(network, [[[[5]]]])[0].transpose(2, 0, 1)
    assert zero.all()
    assert one.astype(int).tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_directions_worked_by_hand():
    """SPEC 1.2 and 4.4: at the threshold both directions hold; beyond the last sum there is all or nothing."""
    dense = Dense(np.ones((6, 1, 1, 1), bool))
    block = block_of(dense, None, Sign([5, 5, -256, -256, 256, 256], [0, 1, 0, 1, 0, 1]))
    network = net_of(Input("uint8", (1, 1, 1)), (block,), last_layer(1, 1, 6))
    for value, expected in [(4, [0, 1, 1, 0, 0, 1]), (5, [1, 1, 1, 0, 0, 1]), (6, [1, 0, 1, 0, 0, 1])]:
        assert hidden(network, [[[[value]]]])[0].ravel().astype(int).tolist() == expected


def test_a_pool_takes_the_largest_sum_on_the_map():
    """SPEC 4.3, 4.4: what lies outside the map never wins over negative sums; `acc <= t` is of the largest, too."""
    block = block_of(Conv(np.array([[[[1]]], [[[1]]]])), Pool((2, 2), (2, 2), (1, 1)), Sign([-3, -4], [False, True]))
    network = net_of(Input("int8", (1, 2, 2)), (block,), last_layer(2, 2, 2))
    # Each window sees one pixel: (y, x) alone.
    at_least, at_most = hidden(network, [[[[-5, -4], [-3, -2]]]])[0].transpose(2, 0, 1)
    assert at_least.astype(int).tolist() == [[0, 0], [1, 1]]
    assert at_most.astype(int).tolist() == [[1, 1], [0, 0]]
    # A window over all: the largest of them, −2, is not <= −4.
    block = block_of(block.linear, Pool((2, 2), (1, 1)), block.transform)
    network = net_of(Input("int8", (1, 2, 2)), (block,), last_layer(1, 1, 2))
    assert hidden(network, [[[[-5, -4], [-3, -2]]]])[0].ravel().astype(int).tolist() == [1, 0]


def float_bits(values, weights, norm, conv=False):
    shape = (1, 1, len(values))
    weights = np.array(weights).reshape(1, *shape[1:], 1)
    linear = Conv(weights) if conv else Dense(weights)
    block = block_of(linear, None, None, Normalize(*([value] for value in norm)))
    network = net_of(Input("float", shape), (block,), last_layer(1, 1, 1))
    return int(hidden(network, [[[values]]])[0].ravel()[0])


@pytest.mark.parametrize("conv", [False, True])
def test_float_sums_round_after_each_tap(conv):
    """SPEC 3.3: in this order 2**24 + 1 − 2**24 is 0, in another it is 1."""
    identity = (0, 0, 1, 1, -0.5)  # the bit is acc >= 0.5
    assert float_bits([2**24, 1, 2**24], [1, 1, 0], identity, conv) == 0
    assert float_bits([2**24, 2**24, 1], [1, 0, 1], identity, conv) == 1


def test_float_sums_run_in_the_order_of_filters_or_of_memory():
    """SPEC 3.3, on two channels of two pixels: convolutions add pixel by pixel, dense layers channel by channel."""
    x = np.array([[2**24, -(2**24)], [1, 1]], np.float32).reshape(1, 2, 1, 2)
    # Pixel by pixel 2**24 + 1 − 2**24 + 1 = 1; channel by channel 2**24 − 2**24 + 1 + 1 = 2.
    for linear, acc in [(Conv(np.ones((1, 1, 2, 2), bool)), 1), (Dense(np.ones((1, 1, 2, 2), bool)), 2)]:
        for least, bit in [(acc, True), (acc + 0.5, False)]:
            block = block_of(linear, None, None, Normalize([0], [least], [1], [1], [0]))
            network = net_of(Input("float", (2, 1, 2)), (block,), last_layer(1, 1, 1))
            assert hidden(network, x)[0].ravel() == bit


@pytest.mark.parametrize(
    ("values", "norm", "bit"),
    [
        # (acc + bias) − mean, not acc + (bias − mean): 1 + 2**24 is 2**24 in float32, and the 1 is lost.
        ([1], (2**24, 2**24, 1, 1, -0.5), 0),
        # After each operation: 3 · f32(1/3) is exactly 1 once rounded, and just above 1 before.
        ([3], (0, 0, np.float32(1 / 3), 1, -1), 1),
        ([3], (0, 0, np.float32(1 / 3), -1, 1), 1),
        # (acc · inv_std) · gamma, not acc · (inv_std · gamma): the latter is 0 in float32, the former is not.
        ([2.0**50], (0, 0, 2.0**-100, 2.0**-60, -(2.0**-120)), 1),
        ([2.0**50], (0, 0, 2.0**-100, 2.0**-60, -(2.0**-100)), 0),
        ([0], (0, 0, 1, 1, 0), 1),  # 1.2: sign(0) = +1
        ([0], (0, 0, 1, -1, 0), 1),  # −0 is not below 0
        ([0], (0, 0, 1, 1, -1e-45), 0),  # denormals count
    ],
)
def test_normalisation_worked_by_hand(values, norm, bit):
    """SPEC 4.6, 1.2: from left to right, rounded to float32 after each operation."""
    assert float_bits(values, [1], norm) == bit


def test_normalisation_that_overflows_is_as_on_the_device():
    """SPEC 4.6: infinite is fine, and what is no number is not at least 0; no warning is printed."""
    assert float_bits([2.0**100], [1], (0, 0, 2.0**100, 1, 0)) == 1
    assert float_bits([2.0**100], [1], (0, 0, 2.0**100, -1, 0)) == 0
    assert float_bits([2.0**100], [1], (0, 0, 2.0**100, 0, 1)) == 0  # ∞ · 0


# Against slow loops


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_random_networks_equal_slow_loops(choose):
    """SPEC 1 to 5, integer arithmetic: any thresholds, directions and scores, every kind and geometry."""
    network = random_network(choose)
    check_against_slow_loops(network, random_samples(network, 2, seed=1))


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_both_arithmetics_are_one_in_slow_loops(choose):
    """SPEC 4.6: where thresholds come from the normalisation, the float arithmetic gives the same bits."""
    network = random_network(choose, normalized=True)
    check_against_slow_loops(network, random_samples(network, 1, seed=1), "float")


@settings(max_examples=60, deadline=None)
@given(chain_specs())
def test_networks_of_chainer_equal_slow_loops(spec):
    """SPEC 1 to 5: the networks that are lowered from chains, in both arithmetics."""
    network = lower(build(spec), spec.shape, spec.kind)
    x = samples(spec, 1)
    for arithmetic in ("integer", "float"):
        check_against_slow_loops(network, x, arithmetic)


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_networks_equal_slow_loops(name):
    """SPEC 1 to 5 at the edges of what can exist."""
    network, x = DEGENERATE[name]
    check_against_slow_loops(network, x)


def test_a_seed_gives_the_same_network():
    """Other tests compile these by their numbers."""
    assert random_network(random.Random(5)) == random_network(random.Random(5))
    assert len({random_network(random.Random(seed)).hash for seed in range(20)}) == 20
