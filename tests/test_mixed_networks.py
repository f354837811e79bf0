"""Networks that mix kinds: the reference against slow loops, files that bring all of them back."""

import os
import random

import numpy as np
import pytest
from support import slow_reference
from support.c_networks import Case, run
from support.mixed_networks import mixed_network
from support.random_networks import random_samples

from ebnn import load
from ebnn.compile.kernels import add, depthwise, multiply
from ebnn.compile.options import OPTIMIZE, Options
from ebnn.compile.plan import plan
from ebnn.compile.target import WORDS
from ebnn.errors import NetworkError
from ebnn.model import reference
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Block, Conv, Dense, Depthwise, Identity, Pool
from ebnn.model.network import Network
from ebnn.model.transforms import Requantize, Scores

NETWORKS = int(os.environ.get("EBNN_TEST_NETWORKS", "500"))
BATCH = 250  # networks to a compilation


def test_the_reference_equals_slow_loops():
    for seed in range(300):
        network = mixed_network(random.Random(seed))
        x = random_samples(network, 2, seed)
        for i, sample in enumerate(x):
            slow = slow_reference.run(network, sample.tolist())
            assert network.scores(x)[i].tolist() == slow.scores, seed
            activations = list(reference.activations(network.layers[:-1], network.check_samples(x[i : i + 1])))
            for layer, got, expected in zip(network.layers, activations[1:], slow.activations[1:], strict=False):
                for (c, y, column), value in expected.items():
                    bit = layer.output_kind.packed
                    assert (1 if got[0, y, column, c] else -1) == value if bit else got[0, y, column, c] == value


def test_files_bring_every_kind_back(tmp_path):
    for seed in range(100):
        network = mixed_network(random.Random(seed))
        network.save(tmp_path / "mixed.ebnn")
        again = load(tmp_path / "mixed.ebnn")
        assert again.hash == network.hash
        x = random_samples(network, 3, seed)
        np.testing.assert_array_equal(again.scores(x), network.scores(x))


def requantize(bias=0, multiplier=1, shift=16, kind="int8", **ends):
    return Requantize([bias], [multiplier], [shift], kind, **ends)


@pytest.mark.parametrize(
    ("acc", "end", "expected"),
    [
        (3, requantize(multiplier=2**15), 2),  # 1.5 rounds up
        (-3, requantize(multiplier=2**15), -1),  # −1.5 rounds up
        (-1, requantize(multiplier=2**15), 0),
        (1, requantize(multiplier=2**15 - 1), 0),  # just below a half
        (5, requantize(bias=-6, multiplier=2**16), -1),
        (200, requantize(multiplier=2**16), 127),
        (-200, requantize(multiplier=2**16), -128),
        (-200, requantize(multiplier=2**16, kind="uint8"), 0),
        (200, requantize(multiplier=2**16, kind="uint8"), 200),
        (200, requantize(multiplier=2**16, kind="uint8", high=100), 100),
        (7, requantize(multiplier=-(2**16)), -7),
        (2**30, requantize(bias=2**30 - 1, multiplier=-(2**31), shift=62), -1),  # (2^31 − 1) · −2^31 / 2^62 = −0.99…
    ],
)
def test_requantize_worked_by_hand(acc, end, expected):
    assert end.apply(np.array([[acc]], np.int32)).tolist() == [[expected]]


def last(classes, shape):
    return Block(Dense(np.ones((classes, *shape), bool)), None, Scores([1] * classes, [0] * classes, 1.0))


def test_sums_beyond_float32_are_exact():
    """2,304 taps of 127 · 255 and one of 1: 74,609,280 + 1 is odd and above 2^24."""
    weights = np.full((2, 1, 1, 2305), 127, np.int8)
    weights[:, 0, 0, -1] = 1
    block = Block(Dense(weights), None, Scores([1, 1], [0, -1], 1.0))
    x = np.full((1, 2305, 1, 1), 255, np.uint8)
    x[0, -1] = 1
    network = Network(Input("uint8", Shape(2305, 1, 1)), [block])
    assert network.scores(x).tolist() == [[127 * 255 * 2304 + 1, 127 * 255 * 2304]]


def test_what_cannot_be_is_refused():
    image = Input("uint8", Shape(2, 4, 4))
    wide = np.full((1, 1, 2, 20_000), 127, np.int8)
    end = requantize()
    for taken, block, message in [
        (Input("uint8", Shape(20_000, 1, 2)), Block(Dense(wide), None, end), r"can reach 1,295,400,000"),
        (Input("float", Shape(1, 1, 1)), Block(Dense(np.ones((1, 1, 1, 1), np.int8)), None, end), "weights of ±1"),
        (
            image,
            Block(Depthwise(np.ones((3, 1, 1, 1), np.int8)), None, Requantize([0] * 3, [1] * 3, [16] * 3, "int8")),
            "3 filters for 2 channels",
        ),
        (image, Block(Identity(1), None, end), "takes 1 channels, its input has 2"),
        (image, Block(Conv(np.ones((1, 1, 1, 2), bool)), Pool((5, 5), (1, 1), kind="average"), end), "pooling window"),
        (image, Block(Conv(np.ones((1, 1, 1, 2), bool)), None, requantize(bias=2**31 - 1)), "with its bias"),
    ]:
        with pytest.raises(NetworkError, match=message):
            Network(taken, [block, last(2, (4, 4, 1))])
    with pytest.raises(NetworkError, match="gives a map of 2×4×4"):
        Network(image, [Block(Conv(np.ones((2, 1, 1, 2), bool)), None, Scores([1, 1], [0, 0], 1.0))])
    for values, message in [
        ({"kind": "bits"}, "cannot give 'bits'"),
        ({"shift": 15}, "use 16 to 62"),
        ({"low": 5, "high": 4}, "clamps to 5 to 4"),
        ({"low": -129}, "int8 has -128 to 127"),
        ({"multiplier": 2**31}, "int32 cannot"),
    ]:
        with pytest.raises(NetworkError, match=message):
            requantize(**values)


def test_c_equals_the_reference(tmp_path):
    """Hundreds of networks with the sanitizers on."""
    for start in range(0, NETWORKS, BATCH):
        cases = []
        for seed in range(start, min(start + BATCH, NETWORKS)):
            network = mixed_network(random.Random(seed))
            cases.append(Case(network, random_samples(network, 3, seed), optimize=OPTIMIZE[seed % len(OPTIMIZE)]))
        folder = tmp_path / str(start)
        folder.mkdir()
        for case, result in zip(cases, run(cases, folder), strict=True):
            np.testing.assert_array_equal(result.scores, case.network.scores(case.x))
            np.testing.assert_array_equal(result.classes, case.network.predict(case.x))


def test_every_integer_kernel_is_reached():
    reached = set()
    for seed in range(3000):
        reached |= {step.kernel for step in plan(mixed_network(random.Random(seed)), Options(), WORDS).steps}
    assert reached >= {*multiply.KERNELS, *depthwise.KERNELS, *(k for k in add.KERNELS if k in reached)}
    assert {kernel.end for kernel in reached & set(add.KERNELS)} == {"signs", "narrow", "wide", "scores"}


def requantized(linear, taken, outputs=3):
    block = Block(linear, None, Requantize([0] * outputs, [1] * outputs, [17] * outputs, "int8"))
    _, height, width = block.at(0, taken).output_shape
    return Network(taken, [block, last(2, (height, width, outputs))])


@pytest.mark.parametrize(
    ("linear", "taken"),
    [
        (Dense(np.ones((3, 300, 300, 1), bool)), Input("bits", Shape(1, 300, 300))),
        (Depthwise(np.ones((300, 16, 16, 1), np.int8)), Input("uint8", Shape(300, 16, 16))),
        (Conv(np.ones((3, 217, 151, 2), bool)), Input("int8", Shape(2, 217, 152))),
    ],
)
def test_a_patch_beyond_16_bits_is_refused(linear, taken):
    network = requantized(linear, taken, linear.outputs)
    with pytest.raises(NetworkError, match="values of all channels, 65,532 fit: use a smaller kernel"):
        plan(network, Options(), WORDS)


def test_a_large_dense_layer_on_bytes_is_exact(tmp_path):
    """Its input is no patch: 65,536 values, which 16 bits do not count."""
    rng = np.random.default_rng(0)
    taken = Input("uint8", Shape(1, 256, 256))
    network = requantized(Dense(rng.integers(-128, 128, (3, 256, 256, 1)).astype(np.int8)), taken)
    x = random_samples(network, 2)
    (result,) = run([Case(network, x)], tmp_path)
    np.testing.assert_array_equal(result.scores, network.scores(x))
