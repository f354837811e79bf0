"""``ebnn compare``: both networks of one shape, their sizes, and what resuming repeats."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ebnn import load
from ebnn.cli.compare import compare
from ebnn.cli.train import train
from ebnn.errors import TrainingError
from ebnn.show.console import make_console, print_whole
from ebnn.show.training_tables import comparison_table
from ebnn.training.comparison import Side, price, variants_of

TINY = ("--dataset", "digits", "--architecture", "c4k3-d10", "--epochs", "2", "--validation", "100")


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def invoke(command, *arguments: str) -> str:
    result = CliRunner().invoke(command, arguments)
    if result.exception:
        raise result.exception
    return result.output


def test_both_networks_are_those_of_train():
    output = invoke(compare, *TINY, "--json", "compare.json")
    assert "binaryconnect" in output
    values = json.loads(Path("compare.json").read_text())
    for name, options in (("float", ["--float"]), ("binarized", [])):
        invoke(train, *TINY, *options, "--out", "alone", "--overwrite", "--json", "alone.json")
        alone = json.loads(Path("alone.json").read_text())
        for fact in ("accuracy", "validation_accuracy", "epoch"):
            assert values[name][fact] == alone[fact], (name, fact)
    assert load("runs/compare-digits/binarized/model.ebnn") == load("alone/model.ebnn")
    assert values["binarized"]["hash"] == load("alone/model.ebnn").hash
    for fact, difference in values["price"].items():
        assert difference == pytest.approx(values["float"][fact] - values["binarized"][fact])


def test_networks_of_binary_weights_and_of_8_bits_stand_beside_them():
    """One command: BinaryConnect's row and an int8 one, each the network of its own architecture."""
    output = invoke(compare, *TINY, "--json", "compare.json")
    values = json.loads(Path("compare.json").read_text())
    told = {"binaryconnect": ("c4k3a8-d10a8", "bits", 1.0), "int8": ("c4k3w8a8-d10w8a8-ow8", "int8", 0.3)}
    for name, (architecture, weights, rate) in told.items():
        network = load(f"runs/compare-digits/{name}/model.ebnn")
        assert {layer.weight_kind.name for layer in network.layers} == {weights}
        assert [layer.output_kind.name for layer in network.layers[:-1]] == ["uint8", "uint8"]
        assert (values[name]["architecture"], values[name]["hash"]) == (architecture, network.hash)
        assert values["prices"][name]["accuracy"] == values["float"]["accuracy"] - values[name]["accuracy"]
        assert f"{network.weight_bytes + network.threshold_bytes + network.score_bytes:,} B" in output
        first = json.loads(Path(f"runs/compare-digits/{name}/log.jsonl").read_text().splitlines()[0])
        assert first["learning_rate"] == pytest.approx(rate * 0.00505, rel=0.01)
        assert ("flips" in first) == (weights == "bits")


def test_variants_of_a_network():
    assert variants_of("c4", "float") == {}
    assert variants_of("c4-d9", "bits") == {"binaryconnect": "c4a8-d9a8", "int8": "c4w8a8-d9w8a8-ow8"}
    assert variants_of("c4w8a8-ow8", "uint8") == {"binaryconnect": "c4a8"}


def test_bytes_of_parameters():
    invoke(compare, *TINY, "--json", "compare.json")
    values = json.loads(Path("compare.json").read_text())
    # 4 filters of 3×3; a dense layer of 10 on 4×6×6; the output, 10 of 10: 36 + 1,440 + 100 weights, 24 channels
    assert values["float"]["weight_bytes"] == 4 * 1576
    assert values["float"]["other_bytes"] == 8 * 24
    # filters of whole words: 4 of 9 bits, 10 of 6 rows of 3 bytes (18 → 20), 10 of 10 bits
    assert values["binarized"]["weight_bytes"] == 4 * 4 + 10 * 20 + 10 * 4


def test_resume_repeats_nothing_and_begins_what_was_not_begun():
    invoke(compare, *TINY, "--out", "whole", "--json", "whole.json")
    invoke(compare, *TINY, "--out", "cut")
    for name in ("snapshot.npz", "log.jsonl", "chain.npz", "model.ebnn"):
        Path("cut/binarized", name).unlink()  # as if it had been killed while the baseline was trained
    with pytest.raises(TrainingError, match=r"cut/float holds a run: go on with --resume"):
        invoke(compare, *TINY, "--out", "cut")
    output = invoke(compare, *TINY, "--out", "cut", "--resume", "--json", "cut.json")
    before, after = output.split("the binarized network:")
    assert "resumed after epoch 2 of 2" in before
    assert "epoch 1/2" not in before
    assert "epoch 1/2" in after
    whole, cut = (json.loads(Path(f"{name}.json").read_text()) for name in ("whole", "cut"))
    assert cut["binarized"]["hash"] == whole["binarized"]["hash"]
    assert cut["price"] == whole["price"]
    output = invoke(compare, *TINY, "--out", "cut", "--resume")
    assert output.count("resumed after epoch 2 of 2") == 4
    assert "epoch 1/2" not in output


def test_there_must_be_something_to_resume():
    with pytest.raises(TrainingError, match=r"empty has no snapshot\.npz to go on from"):
        invoke(compare, *TINY, "--out", "empty", "--resume")
    assert not Path("empty").exists()


def test_the_table_tells_the_difference_in_points():
    baseline = Side(0.99, 0.985, 4000, 96, 3, 2.0)
    binarized = Side(0.9825, 0.99, 120, 8, 3, 2.5)
    assert price(baseline, binarized) == pytest.approx({"accuracy": 0.0075, "validation_accuracy": -0.005})
    console = make_console()
    with console.capture() as shown:
        print_whole(console, comparison_table({"float": baseline, "binarized": binarized}))
    text = " ".join(shown.get().split())
    assert "network validation test lost parameters smaller training" in text
    assert "float 98.50 % 99.00 % 4,096 B 2.00 s" in text
    assert "binarized 99.00 % 98.25 % +0.75 points 128 B 32.0 times 2.50 s" in text


def test_without_validation_there_is_one_price():
    side = Side(0.9, None, 4, 4, 1, 1.0)
    assert price(side, side) == {"accuracy": 0.0}


def write_weather(path: Path, count: int) -> None:
    """A table whose rows are samples: two numbers and a name."""
    rows = [f"{i % 2 * 5 + i % 7 / 7:.3f},{i % 5},{'rain' if i % 2 else 'sun'}" for i in range(count)]
    path.write_text("\n".join(["warmth,cloud,sky", *rows]) + "\n")


def test_the_network_suits_the_data_as_trains_does():
    """But for its numbers: what is compared is binarized."""
    write_weather(Path("weather.csv"), 80)
    output = invoke(compare, "--data", "weather.csv", "--epochs", "1", "--json", "compare.json")
    assert "2 values a sample: as with --architecture d32 --batch-size 64" in output
    values = json.loads(Path("compare.json").read_text())
    assert values["architecture"] == "d32"
    assert values["int8"]["architecture"] == "d32w8a8-ow8"


def test_a_window_on_single_values_names_what_fits():
    write_weather(Path("weather.csv"), 80)
    with pytest.raises(TrainingError, match="samples of single values take dense layers, such as --architecture d32"):
        invoke(compare, "--data", "weather.csv", "--architecture", "conv")
    with pytest.raises(TrainingError, match=r"tells of all parts$"):
        invoke(compare, "--data", "weather.csv", "--architecture", "d16-c8")
