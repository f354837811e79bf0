"""Profiles: of the stub, of real networks layer by layer, over a bad cable, and as the command prints them."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import serial
import stub_network
from faulty_port import FaultyPort
from python_board import PythonBoard
from support.parts import net_of
from support.random_networks import random_network, random_samples
from test_network import scores, three_layers

import ebnn
from ebnn.compile.header import header_text
from ebnn.device import Device, Profile
from ebnn.errors import DeviceError, InputError, NoAnswerError, RefusedError, WrongNetworkError
from ebnn.frames import REPLY, Command, Frame, encode
from ebnn.profiling import profile_samples
from ebnn.simulation import build_host, host_url, program_url

SAMPLES = stub_network.draw_samples(300, seed=31)
CLASSES = stub_network.scores(SAMPLES).argmax(axis=1)


def test_profile(stub_url: str) -> None:
    with Device(stub_url, network_hash=stub_network.HASH) as device:
        for sample, expected in zip(SAMPLES[:20], CLASSES, strict=False):
            profile = device.profile(sample)
            assert profile.class_index == expected
            assert len(profile.layer_us) == 2
            assert 0 <= sum(profile.layer_us) <= profile.total_us < 1_000_000
            assert (profile.untouched_bytes, profile.deepest_stack_bytes) == (None, None)
        assert device.statistics.requests == 20
        assert device.hello().inferences == 20


def test_a_profiled_sample_is_checked(stub_url: str) -> None:
    with Device(stub_url) as device, pytest.raises(InputError, match="64"):
        device.profile(bytes(63))


def test_profiles_between_predictions(stub_url: str) -> None:
    """Neither changes what the other answers."""
    with Device(stub_url) as device:
        for i in range(100):
            assert device.profile(SAMPLES[i]).class_index == CLASSES[i]
            prediction = device.predict(SAMPLES[i + 100])
            np.testing.assert_array_equal(prediction.scores, stub_network.scores(SAMPLES[i + 100 : i + 101])[0])


def test_profiles_through_a_bad_cable(stub_url: str) -> None:
    port = FaultyPort(serial.serial_for_url(stub_url, timeout=1.0), 1e-3, seed=32)
    with Device(port, timeout=0.008, retries=250, startup=60.0) as device:
        assert [device.profile(sample).class_index for sample in SAMPLES] == CLASSES.tolist()
        assert device.statistics.retries > 10
        assert device.statistics.requests == len(SAMPLES)


def test_a_reset_before_a_profile(stub_url: str) -> None:
    port = serial.serial_for_url(stub_url, timeout=1.0)
    with Device(port, timeout=5.0, startup=60.0) as device:
        assert device.profile(SAMPLES[0]).class_index == CLASSES[0]
        port.reset_board()
        assert device.profile(SAMPLES[1]).class_index == CLASSES[1]
        assert device.statistics.handshakes == 2


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("03 39300000 10270000 29090000 00010000 2c000000", Profile(3, 12_345, (10_000, 2_345), 256, 44)),
        ("00 07000000 05000000 ffffffff ff010000", Profile(0, 7, (5,), None, 511)),
        ("00 07000000 05000000 00000000 ffffffff", Profile(0, 7, (5,), 0, None)),
    ],
)
def test_answers_by_hand(terminal: tuple[int, str], payload: str, expected: Profile) -> None:
    def reply(frame: Frame) -> bytes:
        body = bytes.fromhex(payload)
        if frame.command == Command.HELLO:
            body = frame.body + bytes([1, 0, 0, 0, 64, 0, 0, 0]) + bytes(8) + b"\x0a\0b\0n\0"
        return encode(Frame(frame.sequence, frame.command | REPLY, frame.crc.to_bytes(2, "little") + b"\0" + body))

    with PythonBoard(terminal[0], reply), Device(terminal[1], timeout=5.0, startup=60.0) as device:
        assert device.profile(SAMPLES[0]) == expected


@pytest.mark.parametrize("payload", [b"", bytes(4), bytes(13), bytes(16), bytes(18)])
def test_an_answer_that_is_none(terminal: tuple[int, str], payload: bytes) -> None:
    """No layer, or no whole number of them: it is dropped."""

    def reply(frame: Frame) -> bytes:
        body = payload
        if frame.command == Command.HELLO:
            body = frame.body + bytes([1, 0, 0, 0, 64, 0, 0, 0]) + bytes(8) + b"\x0a\0b\0n\0"
        return encode(Frame(frame.sequence, frame.command | REPLY, frame.crc.to_bytes(2, "little") + b"\0" + body))

    with PythonBoard(terminal[0], reply), Device(terminal[1], timeout=0.2, retries=1, startup=60.0) as device:
        with pytest.raises(NoAnswerError):
            device.profile(SAMPLES[0])
        assert device.statistics.late_frames == 2


def test_a_slow_layer_shows(tmp_path: Path) -> None:
    """SPEC 9.8: 20 ms are spent in the second of two layers."""
    text = stub_network.HEADER.read_text()
    last = "memset(stub_arena, 0xA5, sizeof stub_arena);"
    wait = "{ uint32_t start = ebnn_port_micros(); while (ebnn_port_micros() - start < 20000UL) { } }"
    assert last in text
    header = tmp_path / "slow.h"
    header.write_text(text.replace(last, last + wait))
    with Device(host_url(header)) as device:
        profile = device.profile(SAMPLES[0])
    assert profile.layer_us[0] < 10_000
    assert profile.layer_us[1] >= 20_000


def sanitized(network: ebnn.Network, folder: Path) -> str:
    """The URL of a board that runs a network, under sanitizers."""
    header = folder / "emitted.h"
    header.write_text(header_text(network, name="net"))
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow"]
    flags += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    return program_url(build_host(header, folder, flags=flags))


@pytest.mark.parametrize("number", range(8))
def test_random_networks(number: int, tmp_path: Path) -> None:
    """SPEC 7.5: run layer by layer they give the reference's class; every kind of input, more and fewer layers."""
    choose = random.Random(40 + number)
    while (network := random_network(choose)).input.kind != ("bits", "uint8", "int8", "float")[number % 4]:
        pass
    x = random_samples(network, 10, seed=number)
    with Device(sanitized(network, tmp_path), timeout=5.0) as device:
        report = profile_samples(network, device, x)
    assert report.class_mismatches == 0
    assert report.samples == 10
    assert [layer.name for layer in report.layers][-1] == "output"
    assert len(report.layers) == len(network.layers)
    assert [layer.macs for layer in report.layers] == [layer.macs for layer in network.layers]


def test_more_layers_than_classes(tmp_path: Path) -> None:
    """Their times do not fit where the scores are kept."""
    wider = three_layers()
    network = net_of(wider.input, wider.layers[:-1], scores(2, 1, 1, 7))
    x = np.random.default_rng(5).integers(0, 2, (20, *network.input.shape), dtype=np.uint8)
    with Device(sanitized(network, tmp_path)) as device:
        assert profile_samples(network, device, x).class_mismatches == 0
        np.testing.assert_array_equal(
            [device.predict(packed).scores for packed in network.pack_input(x)], network.scores(x)
        )


def test_another_network_is_refused(stub_url: str) -> None:
    network = three_layers()
    with Device(stub_url) as device, pytest.raises(WrongNetworkError, match="flash it again"):
        profile_samples(network, device, np.zeros((1, *network.input.shape), np.uint8))


def test_another_number_of_layers_is_an_error(tmp_path: Path) -> None:
    """The right hash on a board that leaves a layer out."""
    network = three_layers()
    header = tmp_path / "emitted.h"
    header.write_text(header_text(network, name="net").replace("#define NET_LAYERS 3", "#define NET_LAYERS 2"))
    with Device(host_url(header)) as device, pytest.raises(DeviceError, match="tells of 2 layers, the network has 3"):
        profile_samples(network, device, np.zeros((1, *network.input.shape), np.uint8))


def command(*arguments: object, cwd: Path, code: int = 0, encoding: str = "utf-8") -> str:
    """What a command prints; standard error is in it."""
    done = subprocess.run(
        [sys.executable, "-m", "ebnn", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        timeout=300,
    )
    output = (done.stdout + done.stderr).decode(encoding, "replace")
    assert done.returncode == code, output
    assert "Traceback" not in output
    return output


MODEL = Path(__file__).parents[2] / "examples/mnist/mnist.ebnn"


def test_the_command_prints_a_bar_for_each_layer(tmp_path: Path) -> None:
    output = command("profile", MODEL, "--samples", 3, "--json", "profile.json", cwd=tmp_path)
    rows = {line.split()[0]: line.split() for line in output.splitlines() if line.strip()}
    assert rows["conv1"][1:3] == ["32×14×14", "225,792"]
    assert rows["conv2"][1:3] == ["64×7×7", "3,612,672"]
    assert rows["output"][1:3] == ["10", "31,360"]
    assert max(rows[layer][-1].count("█") for layer in ("conv1", "conv2")) == 20
    assert "mean of 3" in output
    assert "2,208 B" in output
    assert output.count("the board can't tell") == 2
    values = json.loads((tmp_path / "profile.json").read_text())
    network = ebnn.load(MODEL)
    assert values["network_hash"] == network.hash
    assert (values["samples"], values["class_mismatches"]) == (3, 0)
    assert [layer["macs"] for layer in values["layers"]] == [layer.macs for layer in network.layers]
    assert sum(layer["share"] for layer in values["layers"]) == pytest.approx(1)
    # Means of three whole numbers: times three, they are whole again.
    assert sum(round(3 * layer["us"]) for layer in values["layers"]) <= round(3 * values["total_us"])
    assert values["deepest_stack_bytes"] is None


def test_the_command_takes_a_data_set(tmp_path: Path) -> None:
    network = three_layers()
    network.save(tmp_path / "other.ebnn")
    output = command("profile", "other.ebnn", "--dataset", "digits", cwd=tmp_path, code=1)
    assert "choose the --dataset it was trained on" in output
    command("train", "--architecture", "c8k3s2", "--epochs", "1", "-o", "tiny.ebnn", cwd=tmp_path)
    output = command("profile", "tiny.ebnn", "--dataset", "digits", "--samples", 4, cwd=tmp_path, encoding="ascii")
    assert "mean of 4" in output
    assert "#" * 20 in output


def test_the_command_refuses_another_network(stub_url: str, tmp_path: Path) -> None:
    output = command("profile", MODEL, "--port", stub_url, cwd=tmp_path, code=1)
    assert "0x5eed0001" in output
    assert "flash" in output


def test_the_command_says_that_the_firmware_is_old(tmp_path: Path) -> None:
    network = ebnn.load(MODEL)
    header = tmp_path / "emitted.h"
    ebnn.write_header(network, header)
    url = program_url(build_host(header, tmp_path, flags=["-DEBNN_NO_PROFILE"]))
    output = command("profile", MODEL, "--port", url, cwd=tmp_path, code=1)
    assert "Flash the firmware of this version of ebnn" in output


def test_an_old_board_is_a_refusal(terminal: tuple[int, str]) -> None:
    """SPEC 9.10: what firmware from before PROFILE answers."""

    def reply(frame: Frame) -> bytes:
        head = frame.crc.to_bytes(2, "little")
        if frame.command == Command.HELLO:
            facts = frame.body + bytes([1, 0, 0, 0, 64, 0, 0, 0]) + bytes(8) + b"\x0a\0b\0n\0"
            return encode(Frame(frame.sequence, frame.command | REPLY, head + b"\0" + facts))
        return encode(Frame(frame.sequence, frame.command | REPLY, head + struct.pack("<BI", 0x10, frame.command)))

    with (
        PythonBoard(terminal[0], reply),
        Device(terminal[1], timeout=5.0, startup=60.0) as device,
        pytest.raises(RefusedError, match=r"it does not know the command.*Flash the firmware"),
    ):
        device.profile(SAMPLES[0])
