"""Post-training quantization: float chains of every supported step become networks of 8 bits that answer alike."""

import json
from functools import partial

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest
from click.testing import CliRunner

import ebnn
import ebnn.links as BL
from ebnn import datasets
from ebnn.cli import main
from ebnn.datasets.dataset import RAW, Dataset
from ebnn.datasets.read_options import Reading, Span
from ebnn.errors import InputError, LoweringError, TrainingError
from ebnn.frontends.chainer.float_layers import float_layers
from ebnn.model.kinds import Input, Shape
from ebnn.training import FloatChain, Task, TrainConfig, build_network, quantize, train_float
from ebnn.training.encoder_fitting import fit_encoder
from ebnn.training.float_run import FloatRun
from ebnn.training.quantization import quantize_layers, run_float
from ebnn.training.quantized_run import quantize_run

SHAPE = (2, 9, 8)


def randomised(chain):
    """Normalisations as training leaves them, with gammas of either sign."""
    rng = np.random.default_rng(3)
    for link in chain.links():
        if isinstance(link, L.BatchNormalization):
            size = link.gamma.shape
            link.gamma.array[...] = rng.normal(0, 1, size) + np.sign(rng.normal(0, 1, size))
            link.beta.array[...] = rng.normal(0, 0.3, size)
            link.avg_mean[...] = rng.normal(0, 0.3, size)
            link.avg_var[...] = rng.gamma(4, 0.25, size)
    return chain


def sequential(*steps):
    np.random.seed(0)
    return randomised(chainer.Sequential(*steps))


CHAINS = {
    "convolutions": lambda: sequential(
        L.Convolution2D(2, 8, 3, pad=1), L.BatchNormalization(8), F.relu, BL.Pool2D(2), L.Convolution2D(8, 6, (2, 3)),
        F.relu, L.Linear(None, 5),
    ),
    "a normalisation before and behind a pool": lambda: sequential(
        L.Convolution2D(2, 8, 3), L.BatchNormalization(8), BL.Pool2D(2, 1, 1), L.BatchNormalization(8), F.relu,
        L.Linear(8 * 8 * 7, 5),
    ),
    "averages": lambda: sequential(
        L.Convolution2D(2, 8, 3), BL.AveragePool2D(2, 2, 1), L.BatchNormalization(8), F.relu,
        partial(F.average_pooling_2d, ksize=(2, 1)), L.Linear(None, 5),
    ),
    "depthwise": lambda: sequential(
        L.Convolution2D(2, 6, 3, groups=2), L.BatchNormalization(6), F.relu, L.Convolution2D(6, 8, 1), F.relu,
        BL.AveragePool2D(), F.dropout, L.Linear(8, 5),
    ),
    "dense without ReLU between": lambda: sequential(L.Linear(144, 9), L.Linear(9, 9), F.relu, L.Linear(9, 5)),
    "a last convolution": lambda: sequential(
        L.Convolution2D(2, 8, 3), F.relu, L.Convolution2D(8, 5, 3, stride=2), BL.AveragePool2D()
    ),
    "a pool first": lambda: sequential(
        partial(F.max_pooling_2d, ksize=(3, 2)), L.Convolution2D(2, 5, 3), F.relu, L.Linear(None, 5)
    ),
    "blocks": lambda: randomised(FloatChain(build_network("c6w8a8-m2-dw2k2a8-a2-d9w8-ow8", SHAPE, 5))),
}  # fmt: skip


def answers(chain, x):
    with chainer.using_config("train", False), chainer.no_backprop_mode():
        return chain(x.astype(np.float32)).array.astype(np.float64).reshape(len(x), -1)


def relative(found, wanted):
    return np.sqrt(np.square(found - wanted).mean() / np.square(wanted).mean())


@pytest.mark.parametrize("kind", ["uint8", "int8", "bits"])
@pytest.mark.parametrize("name", CHAINS)
def test_the_network_answers_as_the_chain(name, kind):
    rng = np.random.default_rng(0)
    low, high = {"uint8": (0, 256), "int8": (-128, 128), "bits": (0, 2)}[kind]
    x = rng.integers(low, high, (60, *SHAPE)).astype(np.int8 if kind == "int8" else np.uint8)
    chain = CHAINS[name]()
    numbers = 2.0 * x - 1 if kind == "bits" else x
    wanted = answers(chain, numbers)
    np.testing.assert_allclose(run_float(float_layers(chain, SHAPE), numbers), wanted, atol=1e-3 * abs(wanted).max())
    found = quantize(chain, x[:40], kind)
    network = found.network
    logits = network.scores(x) * network.layers[-1].transform.scale
    assert relative(logits, wanted) < 0.06, found.layers
    assert [each.name for each in found.layers] == [layer.name for layer in network.layers]
    assert all(layer.weight_kind is None or layer.weight_kind.name == "int8" for layer in network.layers)
    assert found.layers[-1].error < 0.06


def test_float_samples_are_encoded_channel_by_channel():
    """The network takes the floats themselves, of any range, and 0 stays 0."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(80, *SHAPE)) * np.array([30, 0.002])[:, None, None]).astype(np.float32)
    chain = sequential(L.Convolution2D(2, 8, 3, pad=1), F.relu, L.Linear(None, 4))
    chain[0].W.array[:, 1] *= 15_000
    wanted = answers(chain, x)
    found = quantize(chain, x[:60])
    network = found.network
    assert network.input == Input("int8", Shape(*SHAPE))
    assert (network.encode(np.zeros((1, *SHAPE))) == 0).all()
    logits = network.scores(network.encode(x)) * network.layers[-1].transform.scale
    assert relative(logits, wanted) < 0.06
    assert quantize(chain, abs(x)).network.input.kind == "uint8"


def test_all_scores_have_one_multiplier():
    chain, x = CHAINS["blocks"](), np.arange(288, dtype=np.uint8).reshape(2, *SHAPE) % 251
    found = quantize(chain, x)
    assert len(np.unique(found.network.layers[-1].transform.multiplier)) == 1
    assert found.network.layers[0].transform.narrow


def test_a_chain_that_does_more_than_its_layers_is_refused():
    class Doubled(chainer.Sequential):
        def forward(self, x):
            return 2 * super().forward(x)

    chain = Doubled(L.Linear(144, 5))
    with pytest.raises(LoweringError, match="does something else than its layers"):
        quantize(chain, np.ones((3, *SHAPE), np.uint8))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([F.sigmoid], "sigmoid cannot be quantized"),
        ([F.relu], "relu stands behind no layer"),
        ([L.Convolution2D(2, 4, 3, dilate=2)], "Convolution2D is dilated"),
        ([L.Convolution2D(2, 4, 3, groups=2), L.Convolution2D(4, 4, 3, groups=2)], "has 2 groups"),
        ([L.Convolution2D(3, 4, 3)], "takes 3 channels, its input has 2"),
        ([L.Linear(9, 4)], "Linear takes 9 values, its input has 144"),
        ([L.Linear(None, 4)], "has no weights yet"),
        ([partial(F.max_pooling_2d, ksize=2, stride=2)], "reach beyond the map"),
        ([BL.BinaryLinear(144, 4)], "BinaryLinear cannot be quantized"),
        ([L.Linear(144, 4), F.relu], "the last layer must give scores"),
        ([L.BatchNormalization(2)], "stands behind no linear layer"),
        ([L.Convolution2D(2, 4, 30)], "does not fit"),
        ([L.Linear(144, 1)], "single output"),
    ],
)  # fmt: skip
def test_what_cannot_be_quantized_is_named(steps, message):
    with pytest.raises(LoweringError, match=message):
        quantize(list(steps), np.ones((3, *SHAPE), np.uint8))


def test_samples_that_do_not_fit():
    chain = [L.Linear(144, 4)]
    with pytest.raises(InputError, match="no samples"):
        quantize_layers(float_layers(chain, SHAPE), Input("uint8", Shape(*SHAPE)), np.empty((0, *SHAPE), np.uint8))
    with pytest.raises(InputError, match="uint8"):
        quantize(chain, np.full((1, *SHAPE), -1), "uint8")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A float network of the digits, trained for a few epochs."""
    out = tmp_path_factory.mktemp("float")
    data = datasets.load("digits")
    config = TrainConfig(epochs=6, learning_rate=0.02, validation=100)
    return out, train_float(Task(data, data.kind, out), "c8k3p1-m2-c12k3", config)[1]


def test_the_command_quantizes_a_run(run, tmp_path):
    out, result = run
    done = CliRunner().invoke(
        main, ["quantize", str(out), "-o", str(tmp_path / "q.ebnn"), "--json", str(tmp_path / "q.json")]
    )
    assert done.exit_code == 0, done.output
    values = json.loads((tmp_path / "q.json").read_text())
    network, data = ebnn.load(tmp_path / "q.ebnn"), datasets.load("digits")
    accuracy = (network.predict(data.test_images) == data.test_labels).mean()
    assert values["accuracy"] == accuracy
    assert values["float_accuracy"] == result.test_accuracy > 0.9
    assert values["lost"] == values["float_accuracy"] - values["accuracy"] < 0.01
    assert [layer["name"] for layer in values["layers"]] == ["conv1", "conv2", "output"]
    for layer in values["layers"]:
        assert layer["error"] < 0.05
        assert f" {layer['name']} " in done.output
    assert (network.hash, network.weight_bytes) == (values["hash"], values["weight_bytes"])


@pytest.mark.parametrize("kind", ["int8", "bits", "float"])
def test_a_run_on_raw_samples_keeps_its_encoder(kind, tmp_path):
    """Of float input the network gets one of its own; class names stay with it."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 120).astype(np.int32)
    raw = (rng.normal(size=(120, 2, 1, 20)) * [[[9]], [[0.1]]] + labels[:, None, None, None] * 4).astype(np.float32)
    data = Dataset("hum", raw[:80], labels[:80], raw[80:], labels[80:], RAW, ("still", "moving"))
    encoder = None if kind == "float" else fit_encoder(data.train_images, kind, 4).encoder
    task = Task(data, kind, tmp_path, encoder=encoder)
    train_float(task, "c4k1x5", TrainConfig(epochs=3, learning_rate=0.02))
    about = FloatRun.read(tmp_path)
    assert about == FloatRun("c4k1x5", kind, "hum", "chainer", 4 if kind == "bits" else about.levels)
    found = quantize_run(task, about, samples=50)
    assert found.network.meta.class_names == ("still", "moving")
    assert found.network.raw_shape == (2, 1, 20)
    assert (found.network.predict_raw(data.test_images) == data.test_labels).mean() == found.accuracy
    assert abs(found.accuracy - found.float_accuracy) <= 0.05 < found.float_accuracy
    assert encoder is None or found.network.encoder is encoder


def test_a_snapshot_is_quantized_too(run, tmp_path):
    """A run that was stopped has no chain.npz: the epoch that is kept so far is taken."""
    out, _ = run
    hashes = []
    for i, names in enumerate([("chain.npz", "float.json"), ("snapshot.npz", "float.json")]):
        folder = tmp_path / str(i)
        folder.mkdir()
        for name in names:
            (folder / name).write_bytes((out / name).read_bytes())
        assert CliRunner().invoke(main, ["quantize", str(folder)]).exit_code == 0
        hashes.append(ebnn.load(folder / "model.ebnn").hash)
    assert hashes[0] == hashes[1]


def test_runs_that_cannot_be_quantized(run, tmp_path):
    out, _ = run

    def error(folder, *more):
        done = CliRunner().invoke(main, ["quantize", str(folder), *more])
        assert done.exit_code == 1
        assert len(done.output.strip().splitlines()) == 1
        return done.output

    assert "has no float.json" in error(tmp_path)
    assert "give 1 or more" in error(out, "--samples", "0")
    assert "below 2**32" in error(out, "--seed", "-1")
    assert "--folder has no effect here" in error(out, "--folder", ".")
    (tmp_path / "float.json").write_bytes((out / "float.json").read_bytes())
    assert "has neither chain.npz nor snapshot.npz" in error(tmp_path)
    (tmp_path / "chain.npz").write_bytes((out / "chain.npz").read_bytes()[:-9])
    assert "is damaged" in error(tmp_path)
    (tmp_path / "chain.npz").write_bytes((out / "chain.npz").read_bytes())
    FloatRun("c8k3p1-m2-c13k3", "uint8", "digits", "chainer").write(tmp_path)
    assert "another network" in error(tmp_path)
    (tmp_path / "float.json").write_text("[1]")
    assert "is damaged" in error(tmp_path)
    with pytest.raises(TrainingError, match="damaged"):
        FloatRun.read(tmp_path)


def test_a_run_on_ones_own_data_is_quantized_from_anywhere(tmp_path, monkeypatch):
    """The record keeps where the data are and how they were read: here the label is a column that none would guess."""
    rows = [f"{i % 2},{i % 2 * 5 + i % 7 / 7:.3f},{i % 5}" for i in range(80)]
    (tmp_path / "weather.csv").write_text("\n".join(["rain,warmth,cloud", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    train = ["train", "--data", "weather.csv", "--label", "rain", "--float", "--out", "run", "--epochs", "2"]
    assert CliRunner().invoke(main, train).exit_code == 0
    about = FloatRun.read(tmp_path / "run")
    assert about.dataset == str(tmp_path / "weather.csv")
    assert about.reading.label == "rain"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    hashes = []
    for i, more in enumerate([[], ["--data", "../weather.csv"], ["--dataset", "../weather.csv"]]):
        done = CliRunner().invoke(main, ["quantize", "../run", "-o", f"{i}.ebnn", *more])
        assert done.exit_code == 0, done.output
        hashes.append(ebnn.load(f"{i}.ebnn").hash)
    assert hashes[0] == hashes[1] == hashes[2]
    done = CliRunner().invoke(main, ["quantize", "0.ebnn", "-o", "1.ebnn"])
    assert (
        done.output == "Error: 0.ebnn is no folder: RUN is the folder of a float run, the --out of ebnn train --float\n"
    )


@pytest.mark.parametrize(
    "reading",
    [
        Reading(),
        Reading(recording=Span(rows=9), window=Span(seconds=1.5), step=Span(rows=2), unknown=("a", "b")),
        Reading(size=(8, 9), colour=False),
    ],
)
def test_the_record_keeps_how_data_were_read(reading, tmp_path):
    about = FloatRun("d4", "int8", "x.csv", "chainer", 8, reading)
    about.write(tmp_path)
    assert FloatRun.read(tmp_path) == about
