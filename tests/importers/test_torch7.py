"""Torch7's files: XNOR-Net's modules against their own computation; what has no counterpart is named."""

import random
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from torch7_files import RELU, SIGN, compute, conv, linear, max_pool, mean_pool, norm, saved, sequential

import ebnn
from ebnn.cli import main
from ebnn.errors import EbnnError, FileFormatError, LoweringError, MissingDependencyError
from ebnn.importers import import_network

SHAPE = (3, 12, 12)


def weights(rng, *shape):
    return rng.normal(0, 0.3, shape).astype(np.float32)


def signs(rng, *shape):
    """Weights that are binarized already: each output's have one magnitude."""
    scale = rng.uniform(0.1, 0.5, (shape[0], *[1] * (len(shape) - 1)))
    return (np.where(rng.random(shape) < 0.5, -1, 1) * scale).astype(np.float32)


def bias(rng, outputs):
    return rng.normal(0, 0.3, outputs).astype(np.float32)


def xnor_network(seed: int):
    """As XNOR-Net's AlexNet, small: normalisation, sign, convolution, ReLU, pool; a mean or a linear module ends it."""
    rng, choose = np.random.default_rng(seed), random.Random(seed)
    first = conv(signs(rng, 8, 3, 3, 3), bias(rng, 8), pad=(1, 1))
    modules = [first, norm(rng, 8), RELU, max_pool(2, 2), ("nn.Dropout", {"p": 0.5})]
    relu = [RELU] if choose.random() < 0.7 else []
    kind = choose.choice(["nn.SpatialConvolution", "cudnn.SpatialConvolution"])
    second = conv(weights(rng, 10, 8, 3, 3), bias(rng, 10), pad=(choose.randint(0, 1),) * 2, kind=kind)
    modules.append(sequential(norm(rng, 8), SIGN, second, *relu, max_pool(2, 2)))
    side = 3 if second[1]["padH"] else 2
    ending = [norm(rng, 10), SIGN]
    if choose.random() < 0.5:
        ending += [("nn.View", {"size": -1}), linear(weights(rng, 6, 10 * side * side), bias(rng, 6))]
        ending += [("nn.LogSoftMax", {})]
    else:
        ending += [conv(weights(rng, 6, 10, 1, 1), bias(rng, 6)), mean_pool(side), ("nn.View", {"size": -1})]
    return sequential(*modules, *ending)


def pixels(seed, count, shape=SHAPE):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape)).astype(np.uint8)


@pytest.mark.parametrize("seed", range(12))
def test_networks_of_signs_decide_as_torch_does(tmp_path, seed):
    """But where two logits are nearer than the 16 bits of a score's multiplier tell apart."""
    network = xnor_network(seed)
    (tmp_path / "xnor.t7").write_bytes(saved(network))
    found = import_network(tmp_path / "xnor.t7", shape=SHAPE)
    assert found.notes == ()
    x = pixels(seed, 40)
    logits = compute(network, x / 255).reshape(40, -1)
    two = np.sort(logits, axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 1e-3 * np.abs(logits).max()
    assert clear.sum() > 30
    assert (found.network.predict(x) == logits.argmax(axis=1))[clear].all()
    np.testing.assert_allclose(found.network.scores(x) * found.network.scale, logits, atol=2e-3 * np.abs(logits).max())
    assert {layer.output_kind.name for layer in found.network.layers[:-1]} == {"bits"}


def test_float_ends_and_relus_become_8_bits(tmp_path):
    """As BWN's AlexNet, whose activations are floats: the nearest network, and what was changed is said."""
    rng = np.random.default_rng(3)
    first = conv(weights(rng, 8, 3, 3, 3), bias(rng, 8))
    second = conv(weights(rng, 12, 8, 3, 3), bias(rng, 12))
    last = linear(weights(rng, 5, 12 * 3 * 3), bias(rng, 5))
    parts = [[first, norm(rng, 8, 1.0), RELU], [second, norm(rng, 12, 1.0), RELU, max_pool(2, 2)]]
    network = sequential(*(sequential(*part) for part in parts), last)
    (tmp_path / "bwn.t7").write_bytes(saved({"model": network, "epoch": 3}))
    with pytest.raises(LoweringError, match=r"module 1\.1 \(SpatialConvolution\) has float weights.*--nearest"):
        import_network(tmp_path / "bwn.t7", shape=(3, 10, 10))
    found = import_network(tmp_path / "bwn.t7", shape=(3, 10, 10), nearest=True, binary_weights=True)
    assert [str(layer.weight_kind) for layer in found.network.layers] == ["int8", "bits", "int8"]
    assert [layer.output_kind.name for layer in found.network.layers[:-1]] == ["uint8", "uint8"]
    assert "module 1.1 (SpatialConvolution): its float weights have 8 bits" in found.notes[0]
    assert "its outputs have 8 bits, up to" in found.notes[1]
    x = pixels(3, 60, (3, 10, 10))
    hidden = compute(sequential(*parts[0]), x / 255, binary=False)
    hidden = compute(sequential(*parts[1]), hidden)
    logits = compute(last, hidden, binary=False)
    assert (found.network.predict(x) == logits.argmax(axis=1)).mean() > 0.85
    error = found.network.scores(x) * found.network.scale - logits
    assert np.sqrt((error**2).mean()) < 0.1 * logits.std()


def test_mean_and_deviation_are_folded_into_the_first_layer(tmp_path):
    rng = np.random.default_rng(5)
    network = sequential(
        conv(weights(rng, 8, 3, 3, 3), bias(rng, 8)), norm(rng, 8), SIGN, conv(signs(rng, 4, 8, 2, 2), None)
    )
    (tmp_path / "n.t7").write_bytes(saved(network))
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
    found = import_network(tmp_path / "n.t7", shape=(3, 4, 4), mean=mean, std=std, nearest=True)
    x = pixels(1, 200, (3, 4, 4))
    normalised = (x / 255 - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    hidden = compute(sequential(*network[1]["modules"][:3]), normalised, binary=False)
    logits = compute(network[1]["modules"][3], hidden).reshape(200, -1)
    assert (found.network.predict(x) == logits.argmax(axis=1)).mean() > 0.9
    other = import_network(tmp_path / "n.t7", shape=(3, 4, 4), nearest=True)
    assert (other.network.predict(x) == logits.argmax(axis=1)).mean() < 0.9


LAST = linear(np.ones((2, 4), np.float32), np.zeros(2, np.float32))
NARROW = linear(np.ones((2, 3), np.float32), np.zeros(2, np.float32))
WIDE = linear(np.ones((4, 4), np.float32), np.zeros(4, np.float32))


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ([RELU, LAST], r"module 1 \(ReLU\) has no counterpart before the first convolution"),
        ([WIDE, ("nn.Tanh", {}), LAST], r"module 2 \(Tanh\) has no counterpart here"),
        ([("nn.Concat", {"modules": []}), LAST], r"module 1 \(Concat\) has no counterpart"),
        ([WIDE, RELU, LAST], "gives floats, and no batch normalisation tells how large they are"),
        ([WIDE, SIGN, RELU, LAST], "stands between BinActiveZ and the next layer"),
        (
            [WIDE, SIGN, linear(np.ones((2, 3), np.float32), np.zeros(2, np.float32))],
            "takes 3 values, its input is 4×1×1",
        ),
        ([WIDE, SIGN, LAST, RELU], "is the last layer and ends in ReLU"),
        ([("nn.Linear", {})], "has no weights"),
        ([("nn.Linear", {"weight": "text"})], "weight is no array of finite numbers"),
        ([], "has no convolution and no linear module"),
    ],
)
def test_what_has_no_counterpart_is_named(tmp_path, modules, message):
    (tmp_path / "n.t7").write_bytes(saved(sequential(*modules)))
    with pytest.raises((LoweringError, FileFormatError), match=message):
        import_network(tmp_path / "n.t7", importer="torch7", nearest=True)


def test_the_shape_of_an_image_must_be_given(tmp_path):
    (tmp_path / "n.t7").write_bytes(saved(xnor_network(0)))
    with pytest.raises(LoweringError, match="give --shape"):
        import_network(tmp_path / "n.t7")


def test_damaged_files_give_one_error(tmp_path):
    """Sizes, strides and offsets beyond the storage too, which would be read elsewhere in memory."""
    data = saved(sequential(WIDE, SIGN, LAST))
    rng = random.Random(0)
    for _ in range(300):
        at = rng.randrange(len(data))
        kind = rng.randrange(3)
        cut = data[:at] if kind == 0 else data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at + rng.randrange(9) :]
        (tmp_path / "n.t7").write_bytes(cut)
        try:
            import_network(tmp_path / "n.t7", importer="torch7", nearest=True)
        except EbnnError as error:
            told = str(error)
            assert "\n" not in told


def test_a_tensor_larger_than_its_storage_is_refused(tmp_path):
    """Strides of 0 make 16 GB of 4 bytes."""
    data = saved(sequential(("nn.Linear", {"weight": np.ones((1, 1), np.float32), "bias": None}), SIGN, LAST))
    tensor = struct.pack("<i4q", 2, 1, 1, 1, 1)
    (tmp_path / "n.t7").write_bytes(data.replace(tensor, struct.pack("<i4q", 2, 40_000, 40_000, 0, 0), 1))
    with pytest.raises(FileFormatError, match="a tensor beyond its storage"):
        import_network(tmp_path / "n.t7", importer="torch7")


def test_without_torchfile_it_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "n.t7").write_bytes(saved(sequential(WIDE, SIGN, LAST)))
    monkeypatch.setitem(sys.modules, "torchfile", None)
    with pytest.raises(MissingDependencyError, match=r"needs torchfile.*ebnn\[torch7\]"):
        import_network(tmp_path / "n.t7")


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("xnor.t7").write_bytes(saved(xnor_network(1)))
    result = CliRunner().invoke(main, "import xnor.t7 -o xnor.ebnn --shape 3 12 12".split())
    assert result.exit_code == 0, result.output
    assert ebnn.load("xnor.ebnn").classes == 6
    words = "import xnor.t7 -o n.ebnn --shape 3 12 12 --nearest --mean 0.5,0.4,0.3 --std 0.2,0.2,0.2".split()
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "note: module 1 (SpatialConvolution): outside the image stands a pixel of 0" in " ".join(
        result.output.split()
    )
    result = CliRunner().invoke(main, "import xnor.t7 -o n.ebnn --shape 3 12 12 --mean a,b".split())
    assert "is not numbers joined by commas" in result.output
