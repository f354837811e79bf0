"""Headers that are read otherwise than C reads them, or take too long: as C does, or refused, and soon."""

import os
import time

import numpy as np
import pytest
from original_ebnn import header_of, make_network

from ebnn.errors import FileFormatError, LoweringError
from ebnn.importers import import_ebnn_header
from ebnn.importers.c_source import Source
from ebnn.importers.class_order import find_class_order
from ebnn.importers.ebnn_parser import parse_header

GOOD = header_of(make_network(np.random.default_rng(5))[0])
FIRST_ARRAY = GOOD.index("float ")


def real(text: str) -> float:
    source = Source(f"{text};", "x.h")
    return source.real(source.value("a number", ("number",), (";",), "x"), "x")


@pytest.mark.parametrize(
    ("text", "value"),
    [("10", 10), ("0", 0), ("-7", -7), ("010.5", 10.5), ("010e1", 100), ("00.", 0), (".5e-1", 0.05), ("1E2", 100)],
)
def test_numbers_as_c_reads_them(text: str, value: float) -> None:
    assert real(text) == value


def test_a_whole_number_has_no_sign_of_zero() -> None:
    """In C, -0 is the integer 0; -0. is a floating-point number."""
    assert np.copysign(1, real("-0")) == 1
    assert np.copysign(1, real("-0.0")) == -1


@pytest.mark.parametrize(
    "text", ["010", "-010", "00", "0x10", "0b1", "1.5f", "1.0L", "10u", "1'000", "'a'", "0x1p3", "1e", "1_0", "+1",
             "9999999999999999", "1.2.3", "(1)", "1 2", "1-2", "INFINITY", "\u0661"],
)  # fmt: skip
def test_numbers_that_python_reads_otherwise_are_refused(text: str) -> None:
    with pytest.raises(FileFormatError):
        real(text)


def before_arrays(text: str) -> str:
    return GOOD[:FIRST_ARRAY] + text + GOOD[FIRST_ARRAY:]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (before_arrays("// a note \\\n"), "joins lines"),
        (before_arrays("// a note \\ \t\n"), "joins lines"),
        (before_arrays("// a note \\\r\n"), "joins lines"),
        (before_arrays("#define A \\\n"), "joins lines"),
        (before_arrays("/\\\n/ a note\n"), "joins lines"),
        (before_arrays("// a note ??/\n"), r"\?\?/"),
        (before_arrays("??=define A\n"), r"\?\?="),
        (before_arrays("// a note \r"), r"\\r"),
        (before_arrays('#include "ebnn.h" /* from\n'), "can change what"),
        (before_arrays("#define A\n#ifndef A\n") + "#endif\n", "can change what"),
        (before_arrays("#define const\n#define temp1\n"), "changes what"),
        (before_arrays("%:define A\n"), "found '%'"),
        (before_arrays("/* "), "a comment has no end"),
        (before_arrays("/*/ "), "a comment has no end"),
    ],
)
def test_what_c_reads_before_the_tokens_is_refused(text: str, message: str) -> None:
    parse_header(GOOD, "x.h")
    with pytest.raises(FileFormatError, match=message):
        parse_header(text, "x.h")


def test_a_buffer_that_holds_a_layer_s_weights_is_refused() -> None:
    buffer = "temp1"
    weights = next(word for word in GOOD.replace("[", " ").split() if word.endswith("_W") or word.endswith("_w"))
    text = GOOD.replace(f"(input, {buffer})", f"(input, {weights})").replace(f"({buffer}, ", f"({weights}, ")
    assert text != GOOD
    with pytest.raises(FileFormatError, match=f"writes {weights}, which holds constants"):
        parse_header(text, "x.h")


@pytest.mark.parametrize(
    "text",
    ["/* " * 130_000, "// \n" * 100_000, "#" * 400_000, "((" * 200_000, "/" * 400_000, "float a[" * 50_000,
     "# " * 200_000, "-" * 400_000, "1e-" * 130_000, "\n" * 400_000, "float " * 60_000],
)  # fmt: skip
def test_400_kb_of_anything_are_refused_soon(text: str) -> None:
    begin = time.monotonic()
    with pytest.raises(FileFormatError):
        parse_header(f'#include "ebnn.h"\n{text}', "x.h")
    assert time.monotonic() - begin < 60  # in minutes where it is read in squared time


def test_a_thousand_classes_are_refused_before_they_are_ordered(tmp_path) -> None:
    path = tmp_path / "x.h"
    path.write_text(header_of(make_network(np.random.default_rng(0), convs=1, classes=1000)[0]))
    begin = time.monotonic()
    with pytest.raises(LoweringError, match="1,000 classes, 255 are possible"):
        import_ebnn_header(path)
    assert time.monotonic() - begin < 60


def test_many_classes_are_ordered_soon() -> None:
    """And exactly: each pair of sums is decided as by the table."""
    rng = np.random.default_rng(0)
    classes, inputs = 40, 1024
    gain, shift = rng.choice([1.0, 2.0], classes), rng.integers(-9, 9, classes).astype(float)
    sums = np.arange(-inputs, inputs + 1, 2)
    table = (gain[:, None] * sums + shift[:, None]).astype(np.float32)
    begin = time.monotonic()
    order = find_class_order(table, gain, shift, rng.random((classes, inputs)) < 0.5)
    assert time.monotonic() - begin < 60
    assert order.turned == 0
    scores = order.multiplier[:, None].astype(np.int64) * sums + order.offset[:, None]
    for _ in range(200):
        j, k = sorted(rng.choice(classes, 2, replace=False))
        a, b = rng.integers(0, inputs + 1, (2, 500))
        assert np.array_equal(table[j][a] >= table[k][b], scores[j][a] >= scores[k][b])


def test_a_named_pipe_is_no_header(tmp_path) -> None:
    os.mkfifo(tmp_path / "x.h")
    with pytest.raises(FileFormatError, match="named pipe"):
        import_ebnn_header(tmp_path / "x.h")
