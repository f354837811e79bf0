"""Networks with an encoder, names and a threshold in commands: raw samples in, answers by name out."""

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from support.boards import require_board
from support.c_networks import require
from support.raw_samples import ENCODERS, encoder_network

from ebnn.boards import load_board
from ebnn.cli import main
from ebnn.compile.encoder_costs import encoder_code_bytes
from ebnn.compile.estimate import estimate
from ebnn.compile.header import flash_bytes, write_header
from ebnn.compile.summary import describe_network, input_text
from ebnn.model.meta import Meta
from ebnn.model.network import Network
from ebnn.show.console import make_console, print_whole
from ebnn.show.run_tables import confusion_table, run_table
from ebnn.simulation.bare import build_bare, program_size
from ebnn.streaming import stream_port

META = Meta(("wave", "circle", "still"), tuple("abcde"), ("g",) * 5, rejection=0.5)
NETWORK = encoder_network(ENCODERS["float to int8"], meta=META)
LOW, HIGH = (end[:, None, None] for end in ENCODERS["float to int8"].ranges)


def raw(count):
    return np.random.default_rng(1).uniform(LOW, HIGH, (count, *NETWORK.raw_shape)).astype(np.float32)


def invoke(*arguments):
    done = CliRunner().invoke(main, [*map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_run_tells_names_and_what_is_unknown(capsys):
    require("cc")
    x = raw(60)
    labels = (NETWORK.predict_raw(x) + (np.arange(60) % 4 == 0)) % 3
    report = stream_port(NETWORK, "sim://host", NETWORK.encode(x), labels)
    assert report.exact
    answers = NETWORK.predict_or_unknown(NETWORK.encode(x))
    right = np.arange(60) % 4 != 0
    counts = {"right": int(np.sum((answers < 0) & right)), "wrong": int(np.sum((answers < 0) & ~right))}
    assert report.unknown == {**counts, "accepted_wrong": 15 - counts["wrong"]}
    assert 0 < counts["right"] < 45
    values = json.loads(json.dumps(report.values()))
    assert values["class_names"] == ["wave", "circle", "still"]
    assert values["unknown"] == report.unknown
    print_whole(make_console(), confusion_table(report))
    print_whole(make_console(), run_table(report))
    output = capsys.readouterr().out
    assert "circle" in output
    assert f"{counts['right']} right and {counts['wrong']} wrong answers" in output


def test_without_names_and_threshold_a_run_is_as_it_was():
    require("cc")
    network = encoder_network(ENCODERS["float to int8"])
    report = stream_port(network, "sim://host", network.encode(raw(3)), [0, 1, 2])
    assert report.unknown is None
    assert report.values()["class_names"] == []


@pytest.mark.parametrize("name", ENCODERS)
def test_info_shows_the_encoder(tmp_path, name):
    network = encoder_network(ENCODERS[name], meta=META)
    network.save(tmp_path / "n.ebnn")
    output = invoke("info", tmp_path / "n.ebnn", "--json", tmp_path / "n.json")
    assert f"5 channels {network.encoder.raw}, 5×2×9 → {network.input.kind}" in output
    assert f"encoder {network.encoder.constant_bytes}, names 26" in output
    assert "wave, circle, still" in output
    values = json.loads((tmp_path / "n.json").read_text())
    assert values["raw"]["kind"] == network.encoder.raw
    assert len(values["raw"]["ranges"]) == 5
    assert values["class_names"] == ["wave", "circle", "still"]
    assert (values["encoder_bytes"], values["name_bytes"]) == (network.encoder.constant_bytes, 26)


def test_estimates_have_what_the_encoder_takes():
    plain = Network(NETWORK.input, NETWORK.layers)
    for board, code in (("uno", 1128), ("esp32-c3-devkitm-1", 2936), ("genuino101", 2936)):
        found, bare = (estimate(network, load_board(board)) for network in (NETWORK, plain))
        assert found.flash_bytes == bare.flash_bytes + code + 40 + 26
    assert describe_network(plain)["raw"] is None
    assert input_text(plain) == "int8 5×2×9"


@pytest.mark.parametrize("name", ["float to uint8", "int16 to bits"])
def test_stream_py_takes_raw_samples(tmp_path, name):
    """Its noise is raw, as are a user's samples; answers have names."""
    require("cc")
    encoder_network(ENCODERS[name], meta=META).save(tmp_path / "n.ebnn")
    invoke("init", tmp_path / "p", "--board", "uno", "--model", tmp_path / "n.ebnn")
    samples = np.random.default_rng(2).integers(-9, 9, (4, 5, 2, 9)).astype(np.int16)
    np.save(tmp_path / "x.npy", samples)
    for words in ([], ["--samples", tmp_path / "x.npy"]):
        command = [sys.executable, "stream.py", "--port", "sim://host", *words]
        done = subprocess.run(command, cwd=tmp_path / "p", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "answers differ from Python's" in done.stdout
        assert any(f"class {word}," in done.stdout for word in META.class_names)


@pytest.mark.parametrize("board", ["cortex-m0", "cortex-m4", "rv32"])
@pytest.mark.parametrize("name", ["float to int8", "int16 to bits"])
def test_an_encoder_s_code_is_what_a_build_has_more(tmp_path, request, board, name):
    """Within 100 bytes: compilers differ."""
    require_board(board, request)
    network = encoder_network(ENCODERS[name])
    sizes = []
    for each in (network, Network(network.input, network.layers)):
        write_header(each, tmp_path / "net.h")
        built = program_size(load_board(board), build_bare(load_board(board), tmp_path / "net.h", tmp_path))
        sizes.append(built.flash - flash_bytes(each))
    assert sizes[0] - sizes[1] == pytest.approx(encoder_code_bytes(network, load_board(board).costs), abs=100)
