"""Some classes of a data set, a balanced sample of it, and MNIST's kin: bits above a mean, noise as a class."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from test_datasets_mnist import FILES, SOURCE, folder

from ebnn import datasets
from ebnn.cli import main
from ebnn.datasets import Dataset, Reading, mnist
from ebnn.datasets.subset import balanced_sample, only_classes
from ebnn.errors import DatasetError
from ebnn.training.float_run import FloatRun

__all__ = ["folder"]


def fruit(counts: dict[str, int]) -> Dataset:
    """Pixels that number the samples, of classes with so many training samples; a test sample of each."""
    names = tuple(counts)
    labels = np.repeat(np.arange(len(names)), list(counts.values())).astype(np.int32)
    images = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1)
    tests = np.arange(len(names), dtype=np.int32)
    return Dataset("fruit", images, labels, images[: len(names)], tests, "uint8", names, train_groups=labels * 7)


def test_some_classes_keep_their_names_in_the_datas_order() -> None:
    part = only_classes(fruit({"apple": 2, "fig": 3, "pear": 1}), ("pear", "apple"))
    assert part.class_names == ("apple", "pear")
    assert part.train_images.ravel().tolist() == [0, 1, 5]
    assert part.train_labels.tolist() == [0, 0, 1]
    assert part.test_labels.tolist() == [0, 1]
    assert part.test_images.ravel().tolist() == [0, 2]
    assert part.train_groups is not None
    assert part.train_groups.tolist() == [0, 0, 14]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("apple", "plum"), "fruit has no class 'plum': it has apple, fig, pear"),
        (("fig",), "fruit with the class 'fig' alone tells nothing apart"),
    ],
)
def test_classes_that_are_not_there_are_refused(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        only_classes(fruit({"apple": 2, "fig": 3, "pear": 1}), names)


def test_a_sample_is_balanced_and_drawn_by_its_seed() -> None:
    data = fruit({"apple": 60, "fig": 40, "pear": 100})
    one, again, other = (balanced_sample(data, 12, seed) for seed in (3, 3, 4))
    assert np.bincount(one.train_labels).tolist() == [12, 12, 12]
    assert len({*one.train_images.ravel().tolist()}) == 36
    assert np.array_equal(one.train_images, again.train_images)
    assert not np.array_equal(one.train_images, other.train_images)
    assert np.array_equal(one.test_images, data.test_images)
    assert np.bincount(balanced_sample(data, 50).train_labels).tolist() == [40, 40, 40]


def test_a_fraction_counts_all_samples_of_the_data() -> None:
    """As BitsMNIST's: of 60,000 samples 0.01 are 600, 300 of each of two classes."""
    about = datasets.info("bits-mnist", Reading(classes=("1", "0"), fraction=0.01))
    assert (about.classes, about.train, about.class_names) == (2, 600, ("0", "1"))
    with pytest.raises(DatasetError, match="a fraction of 1e-05 of 60,000 training samples leaves none for each of 10"):
        datasets.info("mnist", Reading(fraction=1e-5))
    digits = datasets.load("digits", reading=Reading(classes=("3", "8"), fraction=0.05, fraction_seed=2))
    assert np.bincount(digits.train_labels).tolist() == [33, 33]  # 0.05 · 1347 / 2
    assert digits.class_names == ("3", "8")
    assert len(digits.test_labels) == np.isin(datasets.load("digits").test_labels, (3, 8)).sum()


def test_bits_are_pixels_above_the_mean_of_the_ink(folder: Path) -> None:
    """By hand: (1+2+3+255+9+8+7) / 7 = 40.7 of the training part, (4+4+1+1+1+1) / 6 = 2 of the test part."""
    loaded = mnist.load_bits(folder, source=SOURCE)
    assert len(FILES) == 4
    assert (loaded.name, loaded.kind) == ("bits-mnist", "bits")
    assert loaded.train_images.reshape(3, 4).tolist() == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert loaded.test_images.reshape(2, 4).tolist() == [[1, 0, 0, 1], [0, 0, 0, 0]]
    assert mnist.ink_mean(np.zeros((1, 2), np.uint8)) == 0


def test_noise_is_a_class_of_its_own(folder: Path) -> None:
    for flip, expected in ((0.0, [0]), (1.0, [1])):
        loaded = mnist.load_noisy(folder, source=SOURCE, flip=flip)
        assert loaded.class_names == (*"0123456789", "unknown")
        assert loaded.train_labels.tolist() == [5, 0, 9, 10]
        bits = mnist.load_bits(folder, source=SOURCE)
        noise = loaded.train_images[3]
        sources = [image for image in bits.train_images if np.unique(noise ^ image).tolist() == expected]
        assert sources
    with pytest.raises(DatasetError, match=r"flip is 1\.5: give a probability"):
        mnist.load_noisy(folder, source=SOURCE, flip=1.5)


def test_pixels_flip_with_their_probability() -> None:
    images = np.tile(np.array([0, 1], np.uint8), 50_000)
    flipped = mnist.flip_pixels(images, 0.3, np.random.default_rng(1)) != images
    assert set(np.unique(mnist.flip_pixels(images, 0.3, np.random.default_rng(1)))) == {0, 1}
    for bit in (0, 1):
        assert abs(flipped[images == bit].mean() - 0.3) < 0.01


def test_all_of_bits_and_noisy_mnist(require_mnist: Path) -> None:
    grey = datasets.load("mnist", folder=require_mnist)
    assert round(mnist.ink_mean(grey.train_images), 1) == 174.3
    assert round(mnist.ink_mean(grey.test_images), 1) == 175.3
    for name in ("bits-mnist", "noisy-mnist"):
        about, loaded = datasets.info(name), datasets.load(name, folder=require_mnist)
        assert (about.shape, about.classes, about.kind) == (loaded.shape, loaded.classes, loaded.kind)
        assert (about.train, about.test) == (len(loaded.train_labels), len(loaded.test_labels))
        assert about.class_names == loaded.class_names
        assert np.array_equal(loaded.train_images[:60000], grey.train_images >= 175)
    assert np.bincount(loaded.test_labels)[10] == 1000


def test_a_float_run_knows_its_part_of_the_data(tmp_path: Path) -> None:
    reading = Reading(classes=("0", "1"), fraction=0.25, fraction_seed=3)
    FloatRun("d4", "bits", "bits-mnist", "chainer", reading=reading).write(tmp_path)
    assert FloatRun.read(tmp_path).reading == reading


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("data digits --classes 0,12", "digits has no class '12': it has 0, 1, 2"),
        ("data digits --classes 0,,1", "'0,,1' names a class without a name: join names by commas, as in 0,1"),
        ("data digits --fraction 0.0001", "leaves none for each of 10 classes"),
    ],
)
def test_a_part_that_cannot_be_is_one_line(words: str, message: str) -> None:
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_data_command_shows_the_part() -> None:
    result = CliRunner().invoke(main, "data digits --classes 1,0 --fraction 0.1".split(), catch_exceptions=False)
    assert "digits: 224 samples of 1×8×8 (channels×height×width), 2 classes" in result.output  # 2 · 67 and 90 test
    assert "ebnn train --data digits --classes 1,0" in result.output
