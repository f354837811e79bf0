"""What cannot end in a network on a board is refused before training begins."""

import subprocess
import sys

import chainer
import numpy as np
import pytest
from rich.console import Console

from ebnn.errors import TrainingError
from ebnn.links import BinaryLinearBNBST, BinaryLinearBNSoftmax, LinearBNBST
from ebnn.training import BlockChain, FloatChain, TrainConfig, build_network, train

SHAPE = (1, 4, 5)
IMAGES = np.random.default_rng(0).integers(0, 256, (40, *SHAPE), np.uint8)
DATA = IMAGES, np.arange(40) % 4


def run(model, folder, data=DATA, test=None, config=None, **options):
    config = config or TrainConfig(epochs=1, batch_size=20)
    return train(model, data, test or data, config, folder, console=Console(quiet=True), **options)


def chain(*widths, classes=4, first=LinearBNBST, kind="uint8"):
    blocks = [(first if i == 0 else BinaryLinearBNBST)(None, width) for i, width in enumerate(widths)]
    return BlockChain([*blocks, BinaryLinearBNSoftmax(None, classes)], kind)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: chain(8, classes=300), "the network has 300 classes, a board tells 255 apart"),
        (lambda: chain(*[2] * 255), "not run: .*layers"),
        (lambda: chain(65_536), "the output of dense1 is 65536×1×1"),
        (lambda: BlockChain([BinaryLinearBNSoftmax(None, 4)], "float"), "the last layer takes float input"),
        (lambda: BlockChain([LinearBNBST(None, 4)], "uint8"), "every block but the last ends in a sign"),
    ],
)
def test_a_network_that_cannot_be_lowered_is_not_trained(model, message, tmp_path):
    model = model()
    data = DATA if model.input_kind == "uint8" else (IMAGES / np.float32(255), DATA[1])
    with pytest.raises(TrainingError, match=message):
        run(model, tmp_path, data)
    assert not list(tmp_path.iterdir())


def test_sums_beyond_float32_are_not_trained(tmp_path):
    """2**24 / 255 pixels are the most."""
    images = np.zeros((4, 1, 257, 257), np.uint8)
    with pytest.raises(TrainingError, match=r"a sum of dense1 can reach 16,842,495"):
        run(chain(2, classes=2), tmp_path, (images, np.arange(4) % 2))


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (lambda: FloatChain(build_network("d8", SHAPE, 5)), "the teacher tells 5 classes apart, the network 4"),
        (lambda: FloatChain(build_network("d8", (1, 5, 4), 4)), r"do not fit the teacher: .* takes \(n, 1, 5, 4\)"),
        (lambda: FloatChain(build_network("d8", SHAPE, 4, "int8")), "the teacher takes int8, the network uint8"),
        (lambda: chainer.Sequential(chainer.links.Convolution2D(3, 4, 1)), "do not fit the teacher"),
        (lambda: chainer.Sequential(chainer.links.Convolution2D(1, 4, 1)), r"answers .* of shape \(1, 4, 4, 5\)"),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused(teacher, message, tmp_path):
    config = TrainConfig(epochs=1, distillation=0.5)
    with pytest.raises(TrainingError, match=message):
        run(build_network("d8", SHAPE, 4), tmp_path, config=config, teacher=teacher())
    assert not list(tmp_path.iterdir())


def test_a_network_is_not_its_own_teacher_and_a_teacher_is_finite(tmp_path):
    config = TrainConfig(epochs=1, distillation=0.5)
    model, teacher = build_network("d8", SHAPE, 4), FloatChain(build_network("d8", SHAPE, 4))
    with pytest.raises(TrainingError, match="cannot be its own teacher"):
        run(model, tmp_path, config=config, teacher=model)
    teacher.blocks[0].bn.beta.array[0] = np.inf
    with pytest.raises(TrainingError, match="the teacher has a value in blocks/0/bn/beta that is not finite"):
        run(model, tmp_path, config=config, teacher=teacher)


def test_one_class_after_the_validation_set_is_held_out(tmp_path):
    labels = np.ones(40, int)
    labels[np.random.RandomState(0).permutation(40)[0]] = 0  # the first that is held out
    with pytest.raises(TrainingError, match="all 30 training samples have the label 1"):
        run(build_network("d8", SHAPE, 2), tmp_path, (IMAGES, labels), config=TrainConfig(epochs=1, validation=10))


def test_other_types_of_parameters_are_refused(tmp_path):
    model = build_network("d8", SHAPE, 4)
    model.l1.bn.beta.array = model.l1.bn.beta.array.astype(np.float64)
    with pytest.raises(TrainingError, match="float64"):
        run(model, tmp_path)


@pytest.mark.parametrize("setting", ["float16", "mixed16", "float64"])
def test_the_type_that_chainer_is_set_to_does_not_matter(setting, tmp_path):
    """Weights and answers are those of float32."""
    program = """
import hashlib, sys
import numpy as np
from rich.console import Console
from ebnn import lower
from ebnn.links import BinaryLinearBNSoftmax, LinearBNBST
from ebnn.training import BlockChain, TrainConfig, build_network, train
images = np.random.RandomState(0).randint(0, 256, (40, 1, 4, 5)).astype(np.uint8)
np.random.seed(0)
own = BlockChain([LinearBNBST(20, 8), BinaryLinearBNSoftmax(None, 4)], "uint8")
for i, model in enumerate([build_network("c4k3-d8", (1, 4, 5), 4), own]):
    data = images, np.arange(40) % 4
    config = TrainConfig(epochs=2, batch_size=20, averaging=0.9, rotation=5)
    train(model, data, data, config, f"{sys.argv[1]}/{i}", console=Console(quiet=True))
    print(lower(model, (1, 4, 5), "uint8").hash)
"""
    hashes = set()
    for value in (setting, None):
        environment = {"PATH": "/usr/bin:/bin"} | ({"CHAINER_DTYPE": value} if value else {})
        command = [sys.executable, "-c", program, str(tmp_path / str(value))]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        hashes.add(done.stdout)
    assert len(hashes) == 1
    assert len(hashes.pop().split()) == 2


@pytest.mark.parametrize(
    "setting",
    [{"train": False}, {"enable_backprop": False}, {"type_check": False}, {"use_ideep": "auto"}, {"debug": True}],
)
def test_chainers_settings_do_not_matter(setting, tmp_path):
    models = [build_network("c4k3-d8", SHAPE, 4) for _ in range(2)]
    run(models[0], tmp_path / "plain")
    ((name, value),) = setting.items()
    with chainer.using_config(name, value):
        run(models[1], tmp_path / "set")
        assert getattr(chainer.config, name) == value
    for one, other in zip(models[0].params(), models[1].params(), strict=True):
        assert np.array_equal(one.array, other.array)
