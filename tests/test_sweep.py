"""``ebnn sweep`` and its Pareto fronts."""

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from ebnn import datasets, load
from ebnn.boards import load_board
from ebnn.cli import main
from ebnn.cli.sweep import sweep
from ebnn.cli.train import train
from ebnn.compile.estimate import estimate
from ebnn.errors import EbnnError, TrainingError
from ebnn.frontends.chainer.lowering import lower
from ebnn.show.plots import plot_sweep
from ebnn.sweep import Sweep, Trial, pareto_front
from ebnn.training import as_samples, build_network

HELD_OUT = 100
OPTIONS = ("--dataset", "digits", "--epochs", "2", "--validation", str(HELD_OUT))
SMALL, LARGE, HUGE = "c4k3-m2", "d16", "d1200-d1200"
TINY = (SMALL, LARGE, HUGE, *OPTIONS)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A folder with a sweep in ``out``, its table, its JSON and its plots."""
    folder = tmp_path_factory.mktemp("sweep")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        output = invoke(*TINY, "--out", "out", "--json", "sweep.json", "--plot", "sweep.png")
    (folder / "output.txt").write_text(output)
    return folder


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(sweep, arguments)
    if result.exception:
        raise result.exception
    return result.output


def networks(folder: Path) -> dict[str, dict]:
    return {one["architecture"]: one for one in json.loads((folder / "sweep.json").read_text())["networks"]}


@pytest.mark.parametrize(
    ("costs", "accuracies", "front"),
    [
        # 2 beats 3 (cheaper, better); 4 is the most accurate; 1 the cheapest
        ([10, 20, 30, 40], [0.5, 0.8, 0.7, 0.9], [True, True, False, True]),
        ([10, 10, 20], [0.5, 0.6, 0.6], [False, True, False]),  # as cheap and better; as good and cheaper
        ([10, 10], [0.5, 0.5], [True, True]),  # neither is better
        ([None, 20, 30], [0.9, 0.5, 0.8], [False, True, True]),  # what is out of the question beats nobody
        ([30, 20, 10], [0.7, 0.8, 0.9], [False, False, True]),
        ([], [], []),
    ],
)
def test_the_front_by_hand(costs, accuracies, front):
    assert pareto_front(costs, accuracies) == tuple(front)


def test_each_network_is_that_of_train_and_is_judged_by_held_out_images(swept, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = datasets.load("digits")
    _, held_out = as_samples("training", data.train_images, data.train_labels, data.kind).split(HELD_OUT)
    assert len(held_out) == HELD_OUT
    for architecture, values in networks(swept).items():
        network = load(swept / "out" / architecture / "model.ebnn")
        done = CliRunner().invoke(train, [*OPTIONS, "--architecture", architecture, "--out", architecture])
        assert done.exception is None
        assert load(tmp_path / architecture / "model.ebnn") == network
        assert values["hash"] == network.hash
        assert values["validation_accuracy"] == np.mean(network.predict(held_out.images) == held_out.labels)


def test_sizes_and_times(swept):
    for architecture, values in networks(swept).items():
        network = load(swept / "out" / architecture / "model.ebnn")
        assert values["data_bytes"] == network.weight_bytes + network.threshold_bytes + network.score_bytes
        assert (values["arena_bytes"], values["macs"]) == (network.arena_bytes, network.macs)
        found = [estimate(network, load_board(name)) for name in ("uno", "genuino101")]
        assert [one["us"] for one in values["estimates"]] == [one.us for one in found]
        assert [one["fits"] for one in values["estimates"]] == [one.fits for one in found]


def test_what_does_not_fit_is_said_and_on_no_front_of_time(swept):
    values = networks(swept)
    assert [one["fits"] for one in values[HUGE]["estimates"]] == [False, False]
    assert [one["time_front"] for one in values[HUGE]["estimates"]] == [False, False]
    lines = (swept / "output.txt").read_text().splitlines()
    (row,) = [line for line in lines if line.strip().startswith(HUGE) and "%" in line]
    assert row.count("does not fit") == 2


def test_the_cheapest_are_on_the_fronts(swept):
    values = networks(swept)
    assert list(values) == sorted(values, key=lambda name: values[name]["data_bytes"])
    assert values[SMALL]["bytes_front"]  # the fewest bytes, and no other has as few
    best = max(values.values(), key=lambda one: one["validation_accuracy"])
    assert best["bytes_front"]


def test_resume_repeats_no_finished_network_and_goes_on(swept, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    invoke(SMALL, *OPTIONS, "--out", "out")
    with pytest.raises(TrainingError, match="holds a run: go on with --resume"):
        invoke(SMALL, LARGE, *OPTIONS, "--out", "out")
    output = invoke(SMALL, LARGE, *OPTIONS, "--out", "out", "--resume")
    first, second = output.split(f"2 of 2: {LARGE}")
    assert "resumed after epoch 2 of 2" in first
    assert "epoch 1/2" not in first
    assert "epoch 1/2" in second
    for architecture in (SMALL, LARGE):
        path = Path("out", architecture, "model.ebnn")
        assert load(path) == load(swept / path)


def test_the_plots_are_pictures(swept, tmp_path, monkeypatch):
    monkeypatch.chdir(swept)
    assert Path("sweep.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    invoke(*TINY, "--out", "out", "--resume", "--plot", str(tmp_path / "sweep.SVG"), "--boards", "uno")
    drawn = (tmp_path / "sweep.SVG").read_text()
    assert ElementTree.fromstring(drawn).tag.endswith("svg")
    for architecture in (SMALL, LARGE, HUGE):
        assert f"  {architecture} -->" in drawn  # beside the outlines of its letters
    assert "Arduino Uno" in drawn
    assert "Arduino 101" not in drawn


def test_networks_at_one_point_share_a_label(tmp_path):
    """Two of the same cost and accuracy, one beside them whose mark covers theirs, and one far off."""
    network = lower(build_network("c4k3", (1, 8, 8), 10), (1, 8, 8), "uint8")
    found = Sweep((), tuple(Trial("c4k3", accuracy, 1, 1.0, network, ()) for accuracy in (0.5, 0.5, 0.501, 0.9)))
    plot_sweep(found, tmp_path / "sweep.svg")
    texts = re.findall(r"<!-- (.*?) -->", (tmp_path / "sweep.svg").read_text())
    assert "1, 2, 3" in texts
    assert "4" in texts
    assert not {"1", "2", "3"} & set(texts)


def test_the_map_names_what_does_not_fit(tmp_path):
    """Some of the networks, and all of them; a long architecture does not run into the next one."""
    trials = []
    boards = (load_board("uno"), load_board("leonardo"))
    for architecture, name in (("c8-" * 30, "mnist-tiny"), ("c20", "mnist-uno"), ("c9", "mnist-101")):
        network = load(name)
        trials.append(Trial(architecture, 0.9, 1, 1.0, network, tuple(estimate(network, board) for board in boards)))
    plot_sweep(Sweep(boards, tuple(trials)), tmp_path / "some.svg")
    texts = re.findall(r"<!-- (.*?) -->", (tmp_path / "some.svg").read_text(), re.DOTALL)
    for board in range(2):
        listed = Sweep(boards, tuple(trials)).trials
        unfit = [str(i + 1) for i, one in enumerate(listed) if not one.estimates[board].fits]
        assert unfit
        assert f"does not fit: {', '.join(unfit)}" in texts
    many = tuple(replace(trial, network=trials[1].network, estimates=trials[1].estimates[1:]) for trial in trials)
    plot_sweep(Sweep(boards[1:], many), tmp_path / "none.svg")
    texts = re.findall(r"<!-- (.*?) -->", (tmp_path / "none.svg").read_text(), re.DOTALL)
    assert "none fits" in texts
    assert any("does not fit: 1, 2, 3" in text for text in texts)


def test_other_boards(swept, monkeypatch):
    monkeypatch.chdir(swept)
    output = invoke(*TINY, "--out", "out", "--resume", "--boards", "pico, cortex-m3", "--json", "boards.json")
    assert "instructions" in output
    values = json.loads(Path("boards.json").read_text())
    assert values["boards"] == ["pico", "cortex-m3"]
    for one in values["networks"]:
        assert [found["board"] for found in one["estimates"]] == ["pico", "cortex-m3"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["c4k3-m2", "--epochs", "1", "--out", "o"], "hold out training images with --validation"),
        (["c4k3-m2", "c4q", *OPTIONS, "--out", "o"], "c4q"),
        (["c4k3-m2", "c4k9", *OPTIONS, "--out", "o"], "c4k9"),
        (["c4k3-m2", "../c4k3", *OPTIONS, "--out", "o"], r"'\.\./c4k3'"),
        (["c4k3-m2", "-".join(["d1"] * 100), *OPTIONS, "--out", "o"], "has 299 characters, a folder's name 255"),
        (["mlp", "d128", *OPTIONS, "--out", "o"], r"d128 is given twice \(as mlp\)"),
        (["d8", "d8", *OPTIONS, "--out", "o"], "d8 is given twice: leave one of them out"),
        (["c4k3", "d8", "c4k3s1p0", *OPTIONS, "--out", "o"], r"c4k3s1p0 is given twice \(as c4k3\)"),
        (["c4k3-m2", *OPTIONS, "--out", "o", "--boards", "toaster"], "toaster"),
        (["c4k3-m2", *OPTIONS, "--out", "o", "--boards", "host"], "has no limits to compare with"),
        (["c4k3-m2", *OPTIONS, "--out", "o", "--plot", "p.txt"], r"end its name in \.png, \.svg, \.pdf"),
        (["c4k3-m2", *OPTIONS, "--out", "o", "--plot", "no/p.png"], "make it first"),
        (["c4k3-m2", *OPTIONS, "--out", "o", "--resume"], r"o has no snapshot\.npz to go on from"),
        (["c4k3-m2", *OPTIONS[:-1], "5000", "--out", "o"], "validation holds out 5000 samples"),
    ],
)
def test_a_refusal_comes_before_any_training(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EbnnError, match=message):
        invoke(*arguments)
    assert not list(Path().rglob("log.jsonl"))


def test_the_commands_are_listed():
    output = CliRunner().invoke(main, ["--help"]).output
    assert "  compare" in output
    assert "  sweep" in output


def test_settings_suit_the_data_as_trains_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{i % 2 * 5 + i % 7 / 7:.3f},{i % 5},{'rain' if i % 2 else 'sun'}" for i in range(80)]
    Path("weather.csv").write_text("\n".join(["warmth,cloud,sky", *rows]) + "\n")
    output = invoke(
        *("d2", "--data", "weather.csv", "--epochs", "1", "--validation", "10", "--out", "out", "--json", "sweep.json")
    )
    assert "2 values a sample: as with --batch-size 64 --learning-rate 0.005 --averaging 0.97" in output
    assert json.loads(Path("sweep.json").read_text())["config"]["batch_size"] == 64
