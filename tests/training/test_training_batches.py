"""Order, sizes and shifts of batches."""

import chainer
import numpy as np
import pytest

from ebnn.frontends.chainer.batch_iterator import BatchIterator
from ebnn.training.augmentation import Shift
from ebnn.training.labelled_samples import as_samples


def numbered(n: int):
    """Samples that carry their own number."""
    return as_samples("training", np.arange(n, dtype=np.uint8).reshape(n, 1, 1, 1), np.arange(n), "uint8")


@pytest.mark.parametrize(
    ("n", "batch_size", "sizes"), [(10, 4, [4, 3, 3]), (9, 3, [3, 3, 3]), (2, 5, [2]), (1, 1, [1])]
)
def test_every_sample_once_an_epoch_in_batches_of_nearly_one_size(n, batch_size, sizes):
    batches = BatchIterator(numbered(n), batch_size, seed=3)
    epochs = [[next(batches) for _ in sizes] for _ in range(2)]
    assert [[len(labels) for _, labels in epoch] for epoch in epochs] == [sizes, sizes]
    orders = [np.concatenate([labels for _, labels in epoch]) for epoch in epochs]
    for order, epoch in zip(orders, epochs, strict=True):
        assert sorted(order) == list(range(n))
        assert np.array_equal(order, np.concatenate([images.ravel() for images, _ in epoch]))
    assert n < 3 or not np.array_equal(*orders)
    assert (batches.epoch, batches.is_new_epoch) == (2, True)


def test_place_and_epoch():
    batches = BatchIterator(numbered(10), 5, seed=0)
    assert (batches.epoch_detail, batches.is_new_epoch) == (0, False)
    next(batches)
    assert (batches.epoch_detail, batches.previous_epoch_detail, batches.is_new_epoch) == (0.5, 0, False)
    next(batches)
    assert (batches.epoch_detail, batches.previous_epoch_detail, batches.is_new_epoch) == (1, 0.5, True)


def test_a_restored_place_gives_the_same_batches():
    first = BatchIterator(numbered(10), 3, seed=1)
    for _ in range(5):
        next(first)
    saved = chainer.serializers.npz.serialize(first)
    second = BatchIterator(numbered(10), 3, seed=1)
    second.serialize(chainer.serializers.NpzDeserializer(saved))
    for _ in range(6):
        assert np.array_equal(next(first)[1], next(second)[1])


def test_shifts_move_and_fill_with_zero():
    image = np.zeros((1, 4, 5), np.uint8)
    image[0, 1, 2] = 7
    images = Shift(2)(np.repeat(image[None], 200, axis=0), np.random.RandomState(0))
    assert images.shape == (200, 1, 4, 5)
    assert images.dtype == np.uint8
    places = {tuple(np.argwhere(i[0])[0]) for i in images if i.any()}
    assert places == {(row, column) for row in range(4) for column in range(5)}  # row 3 is 2 down, row -1 is outside
    assert not all(i.any() for i in images)
