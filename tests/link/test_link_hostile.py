"""Boards that hold the host up: whatever one says or does, it is waited for within a bound of the host's own."""

from __future__ import annotations

import inspect
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import stub_network
from python_board import PythonBoard

from ebnn.device import Device, open_port
from ebnn.errors import DeviceError, NoAnswerError, PortError
from ebnn.frames import REPLY, Command, Frame, encode

SAMPLE = stub_network.draw_samples(1, seed=3)[0]
SCORES = b"".join(score.to_bytes(4, "little") for score in range(10))
LIMIT = 0.8
HOUR_US = (4_294 * 10**6).to_bytes(4, "little")


def answer(frame: Frame, payload: bytes) -> bytes:
    return encode(Frame(frame.sequence, frame.command | REPLY, frame.crc.to_bytes(2, "little") + payload))


def greeting(frame: Frame) -> bytes:
    return answer(frame, b"\0" + frame.body + bytes([1, 0, 0, 0, 64, 0, 0, 0]) + bytes(8) + b"\x0a\0b\0n\0")


def prediction(frame: Frame, device_us: bytes = HOUR_US) -> bytes:
    return answer(frame, b"\0\x09" + device_us + SCORES)


def babble(frame: Frame) -> bytes:
    return np.random.default_rng(frame.sequence).bytes(3000)


def damaged(frame: Frame) -> bytes:
    return b"\x05abcd\0"


def boots(frame: Frame) -> bytes:
    """It has been reset before every sample: it knows no session."""
    return answer(frame, b"\x12" + bytes(4))


def strangers(frame: Frame) -> bytes:
    """Whole frames, none of them an answer to this request."""
    return b"".join(
        encode(Frame(frame.sequence + i & 0xFFFF, frame.command | REPLY, b"\0\0\0\x09" + bytes(44)))
        for i in range(1, 9)
    )


def wrong_size(frame: Frame) -> bytes:
    return answer(frame, b"\x11" + len(frame.body).to_bytes(4, "little"))


REPLIES = (babble, damaged, boots, strangers, wrong_size, lambda frame: b"", lambda frame: b"\x01")


def test_the_bound_is_minutes() -> None:
    assert inspect.signature(Device).parameters["limit"].default <= 180


@pytest.mark.parametrize("reply", REPLIES)
def test_a_board_that_greets_and_then_answers_no_sample(
    reply: Callable[[Frame], bytes], terminal: tuple[int, str]
) -> None:
    told: list[float] = []

    def play(frame: Frame) -> bytes:
        return greeting(frame) if frame.command == Command.HELLO else reply(frame)

    with (
        PythonBoard(terminal[0], play),
        Device(
            open_port(terminal[1]), timeout=0.1, retries=10_000, limit=LIMIT, startup=1.0, waiting=told.append
        ) as device,
    ):
        device.hello()
        begin = time.monotonic()
        with pytest.raises(NoAnswerError, match=r"answered none of \d+ tries"):
            device.predict(SAMPLE)
        assert LIMIT <= time.monotonic() - begin < LIMIT + 30
    assert told
    assert max(told) <= LIMIT + 1.5


@pytest.mark.parametrize("command", ["predict", "profile"])
def test_a_claim_of_an_hour_moves_nothing(command: str, terminal: tuple[int, str]) -> None:
    """It says once that a sample took 4,294 s, within no time, and is silent from then on."""
    samples = itertools.count()

    def play(frame: Frame) -> bytes:
        if frame.command == Command.HELLO:
            return greeting(frame)
        if next(samples):
            return b""
        return prediction(frame) if command == "predict" else answer(frame, b"\0\x09" + HOUR_US * 4)

    with PythonBoard(terminal[0], play), Device(open_port(terminal[1]), timeout=0.05, retries=2, startup=1.0) as device:
        getattr(device, command)(SAMPLE)
        begin = time.monotonic()
        with pytest.raises(NoAnswerError):
            device.predict(SAMPLE)
        assert time.monotonic() - begin < 30


@pytest.mark.parametrize("command", ["predict", "profile"])
def test_a_class_beyond_the_classes(command: str, terminal: tuple[int, str]) -> None:
    def play(frame: Frame) -> bytes:
        if frame.command == Command.HELLO:
            return greeting(frame)
        return answer(frame, b"\0\x0a" + (bytes(4) + SCORES if command == "predict" else bytes(16)))

    with (
        PythonBoard(terminal[0], play),
        Device(open_port(terminal[1]), timeout=5.0, startup=60.0) as device,
        pytest.raises(DeviceError, match="class 10, its network has the classes 0 to 9"),
    ):
        getattr(device, command)(SAMPLE)


def test_a_board_that_trickles(terminal: tuple[int, str]) -> None:
    """A byte now and then, for ever: neither a greeting nor silence."""
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.05):
            os.write(terminal[0], b"\x07")

    thread = threading.Thread(target=trickle)
    thread.start()
    begin = time.monotonic()
    try:
        with (
            Device(open_port(terminal[1]), timeout=0.05, startup=0.5) as device,
            pytest.raises(NoAnswerError, match="speaks"),
        ):
            device.predict(SAMPLE)
    finally:
        stop.set()
        thread.join()
    assert time.monotonic() - begin < 30


def test_a_board_that_floods(terminal: tuple[int, str]) -> None:
    """As fast as the port takes it, without an end to any frame: time and memory stay bounded."""
    stop = threading.Event()
    os.set_blocking(terminal[0], False)

    def flood() -> None:
        while not stop.is_set():
            try:
                os.write(terminal[0], b"\xaa" * 4096)
            except BlockingIOError:
                time.sleep(0.001)

    thread = threading.Thread(target=flood)
    thread.start()
    begin = time.monotonic()
    try:
        with Device(open_port(terminal[1]), timeout=0.05, startup=0.5) as device:
            with pytest.raises(NoAnswerError, match="speaks"):
                device.predict(SAMPLE)
            assert len(device._link._decoder._partial) < 100_000
    finally:
        stop.set()
        thread.join()
    assert time.monotonic() - begin < 30


@contextmanager
def mute_server() -> Iterator[int]:
    """Accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_socket_that_accepts_and_says_nothing() -> None:
    begin = time.monotonic()
    with (
        mute_server() as port,
        Device(f"socket://127.0.0.1:{port}", timeout=0.05, startup=0.5) as device,
        pytest.raises(NoAnswerError, match="is silent"),
    ):
        device.hello()
    assert time.monotonic() - begin < 30


def test_a_terminal_server_that_accepts_and_says_nothing() -> None:
    begin = time.monotonic()
    with mute_server() as port, pytest.raises(DeviceError, match=r"127\.0\.0\.1"):
        Device(f"rfc2217://127.0.0.1:{port}?timeout=0.5", timeout=0.05, startup=0.5)
    assert time.monotonic() - begin < 60


@pytest.mark.parametrize(
    "url",
    [
        "socket://x:99999",
        "socket://x:-1",
        "socket://x:port",
        "socket://x",
        "socket://[::1",
        "rfc2217://x",
        "rfc2217://x:99999",
        "sim://[",
        "socket://" + "a" * 300 + ":1",
        "/dev/" + "a" * 300,
        "spy://",
        "alt://",
        "hwgrep://[",
        "loop://?logging=nonsense",
        "://",
        "\x1b[31m",
        "http://[::1]:x/",
        "a" * 5000,
    ],
)
def test_what_is_no_port(url: str) -> None:
    with pytest.raises(PortError):
        Device(url)
