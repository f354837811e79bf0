"""Distortions of training images."""

import numpy as np
import pytest

from ebnn.training import TrainConfig, as_samples
from ebnn.training.augmentation import Distortion, Mirror, Shift, distortion, resample

SEED = 7
SHAPE = (1, 12, 10)


def random(seed: int = SEED) -> np.random.RandomState:
    return np.random.RandomState(seed)


def images(n: int, shape=SHAPE) -> np.ndarray:
    return random().randint(0, 256, (n, *shape)).astype(np.uint8)


def places(height: int, width: int, n: int = 1) -> np.ndarray:
    """Every pixel's own place."""
    return np.repeat(np.mgrid[:height, :width].reshape(2, 1, -1), n, axis=1).astype(np.float32)


def bilinear(image: np.ndarray, row: float, column: float) -> float:
    """One place of one image (h, w), from the definition: each pixel is a tent of width 2."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    tents = np.maximum(0, 1 - abs(rows - row)) * np.maximum(0, 1 - abs(columns - column))
    return float((image * tents).sum())


def test_resampling_is_bilinear_and_0_outside():
    x = images(3, (2, 5, 4))
    where = random().uniform(-3, 8, (2, 3, 20)).astype(np.float32)
    expected = [
        [[bilinear(x[n, c], *where[:, n, i]) for i in range(20)] for c in range(2)] for n in range(3)
    ]  # (n, c, h·w)
    result = resample(x, where.copy())
    np.testing.assert_allclose(result.reshape(3, 2, 20), expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("kind", ["uint8", "int8", "bits", "float"])
def test_without_a_distortion_images_stay(kind):
    x = {"uint8": images(4), "int8": images(4).view(np.int8), "bits": images(4) % 2, "float": images(4) / 255.0}[kind]
    x = x.astype(np.float32) if kind == "float" else x
    result = Distortion(SHAPE, kind)(x, random())
    assert result.dtype == x.dtype
    assert np.array_equal(result, x)


def test_integers_are_rounded_and_bits_stay_bits():
    all_on = np.full((50, *SHAPE), 201, np.uint8)
    strong = {"shift": 2, "rotation": 20, "scale": 0.2, "elastic": 1.0}
    result = Distortion(SHAPE, "uint8", **strong)(all_on, random())
    assert result[:, 0, 5:7, 4:6].min() == result.max() == 201  # the inside stays, nothing overflows
    assert result.min() == 0
    bits = Distortion(SHAPE, "bits", **strong)(all_on // 201, random())
    assert set(np.unique(bits)) == {0, 1}


def test_a_turn_of_half_a_circle_is_within_reach():
    """Of many rotations by up to 180°, one comes close to the image upside down."""
    x = np.zeros((400, 1, 9, 9), np.uint8)
    x[:, :, :4] = 200
    result = Distortion((1, 9, 9), "uint8", rotation=180)(x, random())
    upside_down = x[:1, :, ::-1, ::-1].astype(float)
    assert abs(result - upside_down).mean(axis=(1, 2, 3)).min() < 10


def test_elastic_displaces_by_its_standard_deviation_and_smoothly():
    moved = Distortion(SHAPE, "uint8", elastic=1.5)._places(3000, random()) - places(*SHAPE[1:])
    np.testing.assert_allclose(moved.std(axis=1), 1.5, rtol=0.08)
    maps = moved.reshape(2, 3000, *SHAPE[1:])
    assert np.diff(maps, axis=2).std() < 0.6  # neighbours move together
    assert np.diff(maps, axis=3).std() < 0.6


def test_shift_scale_and_rotation_stay_within_their_limits():
    height, width = SHAPE[1:]
    corners = np.array([[0, 0], [height - 1, width - 1]])
    centre = np.array([height - 1, width - 1]) / 2
    read = Distortion(SHAPE, "uint8", shift=2)._places(500, random()) - places(height, width)
    assert abs(read).max() <= 2.0001
    assert abs(read).max() > 1.9
    read = Distortion(SHAPE, "uint8", scale=0.1)._places(500, random())[:, :, [0, -1]]  # (2, n, corners)
    stretch = (read - centre[:, None, None]) / (corners.T - centre[:, None])[:, None]
    assert 0.8999 <= stretch.min() < 0.91
    assert 1.09 < stretch.max() <= 1.1001
    read = Distortion(SHAPE, "uint8", rotation=30)._places(500, random())[:, :, -1] - centre[:, None]
    angles = np.rad2deg(np.arctan2(*read) - np.arctan2(*(corners[1] - centre)))
    assert abs(angles).max() <= 30.01
    assert abs(angles).max() > 29
    np.testing.assert_allclose(np.hypot(*read), np.hypot(*(corners[1] - centre)), rtol=1e-5)


def test_the_same_random_numbers_give_the_same_images():
    distort = Distortion(SHAPE, "uint8", 2, 10, 0.1, 1.0)
    first, again, other = (distort(images(5), random(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_settings_choose():
    samples = as_samples("training", images(3), np.zeros(3, int), "uint8")
    assert distortion(TrainConfig(), samples) is None
    assert distortion(TrainConfig(shift=2), samples) == Shift(2)
    assert distortion(TrainConfig(shift=2, scale=0.1), samples) == Distortion(SHAPE, "uint8", 2, 0, 0.1, 0)
    assert distortion(TrainConfig(mirror=True), samples) == Mirror()
    assert distortion(TrainConfig(mirror=True, shift=2), samples) == Mirror(Shift(2))


def test_half_of_the_images_are_mirrored_left_for_right():
    x = images(400, (2, 5, 4))
    result = Mirror()(x, random())
    mirrored = np.stack([x[..., 3 - column] for column in range(4)], axis=-1)
    same, turned = ((result == each).all(axis=(1, 2, 3)) for each in (x, mirrored))
    assert result.dtype == x.dtype
    assert (same ^ turned).all()
    assert 150 < turned.sum() < 250
    shifted = Mirror(Shift(1))(x, random())
    assert not np.array_equal(shifted, result)
    assert np.array_equal(Mirror(Shift(0))(x, random()), result)


@pytest.mark.parametrize("settings", [{"shift": 3}, {"shift": 3, "rotation": 40, "scale": 0.3}])
def test_black_stays_black_in_int8(settings):
    """Pixels as int8 are 128 less: what moves in from outside is -128, as in uint8 it is 0."""
    pixels = np.zeros((60, 1, 12, 10), np.uint8)
    pixels[:, :, 4:8, 4:7] = 255
    labels = np.zeros(60, int)
    given = {"uint8": pixels, "int8": (pixels.astype(int) - 128).astype(np.int8)}
    moved = {}
    for kind, x in given.items():
        distort = distortion(TrainConfig(**settings), as_samples("training", x, labels, kind))
        moved[kind] = distort(x, random())
        assert moved[kind].dtype == x.dtype
    assert np.array_equal(moved["int8"].astype(int) + 128, moved["uint8"])
    assert moved["int8"].max() == 127
