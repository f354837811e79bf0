"""Sketches: programs for a board that read a sensor and print readings, or a network's answers to them."""

from __future__ import annotations

from dataclasses import dataclass

from .boards import Board
from .compile.estimate import check_fits
from .compile.readings import has_readings, ring_bytes
from .device.live import SMOOTH
from .errors import InputError, NetworkError
from .model.network import Network
from .platformio import Sketch

SENSORS = ("imu", "analog", "serial")
"""What a sketch can take readings from."""
RATE = 100.0
"""Readings a second where the network does not say how many it has learned from."""
SLOW_RATE = 10.0
"""The same for a network that sees one reading at a time."""
MIN_RATE, MAX_RATE = 0.01, 2000.0  # readings a second: a period in microseconds is an int32_t, and a board is no faster

_IMU = ("ax", "ay", "az", "gx", "gy", "gz")
_IMU_CHANNELS = (3, 6)
_MOST_CHANNELS = 255  # a uint8_t counts them
_PINS = {  # of analog inputs, where they are others than A0 to A5
    "nanoatmega328": tuple(f"A{i}" for i in range(8)),
    "megaatmega2560": tuple(f"A{i}" for i in range(16)),
    "leonardo": tuple(f"A{i}" for i in range(12)),
    "nano_33_iot": tuple(f"A{i}" for i in range(8)),
    "nano33ble": tuple(f"A{i}" for i in range(8)),
    "due": tuple(f"A{i}" for i in range(12)),
    "bluepill_f103c8": tuple(f"PA{i}" for i in range(8)),
    "pico": ("A0", "A1", "A2"),
    "esp32dev": ("36", "39", "34", "35", "32", "33"),
    "esp32-c3-devkitm-1": ("0", "1", "2", "3", "4"),
}
_WIRE_BYTES = 180  # of RAM that Arduino's Wire takes on an AVR
_USUAL_PINS = tuple(f"A{i}" for i in range(6))


@dataclass(frozen=True)
class PlannedSketch:
    """A sketch for a board.

    Attributes:
        sketch: what is written.
        notes: what a user should know, a line each.
    """

    sketch: Sketch
    notes: tuple[str, ...]


def plan_sketch(
    sensor: str, board: str, network: Network | None, *, rate: float | None = None, called: str = "the network"
) -> PlannedSketch:
    """Chooses what a sketch does.

    Args:
        sensor: a name in `SENSORS`.
        board: PlatformIO's name of it.
        network: which answers; None prints readings.
        rate: readings a second; None takes the network's, else `RATE`.
        called: how messages call the network.

    Raises InputError where the sensor does not give what the network takes, or nothing tells how many readings a second
    there are to be.
    """
    if sensor not in SENSORS:
        raise InputError(f"no sketch is called {sensor!r}: take {', '.join(SENSORS)}")
    if network is None and sensor == "serial":
        raise InputError("--sketch serial gives numbers to a network: name it with --model, or take imu or analog")
    channels = _default_channels(sensor) if network is None else _channels(network, called)
    pins = _pins(sensor, board, channels, called)
    if sensor == "imu" and channels not in _IMU_CHANNELS:
        raise InputError(
            f"{called} takes {_numbers(channels)} a reading, an IMU gives {' or '.join(map(str, _IMU_CHANNELS))} "
            "(acceleration, with rotation): take --sketch analog or serial, or train on readings of --sketch imu"
        )
    if sensor == "imu" and network is not None and network.encoder is not None and network.encoder.raw == "int16":
        raise InputError(
            f"{called} takes whole numbers, --sketch imu gives g and degrees a second: train on readings of that sketch"
        )
    notes: list[str] = []
    period = 0
    if sensor == "serial":
        if rate is not None:
            raise InputError("--rate has no effect here: --sketch serial takes readings as they come; leave it out")
    else:
        period = round(1e6 / _rate(network, rate, called, notes))
    if network is not None and network.meta.channel_names:
        names = _names(sensor, channels, pins)
        notes.append(f"channels: {', '.join(map(' from '.join, zip(network.meta.channel_names, names, strict=True)))}")
    return PlannedSketch(
        Sketch(sensor, channels, period, SMOOTH, network is not None, _names(sensor, channels, pins), pins),
        tuple(notes),
    )


def check_sketch_fits(
    network: Network, board: Board, sketch: Sketch, arithmetic: str = "integer", optimize: str = "balanced"
) -> None:
    """Raises NetworkError where a network, or what a sketch needs beside it, is too big for a board."""
    left = check_fits(network, board, arithmetic, optimize).arena_left
    ring = ring_bytes(network) if has_readings(network) else 0
    beside = ring + 2 * sketch.smooth * network.classes + (_WIRE_BYTES if sketch.sensor == "imu" else 0)
    if beside > left:
        raise NetworkError(
            f"the sketch needs about {beside:,} B of RAM beside the network, {ring:,} of them for the last readings; "
            f"{board.title} has {left:,} left: train on shorter windows (--window), or take a larger board"
        )


def _default_channels(sensor: str) -> int:
    return len(_IMU) if sensor == "imu" else 3


def _channels(network: Network, called: str) -> int:
    """Values of a reading."""
    raw = network.raw_shape
    if network.encoder is None:
        raise InputError(
            f"{called} takes {network.input.kind}, no sensor's numbers: it has no encoder, which ebnn train --data "
            "gives a network that learns from recordings"
        )
    if not has_readings(network) and raw.height * raw.width > 1:
        raise InputError(
            f"{called} takes samples of {raw}, and does not say how windows follow each other in a series of readings: "
            "a sketch cannot cut them; train it with ebnn train --data on recordings"
        )
    if raw.channels > _MOST_CHANNELS:
        raise InputError(f"{called} takes {_numbers(raw.channels)} a reading, a sketch at most {_MOST_CHANNELS}")
    return raw.channels


def _pins(sensor: str, board: str, channels: int, called: str) -> tuple[str, ...]:
    if sensor != "analog":
        return ()
    there = _PINS.get(board, _USUAL_PINS)
    if channels > len(there):
        raise InputError(
            f"{called} takes {_numbers(channels)} a reading, {board} has {len(there)} analog inputs ({there[0]} to "
            f"{there[-1]}): take --sketch serial, or another board"
        )
    return there[:channels]


def _names(sensor: str, channels: int, pins: tuple[str, ...]) -> tuple[str, ...]:
    """What the sketch calls its channels."""
    if sensor == "imu":
        return _IMU[:channels]
    if sensor == "analog":
        return tuple(pin if not pin.isdigit() else f"pin {pin}" for pin in pins)
    return tuple(f"number {i + 1}" for i in range(channels))


def _rate(network: Network | None, rate: float | None, called: str, notes: list[str]) -> float:
    """Readings a second."""
    learned = None if network is None else network.meta.sample_rate
    if rate is not None and learned is not None and abs(rate / learned - 1) > 0.01:
        raise InputError(
            f"{called} has learned from {learned:g} readings a second: leave --rate out, or train it on recordings of "
            f"{rate:g} a second"
        )
    chosen = learned or rate
    if chosen is None:
        chosen = RATE if network is None or has_readings(network) else SLOW_RATE
        if network is not None:
            notes.append(f"{chosen:g} readings a second, as {called} does not say its rate: --rate gives another")
    if not MIN_RATE <= chosen <= MAX_RATE:
        raise InputError(f"{chosen:g} readings a second cannot be taken: {MIN_RATE:g} to {MAX_RATE:,.0f} can")
    return chosen


def _numbers(count: int) -> str:
    return f"{count} number{'' if count == 1 else 's'}"
