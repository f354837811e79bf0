"""Encoders: raw samples become what a network takes."""

import numpy as np
import pytest

from ebnn import load
from ebnn.errors import InputError, NetworkError
from ebnn.model.encoders import Affine, Thermometer
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Block, Dense
from ebnn.model.meta import Meta
from ebnn.model.network import Network
from ebnn.model.transforms import Scores


def network_of(taken, encoder=None, meta=None):
    _, height, width = taken.shape
    weights = np.arange(2 * taken.shape.size).reshape(2, height, width, taken.shape.channels) % 3 == 0
    return Network(taken, [Block(Dense(weights), None, Scores([1, 1], [0, 0], 1.0))], encoder, meta)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (-1.0, -128),
        (-0.9921875, -127),  # the second of 256 steps of 1/128
        (-0.99218755, -128),
        (0.0, 0),
        (0.9999, 127),
        (1.0, 127),
        (1e30, 127),
        (-1e30, -128),
        (float("inf"), 127),
        (float("-inf"), -128),
        (float("nan"), -128),
    ],
)
def test_affine_worked_by_hand(x, expected):
    encoder = Affine.of_ranges([-1.0], [1.0])
    assert encoder.encode(np.full((1, 1, 1, 1), x)).tolist() == [[[[expected]]]]


def test_channels_have_their_own_ranges():
    encoder = Affine.of_ranges([0, 1000, 5], [255.99, 3560, 5], "uint8")
    x = np.array([[0, 10.5, 300], [1000, 1010, 3560], [4, 5, 6]], np.float32).reshape(1, 3, 1, 3)
    assert encoder.encode(x)[0, :, 0].tolist() == [[0, 10, 255], [0, 1, 255], [0, 128, 255]]


def test_a_thermometer_compares():
    encoder = Thermometer([[0.0, 1.0], [-1.0, -0.5]])
    x = np.array([[0.5, np.nan], [-0.5, -1.5]], np.float32).reshape(1, 2, 1, 2)
    assert encoder.encode(x)[0, :, 0].tolist() == [[True, False], [False, False], [True, False], [True, False]]


def test_int16_is_checked():
    encoder = Affine.of_ranges([-32768], [32768], raw="int16")
    assert encoder.encode(np.array([-32768, 32767]).reshape(2, 1, 1, 1)).ravel().tolist() == [-128, 127]
    for wrong in (32768, 0.5, np.nan):
        with pytest.raises(InputError, match="this network takes int16"):
            encoder.encode(np.full((1, 1, 1, 1), wrong))


def test_a_network_takes_raw_samples_and_keeps_what_is_known_of_it(tmp_path):
    taken, encoder = Input("int8", Shape(2, 1, 3)), Affine.of_ranges([-1, 0], [1, 10])
    meta = Meta(("wave", "größer"), ("ax", "ay"), ("g", "g"), 50.0, 10, 0.6, {"accuracy": 0.98})
    network = network_of(taken, encoder, meta)
    plain = network_of(taken)
    assert network.hash != plain.hash
    assert network.with_meta(Meta()).hash == network.hash
    network.save(tmp_path / "raw.ebnn")
    again = load(tmp_path / "raw.ebnn")
    assert again.hash == network.hash
    assert again.meta == meta
    raw = np.random.default_rng(0).normal(0, 2, (20, 2, 1, 3))
    np.testing.assert_array_equal(again.predict_raw(raw), plain.predict(encoder.encode(raw)))
    with pytest.raises(InputError, match="do not fit"):
        again.predict_raw(np.zeros((1, 1, 1, 3)))


def test_names_alone_change_no_hash(tmp_path):
    network = network_of(Input("uint8", Shape(1, 2, 2)))
    named = network.with_meta(Meta(("no", "yes")))
    named.save(tmp_path / "named.ebnn")
    assert load(tmp_path / "named.ebnn").hash == network.hash
    assert load(tmp_path / "named.ebnn").meta.class_names == ("no", "yes")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Affine([0.0], [0.0]), "a scale of the encoder"),
        (lambda: Affine([np.nan], [1.0]), "an offset of the encoder"),
        (lambda: Affine([0.0, 1.0], [1.0]), "differ in length"),
        (lambda: Affine([0.0], [1.0], "bits"), "cannot give 'bits'"),
        (lambda: Affine([0.0], [1.0], raw="double"), "raw values of type 'double'"),
        (lambda: Thermometer([[1.0, 0.0]]), "must rise"),
        (lambda: Meta(("a", "a")), "two classes have one name"),
        (lambda: Meta(("a\n", "b")), "printable"),
        (lambda: Meta(rejection=1.5), "rejection is 1.5"),
        (lambda: Meta(notes={"x": object()}), "JSON"),
        (lambda: network_of(Input("int8", Shape(2, 1, 3)), Affine([0.0], [1.0])), "the encoder"),
        (lambda: network_of(Input("uint8", Shape(1, 1, 3)), Affine([0.0], [1.0])), "gives int8"),
        (lambda: network_of(Input("uint8", Shape(1, 1, 3)), meta=Meta(("a", "b", "c"))), "3 names for 2 classes"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(NetworkError, match=message):
        make()
