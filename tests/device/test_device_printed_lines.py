"""Lines out of bytes, and the numbers and names in them, however a board prints them."""

from __future__ import annotations

import pytest

from ebnn.device.printed_lines import LineSplitter, Row, read_names, read_row

STREAM = b"aX,aY\r\n1.0,2.0\r\n\r\n3.0,4.0\n\n5,6\r7,8\r\n"
LINES = ["aX,aY", "1.0,2.0", "", "3.0,4.0", "", "5,6", "7,8"]


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_lines_are_the_same_however_the_bytes_are_cut(size: int) -> None:
    splitter = LineSplitter(0.0)
    found = [line for i in range(0, len(STREAM), size) for line in splitter.feed(STREAM[i : i + size], 1.0 + i)]
    assert [line.text for line in found] == LINES
    assert all(line.whole for line in found)


def test_the_first_line_is_whole_only_after_silence() -> None:
    for opened, whole in ((0.95, False), (0.5, True)):
        splitter = LineSplitter(opened)
        assert [line.whole for line in splitter.feed(b"1,2\n3,4\n", 1.0)] == [whole, True]


def test_what_never_ends_is_forgotten() -> None:
    splitter = LineSplitter(0.0)
    for _ in range(1000):
        assert splitter.feed(b"\x00" * 100, 1.0) == []
    assert [(line.text, line.whole) for line in splitter.feed(b"1,2\n3,4\n", 2.0)][-1] == ("3,4", True)


ROWS = [
    ("1,2,3", Row(("1", "2", "3"))),
    ("  -0.191, -1.281 ,1.248 ", Row(("-0.191", "-1.281", "1.248"))),
    ("1.5\t-2\t.5", Row(("1.5", "-2", ".5"))),
    ("1 2   3", Row(("1", "2", "3"))),
    ("1;2;3", Row(("1", "2", "3"))),
    ("1,5;-2,25", Row(("1.5", "-2.25"))),
    ("1,5\t2", Row(("1.5", "2"))),
    ("1,\t2,\t3", Row(("1", "2", "3"))),
    ("1,2,3,", Row(("1", "2", "3"))),
    ("1,2,3,\t", Row(("1", "2", "3"))),
    ("1e-3,2E5,+7", Row(("1e-3", "2E5", "+7"))),
    ("42", Row(("42",))),
    ("(0.1, 0.2, 0.3)", Row(("0.1", "0.2", "0.3"))),
    ("[1 2]", Row(("1", "2"))),
    ("ax:1.2\tay:3", Row(("1.2", "3"), ("ax", "ay"))),
    ("ax:1.2,ay:3", Row(("1.2", "3"), ("ax", "ay"))),
    ("ax: 1.2  ay: 3", Row(("1.2", "3"), ("ax", "ay"))),
    ("ax = 1.2, ay = 3", Row(("1.2", "3"), ("ax", "ay"))),
    ("Accel X:1,Accel Y:2", Row(("1", "2"), ("Accel X", "Accel Y"))),
    ("light:512", Row(("512",), ("light",))),
]
TORN = [
    *(
        "",
        "   ",
        ",",
        "1,,3",
        "1,2.3.4",
        "1,2-3",
        "1,nan",
        "inf 1",
        "ovf,1",
        "1e99,2",
        "0x1F,2",
        "1_000,2",
        "\u0661,\u0662",
    ),
    *("1,2\ufffd,3", "Ready", "rst:0x1 (POWERON),boot:0x13", "ax:1.2 3", ":1", "ax:1,ax:2", "1,2,\x003", "1 2,3 4"),
]


@pytest.mark.parametrize(("text", "row"), ROWS, ids=[text for text, _ in ROWS])
def test_numbers(text: str, row: Row) -> None:
    assert read_row(text) == row


@pytest.mark.parametrize("text", TORN)
def test_what_is_no_row(text: str) -> None:
    assert read_row(text) is None


def test_names() -> None:
    assert read_names("aX,aY,aZ", 3) == ("aX", "aY", "aZ")
    assert read_names('"time [ms]";"Temp, °C"', 2) == ("time [ms]", "Temp, °C")
    assert read_names("ax\tay", 2) == ("ax", "ay")
    for text, columns in (("aX,aY,aZ", 2), ("aX,1.0", 2), ("aX,aX", 2), ("1,2", 2), ("", 1), ("aX,\x1b[2J", 2)):
        assert read_names(text, columns) is None
