"""ebnn export --format image, and ebnn info of what it writes."""

from __future__ import annotations

import binascii
import contextlib
import json
import random
import struct
from pathlib import Path

import pytest
from click.testing import CliRunner

import ebnn
from ebnn.cli import main
from ebnn.compile.image import image_bytes, needed_kernels, read_image
from ebnn.compile.target import AVR, WORDS
from ebnn.errors import FileFormatError

BITS = Path(__file__).resolve().parents[2] / "examples/bits/xor.ebnn"


def command(*words: str) -> str:
    """What a command prints; it must not fail."""
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return done.output


def test_an_image_is_exported_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    network = ebnn.load("mnist-tiny")
    said = command("export", "mnist-tiny", "--format", "image")
    written = (tmp_path / "network.img").read_bytes()
    assert written == image_bytes(network, WORDS, title="network")
    assert f"0x{needed_kernels(network):X}ul" in said
    shown = command("info", "network.img", "--json", "i.json")
    for refused in (["push", "--port", "sim://host"], ["export", "-o", "n.h"]):
        found = CliRunner().invoke(main, [refused[0], "network.img", *refused[1:]])
        assert found.exit_code == 1
        assert "network.img: is an image for boards, made by ebnn export --format image: give the .ebnn" in found.stderr
    for text in ("an image of network for 32-bit cores", network.hash[:16], "1×28×28 → 10 classes", "output fours"):
        assert text in shown
    values = json.loads((tmp_path / "i.json").read_text())
    assert (values["bytes"], values["arena_bytes"]) == (len(written), network.arena_bytes)


def test_an_image_is_for_a_board(tmp_path: Path) -> None:
    path = tmp_path / "uno.img"
    command("export", "mnist-tiny", "--format", "image", "--board", "uno", "--name", "digits", "-o", str(path))
    assert path.read_bytes() == image_bytes(ebnn.load("mnist-tiny"), AVR, title="digits")
    image = read_image(path.read_bytes())
    assert (image.target, image.title, image.input_bytes) == ("AVR", "digits", 784)
    assert [layer.kernel for layer in image.layers] == ["columns", "conv each", "conv each", "output fours"]
    assert sum(layer.bytes for layer in image.layers) < image.bytes


def test_an_image_that_is_damaged_is_refused() -> None:
    data = image_bytes(ebnn.load("mnist-tiny"))
    for damaged, text in (
        (data[:-4], r"is an image cut off: it has 4,284 B of 4,288"),
        (data[:20], "is an image cut off: it has 20 B, its head alone 68"),
        (data[:4] + b"\2" + data[5:], "is an image of version 2, this ebnn reads version 1"),
        (data[:-1] + b"\x55", "is a damaged image: its checksum is wrong"),
        (b"PK" + data[2:], "is no image of a network"),
    ):
        with pytest.raises(FileFormatError, match=text):
            read_image(damaged)


def test_numbers_of_a_damaged_image_are_refused_or_read() -> None:
    """Its checksum is right; the numbers may be any."""
    rng = random.Random(3)
    data = image_bytes(ebnn.load("mnist-tiny"))
    read = 0
    for _ in range(1_000):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.choice([rng.randrange(16, 120), rng.randrange(16, len(data))])] = rng.randrange(256)
        struct.pack_into("<L", damaged, 12, binascii.crc32(damaged[16:]))
        with contextlib.suppress(FileFormatError):
            read_image(bytes(damaged))
            read += 1
    assert 0 < read < 1_000


def test_another_file_is_not_replaced_by_an_image(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    done = CliRunner().invoke(main, ["export", "mnist-tiny", "--format", "image", "-o", str(path)])
    assert done.exit_code != 0
    assert path.read_text() == "mine"


def test_an_image_of_a_network_of_bits_says_so(tmp_path: Path) -> None:
    path = tmp_path / "xor.img"
    for network, said in ((ebnn.load(BITS), "→ 32 bits, hash"), (ebnn.load("mnist-tiny"), "→ 10 classes, hash")):
        path.write_bytes(image_bytes(network))
        assert said in command("info", str(path))
