"""What fits the Arduino 101: the RAM that its linker leaves to variables, in every place that says so."""

import json
from pathlib import Path

import pytest
from test_cli import ebnn as command

import ebnn
from benchmarks.untrained import build
from ebnn.boards import load_board
from ebnn.compile.estimate import check_fits, estimate
from ebnn.errors import NetworkError
from ebnn.platformio import TooBigError, build_firmware
from tools.costs import sizes

# Variables have 13,312 B, of which core, firmware and scores take 3,844, and the 8 outputs of one layer 4: the rest is
# for the input, whose bytes are chosen here.
LARGEST = 9_464


def network(path: Path, inputs: int) -> ebnn.Network:
    made = build("int8", (1, 1, inputs), "d8", seed=1)
    made.save(path)
    return made


@pytest.mark.parametrize("over", [4, 1_800, 8_000])
def test_what_overflows_its_variables_is_refused_everywhere(platformio_core, tmp_path, over):
    """By info, export, init, flash and run's check, and by PlatformIO's linker."""
    model = tmp_path / "large.ebnn"
    made = network(model, LARGEST + over)
    found = estimate(made, load_board("genuino101"))
    assert found.static_bytes + 11_264 == found.ram_bytes > 24_576
    with pytest.raises(NetworkError, match=r"24,576: .* B of arena.*11,264 B that its linker keeps"):
        check_fits(made, load_board("genuino101"))
    assert "no: RAM" in command("info", model, "--json", "info.json", cwd=tmp_path, env={"COLUMNS": "120"})
    rows = {row["board"]: row for row in json.loads((tmp_path / "info.json").read_text())["estimates"]}
    assert rows["genuino101"]["lacking"] == ["RAM"]
    for asked in (
        ("export", model, "--board", "genuino101", "-o", "large.h"),
        ("flash", model, "--board", "genuino101"),
        ("init", "project", "--board", "genuino101", "--model", model),
    ):
        said = command(*asked, cwd=tmp_path, code=1).split("\n", 1)[0]
        assert "B of RAM, Arduino 101 has 24,576" in said
    assert {path.name for path in tmp_path.iterdir()} == {"large.ebnn", "info.json"}
    ebnn.write_header(made, tmp_path / "network.h")
    with pytest.raises(TooBigError, match=r"\d B more RAM than there is"):
        build_firmware("genuino101", tmp_path / "network.h", tmp_path / "out")


def test_what_just_fits_is_taken_everywhere(platformio_core, tmp_path):
    model = tmp_path / "large.ebnn"
    made = network(model, LARGEST)
    found = check_fits(made, load_board("genuino101"))
    assert found.ram_left == 0
    command("export", model, "--board", "genuino101", "-o", "network.h", cwd=tmp_path)
    flash, static = sizes(build_firmware("genuino101", tmp_path / "network.h", tmp_path / "out"))
    assert static == found.static_bytes
    assert flash == pytest.approx(found.flash_bytes, rel=0.01)


def test_requantized_layers_link_there(platformio_core, tmp_path):
    """Their shifts of 64 bits are functions on this core."""
    command("export", "fashion-101", "--board", "genuino101", "--optimize", "size", "-o", "network.h", cwd=tmp_path)
    flash, static = sizes(build_firmware("genuino101", tmp_path / "network.h", tmp_path / "out"))
    assert flash > ebnn.load("fashion-101").weight_bytes
    assert static > ebnn.load("fashion-101").arena_bytes
