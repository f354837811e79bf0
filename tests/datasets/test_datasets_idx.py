"""IDX files, from bytes made by hand."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from ebnn.datasets.idx import parse_idx, read_bytes
from ebnn.errors import DatasetError

IMAGES = bytes.fromhex("00000803 00000002 00000001 00000003 000102 fdfeff")
LABELS = bytes.fromhex("00000801 00000002 0907")


def test_images_and_labels() -> None:
    images = parse_idx(IMAGES, "images")
    assert images.dtype == np.uint8
    assert images.tolist() == [[[0, 1, 2]], [[253, 254, 255]]]
    assert parse_idx(LABELS, "labels").tolist() == [9, 7]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "f is not an IDX file of bytes: it starts with , not with 000008xx"),
        (b"\x1f\x8b\x08\x00" + IMAGES, "it starts with 1f8b0800"),
        (bytes.fromhex("00000d01 00000001 00000000"), "it starts with 00000d01"),
        (bytes.fromhex("00000800"), "it starts with 00000800"),
        (IMAGES[:10], "f is cut short: its header has 10 bytes of 16"),
        (IMAGES[:-1], "f is cut short: it has 21 bytes, its header states 22"),
        (IMAGES + b"\0", "f is too long: it has 23 bytes, its header states 22"),
        (bytes.fromhex("00000803 ffffffff ffffffff ffffffff"), "is cut short"),
        (bytes.fromhex("00000803 80000000 0000001c 0000001c") + bytes(100), "its header states 1,683,627,180,048"),
        (bytes.fromhex("00000864" + "00000001" * 100) + b"\0", "f states 100 dimensions: at most 8 are allowed"),
    ],
)
def test_other_bytes_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        parse_idx(data, "f")


def test_plain_and_gzip_files_hold_the_same(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(IMAGES)
    packed.write_bytes(gzip.compress(IMAGES))
    assert read_bytes(plain, 22) == read_bytes(packed, 22) == IMAGES


def test_every_cut_and_every_flipped_byte_of_a_gzip_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    packed = gzip.compress(IMAGES, mtime=0)
    for length in range(2, len(packed)):
        path.write_bytes(packed[:length])
        with pytest.raises(DatasetError, match=r"file\.gz is (cut short|damaged)"):
            read_bytes(path, 22)
    for place in range(10, len(packed)):  # the first 10 bytes are gzip's own header: time, system
        path.write_bytes(packed[:place] + bytes([packed[place] ^ 0xFF]) + packed[place + 1 :])
        with pytest.raises(DatasetError, match=r"file\.gz is (cut short|damaged|too long)"):
            read_bytes(path, 22)


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(1 << 20)))
    with pytest.raises(DatasetError, match=r"bomb\.gz is too long: it holds more than the 22 bytes expected"):
        read_bytes(path, 22)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="none cannot be read: No such file"):
        read_bytes(tmp_path / "none", 22)
    with pytest.raises(DatasetError, match="cannot be read: Is a directory"):
        read_bytes(tmp_path, 22)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DatasetError, match="pipe is no file"):
        read_bytes(tmp_path / "pipe", 22)
