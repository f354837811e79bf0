"""What the firmware answers, byte for byte: a reason to everything that is wrong, and never silence."""

from __future__ import annotations

import binascii
import contextlib
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import serial
import stub_network

from ebnn.device import Device
from ebnn.errors import RefusedError
from ebnn.frames import REPLY, Command, Decoder, Frame, Status, encode
from ebnn.simulation import build_host, program_url

NONCE = b"\x01\x02\x03\x04"
HELLO = b"\x01" + NONCE
SAMPLE = stub_network.draw_samples(1, seed=3)[0]


class Board:
    """A simulated board, spoken to frame by frame."""

    def __init__(self, port: Any) -> None:
        self.port = port
        self.decoder = Decoder()

    def ask(self, wire: bytes | Frame, answers: int = 1) -> list[Frame]:
        """Sends, waits for so many answers, and checks that there are no more."""
        self.port.write(wire if isinstance(wire, bytes) else encode(wire))
        got: list[Frame] = []
        end = time.monotonic() + 60
        while len(got) < answers and time.monotonic() < end:
            got += self.decoder.feed(self.port.read(1) + self.port.read(self.port.in_waiting))
        self.port.write(encode(Frame(0xFFFF, 0x7F)))  # an answer to this is the end
        while not got or got[-1].sequence != 0xFFFF:
            assert time.monotonic() < end, f"{wire!r} had {len(got)} answers, then silence"
            got += self.decoder.feed(self.port.read(1) + self.port.read(self.port.in_waiting))
        assert self.decoder.bad == 0
        assert len(got) == answers + 1
        return got[:-1]


@pytest.fixture
def board(stub_url: str) -> Iterator[Board]:
    with contextlib.closing(serial.serial_for_url(stub_url, timeout=1.0)) as port:
        yield Board(port)


def complaint(status: Status, detail: int = 0) -> Frame:
    return Frame(0, REPLY, struct.pack("<HBI", 0, status, detail))


def refusal(request: Frame, status: Status, detail: int = 0) -> Frame:
    body = struct.pack("<HBI", request.crc, status, detail)
    return Frame(request.sequence, request.command | REPLY, body)


def inferences(board: Board) -> int:
    (reply,) = board.ask(Frame(9, Command.HELLO, HELLO))
    return int(struct.unpack_from("<I", reply.body, 3 + 17)[0])


def test_hello(board: Board) -> None:
    request = Frame(0xABCD, Command.HELLO, HELLO)
    (reply,) = board.ask(request)
    facts = struct.pack("<B4sIIIIH", 1, NONCE, stub_network.HASH, 64, 64, 0, 10)
    assert reply == Frame(0xABCD, 0x81, struct.pack("<HB", request.crc, 0) + facts + b"host\x00stub\x00")


def test_predict(board: Board) -> None:
    board.ask(Frame(0, Command.HELLO, HELLO))
    request = Frame(1, Command.PREDICT, SAMPLE.tobytes())
    (reply,) = board.ask(request)
    scores = stub_network.scores(SAMPLE[None])[0]
    assert (reply.sequence, reply.command) == (1, 0x82)
    assert reply.body[:4] == struct.pack("<HBB", request.crc, 0, scores.argmax())
    assert reply.body[8:] == scores.astype("<i4").tobytes()


def test_a_repeated_request_is_answered_again_and_not_run_again(board: Board) -> None:
    board.ask(Frame(0, Command.HELLO, HELLO))
    request = Frame(1, Command.PREDICT, SAMPLE.tobytes())
    first = board.ask(request)
    board.ask(b"\x33noise\x00")
    assert board.ask(encode(request) * 3, answers=3) == first * 3
    assert inferences(board) == 1


def test_same_number_and_other_sample(board: Board) -> None:
    board.ask(Frame(0, Command.HELLO, HELLO))
    board.ask(Frame(1, Command.PREDICT, SAMPLE.tobytes()))
    other = stub_network.draw_samples(1, seed=4)[0]
    (reply,) = board.ask(Frame(1, Command.PREDICT, other.tobytes()))
    assert reply.body[8:] == stub_network.scores(other[None])[0].astype("<i4").tobytes()
    assert inferences(board) == 2


def test_a_new_session_drops_the_kept_reply_and_the_same_one_keeps_it(board: Board) -> None:
    request = Frame(1, Command.PREDICT, SAMPLE.tobytes())
    board.ask(Frame(0, Command.HELLO, HELLO))
    board.ask(request)
    board.ask(Frame(0, Command.HELLO, HELLO))
    board.ask(request)
    assert inferences(board) == 1
    board.ask(Frame(0, Command.HELLO, b"\x01" + b"new!"))
    board.ask(request)
    board.ask(Frame(0, Command.HELLO, b"\x01" + b"new!"))
    assert inferences(board) == 2


def test_a_profile_by_hand(board: Board) -> None:
    """SPEC 9.8: class, total, two layers, and two sizes that this computer cannot tell."""
    board.ask(Frame(0, Command.HELLO, HELLO))
    checked = b"\x01\x02\x03" + b"\x07" * 64
    crc = binascii.crc_hqx(checked, 0xFFFF)
    content = checked + crc.to_bytes(2, "little")
    assert b"\x00" not in content
    (reply,) = board.ask(b"\x00" + bytes([len(content) + 1]) + content + b"\x00")
    assert (reply.sequence, reply.command) == (0x0201, 0x83)
    assert len(reply.body) == 2 + 1 + 1 + 4 + 2 * 4 + 2 * 4
    assert reply.body[:4] == struct.pack("<HBB", crc, 0, stub_network.scores(np.full((1, 64), 7, np.uint8)).argmax())
    total, first, second, untouched, deepest = struct.unpack_from("<5I", reply.body, 4)
    assert first + second <= total < 1_000_000
    assert (untouched, deepest) == (0xFFFFFFFF, 0xFFFFFFFF)


def test_a_profile_counts_and_is_run_each_time(board: Board) -> None:
    """SPEC 9.9."""
    profile, predict = Frame(1, Command.PROFILE, SAMPLE.tobytes()), Frame(2, Command.PREDICT, SAMPLE.tobytes())
    board.ask(Frame(0, Command.HELLO, HELLO))
    board.ask(encode(profile) * 3, answers=3)
    assert inferences(board) == 3
    (first,) = board.ask(predict)
    board.ask(predict)
    assert inferences(board) == 4
    board.ask(profile)
    (again,) = board.ask(predict)
    assert inferences(board) == 6
    assert again.body[8:] == first.body[8:] == stub_network.scores(SAMPLE[None])[0].astype("<i4").tobytes()


@pytest.mark.parametrize("change", ["-DEBNN_NO_PROFILE", "a header of before"])
def test_firmware_without_profiles(change: str, tmp_path: Path) -> None:
    """SPEC 9.10: it predicts as ever."""
    header, flags = stub_network.HEADER, ["-std=c99", "-Wall", "-Wextra", "-Werror"]
    if change.startswith("-D"):
        flags.append(change)
    else:
        lines = [line for line in header.read_text().splitlines() if "EBNN_LAYERS" not in line]
        header = tmp_path / "before.h"
        header.write_text("\n".join(lines) + "\n")
    url = program_url(build_host(header, tmp_path, flags=flags))
    with contextlib.closing(serial.serial_for_url(url, timeout=1.0)) as port:
        board = Board(port)
        test_predict(board)
        for size in (64, 4):
            request = Frame(7, Command.PROFILE, bytes(size))
            assert board.ask(request) == [refusal(request, Status.UNKNOWN_COMMAND, 3)]
    with Device(url) as device:
        with pytest.raises(
            RefusedError, match=r"refused PROFILE .*older one or .*-DEBNN_NO_PROFILE\. Flash the firmware"
        ):
            device.profile(SAMPLE)
        assert device.predict(SAMPLE).class_index == stub_network.scores(SAMPLE[None])[0].argmax()


@pytest.mark.parametrize("command", [Command.PREDICT, Command.PROFILE])
def test_a_sample_before_hello_is_refused(board: Board, command: Command) -> None:
    request = Frame(1, command, SAMPLE.tobytes())
    assert board.ask(request) == [refusal(request, Status.NO_SESSION)]
    board.ask(Frame(0, Command.HELLO, HELLO))
    board.ask(request)
    board.port.reset_board()
    board.port.timeout = 0.2
    reply = None
    while reply is None:  # what came just before the reset is lost
        board.port.write(encode(request))
        reply = next(iter(board.decoder.feed(board.port.read(18))), None)
    assert reply == refusal(request, Status.NO_SESSION)


@pytest.mark.parametrize("command", [Command.PREDICT, Command.PROFILE])
@pytest.mark.parametrize("size", [0, 1, 63, 65, 1000])
def test_a_sample_of_the_wrong_size(board: Board, size: int, command: Command) -> None:
    request = Frame(7, command, bytes(size))
    assert board.ask(request) == [refusal(request, Status.WRONG_SIZE, 64)]


@pytest.mark.parametrize("size", [0, 4, 6, 8, 9, 64, 1000])
def test_a_hello_of_the_wrong_size(board: Board, size: int) -> None:
    request = Frame(7, Command.HELLO, b"x" * size)
    assert board.ask(request) == [refusal(request, Status.WRONG_SIZE, 5)]


@pytest.mark.parametrize("command", [0x00, 0x04, 0x7E, 0x80, 0x83, 0xFF])
def test_an_unknown_command(board: Board, command: int) -> None:
    request = Frame(7, command, b"body")
    assert board.ask(request) == [refusal(request, Status.UNKNOWN_COMMAND, command)]


def test_damage_has_a_reason(board: Board) -> None:
    wire = bytearray(encode(Frame(7, Command.PREDICT, b"x" * 64)))
    wire[20] ^= 0x04
    assert board.ask(bytes(wire)) == [complaint(Status.BAD_CRC, 64)]
    assert board.ask(bytes(wire[:30]) + b"\x00")[0].body[2] == Status.BAD_CODING
    assert board.ask(b"\x01\x00") == [complaint(Status.TOO_SHORT)]
    assert board.ask(b"\x05abcd\x00") == [complaint(Status.TOO_SHORT)]


def test_a_huge_frame(board: Board) -> None:
    """One reason for it, and the next request is answered."""
    block = b"\xff" + b"x" * 254
    assert board.ask(block * 4000 + b"\x00") == [complaint(Status.TOO_LONG, 4000 * 254 - 5)]
    test_predict(board)


def test_a_huge_frame_with_the_right_checksum(board: Board) -> None:
    request = Frame(7, Command.PREDICT, b"x" * 200_000)
    assert board.ask(request) == [refusal(request, Status.WRONG_SIZE, 64)]


def test_empty_frames_are_ignored(board: Board) -> None:
    assert board.ask(b"\x00" * 1000, answers=0) == []


def test_noise_right_before_a_request(board: Board) -> None:
    board.ask(Frame(0, Command.HELLO, HELLO))
    rng = np.random.default_rng(5)
    for number in range(200):
        noise = bytes(rng.integers(1, 256, 1 + number % 40, dtype=np.uint8))
        request = Frame(number, Command.PREDICT, SAMPLE.tobytes())
        *_, reply = board.ask(noise + encode(request), answers=2)
        assert (reply.sequence, reply.body[:3]) == (number, struct.pack("<HB", request.crc, 0))
