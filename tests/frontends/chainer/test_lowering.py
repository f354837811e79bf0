"""Chainer chain → Network: thresholds against every sum there is, and chains that have no exact network."""

import chainer
import chainer.functions as F
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import slow_reference
from support.random_chains import build, chain_specs

import ebnn.links as BL
from ebnn import lower
from ebnn.errors import LoweringError
from ebnn.model.layers import Conv, Dense, Pool
from ebnn.model.thresholds import find_threshold, score_constants
from ebnn.model.transforms import Normalize

SEED = 7


@pytest.fixture(autouse=True)
def _seed():
    np.random.seed(SEED)


def passes(threshold, acc):
    """The bits that thresholds give for sums (n, 1)."""
    return np.where(threshold.below, acc <= threshold.value, acc >= threshold.value)


# Thresholds


def chainers_bits(link, acc):
    """The bits that Chainer's batch normalisation gives for every sum (n, outputs), by its own function."""
    bn, bias = link.bn, (link.bconv if hasattr(link, "bconv") else link.bl).b
    y = acc.astype(np.float32)
    if bias is not None:
        y = y + bias.array
    with chainer.using_config("train", False):
        y = F.fixed_batch_normalization(y, bn.gamma.array, bn.beta.array, bn.avg_mean, bn.avg_var, eps=bn.eps)
    return y.array >= 0


FLOATS = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 3.0, -7.0, 100.0, 1e-30, -1e-30, 1e30]),
    st.floats(-300, 300, width=32),
)
OUTPUT = st.tuples(
    st.one_of(FLOATS, st.just(0.0)),  # gamma
    FLOATS,  # beta
    FLOATS,  # mean
    st.sampled_from([0.0, 1e-12, 0.25, 1.0, 3.0, 77.0, 1e6, 1e30]),  # variance
    FLOATS,  # bias
)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # of Chainer's own products of 1e30
@settings(max_examples=200, deadline=None)
@example([(1e30, 3, 1e30, 0.25, 0), (-1e30, 1, -1e30, 0, 1), (0, -0.0, 1e30, 0, 1e30)], "uint8", 2, 2e-5, True)
@given(
    st.lists(OUTPUT, min_size=1, max_size=8),
    st.sampled_from(["bits", "uint8", "int8"]),
    st.integers(1, 9),
    st.sampled_from([2e-5, 1e-5, 1.0, 1e-3]),
    st.booleans(),
)
def test_thresholds_equal_chainer_at_every_sum(outputs, kind, taps, eps, conv):
    """SPEC 4.4, 4.5, 4.6: gamma 0 or negative, eps, bias, ties: for all sums that can be, and one beyond."""
    reach = taps * {"bits": 1, "uint8": 255, "int8": 128}[kind]
    link = BL.ConvBNBST(1, len(outputs), (1, taps)) if conv else BL.LinearBNBST(taps, len(outputs))
    affine = link.bconv if conv else link.bl
    gamma, beta, mean, var, bias = np.array(outputs, np.float32).T
    link.bn.gamma.array[...], link.bn.beta.array[...] = gamma, beta
    link.bn.avg_mean[...], link.bn.avg_var[...], link.bn.eps = mean, var, eps
    affine.b.array[...] = bias
    block = lower([link, BL.BinaryLinearSoftmax(None, 2)], (1, 1, taps), kind).layers[0]
    acc = np.arange(-reach, reach + 1)[:, None]
    expected = chainers_bits(link, np.broadcast_to(acc, (len(acc), len(outputs))))
    np.testing.assert_array_equal(passes(block.transform, acc), expected)
    # And the float arithmetic's constants, with SPEC 4.6 in plain Python, at some of the sums.
    n = block.transform.normalize
    for output in range(len(outputs)):
        constants = [float(getattr(n, name)[output]) for name in n.FIELDS]
        for at in sorted({0, reach // 2, reach, reach + 1, 2 * reach}):
            bit = slow_reference.normalized(float(acc[at, 0]), *constants) >= 0
            assert bit == expected[at, output]


@settings(max_examples=50, deadline=None)
@given(chain_specs())
def test_thresholds_of_whole_chains_equal_chainer_at_every_sum(spec):
    """SPEC 4.5, behind other blocks, with pools and pads: the sums of every block from end to end."""
    links = build(spec)
    network = lower(links, spec.shape, spec.kind)
    for link, block in zip(links[:-1], network.layers[:-1], strict=True):
        if block.kind.name == "float":
            assert isinstance(block.transform, Normalize)
            continue
        reach = block.linear.weights[0].size * {"bits": 1, "uint8": 255, "int8": 128}[block.kind.name]
        acc = np.unique(np.linspace(-reach, reach, 2001).astype(np.int64))[:, None]
        near = block.transform.value + np.arange(-3, 4)[:, None]  # (7, outputs)
        acc = np.concatenate([np.broadcast_to(acc, (len(acc), block.outputs)), np.clip(near, -reach, reach)])
        np.testing.assert_array_equal(passes(block.transform, acc), chainers_bits(link, acc))


def test_a_tie_is_a_plus_one():
    """SPEC 1.2: a sum that normalises to exactly 0 passes, rising and falling."""
    link = BL.BinaryLinearBNBST(3, 2, nobias=True)
    link.bn.avg_mean[...] = 1
    link.bn.gamma.array[...] = [1, -1]
    threshold = lower([link, BL.BinaryLinearSoftmax(None, 2)], (1, 1, 3)).layers[0].transform
    assert threshold.value.tolist() == [1, 1]
    assert threshold.below.tolist() == [False, True]


def test_outputs_that_are_always_the_same():
    """SPEC 4.4: every sum passes, or none: gamma 0 with beta 1, 0, −1, and a mean out of reach."""
    link = BL.BinaryLinearBNBST(3, 5)
    link.bn.gamma.array[...] = [0, 0, 0, 1, 1]
    link.bn.beta.array[...] = [1, 0, -1, 0, 0]
    link.bn.avg_mean[...] = [0, 0, 0, -9, 9]
    threshold = lower([link, BL.BinaryLinearSoftmax(None, 2)], (1, 1, 3)).layers[0].transform
    bits = passes(threshold, np.arange(-3, 4)[:, None])
    assert bits.all(axis=0).tolist() == [True, True, False, True, False]
    assert bits.any(axis=0).tolist() == [True, True, False, True, False]


@pytest.mark.parametrize("reach", [1, 2, 3, 255])
def test_the_search_finds_every_step(reach):
    """SPEC 4.5: each place where a sign can change, rising and falling, and both constants, all at once."""
    steps = np.arange(-reach, reach + 2)  # +1 from here on; the last: nowhere

    def rising(acc):
        return acc >= steps

    def falling(acc):
        return acc < steps

    acc = np.arange(-reach, reach + 1)[:, None]
    for sign in (rising, falling):
        threshold = find_threshold(sign, reach, len(steps))
        np.testing.assert_array_equal(passes(threshold, acc), sign(acc))
        assert threshold.value.min() >= -reach - 1
        assert threshold.value.max() <= reach + 1


def test_the_search_ends():
    """By halving: 2**24 sums on each side take 25 steps after the two ends."""
    asked = []

    def sign(acc):
        asked.append(acc.copy())
        assert acc.dtype == np.float32
        return acc >= 12_345_678

    threshold = find_threshold(sign, 2**24, 1)
    assert threshold.value.tolist() == [12_345_678]
    assert len(asked) <= 2 + 25


# Weights and geometry


def test_weights_are_signs_in_the_devices_order():
    """SPEC 1.2, 2.5: output, height, width, input; zeros, of either sign, are +1."""
    link = BL.ConvBNBST(3, 2, (2, 4))
    link.bconv.W.array[0, 0, 0, 0] = 0
    link.bconv.W.array[0, 1, 0, 0] = -0.0
    weights = lower([link, BL.BinaryLinearSoftmax(None, 2)], (3, 2, 4)).layers[0].linear.weights
    assert weights.shape == (2, 2, 4, 3)
    for o in range(2):
        for c in range(3):
            for y in range(2):
                for x in range(4):
                    assert weights[o, y, x, c] == (link.bconv.W.array[o, c, y, x] >= 0)
    assert weights[0, 0, 0, :2].all()


def test_dense_columns_follow_the_memory_of_a_convolution():
    """SPEC 2.6: column (c·H + y)·W + x of Chainer's becomes (y, x, c), for a dense block and for the last layer."""
    for last in (False, True):
        conv = BL.BinaryConvBNBST(1, 3, (2, 1))  # on 1×3×4: 3×2×4
        dense = BL.BinaryLinearSoftmax(24, 5) if last else BL.BinaryLinearBNBST(24, 5)
        network = lower([conv, dense, *([] if last else [BL.BinaryLinearSoftmax(None, 2)])], (1, 3, 4))
        weights = network.layers[1].linear.weights
        assert weights.shape == (5, 2, 4, 3)
        for o in range(5):
            for c in range(3):
                for y in range(2):
                    for x in range(4):
                        assert weights[o, y, x, c] == (dense.bl.W.array[o, (c * 2 + y) * 4 + x] >= 0)


def test_geometry_is_taken_over():
    """SPEC 4.1, 4.2: nothing square anywhere."""
    links = [
        BL.ConvPoolBNBST(2, 3, (2, 3), (1, 2), (1, 0), (3, 2), (2, 1), (2, 1)),
        BL.BinaryLinearBNBST(None, 4),
        BL.BinaryLinearBNSoftmax(None, 2),
    ]
    network = lower(links, (2, 5, 9), "int8")
    conv, dense = network.layers[:-1]
    assert isinstance(conv.linear, Conv)
    assert (conv.linear.kernel, conv.linear.stride, conv.linear.pad) == ((2, 3), (1, 2), (1, 0))
    assert conv.pool == Pool((3, 2), (2, 1), (2, 1))
    assert isinstance(dense.linear, Dense)
    assert dense.pool is None
    # 6×4 sums, (6 + 4 − 3) // 2 + 1 = 4 by 4 + 2 − 2 + 1 = 5 windows.
    assert network.shapes == ((2, 5, 9), (3, 4, 5), (4, 1, 1))


def test_the_input_kind_is_told_by_the_first_block():
    for first, kind in [(BL.BinaryLinearBNBST, "bits"), (BL.LinearBNBST, "float")]:
        assert lower([first(4, 3), BL.BinaryLinearSoftmax(None, 2)], (1, 2, 2)).input.kind == kind
    assert lower([BL.BinaryLinearSoftmax(None, 2)], (1, 2, 2)).input.kind == "bits"


class Chain(BL.CChainMixin, chainer.Chain):
    def __init__(self, *links):
        super().__init__()
        with self.init_scope():
            self.parts = chainer.ChainList(*links)

    def link_order(self):
        return list(self.parts)


def test_a_chain_and_a_list_of_its_blocks_are_one():
    links = build_blocks()
    assert lower(Chain(*links), (1, 4, 4)) == lower(links, (1, 4, 4)) == lower(tuple(links), [1, 4, 4])


def build_blocks():
    return [BL.BinaryConvPoolBNBST(1, 3, 2, pksize=2), BL.BinaryLinearBNBST(None, 5), BL.BinaryLinearBNSoftmax(None, 2)]


def test_the_chain_is_left_as_it_was_but_for_sizes():
    """Blocks without an input size get their parameters; statistics, parameters and the configuration stay."""
    links = build_blocks()
    chain = Chain(*links)
    assert links[1].bl.W.array is None
    for link in links:
        link.bn.avg_mean[...] = np.random.normal(size=link.bn.avg_mean.shape)
        link.bn.avg_var[...] = np.random.gamma(2, size=link.bn.avg_var.shape)

    def state():
        persistent = {f"{i}.{name}": getattr(link.bn, name) for i, link in enumerate(links) for name in STATISTICS}
        parameters = {name: param.array for name, param in chain.namedparams() if param.array is not None}
        return {name: np.array(array) for name, array in (persistent | parameters).items()}

    before = state()
    first = lower(chain, (1, 4, 4))
    after = state()
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)
    assert links[1].bl.W.shape == (5, 3)
    assert links[2].bl.W.shape == (2, 5)
    assert chainer.config.train is True
    assert chainer.config.enable_backprop is True
    assert lower(chain, (1, 4, 4)) == first


STATISTICS = ("avg_mean", "avg_var", "N")


# Scores


LOGIT_PART = st.one_of(st.just(0.0), st.floats(-1e30, 1e30), st.floats(-2, 2)).filter(lambda x: not 0 < abs(x) < 1e-20)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(LOGIT_PART, LOGIT_PART),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([1, 9, 360, 65_535, 2**24]),
)
def test_score_constants_stay_in_range(classes, reach):
    """SPEC 5.1, 5.3: int16, int32, no score beyond int32, the logit but for the rounding, as fine as can be."""
    gain, shift = np.array(classes).T
    multiplier, offset, scale = score_constants(gain, shift, reach)
    m, b = [int(value) for value in multiplier], [int(value) for value in offset]
    assert (multiplier.dtype, offset.dtype) == (np.int16, np.int32)
    assert 0 < scale < float("inf")
    assert max(map(abs, m)) <= 32_767
    reached = max(abs(mk) * reach + abs(bk) for mk, bk in zip(m, b, strict=True))
    assert reached <= 2**31 - 1
    for k in range(len(classes)):
        for acc in (-reach, 0, reach):
            logit = gain[k] * acc + shift[k]
            slack = scale * (0.5 * abs(acc) + 0.5) + 1e-9 * abs(gain[k] * acc) + 1e-9 * abs(shift[k])
            assert abs((m[k] * acc + b[k]) * scale - logit) <= slack
    exact = len(set(np.abs(gain))) == 1 and not shift.any()
    if (gain.any() or shift.any()) and not exact:  # one of the two limits is met, but for a rounding
        assert max(map(abs, m)) == 32_767 or reached > 2**31 - 3 * reach - 9


@pytest.mark.parametrize(("gain", "multiplier"), [([0.5, 0.5], [1, 1]), ([-3.0, 3.0], [-1, 1])])
def test_score_constants_are_one_and_zero_where_that_is_exact(gain, multiplier):
    """SPEC 5.3: one gain for all and no offset: the score is the sum itself."""
    got = score_constants(np.array(gain), np.zeros(2), 100)
    assert [got[0].tolist(), got[1].tolist(), got[2]] == [multiplier, [0, 0], abs(gain[0])]


def test_score_constants_worked_by_hand():
    """SPEC 5.3: the largest gain becomes 32,767; gains that are all 0 leave the offsets."""
    multiplier, offset, scale = score_constants(np.array([2.0, -1.0]), np.array([0.0, 8.0]), 10)
    assert multiplier.tolist() == [32_767, -16_384]  # −16,383.5 to even
    assert offset.tolist() == [0, 131_068]
    assert scale == pytest.approx(2 / 32_767)
    multiplier, offset, _ = score_constants(np.zeros(3), np.array([1.0, -1.0, 0.5]), 10)
    assert multiplier.tolist() == [0, 0, 0]
    assert offset[0] == -offset[1] > 2**30
    multiplier, offset, _ = score_constants(np.zeros(2), np.zeros(2), 10)
    assert (multiplier.tolist(), offset.tolist()) == ([0, 0], [0, 0])


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("bn", [False, True])
def test_scores_are_chainers_logits(bias, bn):
    """SPEC 5.3, against Chainer's own forward pass; exact without bias and batch normalisation."""
    last = (BL.BinaryLinearBNSoftmax if bn else BL.BinaryLinearSoftmax)(12, 4, nobias=not bias)
    if bias:
        last.bl.b.array[...] = np.random.normal(size=4)
    if bn:
        last.bn.gamma.array[...] = np.random.normal(size=4)
        last.bn.beta.array[...] = np.random.normal(size=4)
        last.bn.avg_mean[...] = np.random.normal(size=4)
        last.bn.avg_var[...] = np.random.gamma(2, size=4)
    network = lower([last], (3, 2, 2))
    x = np.random.randint(0, 2, (50, 3, 2, 2))
    with chainer.using_config("train", False):
        logits = last((2 * x - 1).astype(np.float32)).array
    got = network.scores(x) * network.layers[-1].transform.scale
    if not bias and not bn:
        np.testing.assert_array_equal(got, logits)
    np.testing.assert_allclose(got, logits, rtol=0, atol=1e-3 * np.abs(logits).max())
    np.testing.assert_array_equal(network.predict(x), np.argmax(logits, axis=1))


# Chains without a network


def block(change=None, **attributes):
    """A dense block of 4 inputs and 3 outputs, changed."""
    link = BL.BinaryLinearBNBST(4, 3)
    for path, value in attributes.items():
        owner, name = {"W": (link.bl, "W"), "b": (link.bl, "b")}.get(path, (link.bn, path))
        target = getattr(owner, name)
        array = target.array if hasattr(target, "array") else target
        if isinstance(value, np.dtype):
            array = array.astype(value)
            if hasattr(target, "array"):
                target.array = array
            else:
                setattr(owner, name, array)
        else:
            array.flat[-1] = value
    return link


LAST = BL.BinaryLinearSoftmax
F64 = np.dtype(np.float64)
INF = float("inf")


class NoOrder(BL.CChainMixin, chainer.Chain):
    pass


@pytest.mark.parametrize(
    ("make", "shape", "kind", "message"),
    [
        (list, (1, 2, 2), None, "the chain has no blocks"),
        (chainer.Chain, (1, 2, 2), None, "a Chain does not say in which order its blocks run: give it link_order"),
        (lambda: [block()], (1, 2, 2), None, r"block 1 \(BinaryLinearBNBST\) cannot stand there: every block but"),
        (lambda: [LAST(4, 4), LAST(4, 2)], (1, 2, 2), None, r"block 1 \(BinaryLinearSoftmax\) cannot stand there"),
        (
            lambda: [chainer.links.Linear(4, 3), LAST(3, 2)],
            (1, 2, 2),
            None,
            r"block 1 \(Linear\) has no counterpart in C: build the network from the blocks of ebnn.links",
        ),
        (lambda: [block(), F.relu, LAST(3, 2)], (1, 2, 2), None, r"block 2 \(function\) has no counterpart in C"),
        (lambda: [block(), LAST(5, 2)], (1, 2, 2), None, r"block 2 \(BinaryLinearSoftmax\) does not take an input of"),
        (lambda: [block(), LAST(3, 2)], (1, 2, 3), None, r"block 1 .* does not take an input of shape \(1, 2, 3\)"),
        (
            lambda: [BL.BinaryConvBNBST(2, 3, 2), LAST(None, 2)],
            (1, 4, 4),
            None,
            r"block 1 \(BinaryConvBNBST\) does not take an input of shape \(1, 4, 4\)",
        ),
        (
            lambda: [BL.BinaryConvBNBST(1, 3, 5), LAST(None, 2)],
            (1, 4, 4),
            None,
            r"block 1 .* does not take an input of shape \(1, 4, 4\): a window of 5x5 does not fit",
        ),
        (
            lambda: [BL.BinaryConvPoolBNBST(1, 3, 3, pksize=2, ppad=2), LAST(None, 2)],
            (1, 4, 4),
            None,
            r"block 1 .*use less padding",
        ),
        (
            lambda: [block(), BL.BinaryConvBNBST(None, 3, 1), LAST(None, 2)],
            (1, 2, 2),
            None,
            r"block 2 \(BinaryConvBNBST\) does not take an input of shape \(3,\)",
        ),
        (lambda: [block(), LAST(3, 1)], (1, 2, 2), None, "a single output, .* always class 0: give it two outputs"),
        (lambda: [BL.BinaryLinearBNSoftmax(8, 1)], (1, 2, 4), None, "a single output, .*: give it two outputs"),
        (lambda: [LAST(4, 2)], (1, 2, 2), "float", "the last layer takes float input, but scores are integers"),
        (lambda: [block(), LAST(3, 2)], (1, 2, 2), "pixels", "input kind 'pixels' is unknown"),
        (lambda: [block(), LAST(3, 2)], (4,), None, r"the input shape \(4,\) is not three whole numbers"),
        (lambda: [block(), LAST(3, 2)], 4, None, "the input shape 4 is not three whole numbers"),
        (lambda: [block(), LAST(3, 2)], (1, 2, 2.5), None, "is not three whole numbers"),
        (lambda: [block(), LAST(3, 2)], (1, -2, -2), None, "each must be 1 to 32767"),
        (lambda: [BL.BinaryLinearBNBST(None, 3), LAST(3, 2)], (1, 0, 2), None, "each must be 1 to 32767"),
        (
            lambda: [BL.LinearBNBST(None, 1), LAST(1, 2)],
            (3, 1, 21_932),
            "uint8",
            "a sum of dense1 can reach 16,777,980",
        ),
        (lambda: [block(W=np.nan), LAST(3, 2)], (1, 2, 2), None, "block 1 .*weights hold a value that is not finite"),
        (lambda: [block(b=INF), LAST(3, 2)], (1, 2, 2), None, "block 1 .*bias hold a value that is not finite"),
        (lambda: [block(gamma=np.nan), LAST(3, 2)], (1, 2, 2), None, "gamma hold a value that is not finite"),
        (lambda: [block(beta=np.nan), LAST(3, 2)], (1, 2, 2), None, "beta hold a value that is not finite"),
        (lambda: [block(avg_mean=np.nan), LAST(3, 2)], (1, 2, 2), None, "mean hold a value that is not finite"),
        (lambda: [block(avg_var=INF), LAST(3, 2)], (1, 2, 2), None, "variance hold a value that is not finite"),
        (lambda: [block(W=F64), LAST(3, 2)], (1, 2, 2), None, "weights are float64, thresholds are exact for float32"),
        (lambda: [block(avg_var=F64), LAST(3, 2)], (1, 2, 2), None, r"block 1 .* does not take an input"),
        (lambda: [block(gamma=F64), LAST(3, 2)], (1, 2, 2), None, r"block 1"),
    ],
)
def test_a_chain_without_an_exact_network_is_refused(make, shape, kind, message):
    """The message names the block, the value and the way out; no other exception leaves lower()."""
    with pytest.raises(LoweringError, match=message):
        lower(make(), shape, kind)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of Chainer's own root
def test_a_variance_below_zero_is_refused():
    with pytest.raises(LoweringError, match=r"block 1 .*its variance is -1\.0, it must be above 0 with eps added"):
        lower([block(avg_var=-1.0), LAST(3, 2)], (1, 2, 2))


def test_a_chain_without_an_order_says_so():
    with pytest.raises(NotImplementedError, match="NoOrder does not say in which order its blocks run"):
        lower(NoOrder(), (1, 2, 2))


def test_a_batch_normalisation_of_another_kind_is_refused():
    """SPEC 4.5, 4.6: what is not Chainer's own arithmetic has no exact C."""

    class Wrong(BL.BatchNormalization):
        def forward(self, x):
            return super().forward(x) + np.float32(0.25)

    link = BL.BinaryLinearBNBST(4, 3)
    link.bn = Wrong(3)
    with pytest.raises(LoweringError, match=r"block 1 .*its batch normalisation is not Chainer's own, in float32"):
        lower([link, LAST(3, 2)], (1, 2, 2))


def test_batch_normalisation_without_gamma_or_beta():
    """SPEC 4.5: Chainer leaves them out as 1 and 0."""
    link = BL.BinaryLinearBNBST(3, 2, nobias=True)
    link.bn = BL.BatchNormalization(2, use_gamma=False, use_beta=False)
    link.bn.avg_mean[...] = [2, -2]
    lowered = lower([link, LAST(2, 2)], (1, 1, 3)).layers[0]
    assert lowered.transform.value.tolist() == [2, -2]
    assert lowered.transform.normalize.gamma.tolist() == [1, 1]
    assert lowered.transform.normalize.beta.tolist() == [0, 0]
    assert lowered.transform.normalize.bias.tolist() == [0, 0]


def test_inv_std_is_the_root_of_the_reciprocal():
    """SPEC 4.6: float32 after each of sum, reciprocal and root; 1/√x would differ in places."""
    rng = np.random.default_rng(SEED)
    link = BL.BinaryLinearBNBST(2, 500)
    link.bn.avg_var[...] = rng.gamma(2, 50, 500)
    got = lower([link, LAST(500, 2)], (1, 1, 2)).layers[0].transform.normalize.inv_std
    f32 = slow_reference.f32
    eps = f32(2e-5)
    expected = [f32(f32(1 / f32(float(var) + eps)) ** 0.5) for var in link.bn.avg_var]
    assert got.tolist() == expected
    assert got.tolist() != [f32(1 / f32(f32(float(var) + eps) ** 0.5)) for var in link.bn.avg_var]


def changed(change):
    links = [BL.BinaryLinearBNBST(6, 8), BL.BinaryLinearBNSoftmax(8, 3)]
    change(links)
    return links


class Doubled(BL.BinaryLinearBNBST):
    """A subclass that does more than its name says."""

    def forward(self, x, test=False):
        return super().forward(x, test) * 2


def test_a_block_that_does_more_than_its_kind_is_refused():
    """4.5: the answers are held against the chain's own."""
    tanh = BL.BST()
    tanh.forward = chainer.functions.tanh
    with pytest.raises(LoweringError, match=r"block 1 \(BinaryLinearBNBST\) does something else"):
        lower(changed(lambda links: setattr(links[0], "bst", tanh)), (1, 2, 3))
    with pytest.raises(LoweringError, match=r"block 1 \(Doubled\) does something else"):
        lower([Doubled(6, 8), BL.BinaryLinearBNSoftmax(8, 3)], (1, 2, 3))
    with pytest.raises(LoweringError, match=r"block 2 \(BinaryLinearBNSoftmax\) does something else"):
        lower(changed(lambda links: setattr(links[1], "forward", lambda h: links[1].bl(h) * 3)), (1, 2, 3))


class Forward(BL.CChainMixin, chainer.Chain):
    """A chain whose forward is given."""

    def __init__(self, forward):
        super().__init__()
        self.forward = lambda x: forward(self, x)
        with self.init_scope():
            self.a = BL.BinaryLinearBNBST(6, 8)
            self.b = BL.BinaryLinearBNSoftmax(8, 3)

    def link_order(self):
        return [self.a, self.b]


@pytest.mark.parametrize(
    ("forward", "fits"),
    [
        (lambda chain, x: chain.b(chain.a(x)), True),
        (lambda chain, x: F.softmax(chain.b(chain.a(x))), True),
        (lambda chain, x: chain.b(chain.a(-x)), False),
        (lambda chain, x: chain.b(-chain.a(x)), False),
        (lambda chain, x: None, False),
    ],
)
def test_a_forward_that_does_more_than_its_blocks_is_refused(forward, fits):
    """4.5: what happens between the blocks is not in the network."""
    chain = Forward(forward)
    if fits:
        lower(chain, (1, 2, 3))
    else:
        with pytest.raises(LoweringError, match=r"Forward\.forward\(\) gives other logits than its blocks"):
            lower(chain, (1, 2, 3))


def test_a_batch_normalisation_over_other_axes_is_refused():
    link = BL.BinaryLinearBNBST(6, 8)
    link.bn = BL.BatchNormalization(8, axis=(0, 1))
    with pytest.raises(LoweringError):
        lower([link, LAST(8, 2)], (1, 2, 3))
