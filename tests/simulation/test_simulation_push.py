"""Pushed networks on simulated boards: the EEPROM of AVRs, and a Cortex-M3's memory in the place of flash."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import serial
from avr_programs import require_simavr
from qemu_boards import require_board

import ebnn
from ebnn.boards import load_board
from ebnn.compile.image import image_bytes, image_target
from ebnn.device import Device
from ebnn.errors import DeviceError, PortError, WriteError
from ebnn.simulation import board_url, plugged_in
from ebnn.simulation.protocol_sim import simulator_class
from ebnn.updatable import Updatable

VECTORS = Path(__file__).parents[1] / "vectors"


def vector(name: str, board: str) -> tuple[ebnn.Network, bytes]:
    network = ebnn.load(VECTORS / f"{name}.ebnn")
    return network, image_bytes(network, image_target(board), title=name)


def assert_answers(device: Device, name: str) -> None:
    """By name and hash, with the scores that lie beside the vector."""
    network = ebnn.load(VECTORS / f"{name}.ebnn")
    with np.load(VECTORS / f"{name}.npz", allow_pickle=False) as data:
        samples, scores = data["samples"], data["scores"]
    info = device.hello()
    assert (info.network, info.network_hash) == (name, network.hash32)
    assert info.push is not None
    assert info.push.pushed
    found = [device.predict(sample) for sample in network.pack_input(samples)]
    np.testing.assert_array_equal([one.scores for one in found], scores)
    profile = device.profile(network.pack_input(samples)[0])
    assert len(profile.layer_us) == len(network.layers)


def build(board: str, own: str, folder: Path, updatable: Updatable) -> Path:
    header = folder / "own.h"
    ebnn.write_header(ebnn.load(VECTORS / f"{own}.ebnn"), header, name="own")
    known = load_board(board)
    return simulator_class(known).build(known, header, folder, updatable)


@pytest.mark.usefixtures("platformio_core")
@pytest.mark.parametrize(
    ("board", "names", "too_big"),
    [
        ("uno", ("bits-dense", "uint8-scores"), ("bits-conv", "needs 2,052 B of RAM, 1,992 B of them for its image")),
        ("megaatmega2560", ("bits-conv", "uint8-conv", "int8-dense"), None),
    ],
)
def test_an_avr_keeps_what_was_pushed(
    board: str, names: tuple[str, ...], too_big: tuple[str, str] | None, tmp_path: Path
) -> None:
    """Over a reset, and over a power cut: the simulator is killed, and another one gets its EEPROM."""
    require_simavr()
    program = build(board, "uint8-scores", tmp_path, Updatable())
    url = f"{board_url(board, program=program)}&store={tmp_path / 'eeprom'}"
    port = serial.serial_for_url(url, timeout=1.0)
    with Device(port) as device:
        assert device.hello().network == "own"
        for name in names:
            _, image = vector(name, board)
            info = device.push(image)
            assert info.push is not None
            assert info.push.kept
            assert_answers(device, name)
            statistics = port.simulator.statistics()
            profile = device.profile(bytes(info.input_bytes))
            assert profile.untouched_bytes is not None
            assert profile.untouched_bytes > 30, statistics  # the stack did not come near the pool
        if too_big is not None:
            with pytest.raises(DeviceError, match=too_big[1]):
                device.push(vector(too_big[0], board)[1])
        port.reset_board()
        assert_answers(device, names[-1])
        port.process.kill()
    with Device(url) as device:
        assert_answers(device, names[-1])
        assert device.forget().network == "own"


@pytest.mark.usefixtures("platformio_core")
def test_a_power_cut_in_mid_push(tmp_path: Path) -> None:
    """With room for one image only: none is left of either, and the firmware's own network answers."""
    require_simavr()
    program = build("uno", "uint8-scores", tmp_path, Updatable())
    url = f"{board_url('uno', program=program)}&store={tmp_path / 'eeprom'}"
    network, image = vector("bits-dense", "uno")
    large = image_bytes(network, image_target("uno"), title="x" * 200)
    assert len(image) < 512 < len(large)
    for pushed, name in ((image, "bits-dense"), (large, "own")):
        port = serial.serial_for_url(url, timeout=1.0)
        with Device(port) as device:
            if pushed is image:
                device.push(image)
            device.hello()

            def cut(done: int, port: serial.Serial = port) -> None:
                if done > 200:
                    port.process.kill()
                    port.process.wait()

            with pytest.raises(PortError):
                device.push(pushed, progress=cut)
        with Device(url) as device:
            assert device.hello().network == name
    assert network.hash32 != 0


def test_a_cortex_m3_keeps_it_over_a_reset(tmp_path: Path) -> None:
    require_board("cortex-m3")
    program = build("cortex-m3", "uint8-scores", tmp_path, Updatable())
    port = serial.serial_for_url(board_url("cortex-m3", program=program), timeout=1.0)
    with Device(port) as device:
        for name in ("bits-conv", "float-conv", "int8-dense"):
            device.push(vector(name, "cortex-m3")[1])
            assert_answers(device, name)
        port.reset_board()
        assert_answers(device, "int8-dense")


def test_a_store_must_be_one(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("mine")
    with (
        pytest.raises(WriteError, match="is there already, and no file of a board's EEPROM"),
        plugged_in("host", program=__file__, store=file),
    ):
        pass
    with pytest.raises(PortError, match="cortex-m3 keeps nothing in a file"), plugged_in("cortex-m3", store=file):
        pass
    assert file.read_text() == "mine"
