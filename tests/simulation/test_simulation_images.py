"""On simulated boards, images give the answers of the reference, in up to half as much time again as headers."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import serial
from avr_programs import compile_avr, require_simavr
from numpy.typing import NDArray
from qemu_boards import NAMES, STRICT, require_board
from support.images import IMPLEMENTATION, image_cases
from support.random_networks import random_samples

import ebnn
from benchmarks.untrained import build
from ebnn import Network
from ebnn.boards import load_board
from ebnn.compile.image import image_bytes, needed_kernels
from ebnn.compile.options import OPTIMIZE
from ebnn.compile.target import AVR, WORDS
from ebnn.device import Device
from ebnn.simulation import board_url
from ebnn.simulation.bare import build_bare

IMAGES = int(os.environ.get("EBNN_TEST_IMAGES", "12"))  # on each core
SAMPLES = 3
RATIO = 1.5  # of the time that a header's network takes


class Board:
    """The program ``avr/images.c`` on a simulated board."""

    def __init__(self, port: Any) -> None:
        self.port = port

    def load(self, image: bytes) -> int:
        """By the serial port into RAM."""
        self.port.write(b"I" + image)
        return int(self.port.read(1)[0])

    def load_by_eeprom(self, image: bytes) -> int:
        self.port.write(b"E" + struct.pack("<H", len(image)))
        for byte in image:
            self.port.write(bytes([byte]))
            assert self.port.read(1) == b"\0"
        return int(self.port.read(1)[0])

    def load_from_flash(self) -> int:
        self.port.write(b"F")
        return int(self.port.read(1)[0])

    def predict(self, packed: NDArray[Any], classes: int, by: bytes = b"S") -> tuple[int, NDArray[np.int32], int]:
        """Class, scores and cycles."""
        self.port.write(by + packed.tobytes())
        winner = self.port.read(1)[0]
        scores = np.frombuffer(self.port.read(4 * classes), "<i4")
        return winner, scores, int.from_bytes(self.port.read(4), "little")

    def check(self, network: Network, seed: int = 0) -> None:
        """That the image that was loaded gives the answers of the network."""
        x = random_samples(network, SAMPLES, seed)
        for packed, scores in zip(network.pack_input(x), network.scores(x), strict=True):
            winner, found, _ = self.predict(packed, network.classes)
            np.testing.assert_array_equal(found, scores)
            assert winner == int(np.argmax(scores))


@contextmanager
def avr(board: str, folder: Path, ram: int, arena: int, kernels: int, flags: Sequence[str] = ()) -> Iterator[Board]:
    require_simavr()
    sizes = [f"-DRAM_BYTES={ram}", f"-DARENA_BYTES={-(-arena // 4) * 4}", f"-DEBNN_MODEL_KERNELS={kernels:#x}ul"]
    sections = ["-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]
    program = compile_avr(board, "images.c", folder, [*sections, *sizes, *flags, str(IMPLEMENTATION)])
    with serial.serial_for_url(board_url(board, program=program), timeout=20.0) as port:
        yield Board(port)


def test_avr_loads_images_from_a_stream(tmp_path: Path) -> None:
    """All kernels are in one program, which takes one image after the other."""
    board, most, arena = "megaatmega2560", 3_000, 3_000
    cases = image_cases(random.Random(f"{board} {IMAGES}"), IMAGES, AVR, most, arena)
    with avr(board, tmp_path, most, arena, 0x6F7FFFE) as simulated:
        for i, (network, image) in enumerate(cases):
            assert simulated.load(image) == 0
            simulated.check(network, i)
        damaged = bytearray(cases[0][1])
        damaged[-1] ^= 1
        assert simulated.load(bytes(damaged)) == 5
        assert simulated.load(image_bytes(cases[0][0], WORDS)[:12]) == 4


def test_an_uno_runs_an_image_from_its_eeprom(tmp_path: Path) -> None:
    network = build("uint8", (1, 8, 8), "c6,3,1,1,m2,2,0 d10", seed=3, classes=4)
    image = image_bytes(network, AVR)
    assert len(image) <= 900
    with avr("uno", tmp_path, len(image), 400, needed_kernels(network, AVR)) as simulated:
        assert simulated.load_by_eeprom(image) == 0
        simulated.check(network)


@pytest.mark.parametrize("number", range(4))
def test_avr_runs_images_in_flash(number: int, tmp_path: Path) -> None:
    choose = random.Random(f"flash {number}")
    ((network, image),) = image_cases(choose, 1, AVR, 6_000, 1_000, OPTIMIZE[number])
    (tmp_path / "image.h").write_text(", ".join(map(str, image)))
    with avr("megaatmega2560", tmp_path, 4, 1_000, 0x6F7FFFE, ["-DEBNN_MODEL_IN_FLASH"]) as simulated:
        assert simulated.load_from_flash() == 0
        simulated.check(network)


HEADER = Path(__file__).parent / "image_network.h"


@contextmanager
def qemu(board: str, folder: Path, input_bytes: int, arena: int) -> Iterator[Device]:
    """The firmware with ``image_network.h`` for a network."""
    require_board(board)
    sizes = [f"-DIMAGE_INPUT_BYTES={input_bytes}", f"-DIMAGE_ARENA_BYTES={-(-arena // 4) * 4}"]
    program = build_bare(load_board(board), HEADER, folder, flags=[*STRICT, *sizes])
    with Device(board_url(board, program=program), network_hash=0x1311A6E5) as device:
        device.hello()
        yield device


def asked(image: bytes, packed: NDArray[Any], input_bytes: int, what: int = 1) -> NDArray[np.uint8]:
    """An input of ``image_network.h``."""
    given = struct.pack("<HBB", len(image), what, 0) + image + packed.tobytes()
    return np.frombuffer(given + bytes(input_bytes - len(given)), np.uint8)


@pytest.mark.parametrize("board", NAMES)
def test_32_bit_cores_run_images(board: str, tmp_path: Path) -> None:
    most, arena = 3_400, 2_500
    input_bytes = most + 1_004
    cases = image_cases(random.Random(f"{board} {IMAGES}"), IMAGES, WORDS, most, arena)
    with qemu(board, tmp_path, input_bytes, arena) as device:
        for i, (network, image) in enumerate(cases):
            x = random_samples(network, SAMPLES, seed=i)
            for packed, scores in zip(network.pack_input(x), network.scores(x), strict=True):
                found = device.predict(asked(image, packed, input_bytes))
                np.testing.assert_array_equal(found.scores[: network.classes], scores)
                assert found.class_index == 100 + int(np.argmax(scores))
        other = image_bytes(cases[0][0], AVR)
        assert device.predict(asked(other, packed, input_bytes)).class_index == 4


@pytest.mark.parametrize(("board", "name"), [("cortex-m3", "mnist-tiny"), ("cortex-m3", "mnist-uno")])
def test_images_take_little_longer_than_headers(board: str, name: str, tmp_path: Path) -> None:
    """Instructions of a prediction; opening the image is not counted."""
    network = ebnn.load(name)
    image = image_bytes(network, WORDS)
    packed = network.pack_input(random_samples(network, 1))[0]
    input_bytes = len(image) + packed.nbytes + 4
    with qemu(board, tmp_path, input_bytes, 4_000) as device:
        opened, both = (device.predict(asked(image, packed, input_bytes, what)).device_us for what in (0, 1))
    header = tmp_path / "emitted.h"
    ebnn.write_header(network, header)
    program = build_bare(load_board(board), header, tmp_path, flags=STRICT)
    with Device(board_url(board, program=program), network_hash=network.hash32) as device:
        device.hello()
        emitted = device.predict(packed).device_us
    print(f"{board} {name}: image {both - opened}, header {emitted}, {(both - opened) / emitted:.3f}")
    assert both - opened <= RATIO * emitted


def test_an_image_on_avr_takes_little_longer_than_a_header(tmp_path: Path) -> None:
    """Cycles of a prediction, in RAM."""
    network = build("uint8", (1, 8, 8), "c6,3,1,1,m2,2,0 d10", seed=3, classes=4)
    image, packed = image_bytes(network, AVR), network.pack_input(random_samples(network, 1))[0]
    ebnn.write_header(network, tmp_path / "net.h", name="net")
    kernels = needed_kernels(network, AVR)
    with avr("megaatmega2560", tmp_path, len(image), 1_000, kernels, ["-DWITH_HEADER"]) as simulated:
        assert simulated.load(image) == 0
        found = simulated.predict(packed, network.classes)
        emitted = simulated.predict(packed, network.classes, b"H")
    assert found[0] == emitted[0]
    print(f"avr: image {found[2]} cycles, header {emitted[2]}, {found[2] / emitted[2]:.3f}")
    assert found[2] <= RATIO * emitted[2]
