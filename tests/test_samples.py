"""One rule for the axes of samples, wherever they come in: an array fits by its axes, not by its number of values."""

import chainer
import numpy as np
import pytest
from rich.console import Console

from ebnn import lower
from ebnn.errors import EbnnError, InputError, LoweringError, TrainingError
from ebnn.links import BinaryLinearBNSoftmax, LinearBNBST
from ebnn.model.axes import as_images
from ebnn.training import BlockChain, FloatChain, TrainConfig, as_samples, build_network, evaluate, logits, train
from ebnn.training.labelled_samples import Samples

COLOUR = (3, 8, 8)
LABELS = np.arange(20) % 4


def images(*shape):
    return np.random.default_rng(0).integers(0, 256, (20, *shape), np.uint8)


def own_chain():
    """A chain as a user builds it: its first layer says how many values it takes, not which axes."""
    return BlockChain([LinearBNBST(192, 8), BinaryLinearBNSoftmax(8, 4)], "uint8")


@pytest.mark.parametrize(
    ("given", "shape", "expected"),
    [
        ((5, 3, 8, 8), COLOUR, (5, 3, 8, 8)),
        ((5, 8, 8), (1, 8, 8), (5, 1, 8, 8)),
        ((5, 8, 8), None, (5, 1, 8, 8)),
        ((5, 192), (192, 1, 1), (5, 192, 1, 1)),
        ((5, 192), (1, 192, 1), (5, 1, 192, 1)),
        ((5, 192), (1, 1, 192), (5, 1, 1, 192)),
        ((5, 1), (1, 1, 1), (5, 1, 1, 1)),
        ((0, 3, 8, 8), COLOUR, (0, 3, 8, 8)),
    ],
)
def test_axes_that_fit(given, shape, expected):
    x = np.arange(np.prod(given)).reshape(given)
    found = as_images(x, shape)
    assert found.shape == expected
    assert np.array_equal(found.ravel(), x.ravel())


@pytest.mark.parametrize(
    ("given", "shape", "hint"),
    [
        ((5, 8, 8, 3), COLOUR, r"this network takes \(n, 3, 8, 8\); channels come first: x\.transpose\(0, 3, 1, 2\)"),
        ((5, 8, 3, 8), COLOUR, r"takes \(n, 3, 8, 8\)$"),
        ((5, 64), (1, 8, 8), r"give flat vectors their axes: x\.reshape\(-1, 1, 8, 8\)"),
        ((5, 192), COLOUR, r"x\.reshape\(-1, 3, 8, 8\)"),
        ((3, 8, 8), COLOUR, "takes"),  # one sample
        ((5, 8, 8), COLOUR, "takes"),
        ((5, 24, 8), COLOUR, "takes"),
        ((5, 1, 64), (1, 8, 8), "takes"),
        ((5, 64, 1, 1), (1, 8, 8), "takes"),
        ((64,), (1, 8, 8), "takes"),
        ((), (1, 8, 8), "takes"),
        ((5, 64), None, r"give \(n, channels, height, width\)"),
        ((5, 2, 64), (128, 1, 1), "takes"),
    ],
)
def test_axes_that_do_not_fit(given, shape, hint):
    with pytest.raises(InputError, match=hint):
        as_images(np.zeros(given, np.uint8), shape)


@pytest.mark.parametrize("architecture", ["d8", "c4k3p1-m2", "c4k3"])
@pytest.mark.parametrize("build", [lambda model: model, FloatChain])
@pytest.mark.parametrize("shape", [(8, 8, 3), (8, 3, 8), (12, 4, 4), (3, 16, 4), (192, 1, 1)])
def test_training_and_evaluation_compare_axes(architecture, build, shape, tmp_path):
    model = build(build_network(architecture, COLOUR, 4))
    right, wrong = (images(*COLOUR), LABELS), (images(*shape), LABELS)
    for sets in ((wrong, wrong), (right, wrong), (wrong, right)):
        with pytest.raises(TrainingError, match=r"set: samples of shape .* this network takes \(n, 3, 8, 8\)"):
            train(model, *sets, TrainConfig(epochs=1), tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(EbnnError, match=r"takes \(n, 3, 8, 8\)"):
        evaluate(model, as_samples("test", *wrong, "uint8"))
    assert logits(model, as_samples("test", *right, "uint8")).shape == (20, 4)


def test_lowering_compares_axes():
    model = build_network("d8", COLOUR, 4)
    with pytest.raises(LoweringError, match=r"takes samples of shape \(3, 8, 8\), not \(8, 8, 3\)"):
        lower(model, (8, 8, 3), "uint8")
    with pytest.raises(LoweringError, match=r"block 1 .* takes samples of shape \(3, 8, 8\) was given \(8, 8, 3\)"):
        lower(model.link_order(), (8, 8, 3), "uint8")


def test_a_chain_that_does_not_say_its_shape_keeps_the_first_one(tmp_path):
    """Trained on (8, 8, 3), it is another network than one for (3, 8, 8)."""
    model, data = own_chain(), (images(8, 8, 3), LABELS)
    quiet = Console(quiet=True)
    train(model, data, data, TrainConfig(epochs=1, batch_size=10), tmp_path, console=quiet)
    with pytest.raises(LoweringError, match=r"block 1 .* given \(3, 8, 8\): keep to one shape"):
        lower(model, COLOUR, "uint8")
    with pytest.raises(InputError, match="keep to one shape"):
        evaluate(model, as_samples("test", images(*COLOUR), LABELS, "uint8"))
    network = lower(model, (8, 8, 3), "uint8")
    answers = logits(model, as_samples("test", *data, "uint8"))
    assert np.array_equal(network.predict(data[0]), answers.argmax(axis=1))
    with pytest.raises(InputError, match=r"takes \(n, 8, 8, 3\)"):
        network.predict(images(*COLOUR))


def test_an_axis_in_the_middle_is_kept_too():
    """A convolution takes any height and width; the dense layer behind it does not."""
    blocks = build_network("c4k3p1-m2-d8", COLOUR, 4).link_order()
    with pytest.raises(LoweringError, match=r"block 2 .* \(4, 4, 4\) was given \(4, 8, 2\)"):
        lower(blocks, (3, 16, 4), "uint8")


def test_flat_vectors_pass_through_a_link():
    """As scripts for eBNN give them: MNIST as (n, 784)."""
    blocks = own_chain().link_order()
    with chainer.using_config("train", False):
        blocks[0](np.zeros((2, 192), np.float32))
    assert lower(blocks, COLOUR, "uint8").input.shape == COLOUR


def test_no_samples_cannot_be_evaluated():
    model = build_network("d8", COLOUR, 4)
    with pytest.raises(InputError, match="no samples to evaluate"):
        evaluate(model, Samples(images(*COLOUR)[:0], LABELS[:0].astype(np.int32), "uint8"))


def test_kinds_are_compared_too(tmp_path):
    """Pixels from 0 to 255 and from 0 to 1 are other samples, though their axes agree."""
    model = build_network("d8", COLOUR, 4)
    floats = as_samples("test", images(*COLOUR) / np.float32(255), LABELS, "float")
    with pytest.raises(InputError, match="the samples are float, the network takes uint8: convert them"):
        evaluate(model, floats)
    with pytest.raises(LoweringError, match="the chain takes uint8, not float: give its own kind, or none"):
        lower(model, COLOUR, "float")
    with pytest.raises(TrainingError, match="the network takes uint8, input_kind is int8: leave it out"):
        train(model, (images(*COLOUR), LABELS), (images(*COLOUR), LABELS), TrainConfig(), tmp_path, input_kind="int8")
    assert lower(model, COLOUR) == lower(model, COLOUR, "uint8")
    assert lower(model, COLOUR).input.kind == "uint8"


def test_masked_values_are_refused(tmp_path):
    """NumPy's conversions would lay them open."""
    model = build_network("d8", COLOUR, 4)
    whole = images(*COLOUR)
    hidden, odd_labels = np.ma.masked_greater(whole, 100), np.ma.masked_equal(LABELS, 3)
    for data in ((hidden, LABELS), (whole, odd_labels)):
        with pytest.raises(TrainingError, match="with masked values do not fit: fill them"):
            train(model, data, data, TrainConfig(epochs=1), tmp_path)
    with pytest.raises(InputError, match="samples with masked values do not fit"):
        lower(model, COLOUR, "uint8").predict(hidden)
    assert not list(tmp_path.iterdir())
    nothing_masked = np.ma.masked_array(whole)
    assert np.array_equal(as_images(nothing_masked), whole)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_floats_of_any_width_are_finite(dtype, value):
    """The limit is infinite itself in float16."""
    x = np.zeros((2, 1, 1, 1), dtype)
    assert as_samples("training", x, [0, 1], "float").images.dtype == np.float32
    x[1] = value
    with pytest.raises(TrainingError, match="a value that is not finite"):
        as_samples("training", x, [0, 1], "float")


def test_labels_below_zero_are_told_what_to_add():
    with pytest.raises(TrainingError, match=r"the label -1: classes count from 0 to 254, add 1 to all$"):
        as_samples("training", images(*COLOUR), LABELS - 1, "uint8")


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (None, "None"),
        ((images(*COLOUR), LABELS, LABELS), "a tuple of 3"),
        ([images(*COLOUR)], "a list of 1"),
        (images(*COLOUR), "of type ndarray"),
    ],
)
def test_a_set_that_is_no_pair_is_refused(given, what, tmp_path):
    model, whole = build_network("d8", COLOUR, 4), (images(*COLOUR), LABELS)
    for name, sets in (("training", (given, whole)), ("test", (whole, given))):
        with pytest.raises(TrainingError) as refused:
            train(model, *sets, TrainConfig(epochs=1), tmp_path / "run")
        assert str(refused.value) == f"the {name} set is {what}: give a pair, (images, labels)"
    assert not list(tmp_path.iterdir())
