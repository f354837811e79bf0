"""Raw samples over the link: the board encodes them as they come, and answers as for encoded ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from support.boards import require_board
from support.raw_samples import ENCODERS, encoder_network, raw_samples

import ebnn
from ebnn import Network
from ebnn.device import Device
from ebnn.errors import InputError, NoAnswerError, RefusedError
from ebnn.simulation import build_host, program_url
from ebnn.streaming import stream, stream_port

FLAGS = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow"]
FLAGS += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def build(network: Network, folder: Path, flags: Sequence[str] = FLAGS) -> str:
    """A port with a board that runs the network."""
    folder.mkdir(exist_ok=True)
    ebnn.write_header(network, folder / "net.h")
    return program_url(build_host(folder / "net.h", folder, flags=flags))


@pytest.mark.parametrize("name", ENCODERS)
def test_a_board_encodes(name: str, tmp_path: Path) -> None:
    """SPEC 9.11: 10,000 values, NaN and infinities too; raw and encoded samples in turn."""
    encoder = ENCODERS[name]
    network, raw = encoder_network(encoder), raw_samples(encoder)
    labels = network.predict_raw(raw)
    with Device(build(network, tmp_path / "b"), network_hash=network.hash32, timeout=5.0) as device:
        report = stream(network, device, raw, labels, raw=True)
        assert (report.exact, report.accuracy, report.samples) == (True, 1.0, len(raw))
        packed = network.pack_input(network.encode(raw))
        values = encoder.pack_raw(raw, network.raw_shape)
        for i in (0, 1, 1, 2):
            encoded, itself = device.predict(packed[i]), device.predict_raw(values[i])
            np.testing.assert_array_equal(encoded.scores, itself.scores)


def test_what_is_no_raw_sample_is_refused(tmp_path: Path) -> None:
    network = encoder_network(ENCODERS["int16 to int8"])
    values = np.zeros(90, np.int16)
    with Device(build(network, tmp_path / "b"), timeout=5.0, retries=2) as device:
        for wrong in (values[:-1], np.append(values, values[:1])):
            with pytest.raises(RefusedError, match="it takes 180 bytes"):
                device.predict_raw(wrong)
        assert device.predict_raw(values).class_index == network.predict_raw(np.zeros((1, 5, 2, 9)))[0]
        with pytest.raises(InputError):
            stream(network, device, np.full((1, 5, 2, 9), 0.5), [0], raw=True)


def test_a_board_without_an_encoder_says_so(tmp_path: Path) -> None:
    network = encoder_network(ENCODERS["int16 to int8"])
    plain = Network(network.input, network.layers)
    with (
        Device(build(plain, tmp_path / "b"), timeout=5.0, retries=2) as device,
        pytest.raises((RefusedError, NoAnswerError), match="its network has no encoder"),
    ):
        device.predict_raw(np.zeros(90, np.int16))


@pytest.mark.parametrize("board", ["uno", "cortex-m0", "cortex-m4", "rv32"])
@pytest.mark.parametrize("name", ["float to int8", "int16 to bits"])
def test_simulated_boards_encode(board: str, name: str, request: pytest.FixtureRequest) -> None:
    require_board(board, request)
    encoder = ENCODERS[name]
    network, raw = encoder_network(encoder), raw_samples(encoder, 1_000)
    report = stream_port(network, f"sim://{board}", raw, network.predict_raw(raw), raw=True)
    assert (report.exact, report.accuracy) == (True, 1.0)
