"""Flat files of weights against a reading of their own; export and import give the network back."""

import contextlib
import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
from flat_files import as_numbers, classify, random_file, samples, write
from support.random_networks import random_network, random_samples

from ebnn.errors import EbnnError, FileFormatError, LoweringError, NetworkError
from ebnn.importers import flat_file, import_network
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Block, Conv, Dense, Pool
from ebnn.model.meta import Meta
from ebnn.model.network import Network
from ebnn.model.reference import activations
from ebnn.model.transforms import Requantize, Scores, Sign

FILES = int(os.environ.get("EBNN_TEST_FLAT_FILES", "40"))
SAMPLES = 4


def test_random_files_decide_as_they_say(tmp_path):
    """Every class, of a reading that knows nothing of ebnn; also where the file's length must tell the masks."""
    differ, told = [], 0
    for seed in range(FILES):
        choose = random.Random(seed)
        layers, side = random_file(choose)
        weights, beside = tmp_path / "weights.bin", tmp_path / "weights.json"
        weights.write_bytes(write(layers, side["input"] == "bits"))
        beside.write_text(json.dumps(side))
        imported = import_network(weights, architecture=str(beside), nearest=True)
        x = samples(choose, side, SAMPLES)
        expected = [classify(layers, one, tuple(side["shape"])) for one in as_numbers(side, x)]
        if imported.network.predict(x).tolist() != expected:
            differ.append((seed, imported.notes))
        options = {"architecture": side["architecture"], "shape": side["shape"], "outputs": side["classes"]}
        with contextlib.suppress(FileFormatError):
            again = import_network(weights, **options, input_kind=side["input"], nearest=True)
            told += 1
            assert again.network == imported.network
    assert differ == []
    assert told > FILES / 3


def test_what_is_exported_comes_back(tmp_path):
    """The random networks of the C tests, those that the format has a place for: every class, and every hidden bit."""
    seen = exact = 0
    for seed in range(150):
        network = random_network(random.Random(seed))
        try:
            data, side, notes = flat_file(network)
        except NetworkError:
            continue
        seen += 1
        (tmp_path / "w.bin").write_bytes(data)
        (tmp_path / "w.json").write_text(json.dumps(side))
        back = import_network(tmp_path / "w.bin", architecture=str(tmp_path / "w.json"), nearest=True)
        x = random_samples(network, 5, seed)
        if not notes and not back.notes:
            exact += 1
            assert back.network.predict(x).tolist() == network.predict(x).tolist(), seed
        hidden, again = (list(activations(each.layers[:-1], each.check_samples(x))) for each in (network, back.network))
        assert all(np.array_equal(one, other) for one, other in zip(hidden, again, strict=True)), seed
    assert seen > 60
    assert exact > 20


END = Scores([1, 1], [0, 0], 1)


def network(**changes):
    """1×2×4 bits → 9 of them → 2 classes, weights by hand."""
    first = Dense(np.arange(72).reshape(9, 2, 4, 1) % 3 == 0)
    sign = Sign([-8, 9, 0, 2, -2, 4, 8, -9, 1], [False, False, False, True, False, False, True, True, False])
    last = Block(Dense(np.arange(18).reshape(2, 1, 1, 9) % 2 == 0), None, Scores([3, -2], [1, 5], 0.5))
    blocks = changes.get("blocks", [Block(first, None, sign), last])
    return Network(Input(changes.get("kind", "bits"), Shape(1, 2, 4)), blocks, meta=changes.get("meta"))


def test_bytes_by_hand():
    data, side, notes = flat_file(network())
    assert side == {
        "format": "flat-weights",
        "architecture": "d9",
        "shape": [1, 2, 4],
        "input": "bits",
        "classes": 2,
        "xor": [0],
    }
    assert notes == ()
    # One channel, so blocks of one input: place after place, output after output; +1 where 8·output + place is 0 mod 3.
    bits = "".join("0" if (8 * output + place) % 3 == 0 else "1" for place in range(8) for output in range(9))
    assert data[:9] == int(bits, 2).to_bytes(9, "big")
    # −8: always, 8 mismatches are allowed; 9: never, so always and negated; 0: 4; acc <= 2 is not acc >= 3: 2; −2: 5;
    # 4: 2; acc <= 8 is always so, not never: always, negated twice; acc <= −9 is never so; 1: 3
    assert np.frombuffer(data[9:27], "<u2").tolist() == [8, 8, 4, 2, 5, 2, 8, 8, 3]
    mask = "010100010"  # outputs 1, 3 and 7
    assert data[27:43] == int((mask * 15)[:128], 2).to_bytes(16, "big")
    # Channel after channel, of each the two outputs: +1 −1 where it is even, −1 +1 where it is odd.
    assert data[43:46] == bytes([0b01100110, 0b01100110, 0b01000000])
    assert np.frombuffer(data[46:], "<f4").tolist() == [3, -2, 1, 5]


def test_that_outputs_are_bits_is_said_to_be_lost():
    _, _, notes = flat_file(network(meta=Meta(bit_outputs=True)))
    assert notes == ("the outputs are bits, which a flat file does not say: read again they are scores of classes",)


@pytest.mark.parametrize(
    ("blocks", "kind", "message"),
    [
        (
            [Block(Dense(np.ones((2, 2, 4, 1), np.int8)), None, END)],
            "bits",
            "output has no place in a flat file: it has convolutions and dense layers with weights of ±1",
        ),
        (
            [Block(Dense(np.ones((2, 2, 4, 1), bool)), None, END)],
            "uint8",
            "output takes uint8: in a flat file a layer that ends in signs is before it",
        ),
        (
            [
                Block(Dense(np.ones((3, 2, 4, 1), bool)), None, Requantize([0] * 3, [1] * 3, [20] * 3, "uint8")),
                Block(Dense(np.ones((2, 1, 1, 3), bool)), None, END),
            ],
            "bits",
            "dense1 has no place in a flat file: hidden layers end in signs there",
        ),
        (
            [
                Block(
                    Conv(np.ones((2, 1, 1, 1), bool)),
                    Pool((2, 4), (1, 1), (0, 0), "average"),
                    Scores([1, 1], [0, 0], 1),
                )
            ],
            "bits",
            "output has no place in a flat file",
        ),
    ],
)
def test_what_the_format_has_no_place_for(blocks, kind, message):
    with pytest.raises(NetworkError, match=message):
        flat_file(network(blocks=blocks, kind=kind))


OPTIONS = {"architecture": "d9", "shape": (1, 2, 4), "input_kind": "bits", "outputs": 2}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"architecture": None, "importer": "flat_weights"}, FileFormatError, "give its --architecture"),
        ({"outputs": None}, FileFormatError, "give --shape and --outputs"),
        ({"outputs": 3}, FileFormatError, "has 62 B, its architecture takes"),
        ({"architecture": "d8"}, FileFormatError, "its architecture takes"),
        ({"architecture": "d9w8"}, LoweringError, "only layers with weights of ±1 that end in signs are read"),
        ({"architecture": "d9a8"}, LoweringError, "only layers with weights of ±1 that end in signs are read"),
        ({"architecture": "dw2k1-d9"}, LoweringError, "none depthwise"),
        ({"architecture": "c4k1-ok1g"}, LoweringError, "neither padding nor a mean"),
        ({"architecture": "c4k9"}, LoweringError, "does not fit"),
        ({"architecture": "resnet"}, LoweringError, "has no meaning here"),
        ({"shape": (1, 0, 4)}, FileFormatError, "must be 1 to 32767"),
        ({"architecture": "no.json"}, FileFormatError, "no.json: cannot be read"),
        ({"architecture": "bad.json"}, FileFormatError, "bad.json: says nothing of a flat file"),
        ({"architecture": "side.json", "outputs": 3}, FileFormatError, "says 2, --outputs is another"),
        ({"outputs": 0}, FileFormatError, "has 0 outputs, 2 are the least"),
        ({"architecture": "none.json"}, FileFormatError, "none.json: says nothing of a flat file: classes is 0, 2 are"),
        ({"architecture": "flat.json"}, FileFormatError, r"shape is a list of 3 numbers, \[CHANNELS, HEIGHT, WIDTH\]"),
        ({"architecture": "one.json"}, FileFormatError, "shape is a list of 3 numbers"),
        ({"architecture": "many.json"}, FileFormatError, r"xor names layers \[4\], there are 1 before the last"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, monkeypatch, changes, error, message):
    monkeypatch.chdir(tmp_path)
    data, side, _ = flat_file(network())
    Path("w.bin").write_bytes(data)
    Path("side.json").write_text(json.dumps(side))
    Path("many.json").write_text(json.dumps(side | {"xor": [4]}))
    for name, changed in (("none", {"classes": 0}), ("flat", {"shape": [1, 8]}), ("one", {"shape": 8})):
        Path(f"{name}.json").write_text(json.dumps(side | changed))
    Path("bad.json").write_text('{"format": "other"}')
    with pytest.raises(error, match=message):
        import_network("w.bin", **(OPTIONS | changes))


def test_damaged_files_give_one_error(tmp_path):
    data, side, _ = flat_file(network())
    path, beside, text = tmp_path / "w.bin", tmp_path / "w.json", json.dumps(side)
    rng = random.Random(0)
    for _ in range(300):
        at = rng.randrange(len(text))
        path.write_bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
        beside.write_text(text[:at] + rng.choice('{}[]"0,-:9e') + text[at + rng.randrange(3) :])
        with contextlib.suppress(EbnnError):
            import_network(path, architecture=str(beside))
