"""Networks from a short text."""

import chainer
import numpy as np
import pytest

from ebnn.errors import TrainingError, UnknownNameError
from ebnn.training import ARCHITECTURES, FloatChain, build_network
from ebnn.training.architectures import read_architecture, with_bits


def blocks(architecture: str, shape=(1, 28, 28), **options):
    return build_network(architecture, shape, 10, **options).link_order()


def test_parts():
    first, second, third, fourth, last = blocks("c8k5x3s2p2x1-m3x2s2-c12-d30-d20", (2, 28, 24))
    assert [type(b).__name__ for b in (first, second, third, fourth, last)] == [
        "ConvPoolBNBST",
        "BinaryConvBNBST",
        "BinaryLinearBNBST",
        "BinaryLinearBNBST",
        "BinaryLinearBNSoftmax",
    ]
    assert first.bconv.W.shape == (8, 2, 5, 3)
    assert (first.bconv.stride, first.bconv.pad) == ((2, 2), (2, 1))
    assert (first.pool.ksize, first.pool.stride, first.pool.pad) == ((3, 2), (2, 2), (0, 0))
    assert second.bconv.W.shape == (12, 8, 3, 3)
    assert (third.bl.out_size, fourth.bl.out_size, last.bl.out_size) == (30, 20, 10)


def test_bits_of_weights_and_activations():
    first, second, third, fourth, fifth, last = blocks("c8k3p1w8a8-m2-dw2k3a8-a2-c4w8-d5a8-ow8")
    kinds = [(type(b).__name__, b.input_kind, b.output_kind) for b in (first, second, third, fourth, fifth, last)]
    assert kinds == [
        ("QuantConvBlock", "uint8", "uint8"),
        ("QuantDepthwiseBlock", "uint8", "uint8"),
        ("AveragePoolBlock", "uint8", "uint8"),
        ("QuantConvBlock", "uint8", "bits"),
        ("QuantLinearBlock", "bits", "uint8"),
        ("QuantLinearSoftmax", "uint8", None),
    ]
    assert [b.linear.weights for b in (first, second, fourth, fifth)] == ["int8", "binary", "int8", "binary"]
    assert (first.pool.ksize, third.pool.ksize, second.linear.W.shape) == ((2, 2), (2, 2), (16, 1, 3, 3))
    assert last.linear.weights == "int8-layer"


def test_blocks_of_bits_stand_between_those_of_8_bits():
    names = [type(b).__name__ for b in blocks("c4w8a8-c4-c4w1a1-g-d3a8-ow1", input_kind="int8")]
    assert names == [
        *("QuantConvBlock", "ConvBNBST", "BinaryConvBNBST", "AveragePoolBlock", "QuantLinearBlock"),
        "BinaryLinearBNSoftmax",
    ]
    pool, dense = blocks("c4-g-d3a8", input_kind="uint8")[1:3]
    assert (pool.output_kind, dense.input_kind, pool.pool.ksize) == ("int8", "int8", (26, 26))


@pytest.mark.parametrize(
    ("given", "weights", "activations", "told"),
    [
        ("conv-small", 8, 8, "c16k3p1w8a8-m2-c32k3p1w8a8-m2-ow8"),
        ("c4k3w8a8-dw3s2-a2-d9a8-ow8", 1, 8, "c4k3a8-dw3s2a8-a2-d9a8"),
        ("c4k3w8a8-dw-g-d9w8-ow8", 1, 1, "c4k3-dw-g-d9"),
        ("d128", 8, 1, "d128w8-ow8"),
        ("c4k3wsa8sn0-m2-ok1g", 8, 8, "c4k3w8a8n0-m2-ok1gw8"),
        ("c4k3wsa8sn0-m2-ok3p1gws", 1, 8, "c4k3a8n0-m2-ok3p1g"),
        ("d9w8-ows", 1, 1, "d9"),
    ],
)
def test_the_same_shape_with_other_bits(given, weights, activations, told):
    assert with_bits(given, weights, activations) == told
    assert [b.outputs for b in read_architecture(given) if hasattr(b, "outputs")] == [
        b.outputs for b in read_architecture(told) if hasattr(b, "outputs")
    ]


def test_scaled_signs_activations_of_either_sign_and_no_batch_normalisation():
    first, second, third, last = blocks("c4wsa8s-dw2wsn0-c5wsa8n0-ows")
    assert [b.linear.weights for b in (first, second, third, last)] == ["bwn"] * 4
    assert [b.output_kind for b in (first, second, third, last)] == ["int8", "bits", "uint8", None]
    assert [b.norm for b in (first, second, third, last)] == ["after", None, None, None]
    assert [b.linear.b is None for b in (first, second, third, last)] == [True, False, False, False]


@pytest.mark.parametrize(
    ("architecture", "weights", "norm", "pooled"),
    [
        ("c4-m2-ok1g", "binary", "after", True),
        ("c4a8-m2-ok3p1gws", "bwn", None, True),
        ("c4-m2-ok13w8", "int8-layer", None, False),
    ],
)
def test_the_last_layer_may_be_a_convolution(architecture, weights, norm, pooled):
    """The mean over its map, or a map of one place: in train and test mode, and of the float baseline, (n, classes)."""
    model = build_network(architecture, (1, 28, 28), 10)
    last = model.link_order()[-1]
    assert (last.linear.weights, last.norm, hasattr(last, "pool"), last.last) == (weights, norm, pooled, True)
    for chain in (model, FloatChain(model)):
        for mode in (False, True):
            with chainer.using_config("train", mode):
                assert chain(np.full((2, 1, 28, 28), 9, np.float32)).shape == (2, 10)


def test_a_pool_steps_by_its_size():
    (first, _) = blocks("c4-m3")
    assert first.pool.stride == (3, 3)


def test_bits_take_binary_blocks():
    assert [b.binary_input for b in blocks("c4-d5", input_kind="bits")] == [True, True, True]
    assert [b.binary_input for b in blocks("c4-d5", input_kind="uint8")] == [False, True, True]
    assert not blocks("d5", input_kind="float")[0].binary_input


SMALL = [name for name in ARCHITECTURES if not name.startswith("alexnet")]  # that takes images of 224 pixels


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32)])
def test_names_fit_the_data_sets(name, shape):
    model = build_network(name, shape, 10)
    with chainer.using_config("train", False):
        logits = model(np.zeros((2, *shape), np.float32))
    assert logits.shape == (2, 10)
    assert logits.dtype == np.float32


@pytest.mark.parametrize("name", [*SMALL, "c4w8a8-dw2k3w8a8-m2-a2-c5w8-g-d9a8-ow8"])
def test_the_float_baseline_has_the_same_shape(name):
    model = build_network(name, (1, 28, 28), 10)
    baseline = FloatChain(model)
    sizes = [sorted(p.shape for p in chain.params() if p.name != "log_range") for chain in (model, baseline)]
    assert sizes[0] == sizes[1]
    assert baseline.input_kind == model.input_kind
    with chainer.using_config("train", False):
        assert baseline(np.zeros((2, 1, 28, 28), np.float32)).shape == (2, 10)


def test_ebnn_conv_is_ebnn_s():
    first, last = blocks("ebnn-conv")
    assert (first.bconv.W.shape, first.bconv.stride) == ((10, 1, 3, 3), (2, 2))
    assert (first.pool.ksize, first.pool.stride) == ((3, 3), (2, 2))
    assert last.bl.W.shape == (10, 360)


def test_weights_depend_on_the_seed_alone():
    np.random.seed(1)
    expected = np.random.RandomState(1).rand()
    a, b, c = (build_network("d9", (1, 4, 4), 3, seed=seed).l1.bl.W.array for seed in (0, 0, 1))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    assert np.random.rand() == expected


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ("resnet", "'resnet' has no meaning here; use one of conv, "),
        ("", "'' has no meaning here: a part is empty"),
        ("d9--d9", "'' has no meaning here: a part is empty"),
        ("m2", "'m2' has no meaning here: a max-pool comes directly behind a convolution"),
        ("d9-c3", "'c3' has no meaning here: no convolution and no pool can follow a dense layer"),
        ("d16-c8k3", "'c8k3' has no meaning here: no convolution and no pool can follow a dense layer"),
        ("c4-m2-m2", "'m2' has no meaning here: a max-pool comes directly behind a convolution"),
        ("c8k3a8w8", "'c8k3a8w8' has no meaning here: the order is k, s, p, w, a, which makes it c8k3w8a8; ebnn train"),
        ("c8p1k3x5", "which makes it c8k3x5p1"),
        ("d8a8w8", "which makes it d8w8a8"),
        ("c4-m3p1s2", "which makes it m3s2p1"),
        ("ck3", "'ck3' has no meaning here: it has no number of filters, as in c16k3"),
        ("c8k3k3", "k is given twice"),
        ("d8k3", "d8 takes no k"),
        ("c4-m3k3", "m3 takes no k"),
        ("c4-m3s2w8", "m3 takes no w"),
        ("c8w8x8", "use one of conv, "),
        ("c4k9", "window of 9x9 does not fit into an image of 8x8"),
        ("c4s0", "stride is"),
        ("c4w4", "'c4w4' has weights of 4 bits: give 1 or 8"),
        ("d4a16", "'d4a16' has activations of 16 bits: give 1 or 8"),
        ("dw99", "'dw99' has 99 filters for each channel: give 1 to 64"),
        ("d9-ok1g", "'ok1g' has no meaning here: no convolution and no pool can follow a dense layer"),
        ("c4-ok1g-d9", "'ok1g' has no meaning here: it is the last layer's"),
        ("c4a1s", "'c4a1s' has activations of 1 bit, whose sign is all they have"),
        ("ow8", "'ow8' has no meaning here: it is the last layer's"),
        ("ow8-c4", "'ow8' has no meaning here: it is the last layer's"),
        ("d4-a2", "'a2' has no meaning here: no convolution and no pool can follow"),
        ("d4-g", "'g' has no meaning here: no convolution and no pool can follow"),
        ("a9", "window of 9x9 does not fit into an image of 8x8"),
        ("c4-m2p2", "can lie wholly in a padding"),
    ],
)
def test_architectures_that_cannot_be(architecture, message):
    with pytest.raises(TrainingError, match=message) as caught:
        build_network(architecture, (1, 8, 8), 10)
    assert len(str(caught.value)) < 320


@pytest.mark.parametrize("architecture", ["c4w8", "c4a8", "d4w8a8", "dwk3", "a2-c4"])
def test_float_input_needs_a_first_block_of_signs(architecture):
    with pytest.raises(TrainingError, match="takes no float input"):
        build_network(architecture, (1, 8, 8), 10, "float")
    assert build_network("c4-" + architecture.replace("a2-c4", "a2"), (1, 8, 8), 10, "float")


def test_other_arguments_that_cannot_be():
    with pytest.raises(TrainingError, match="give 2 to 255"):
        build_network("conv", (1, 8, 8), 1)
    with pytest.raises(TrainingError, match="input kind 'pixels'"):
        build_network("conv", (1, 8, 8), 10, "pixels")
    with pytest.raises(UnknownNameError, match="no estimator is called"):
        build_network("conv", (1, 8, 8), 10, estimator="relu")
