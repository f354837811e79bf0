"""Networks from a short text."""

import chainer
import numpy as np
import pytest

from ebnn.errors import TrainingError, UnknownNameError
from ebnn.training import ARCHITECTURES, FloatChain, build_network


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


def test_a_pool_steps_by_its_size():
    (first, _) = blocks("c4-m3")
    assert first.pool.stride == (3, 3)


def test_bits_take_binary_blocks():
    assert [b.binary_input for b in blocks("c4-d5", input_kind="bits")] == [True, True, True]
    assert [b.binary_input for b in blocks("c4-d5", input_kind="uint8")] == [False, True, True]
    assert not blocks("d5", input_kind="float")[0].binary_input


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32)])
def test_names_fit_the_data_sets(name, shape):
    model = build_network(name, shape, 10)
    with chainer.using_config("train", False):
        logits = model(np.zeros((2, *shape), np.float32))
    assert logits.shape == (2, 10)
    assert logits.dtype == np.float32


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_float_baseline_has_the_same_shape(name):
    model = build_network(name, (1, 28, 28), 10)
    baseline = FloatChain(model)
    sizes = [sorted(parameter.shape for parameter in chain.params()) for chain in (model, baseline)]
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
        ("", "'' has no meaning here"),
        ("m2", "'m2' has no meaning here"),
        ("d9-c3", "'c3' has no meaning here"),
        ("c4-m2-m2", "'m2' has no meaning here"),
        ("c4k9", "window of 9x9 does not fit into an image of 8x8"),
        ("c4s0", "stride is"),
        ("c4-m2p2", "can lie wholly in a padding"),
    ],
)
def test_architectures_that_cannot_be(architecture, message):
    with pytest.raises(TrainingError, match=message):
        build_network(architecture, (1, 8, 8), 10)


def test_other_arguments_that_cannot_be():
    with pytest.raises(TrainingError, match="give 2 to 255"):
        build_network("conv", (1, 8, 8), 1)
    with pytest.raises(TrainingError, match="input kind 'pixels'"):
        build_network("conv", (1, 8, 8), 10, "pixels")
    with pytest.raises(UnknownNameError, match="no estimator is called"):
        build_network("conv", (1, 8, 8), 10, estimator="relu")
