"""Data as a trained network takes them."""

from __future__ import annotations

import numpy as np
import pytest

from ebnn.datasets import Dataset
from ebnn.errors import InputError
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Block, Dense
from ebnn.model.meta import Meta
from ebnn.model.network import Network
from ebnn.model.transforms import Scores
from ebnn.network_data import counts_classes, data_for


def network(*names: str) -> Network:
    weights = np.where(np.eye(3, 4) > 0, 1, -1).astype(np.int8).reshape(3, 1, 1, 4)
    blocks = [Block(Dense(weights), None, Scores([1] * 3, [0] * 3, 1.0))]
    return Network(Input("uint8", Shape(4, 1, 1)), blocks, meta=Meta(class_names=names))


def data(*names: str) -> Dataset:
    images = np.zeros((len(names) * 4, 4, 1, 1), np.uint8)
    return Dataset.from_arrays(images, np.arange(len(images)) % len(names), class_names=names)


@pytest.mark.parametrize(
    ("of_network", "of_data", "counts"),
    [
        (("cup", "hat", "key"), ("0", "1", "2"), True),
        (("cup", "hat", "key"), ("1", "2"), True),
        ((), ("0", "1", "2"), False),
        (("0", "1", "2"), ("0", "1", "2"), False),
        (("2", "1", "0"), ("0", "1"), False),
        (("cup", "hat", "key"), ("key", "cup"), False),
    ],
)
def test_numbered_classes_are_told_from_named_ones(
    of_network: tuple[str, ...], of_data: tuple[str, ...], counts: bool
) -> None:
    """Where they are numbered they are taken in order, which a user is told."""
    assert counts_classes(network(*of_network), data(*of_data)) == counts


def test_a_class_goes_where_its_name_is() -> None:
    found = data_for(network("cup", "hat", "key"), data("key", "cup"))
    assert found.class_names == ("cup", "hat", "key")
    assert set(found.test_labels) <= {0, 2}
    with pytest.raises(InputError, match="has the class 'pot'"):
        data_for(network("cup", "hat", "key"), data("pot", "cup"))
