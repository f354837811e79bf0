"""Sends samples to the board and compares its answers with Python's: python stream.py [--port PORT]."""

import argparse
import sys
from pathlib import Path

import numpy as np

import ebnn
from ebnn.boards import load_board
from ebnn.device import Device
from ebnn.errors import EbnnError
from ebnn.ports import find_port
from ebnn.report import duration_text, timed
from ebnn.simulation import board_url

BOARD = "@board@"
MODEL = Path(__file__).with_name("network.ebnn")
HEADER = Path(__file__).parent / "include" / "network.h"


def main() -> int:
    parser = argparse.ArgumentParser(description="Sends samples to the board and compares its answers with Python's.")
    parser.add_argument("--port", help="/dev/ttyACM0, COM3, sim://@board@; found by the board's USB ids if not given")
    parser.add_argument("--samples", help=".npy file of raw samples (n, channels, height, width); noise if not given")
    arguments = parser.parse_args()
    try:
        network = ebnn.load(MODEL)
        raw = np.load(arguments.samples) if arguments.samples else noise(network)
        samples = network.encode(raw)  # as the network takes them
        packed = network.pack_input(samples)  # (n, bytes)
        scores = network.scores(samples)  # (n, classes)
        url = port = arguments.port or find_port(load_board(BOARD))
        if port.startswith("sim://") and "?" not in port:  # a simulated board, with this project's header
            url = board_url(port.removeprefix("sim://"), header=HEADER)
        different = 0
        with Device(url, network_hash=network.hash32) as device:
            board = device.hello().board
            print(f"{port}: {board} runs {device.hello().network}")
            for number, (sample, expected) in enumerate(zip(packed, scores, strict=True)):
                answer = device.predict(sample)
                different += not np.array_equal(answer.scores, expected)
                took = duration_text(board, answer.device_us)  # instructions where the board is QEMU's
                print(f"sample {number}: class {network.class_name(answer.class_index)}, {took} {timed(board)}")
    except (EbnnError, OSError, ValueError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(f"{different} of {len(samples)} answers differ from Python's")
    return 1 if different else 0


def noise(network: ebnn.Network, count: int = 10) -> np.ndarray:
    """(count, channels, height, width) of the raw values that the network takes."""
    shape = (count, *network.raw_shape)
    random = np.random.default_rng(0)
    if network.encoder is not None:
        least, most = (end[:, None, None] for end in network.encoder.ranges)
        raw = random.uniform(least, most, shape)
        return raw.round().clip(-32768, 32767).astype(np.int16) if network.encoder.raw == "int16" else raw
    if network.input.kind == "float":
        return random.random(shape, dtype=np.float32)
    kind = network.input.values
    dtype = np.int8 if kind.low < 0 else np.uint8
    return random.integers(int(kind.low), int(kind.high), shape, dtype=dtype, endpoint=True)


if __name__ == "__main__":
    sys.exit(main())
