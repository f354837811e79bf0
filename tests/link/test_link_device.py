"""The client against boards that behave, and against everything that goes wrong at a port."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import serial
import stub_network
from python_board import PythonBoard

from ebnn.device import Device, DeviceInfo, Prediction
from ebnn.device.answers import read_info
from ebnn.errors import InputError, NoAnswerError, PortError, RefusedError, UnknownNameError, WrongNetworkError
from ebnn.frames import REPLY, Command, Frame, Status, encode
from ebnn.simulation import build_host, host_url, program_url

SAMPLES = stub_network.draw_samples(300, seed=1)
SCORES = stub_network.scores(SAMPLES)


def assert_right(predictions: list[Prediction], start: int = 0) -> None:
    for i, prediction in enumerate(predictions, start):
        np.testing.assert_array_equal(prediction.scores, SCORES[i], err_msg=f"sample {i}")
        assert prediction.class_index == SCORES[i].argmax(), f"sample {i}"


def open_stub(url: str) -> Any:
    return serial.serial_for_url(url, timeout=1.0, write_timeout=5.0)


class WrappedPort:
    """A port whose reading and writing a test may change."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @property
    def timeout(self) -> float | None:
        seconds: float | None = self.inner.timeout
        return seconds

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self.inner.timeout = seconds


def test_hello_and_predict(stub_url: str) -> None:
    with Device(stub_url, network_hash=stub_network.HASH) as device:
        assert device.hello() == DeviceInfo("host", "stub", stub_network.HASH, 64, 10, 64, 0)
        predictions = [device.predict(sample) for sample in SAMPLES]
        assert_right(predictions)
        assert_right([device.predict(SAMPLES[0].tobytes())])
        assert predictions[0].scores.dtype == np.int32
        assert 0 <= predictions[0].device_us < 1_000_000
        statistics = device.statistics
        assert statistics.requests == 301
        assert (statistics.retries, statistics.bad_frames, statistics.late_frames) == (0, 0, 0)
        assert statistics.bytes_sent > 301 * 64
        assert statistics.bytes_received > 301 * 45
        assert statistics.requests_per_second == pytest.approx(301 / statistics.seconds)
        assert device.hello().inferences == 301


def test_the_handshake_comes_by_itself(stub_url: str) -> None:
    with Device(stub_url) as device:
        assert_right([device.predict(SAMPLES[0])])


def test_a_header_is_compiled_on_opening() -> None:
    with Device(host_url(stub_network.HEADER)) as device:
        assert_right([device.predict(SAMPLES[0])])


@pytest.mark.parametrize(
    "sample", [np.zeros(63, np.uint8), np.zeros((1, 64), np.uint8), np.zeros(64, np.int8), b"", bytes(65)]
)
def test_a_sample_that_does_not_fit(stub_url: str, sample: Any) -> None:
    with Device(stub_url) as device, pytest.raises(InputError, match="64"):
        device.predict(sample)


def test_wrong_network(stub_url: str) -> None:
    """Refused before a sample is sent, naming both networks and the way out."""
    with Device(stub_url, network_hash=0xBAD, network_name="digits") as device:
        with pytest.raises(WrongNetworkError) as caught:
            device.predict(SAMPLES[0])
        for part in ("'stub'", "0x5eed0001", "'digits'", "0x00000bad", "flash"):
            assert part in str(caught.value)
        device._expected_hash = None
        assert device.hello().inferences == 0


def test_a_silent_port(terminal: tuple[int, str]) -> None:
    begin = time.monotonic()
    with Device(terminal[1], timeout=0.05, startup=0.3) as device, pytest.raises(NoAnswerError, match="is silent"):
        device.predict(SAMPLES[0])
    assert time.monotonic() - begin < 30  # 1.7 s for a bootloader are among them


def test_a_port_that_repeats_what_it_hears() -> None:
    with Device("loop://", timeout=0.05, startup=0.3) as device, pytest.raises(NoAnswerError, match="sends back"):
        device.hello()


def test_a_port_of_something_else(terminal: tuple[int, str]) -> None:
    def chatter() -> None:
        for _ in range(20):
            os.write(terminal[0], b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M\r\n")
            time.sleep(0.02)

    with Device(terminal[1], timeout=0.05, startup=0.3) as device:
        thread = threading.Thread(target=chatter)
        thread.start()
        with pytest.raises(NoAnswerError, match=r"GPGGA.*belongs to something else"):
            device.hello()
        thread.join()


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("/dev/no-such-port", "no such port"),
        ("/dev/null", "no serial port"),
        ("nonsense://x", "A port is a device"),
        ("sim://host?colour=red", "no option 'colour'"),
        ("sim://host?program=/nowhere/responder", "missing"),
    ],
)
def test_a_port_that_cannot_be_opened(url: str, hint: str) -> None:
    with pytest.raises(PortError, match=hint):
        Device(url)


def test_an_unknown_simulated_board() -> None:
    with pytest.raises(UnknownNameError, match=r"'moon'; there is .*sim://host"):
        Device("sim://moon")


def test_a_file_is_no_port(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    with pytest.raises(PortError, match="no serial port"):
        Device(str(path))


def test_a_port_without_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise serial.SerialException(13, "could not open port /dev/ttyACM0: Permission denied")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(PortError, match="dialout"):
        Device("/dev/ttyACM0")


def test_a_busy_port(terminal: tuple[int, str]) -> None:
    busy = serial.Serial(terminal[1], exclusive=True)
    with contextlib.closing(busy), pytest.raises(PortError, match="another program"):
        Device(terminal[1])


def test_an_unplugged_board(stub_url: str) -> None:
    port = open_stub(stub_url)
    with Device(port, timeout=5.0, startup=60.0) as device:
        assert_right([device.predict(sample) for sample in SAMPLES[:5]])
        port.process.kill()
        port.process.wait()
        with pytest.raises(PortError, match="went away after 5 samples"):
            device.predict(SAMPLES[5])


def test_a_board_that_hangs(terminal: tuple[int, str], stub_url: str) -> None:
    """The port stays, the board says nothing any more."""

    class Hanging(WrappedPort):
        hung = False

        def write(self, data: bytes) -> int:
            return len(data) if self.hung else int(self.inner.write(data))

    port = Hanging(open_stub(stub_url))
    with Device(port, timeout=0.05, startup=60.0) as device:
        assert_right([device.predict(sample) for sample in SAMPLES[:5]])
        port.hung, device.startup = True, 0.2
        with pytest.raises(NoAnswerError, match="answered 5 samples, then fell silent"):
            device.predict(SAMPLES[5])


def test_a_port_that_takes_no_bytes(stub_url: str) -> None:
    class Stuck(WrappedPort):
        def write(self, data: bytes) -> int:
            raise serial.SerialTimeoutException("Write timeout")

    with Device(Stuck(open_stub(stub_url))) as device, pytest.raises(PortError, match="takes no bytes"):
        device.hello()


def test_resets_in_mid_run(stub_url: str) -> None:
    """By DTR, as on an Arduino, between samples and inside them: every answer is still right."""
    rng = random.Random(6)

    class Resetting(WrappedPort):
        resets = 0

        def write(self, data: bytes) -> int:
            if rng.random() < 0.05:
                self.resets += 1
                self.inner.write(data[: rng.randrange(len(data) + 1)])
                self.inner.dtr = False
                self.inner.dtr = True
                return len(data)
            return int(self.inner.write(data))

    port = Resetting(open_stub(stub_url))
    with Device(port, timeout=0.03, startup=60.0) as device:
        assert_right([device.predict(sample) for sample in SAMPLES])
        assert port.resets > 5
        assert device.statistics.handshakes > 3


def test_another_network_after_a_reset(stub_url: str, terminal: tuple[int, str]) -> None:
    """A board that was flashed in mid run answers no sample meant for the network before."""
    state = {"hash": 7, "samples": 0}

    def reply(frame: Frame) -> bytes:
        head = frame.crc.to_bytes(2, "little")
        if frame.command == Command.HELLO:
            facts = frame.body + state["hash"].to_bytes(4, "little") + b"\x40\0\0\0" + bytes(8) + b"\x0a\0" + b"b\0n\0"
            return encode(Frame(frame.sequence, frame.command | REPLY, head + b"\0" + facts))
        state["samples"] += 1
        state["hash"] = 8
        return encode(Frame(frame.sequence, frame.command | REPLY, head + b"\x12" + bytes(4)))

    with PythonBoard(terminal[0], reply), Device(terminal[1], timeout=0.2, startup=60.0) as device:
        with pytest.raises(WrongNetworkError, match=r"0x00000008.*0x00000007.*mid run"):
            device.predict(SAMPLES[0])
        assert state["samples"] == 1


def test_another_version_of_the_protocol(terminal: tuple[int, str]) -> None:
    def reply(frame: Frame) -> bytes:
        return encode(Frame(frame.sequence, frame.command | REPLY, frame.crc.to_bytes(2, "little") + b"\0\x63what"))

    with (
        PythonBoard(terminal[0], reply),
        Device(terminal[1], timeout=0.2, startup=60.0) as device,
        pytest.raises(RefusedError, match="version 99"),
    ):
        device.hello()


def test_a_refusal_is_shown(terminal: tuple[int, str]) -> None:
    def reply(frame: Frame) -> bytes:
        head = frame.crc.to_bytes(2, "little")
        return encode(Frame(frame.sequence, frame.command | REPLY, head + b"\x11\x09\0\0\0"))

    with (
        PythonBoard(terminal[0], reply),
        Device(terminal[1], timeout=0.2, startup=60.0) as device,
        pytest.raises(RefusedError, match="refused HELLO with 5 bytes: it takes 9 bytes"),
    ):
        device.hello()


def test_answers_to_other_requests_are_dropped(terminal: tuple[int, str]) -> None:
    """Another number, another sample under the same number, or another session: all dropped, the right one taken."""
    rng = np.random.default_rng(8)

    def reply(frame: Frame) -> bytes:
        def answer(sequence: int, crc: int, payload: bytes) -> bytes:
            return encode(Frame(sequence, frame.command | REPLY, crc.to_bytes(2, "little") + b"\0" + payload))

        if frame.command == Command.HELLO:
            facts = b"\x05\0\0\0" + b"\x40\0\0\0" + bytes(8) + b"\x0a\0" + b"b\0n\0"
            return answer(frame.sequence, frame.crc, b"\x01old!" + facts) + answer(
                frame.sequence, frame.crc, frame.body + facts
            )
        scores = stub_network.scores(np.frombuffer(frame.body, np.uint8)[None])[0]
        right = bytes([int(scores.argmax())]) + bytes(4) + scores.astype("<i4").tobytes()
        wrong = rng.bytes(len(right))
        return (
            answer(frame.sequence - 1 & 0xFFFF, frame.crc, wrong)
            + answer(frame.sequence, frame.crc ^ 1, wrong)
            + encode(Frame(frame.sequence, REPLY | 1, frame.crc.to_bytes(2, "little") + b"\0" + wrong))
            + answer(frame.sequence, frame.crc, right)
        )

    with PythonBoard(terminal[0], reply), Device(terminal[1], timeout=0.5, startup=60.0) as device:
        assert_right([device.predict(sample) for sample in SAMPLES[:50]])
        assert device.statistics.late_frames >= 150


def test_boot_text_before_the_answer(stub_url: str) -> None:
    class Booting(WrappedPort):
        text = b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13\r\n\x00\xff\x80"

        @property
        def in_waiting(self) -> int:
            return len(self.text) or int(self.inner.in_waiting)

        def read(self, size: int = 1) -> bytes:
            if self.text:
                out, self.text = self.text[:size], self.text[size:]
                return out
            return bytes(self.inner.read(size))

    with Device(Booting(open_stub(stub_url)), timeout=0.5) as device:
        assert_right([device.predict(sample) for sample in SAMPLES[:5]])


def test_a_board_that_starts_late(stub_url: str) -> None:
    """Its bootloader swallows what comes in the first second, as an Arduino's that resets on opening the port."""

    class Bootloader(WrappedPort):
        def __init__(self, inner: Any) -> None:
            super().__init__(inner)
            self.ready = time.monotonic() + 1.0

        def write(self, data: bytes) -> int:
            return int(self.inner.write(data)) if time.monotonic() > self.ready else len(data)

    with Device(Bootloader(open_stub(stub_url)), timeout=0.2, startup=60.0) as device:
        assert device.hello().board == "host"


def test_a_slow_network_is_waited_for(tmp_path: Path) -> None:
    """An inference longer than the time-out: the first sample costs retries, the next ones don't."""
    text = stub_network.HEADER.read_text()
    slow = "memset(stub_arena, 0xA5, sizeof stub_arena);"
    wait = "{ uint32_t start = ebnn_port_micros(); while (ebnn_port_micros() - start < 200000UL) { } }"
    assert slow in text
    header = tmp_path / "slow.h"
    header.write_text(text.replace(slow, slow + wait))
    with Device(program_url(build_host(header, tmp_path)), timeout=0.02, startup=60.0) as device:
        assert_right([device.predict(SAMPLES[0])])
        before = device.statistics.retries
        assert_right([device.predict(sample) for sample in SAMPLES[1:4]], start=1)
        assert device.statistics.retries == before
        assert device.hello().inferences == 4


@pytest.mark.parametrize("packed", [784, "text", [0, 300]])
def test_what_is_no_packed_sample_is_refused(stub_url: str, packed: object) -> None:
    with Device(stub_url) as device, pytest.raises(InputError, match="a packed sample is bytes or uint8"):
        device.predict(packed)  # type: ignore[arg-type]


def test_names_cannot_command_the_terminal() -> None:
    said = read_info(b"\x01nonc" + bytes(18) + b"uno\x1b[31m\n\0net\xe2\x80\xae\xff\0", b"nonc")
    assert said is not None
    assert (said.board, said.network) == (r"uno\x1b[31m\n", "net\\u202e�")


def test_a_board_that_greets_and_never_answers_a_sample(terminal: tuple[int, str]) -> None:
    """As after an interrupted upload. It has nothing to do, so the wait for an answer does not grow: 9 of 0.1 s."""

    def reply(frame: Frame) -> bytes:
        if frame.command != Command.HELLO:
            return b""
        body = frame.body + bytes([1, 0, 0, 0, 64, 0, 0, 0]) + bytes(8) + b"\x0a\0b\0n\0"
        return encode(Frame(frame.sequence, frame.command | REPLY, frame.crc.to_bytes(2, "little") + b"\0" + body))

    with PythonBoard(terminal[0], reply), Device(terminal[1], timeout=0.1, retries=8, startup=5.0) as device:
        device.hello()
        begin = time.monotonic()
        with pytest.raises(NoAnswerError, match=r"answered none of 9 tries.*answers greetings.*flash it again"):
            device.predict(SAMPLES[0])
        assert time.monotonic() - begin < 20  # with waits that double it would be 25
        assert device.statistics.handshakes == 5


def greeting(frame: Frame) -> bytes:
    body = frame.body + bytes([1, 0, 0, 0, 64, 0, 0, 0]) + bytes(8) + b"\x0a\0b\0n\0"
    return encode(Frame(frame.sequence, frame.command | REPLY, frame.crc.to_bytes(2, "little") + b"\0" + body))


def test_a_request_that_was_damaged_and_had_a_right_crc_by_chance_is_asked_again(terminal: tuple[int, str]) -> None:
    """The board then refuses a size, and names the very size that was sent."""
    asked = [0]

    def reply(frame: Frame) -> bytes:
        if frame.command == Command.HELLO:
            return greeting(frame)
        asked[0] += 1
        head = frame.crc.to_bytes(2, "little")
        if asked[0] == 1:
            refused = head + bytes([Status.WRONG_SIZE]) + len(frame.body).to_bytes(4, "little")
            return encode(Frame(frame.sequence, frame.command | REPLY, refused))
        scores = b"".join(score.to_bytes(4, "little") for score in range(10))
        return encode(Frame(frame.sequence, frame.command | REPLY, head + b"\0\x09" + bytes(4) + scores))

    with PythonBoard(terminal[0], reply), Device(terminal[1], timeout=10.0, startup=60.0) as device:
        assert device.predict(SAMPLES[0]).class_index == 9
        assert (asked[0], device.statistics.retries) == (2, 1)


def test_a_board_that_starts_late_is_asked_again_and_again(terminal: tuple[int, str]) -> None:
    asked = itertools.count(1)

    def reply(frame: Frame) -> bytes:
        return greeting(frame) if next(asked) == 4 else b""

    with PythonBoard(terminal[0], reply), Device(terminal[1], timeout=0.2, startup=60.0) as device:
        device.hello()


def test_a_bootloader_that_takes_greetings_for_an_upload_is_left_alone(terminal: tuple[int, str]) -> None:
    """It starts the firmware when it has heard nothing for 5 s."""
    heard = [0.0]

    def reply(frame: Frame) -> bytes:
        silence, heard[0] = time.monotonic() - heard[0], time.monotonic()
        return greeting(frame) if 5.0 < silence < 100.0 else b""

    port = serial.Serial(
        terminal[1], timeout=1.0, write_timeout=5.0
    )  # opened before: the first greeting goes out at once
    with PythonBoard(terminal[0], reply), Device(port, timeout=0.2) as device:
        device.hello()
