"""Layers and blocks: signatures, shapes, types, names, test mode."""

import chainer
import numpy as np
import pytest

import ebnn.links as BL

SEED = 1
CONV_BLOCKS = [BL.ConvBNBST, BL.BinaryConvBNBST, BL.ConvPoolBNBST, BL.BinaryConvPoolBNBST]
LINEAR_BLOCKS = [BL.LinearBNBST, BL.BinaryLinearBNBST, BL.BinaryLinearBNSoftmax, BL.BinaryLinearSoftmax]


def images(*shape: int) -> np.ndarray:
    return np.random.RandomState(SEED).randint(0, 17, shape).astype(np.float32)


def children(block: chainer.Chain) -> set[str]:
    return {child.name for child in block.children()}


def test_binary_linear_sizes_itself():
    for link in (BL.BinaryLinear(3), BL.BinaryLinear(None, 3)):
        assert link.b.shape == (3,)
        assert link(images(2, 2, 2, 5)).shape == (2, 3)
        assert link.W.shape == (3, 20)
    link = BL.BinaryLinear(4, 3, True, np.full((3, 4), -2, np.float32))
    assert link.b is None
    assert link(np.ones((1, 4), np.float32)).array.tolist() == [[-4, -4, -4]]
    assert BL.BinaryLinear(4, 3, initial_bias=2).b.array.tolist() == [2, 2, 2]


def test_binary_convolution_sizes_itself():
    for link in (BL.BinaryConvolution2D(6, (2, 3)), BL.BinaryConvolution2D(None, 6, (2, 3))):
        assert link(images(2, 4, 5, 7)).shape == (2, 6, 4, 5)
        assert link.W.shape == (6, 4, 2, 3)
        assert (link.ksize, link.stride, link.pad) == ((2, 3), (1, 1), (0, 0))
    assert BL.BinaryConvolution2D(1, 2, 3, nobias=True).b is None
    with pytest.raises(ValueError, match="stride is 0"):
        BL.BinaryConvolution2D(1, 2, 3, 0)


@pytest.mark.parametrize("kind", CONV_BLOCKS)
def test_conv_blocks_take_pairs_and_other_shapes_than_squares(kind):
    pooled = "Pool" in kind.__name__
    pool = {"pksize": (2, 1), "pstride": (1, 2), "ppad": (1, 0)} if pooled else {}
    block = kind(3, 5, (3, 2), stride=(1, 2), pad=(0, 1), **pool)
    y = block(images(4, 3, 6, 9)).array  # 4 × 5 before pooling
    assert y.shape == ((4, 5, 5, 3) if pooled else (4, 5, 4, 5))
    assert y.dtype == np.float32
    assert set(np.unique(y)) == {-1, 1}
    assert children(block) == {"bconv", "bn", "bst"} | ({"pool"} if pooled else set())
    assert block.binary_input == kind.__name__.startswith("Binary")


@pytest.mark.parametrize("kind", CONV_BLOCKS)
def test_conv_blocks_shift_arguments_as_chainer_does(kind):
    block = kind(8, 3)
    assert block(images(2, 3, 9, 9)).shape[1] == 8
    assert block.bconv.W.shape == (8, 3, 3, 3)
    assert block.bn.gamma.shape == (8,)


def test_pooling_defaults_are_ebnn_s():
    block = BL.ConvPoolBNBST(1, 10, 3, stride=2)
    assert (block.pool.ksize, block.pool.stride, block.pool.pad) == ((3, 3), (2, 2), (0, 0))
    assert block(images(1, 1, 28, 28)).shape == (1, 10, 6, 6)
    assert (block.bn.decay, block.bn.eps) == (0.9, 2e-5)


@pytest.mark.parametrize("kind", LINEAR_BLOCKS)
@pytest.mark.parametrize("sizes", [(6,), (None, 6), (20, 6)])
def test_linear_blocks_take_one_size_or_two(kind, sizes):
    block = kind(*sizes)
    assert block(images(4, 5, 2, 2)).shape == (4, 6)
    assert block.bl.W.shape == (6, 20)
    assert block.binary_input == kind.__name__.startswith("Binary")
    assert children(block) >= {"bl"}
    assert ("bn" in children(block)) == (kind is not BL.BinaryLinearSoftmax)


def test_order_is_linear_pool_normalisation_sign():
    block = BL.ConvPoolBNBST(1, 1, 1, pksize=2, pstride=2)
    block.bconv.W.array[...] = 1
    block.bconv.b.array[...] = 0.5
    block.bn.avg_mean[...] = 4.25
    block.bn.gamma.array[...] = -1
    x = np.array([[[[1, 2, 9, 3], [3, 4, 0, 1]]]], np.float32)
    # Maxima 4.5 and 9.5, less the mean 0.25 and 5.25, turned over by gamma.
    assert block(x, test=True).array.tolist() == [[[[-1, -1]]]]
    block.bn.avg_mean[...] = 4.5
    assert block(x, test=True).array.tolist() == [[[[1, -1]]]]  # sign(-0) = +1


def test_softmax_links():
    h = np.sign(images(5, 12) - 8.5)
    t = np.array([0, 1, 2, 1, 0], np.int32)
    last = BL.BinaryLinearSoftmax(12, 3)
    logits = last(h).array
    loss = last(h, t)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(loss.array, -np.log(chances[np.arange(5), t]).mean(), rtol=1e-5)
    assert float(last.accuracy.array) == pytest.approx(np.mean(logits.argmax(axis=1) == t))
    normalised = BL.BinaryLinearBNSoftmax(12, 3)
    with chainer.using_config("train", False):
        assert np.array_equal(normalised(h, t).array, normalised.bn(normalised.bl(h)).array)


@pytest.mark.parametrize("kind", [*CONV_BLOCKS, *LINEAR_BLOCKS[:-1]])
def test_test_mode_leaves_the_statistics(kind):
    block = kind(None, 4, 2) if kind in CONV_BLOCKS else kind(4)
    before = block.bn.avg_mean.copy(), block.bn.avg_var.copy()
    BL.size_blocks([block], (3, 9, 9))
    block(images(6, 3, 9, 9), test=True)
    with chainer.using_config("train", False):
        block(images(6, 3, 9, 9))
    assert np.array_equal(before, (block.bn.avg_mean, block.bn.avg_var))
    block(images(6, 3, 9, 9))
    assert not np.array_equal(before[0], block.bn.avg_mean)


def test_everything_stays_float32():
    blocks = chainer.Sequential(
        BL.ConvPoolBNBST(1, 4, 3, estimator="approx_sign"),
        BL.BinaryConvBNBST(4, 5, 2, estimator="swish_sign"),
        BL.BinaryLinearBNBST(None, 7, estimator="tanh"),
        BL.BinaryLinearBNSoftmax(None, 3),
    )
    optimizer = chainer.optimizers.Adam(0.003)
    optimizer.setup(blocks)
    t = np.arange(8, dtype=np.int32) % 3
    for _ in range(2):
        h = chainer.Variable(images(8, 1, 12, 10))
        for block in blocks:
            h = block(h)
            assert h.dtype == np.float32
        loss = chainer.functions.softmax_cross_entropy(h, t)
        assert loss.dtype == np.float32
        blocks.cleargrads()
        loss.backward()
        optimizer.update()
    for name, parameter in blocks.namedparams():
        types = {parameter.dtype, parameter.grad.dtype, *(parameter.update_rule.state[key].dtype for key in "mv")}
        assert types == {np.dtype(np.float32)}, name
    for link in blocks.links():
        if isinstance(link, BL.BatchNormalization):
            assert {link.avg_mean.dtype, link.avg_var.dtype} == {np.dtype(np.float32)}


def test_unknown_estimator():
    with pytest.raises(ValueError, match="no estimator is called 'relu'"):
        BL.ConvBNBST(1, 2, 3, estimator="relu")


def test_snapshots_load_by_ebnn_s_names(tmp_path):
    import h5py

    random = np.random.RandomState(SEED)
    arrays = {
        "bconv/W": random.randn(2, 1, 3, 3),
        "bconv/b": random.randn(2),
        "bn/gamma": random.randn(2),
        "bn/beta": random.randn(2),
        "bn/avg_mean": random.randn(2),
        "bn/avg_var": random.rand(2),
        "bn/N": np.array(0),
    }
    with h5py.File(tmp_path / "model.hdf5", "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
    block = BL.ConvPoolBNBST(1, 2, 3)
    chainer.serializers.load_hdf5(str(tmp_path / "model.hdf5"), block)
    assert np.array_equal(block.bconv.W.array, arrays["bconv/W"].astype(np.float32))
    assert np.array_equal(block.bn.avg_var, arrays["bn/avg_var"].astype(np.float32))


def test_link_order_must_be_given():
    class Net(BL.CChainMixin, chainer.Chain):
        pass

    with pytest.raises(NotImplementedError, match=r"Net does not say .* override link_order\(\)"):
        Net().link_order()


@pytest.mark.parametrize("kind", [BL.ConvBNBST, BL.BinaryConvPoolBNBST])
def test_a_float_block_is_convolution_pool_batch_normalization_and_relu(kind):
    block = kind(2, 3, 3, 2, 1, nobias=True)
    twin = BL.FloatBlock(block)
    x = images(4, 2, 14, 14)
    with chainer.using_config("train", False):
        y = twin(x)
    h = chainer.functions.convolution_2d(x, block.bconv.W, None, 2, 1)
    if hasattr(block, "pool"):
        h = chainer.functions.max_pooling_2d(h, 3, 2, cover_all=False)
    expected = np.maximum(h.array / np.sqrt(np.float32(1 + 2e-5)), 0)
    np.testing.assert_allclose(y.array, expected, rtol=1e-4, atol=1e-4)
    assert y.shape == block(x).shape
    twin.linear.W.array[...] = 0
    assert block.bconv.W.array.any()  # a copy


def test_a_float_block_of_the_last_layer_gives_logits():
    block = BL.BinaryLinearBNSoftmax(6, 3)
    twin = BL.FloatBlock(block)
    x = np.random.RandomState(SEED).randn(5, 6).astype(np.float32)
    with chainer.using_config("train", False):
        y = twin(x).array
    np.testing.assert_allclose(y, x @ block.bl.W.array.T, rtol=1e-3, atol=1e-4)
    assert y.min() < 0
