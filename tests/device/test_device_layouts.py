"""What the columns of lines are, found from the lines and from when they came."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ebnn.device.layouts import Clock, Layout, find_layout
from ebnn.device.printed_lines import Line


def lines(texts: Iterable[str], hz: float) -> list[Line]:
    return [Line(text, i / hz) for i, text in enumerate(texts)]


CLOCKS = [
    ("millis()", [f"{5000 + 20 * i},1.5" for i in range(60)], 50.0, Clock(0, 1.0), 50.0),
    ("micros()", [f"{20_000 * i},1.5" for i in range(60)], 50.0, Clock(0, 0.001), 50.0),
    ("rounded to whole ms", [f"{1000 * i // 119},1.5" for i in range(119)], 119.0, Clock(0, 1.0), 119.0),
    ("a board that is slower than it thinks", [f"{20 * i},1.5" for i in range(60)], 25.0, Clock(0, 1.0), 50.0),
    ("a lost byte", [f"{2 if i == 30 else 5000 + 20 * i},1.5" for i in range(60)], 50.0, Clock(0, 1.0), 50.0),
    ("a counter", [f"{i},1.5" for i in range(250)], 250.0, None, 250.0),
    ("a ramp", [f"{i / 100},1.5" for i in range(100)], 100.0, None, 100.0),
    ("a number that stays", ["7,1.5"] * 100, 100.0, None, 100.0),
    ("one number", [str(20 * i) for i in range(60)], 50.0, None, 50.0),
    ("named, in seconds", ["time_s,a", *(f"{i / 50:.2f},1.5" for i in range(60))], 50.0, Clock(0, 1000.0), 50.0),
    ("named, behind", ["a,t", *(f"1.5,{20 * i}" for i in range(60))], 50.0, Clock(1, 1.0), 50.0),
    ("named within the line", [f"t:{20 * i},a:1.5" for i in range(60)], 50.0, Clock(0, 1.0), 50.0),
    ("named, too few to compare", ["us,a", "1000,1", "21000,2"], 50.0, Clock(0, 0.001), 50.0),
]


@pytest.mark.parametrize(("texts", "hz", "clock", "rate"), [case[1:] for case in CLOCKS], ids=[c[0] for c in CLOCKS])
def test_clocks(texts: list[str], hz: float, clock: Clock | None, rate: float) -> None:
    found = find_layout(lines(texts, hz))
    assert found is not None
    assert (found.clock, found.rate) == (clock, rate)
    assert len(found.channels) == found.columns - (clock is not None)


def test_most_lines_say_how_many_columns_there_are() -> None:
    texts = ["rst:0x1", "a,b,c", "1,2", "1,2,3", "1,2,34,5,6", "1,2,3", "1,2,3"]
    assert find_layout(lines(texts, 10.0)) == Layout(3, ("ch1", "ch2", "ch3"), None, 10.0)


def test_the_header_before_a_row_names_the_channels() -> None:
    texts = ["x,y", "Starting, now", "a,b", "1,2", "3,4", "c,d"]
    found = find_layout(lines(texts, 10.0))
    assert found is not None
    assert found.channels == ("a", "b")


def test_time_between_captures_is_not_the_rate() -> None:
    captures = [
        Line("1,2", 5.0 * k + i / 100) if i < 30 else Line("", 5.0 * k + 0.3) for k in range(3) for i in range(31)
    ]
    found = find_layout(captures)
    assert found is not None
    assert found.rate == 100.0


def test_a_blank_line_behind_each_row_parts_nothing() -> None:
    doubled = [line for text in (f"{i},2.5" for i in range(100)) for line in (text, "")]
    found = find_layout(lines(doubled, 100.0))
    assert found is not None
    assert (found.parted, found.rate) == (False, 50.0)
    captures = [*(["1,2"] * 30), "", *(["1,2"] * 30), "", *(["1,2"] * 30)]
    assert find_layout(lines(captures, 100.0)) == Layout(2, ("ch1", "ch2"), None, 100.0, True)


def test_nothing_is_found_in_nothing() -> None:
    assert find_layout([]) is None
    assert find_layout(lines(["hello", ""], 10.0)) is None
    assert find_layout([Line("1,2", 0.0, whole=False)]) is None
