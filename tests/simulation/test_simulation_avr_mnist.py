"""MNIST's test images through boards, on simulated ones by default, on a real one where EBNN_PORT names its port.

A real board must run the published network: ``ebnn flash mnist-uno --board BOARD``.
EBNN_PORT_BOARD is the name that it must answer with; without it any will do.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from avr_programs import require_simavr
from numpy.typing import NDArray

import ebnn
from ebnn import Network, datasets
from ebnn.boards import load_board
from ebnn.device import Device
from ebnn.report import RunReport
from ebnn.simulation import SimavrSimulator, board_url
from ebnn.streaming import stream

MODEL = "mnist-uno"
BOARDS = ("uno", "megaatmega2560")
IMAGES = 1_000


def run(url: str, board: str, network: Network, images: NDArray[Any], labels: NDArray[Any]) -> RunReport:
    with Device(url, network_hash=network.hash32) as device:
        assert board in ("", device.hello().board)
        return stream(network, device, images, labels)


def assert_exact(report: RunReport) -> None:
    assert (report.samples, report.class_mismatches, report.score_mismatches) == (IMAGES, 0, 0)
    assert report.accuracy > 0.9


def test_mnist(mnist: datasets.Dataset, request: pytest.FixtureRequest) -> None:
    """Every class and every score equals the reference's."""
    network = ebnn.load(MODEL)
    images = datasets.convert(mnist.test_images[:IMAGES], mnist.kind, network.input.kind)
    labels = mnist.test_labels[:IMAGES]
    port = os.environ.get("EBNN_PORT")
    if port:
        assert_exact(run(port, os.environ.get("EBNN_PORT_BOARD", ""), network, images, labels))
        return
    require_simavr()
    request.getfixturevalue("platformio_core")
    folder = request.getfixturevalue("tmp_path")
    ebnn.write_header(network, folder / "network.h")
    programs = {}
    for board in BOARDS:
        (folder / board).mkdir()
        programs[board] = SimavrSimulator.build(load_board(board), folder / "network.h", folder / board)
    with ThreadPoolExecutor() as pool:
        runs = [
            pool.submit(run, board_url(board, program=programs[board]), board, network, images, labels)
            for board in BOARDS
        ]
        for each in runs:
            assert_exact(each.result())
