"""Sends the readings in a CSV file to the board, and prints its answers: python send.py FILE --port PORT

The file is one that ebnn record wrote, or any with a reading a line; the columns are the network's channels, in their
order, behind a column time_ms if there is one.
"""

import argparse
import csv
import sys
import time
from pathlib import Path

import serial

import ebnn
import ebnn.simulation  # teaches pySerial sim://

NETWORK = Path(__file__).with_name("network.ebnn")


def read_readings(path: Path, channels: int) -> list[list[str]]:
    """The rows of a file as texts of numbers."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    timed = bool(rows) and rows[0][0] == "time_ms"
    readings = [row[1:] if timed else row for row in rows]
    if readings and not readings[0][0].lstrip("+-.")[:1].isdigit():
        readings = readings[1:]  # names
    for row in readings:
        if len(row) != channels:
            sys.exit(f"Error: {path} has rows of {len(row)} numbers, the network takes {channels} a reading")
    return readings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", required=True, help="such as /dev/ttyACM0, COM3")
    options = parser.parse_args()
    network = ebnn.load(NETWORK)
    shape = network.raw_shape
    window = shape.width
    step = network.meta.step_of(window) if window > 1 else 1
    readings = read_readings(options.file, shape.channels)
    with serial.serial_for_url(options.port, baudrate=115200, timeout=5) as board:
        board.dtr = False
        time.sleep(0.1)
        board.dtr = True  # restarts most boards; those with USB of their own go on
        while board.readline().strip() not in (b"ready", b""):
            pass
        board.timeout = 0.5
        while board.readline():  # what it said before it restarted
            pass
        board.timeout = 20
        for count, reading in enumerate(readings, 1):
            board.write(",".join(reading).encode() + b"\n")
            board.flush()
            if count >= window and (count - window) % step == 0:
                print(board.readline().decode().strip(), flush=True)  # the board calculates: send nothing meanwhile
            else:
                time.sleep(0.002)  # until the board has read it


if __name__ == "__main__":
    main()
