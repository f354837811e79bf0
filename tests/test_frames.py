"""Frames against the published examples of COBS and CRC-16, worked by hand, and through noise."""

import re
from pathlib import Path

import pytest
from cobs import cobs
from hypothesis import given
from hypothesis import strategies as st

from ebnn import frames
from ebnn.firmware_sources import firmware_folder
from ebnn.frames import Command, Decoder, Frame, Status, crc16, decode, encode

FRAMES = st.builds(Frame, st.integers(0, 0xFFFF), st.integers(0, 0xFF), st.binary(max_size=600))


def crc16_bit_by_bit(data: bytes) -> int:
    """CRC-16/IBM-3740 as its definition reads: divide by x^16 + x^12 + x^5 + 1."""
    register = 0xFFFF
    for byte in data:
        for i in range(7, -1, -1):
            out = (register >> 15) ^ (byte >> i & 1)
            register = (register << 1 & 0xFFFF) ^ (0x1021 if out else 0)
    return register


def test_crc_check_value() -> None:
    """The check value of CRC-16/IBM-3740 in Greg Cook's catalogue of parametrised CRC algorithms."""
    assert crc16(b"123456789") == 0x29B1
    assert crc16(b"") == 0xFFFF


@given(st.binary(max_size=64))
def test_crc_is_its_definition(data: bytes) -> None:
    assert crc16(data) == crc16_bit_by_bit(data)


def test_frame_worked_by_hand() -> None:
    """Sequence 0x0201, command 2, body 00 11: content 01 02 02 00 11 and the checksum: COBS takes out one zero."""
    content = bytes([0x01, 0x02, 0x02, 0x00, 0x11])
    low, high = crc16_bit_by_bit(content).to_bytes(2, "little")
    assert 0 not in (low, high)
    wire = bytes([0x00, 0x04, 0x01, 0x02, 0x02, 0x04, 0x11, low, high, 0x00])
    assert encode(Frame(0x0201, 2, b"\x00\x11")) == wire
    assert decode(wire[1:-1]) == Frame(0x0201, 2, b"\x00\x11")


@pytest.mark.parametrize(
    ("content", "coded"),
    [
        (bytes([0x00]), bytes([0x01, 0x01])),
        (bytes([0x00, 0x00]), bytes([0x01, 0x01, 0x01])),
        (bytes([0x11, 0x22, 0x00, 0x33]), bytes([0x03, 0x11, 0x22, 0x02, 0x33])),
        (bytes([0x11, 0x22, 0x33, 0x44]), bytes([0x05, 0x11, 0x22, 0x33, 0x44])),
        (bytes([0x11, 0x00, 0x00, 0x00]), bytes([0x02, 0x11, 0x01, 0x01, 0x01])),
        (bytes(range(1, 255)), bytes([0xFF, *range(1, 255)])),
        (bytes(range(255)), bytes([0x01, 0xFF, *range(1, 255)])),
        (bytes(range(1, 256)), bytes([0xFF, *range(1, 255), 0x02, 0xFF])),
        (bytes([*range(2, 256), 0x00]), bytes([0xFF, *range(2, 256), 0x01, 0x01])),
        (bytes([*range(3, 256), 0x00, 0x01]), bytes([0xFE, *range(3, 256), 0x02, 0x01])),
    ],
)
def test_cobs_examples(content: bytes, coded: bytes) -> None:
    """The examples of the COBS article on Wikipedia, which are those of the paper with the long blocks spelled out."""
    assert cobs.encode(content) == coded
    assert cobs.decode(coded) == content


@given(FRAMES)
def test_encode_and_decode(frame: Frame) -> None:
    wire = encode(frame)
    assert wire[0] == wire[-1] == 0
    assert 0 not in wire[1:-1]
    assert decode(wire[1:-1]) == frame
    assert frame.crc == int.from_bytes(cobs.decode(wire[1:-1])[-2:], "little")


@given(st.lists(FRAMES, max_size=5), st.data())
def test_pieces_of_any_size(sent: list[Frame], data: st.DataObject) -> None:
    wire = b"".join(map(encode, sent))
    decoder = Decoder()
    got = []
    while wire:
        count = data.draw(st.integers(1, len(wire)))
        got += decoder.feed(wire[:count])
        wire = wire[count:]
    assert got == sent
    assert decoder.bad == 0


@given(FRAMES, st.binary(max_size=40))
def test_a_frame_after_noise_is_found(frame: Frame, noise: bytes) -> None:
    decoder = Decoder()
    decoder.feed(noise)
    assert decoder.feed(encode(frame))[-1] == frame


@given(FRAMES, st.data())
def test_up_to_three_flipped_bits_are_noticed(frame: Frame, data: st.DataObject) -> None:
    content = bytearray(cobs.decode(encode(frame)[1:-1]))
    for bit in data.draw(st.sets(st.integers(0, 8 * len(content) - 1), min_size=1, max_size=3)):
        content[bit // 8] ^= 1 << bit % 8
    assert decode(cobs.encode(bytes(content))) is None


def test_empty_frames_mean_nothing() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x00" * 100) == []
    assert decoder.bad == 0


@pytest.mark.parametrize("coded", [b"\x05\x01", b"\x01", b"\x05\x01\x02\x03\x04", b"hello, world"])
def test_damaged_frames_are_counted(coded: bytes) -> None:
    decoder = Decoder()
    assert decoder.feed(coded + b"\x00") == []
    assert decoder.bad == 1


def test_memory_is_bounded_and_a_long_frame_is_one_bad_frame() -> None:
    decoder = Decoder(limit=1000)
    for _ in range(1000):
        assert decoder.feed(b"\x55" * 1000) == []
        assert len(decoder._partial) <= 1000
    assert decoder.feed(b"\x00" + encode(Frame(1, 2, b"abc"))) == [Frame(1, 2, b"abc")]
    assert decoder.bad == 1


def c_constants() -> dict[str, int]:
    text = (firmware_folder() / "src" / "protocol.h").read_text(encoding="utf-8")
    return {name: int(value, 0) for name, value in re.findall(r"^#define EBNN_(\w+) (\w+)", text, re.MULTILINE)}


def test_c_and_python_have_the_same_numbers() -> None:
    python = {"PROTOCOL_VERSION": frames.PROTOCOL_VERSION, "REPLY": frames.REPLY}
    python |= {f"COMMAND_{command.name}": command.value for command in Command}
    python |= {f"STATUS_{status.name}": status.value for status in Status}
    python |= {f"FLAG_{flag.name}": flag.value for flag in frames.Flag}
    assert c_constants() == python


def test_the_c_sources_are_found() -> None:
    assert isinstance(firmware_folder(), Path)
    assert (firmware_folder() / "host" / "main.c").is_file()
