"""Blocks of 8 bits: what they take and give, what they refuse, and how they are lowered."""

import chainer
import numpy as np
import pytest

import ebnn
import ebnn.links as BL
from ebnn.errors import LoweringError, UnknownNameError
from ebnn.frontends.chainer.latent import latent_weights
from ebnn.model.transforms import Requantize, Scores, Sign


def lowered(block, *more, shape=(2, 6, 6)):
    return ebnn.lower([block, *more, BL.QuantLinearSoftmax(None, 3, input_kind=kind_of(block, *more))], shape)


def kind_of(*blocks):
    return getattr(blocks[-1], "output_kind", "bits")


def test_a_block_gives_what_its_activation_says():
    given = {"relu": ("uint8", Requantize), "int8": ("int8", Requantize), "sign": ("bits", Sign)}
    for activation, expected in given.items():
        layer = lowered(BL.QuantConvBlock(None, 4, 3, activation=activation)).layers[0]
        assert (layer.output_kind.name, type(layer.transform)) == expected
        assert layer.weight_kind.name == "int8"


@pytest.mark.parametrize(
    ("weights", "kind"), [("int8", "int8"), ("int8-layer", "int8"), ("binary", "bits"), ("bwn", "bits")]
)
def test_weights_are_of_the_kind_that_is_asked_for(weights, kind):
    block = BL.QuantConvBlock(None, 4, 3, weights=weights)
    assert lowered(block).layers[0].weight_kind.name == kind
    assert len(latent_weights(block)) == (kind == "bits")


def test_bwn_is_binary_weights_times_their_mean_magnitude():
    """Rastegari et al.: the sum is multiplied by the mean of |W|, in train mode and on the device."""
    block = BL.QuantLinearBlock(4, 2, weights="bwn", norm=None, activation=None, input_kind="int8")
    block.linear.W.array[...] = [[1, -2, 3, -4], [0.5, 0.5, -0.5, -0.5]]
    x = np.array([[1, 2, 3, 4]], np.float32)
    expected = np.array([[(1 - 2 + 3 - 4) * 2.5, (1 + 2 - 3 - 4) * 0.5]]) / 127
    with chainer.using_config("train", True):
        np.testing.assert_allclose(block(x).array, expected, rtol=1e-6)
    with chainer.using_config("train", False):
        np.testing.assert_allclose(block(x).array, expected, rtol=1e-3)


def test_train_mode_is_near_the_integers_of_test_mode():
    """Of running statistics the two differ by the rounding of the device's constants: a step at most."""
    block = BL.QuantConvBlock(None, 5, 3, pool=BL.AveragePool2D(2), input_kind="uint8")
    x = np.random.default_rng(0).integers(0, 256, (4, 2, 6, 6)).astype(np.float32)
    with chainer.using_config("train", True):
        block.prepare(x)
        h = block.pool(block.linear(x, 1 / 255))
    block.bn.avg_mean[...] = h.array.mean(axis=(0, 2, 3))
    block.bn.avg_var[...] = h.array.var(axis=(0, 2, 3))
    with chainer.using_config("train", True):
        trained = block(x).array
    block.bn.avg_mean[...] = h.array.mean(axis=(0, 2, 3))
    block.bn.avg_var[...] = h.array.var(axis=(0, 2, 3))
    with chainer.using_config("train", False):
        tested = block(x).array
    assert np.abs(trained - tested).max() <= 1
    assert len(np.unique(tested)) > 20


def test_multipliers_are_narrow_where_the_scale_is_below_a_half():
    assert lowered(BL.QuantConvBlock(None, 4, 3)).layers[0].transform.narrow
    few = BL.QuantConvBlock(None, 4, 1, weights="binary", norm=None, input_kind="bits")
    assert not lowered(few).layers[0].transform.narrow


def test_a_global_average_pool_is_as_large_as_the_map():
    network = ebnn.lower(
        [BL.QuantConvBlock(None, 4, 3), BL.AveragePoolBlock(), BL.QuantLinearSoftmax(None, 3)], (2, 6, 5)
    )
    assert network.layers[1].pool.size == (4, 3)
    assert network.layers[1].output_shape == (4, 1, 1)
    assert isinstance(network.layers[2].transform, Scores)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "int4"}, "int4"),
        ({"activation": "tanh"}, "tanh"),
        ({"norm": "beside"}, "beside"),
        ({"input_kind": "float"}, "float"),
    ],
)
def test_an_unknown_name_is_refused(options, message):
    with pytest.raises(UnknownNameError, match=message):
        BL.QuantConvBlock(None, 4, 3, **options)


def test_normalisation_before_a_padded_average_is_refused():
    with pytest.raises(ValueError, match="padding"):
        BL.QuantConvBlock(None, 4, 3, norm="before", pool=BL.AveragePool2D(2, 2, 1))


def test_a_block_that_is_given_another_kind_is_refused():
    with pytest.raises(LoweringError, match=r"block 2 .* takes uint8, its input is bits"):
        ebnn.lower([BL.ConvBNBST(None, 3, 3), BL.QuantLinearSoftmax(None, 3)], (1, 5, 5), "uint8")
    with pytest.raises(LoweringError, match="input is float"):
        ebnn.lower([BL.QuantLinearSoftmax(None, 3)], (1, 5, 5), "float")


def test_sums_beyond_float32_are_exact():
    """Sums that pass 2**24, where float32 rounds."""
    rng = np.random.default_rng(0)
    layer = BL.QuantLinear(6401, 3)
    integers = rng.integers(100, 128, (3, 6401)).astype(np.int8)
    x = rng.integers(128, 256, (5, 6401))
    sums = layer.sums(x.astype(np.float32), integers)
    assert sums.max() > 2**24
    np.testing.assert_array_equal(sums.astype(np.int64), x @ integers.astype(np.int64).T)
