"""frames.c and frames.py make the same bytes of the same frames, and the same frames of the same bytes."""

import random
import subprocess
from pathlib import Path

import pytest
from cobs import cobs

from ebnn.firmware_sources import firmware_folder
from ebnn.frames import Frame, crc16, decode, encode
from ebnn.simulation import find_compiler

SEED = 2
INTACT, BAD_CRC, BAD_CODING, TOO_SHORT = 2, 3, 4, 5  # enum ebnn_frame_event


@pytest.fixture(scope="module")
def frames_filter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("frames") / "filter"
    source = firmware_folder() / "src"
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow"]
    flags += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{source}"]
    files = [str(Path(__file__).parent / "frames_filter.c"), str(source / "frames.c")]
    subprocess.run([*find_compiler(), *flags, *files, "-o", str(program)], check=True)
    return program


def run(program: Path, wire: bytes) -> list[str]:
    return subprocess.run([program], input=wire, capture_output=True, check=True).stdout.decode().splitlines()


def draw_frames(rng: random.Random) -> list[Frame]:
    """Bodies of every length around the ends of COBS blocks, with no zeros, many zeros, or nothing else."""
    lengths = [*range(20), *range(245, 265), *range(500, 520), 3072]
    kinds = [bytes(range(1, 256)), bytes([0, 0, 0, 7]), bytes(256), bytes(range(256))]
    return [
        Frame(rng.randrange(65536), rng.randrange(256), bytes(rng.choices(kind, k=length)))
        for length in lengths
        for kind in kinds
    ]


def test_same_bytes_and_same_frames(frames_filter: Path) -> None:
    sent = draw_frames(random.Random(SEED))
    lines = run(frames_filter, b"".join(map(encode, sent)))
    for frame, read, written in zip(sent, lines[::2], lines[1::2], strict=True):
        content = frame.sequence.to_bytes(2, "little") + bytes([frame.command]) + frame.body
        assert read == f"{INTACT} {content.hex()}"
        assert written == encode(frame).hex()


def test_same_verdict_on_damaged_frames(frames_filter: Path) -> None:
    rng = random.Random(SEED)
    coded = []
    for _ in range(20_000):
        kind = rng.randrange(3)
        if kind == 0:
            wire = bytearray(rng.choices(range(1, 256), k=rng.randrange(1, 12)))
        else:
            body = bytes(rng.choices([0, 1, 2, 255], k=rng.randrange(8)))
            wire = bytearray(encode(Frame(rng.randrange(65536), rng.randrange(256), body))[1:-1])
        if kind == 2:
            wire[rng.randrange(len(wire))] = rng.randrange(1, 256)
        coded.append(bytes(wire))
    lines = iter(run(frames_filter, b"\x00".join(coded) + b"\x00"))
    seen = set()
    for sent in coded:
        event = int(next(lines).split(" ")[0])
        seen.add(event)
        frame = decode(sent)
        assert (event == INTACT) == (frame is not None), sent.hex()
        if frame is not None:
            assert next(lines) == encode(frame).hex()
            continue
        try:
            content = cobs.decode(sent)
        except cobs.DecodeError:
            assert event == BAD_CODING, sent.hex()
        else:
            assert event == (TOO_SHORT if len(content) < 5 else BAD_CRC), sent.hex()
    assert seen == {INTACT, BAD_CRC, BAD_CODING, TOO_SHORT}


def test_checksum_in_c(frames_filter: Path) -> None:
    """The check value of CRC-16/IBM-3740, as a frame: "123456789" and 0x29B1."""
    assert crc16(b"123456789") == 0x29B1
    assert run(frames_filter, b"\x0c123456789\xb1\x29\x00")[0] == f"{INTACT} {b'123456789'.hex()}"
