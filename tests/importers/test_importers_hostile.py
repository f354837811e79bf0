"""Headers that are read otherwise than C reads them, or take too long: as C does, or refused, and soon."""

import os
import time
import tracemalloc

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
    return source.constant("a number", (";",), "x").value


@pytest.mark.parametrize(
    ("text", "value"),
    [("10", 10), ("0", 0), ("-7", -7), ("010.5", 10.5), ("010e1", 100), ("00.", 0), (".5e-1", 0.05), ("1E2", 100),
     ("010", 8), ("-010", -8), ("0x1F", 31), ("0b101", 5), ("10u", 10), ("7UL", 7), ("+1", 1), ("(1)", 1), ("- -2", 2),
     ("0x1.8p3", 12), ("1.5f", 1.5), ("(float)3", 3), ("(float)(0.5)", 0.5), ("(uint8_t)300", 44), ("(uint8_t)-1", 255),
     ("(unsigned char)0xFF", 255), ("(int)2.7", 2), ("(const float)-(2)", -2),
     # Rounded to float once: the double nearest to the first lies halfway between two floats, and goes down.
     ("1.00000005960464477540f", 1 + 2**-23), ("(float)1.00000005960464477540", 1),
     ("0.1f", float.fromhex("0x1.99999Ap-4")), ("1e-45f", 2**-149), ("16777217", 16777217)],
)  # fmt: skip
def test_numbers_as_c_reads_them(text: str, value: float) -> None:
    assert real(text) == value


def test_a_whole_number_has_no_sign_of_zero() -> None:
    """In C, -0 is the integer 0; -0. is a floating-point number."""
    assert np.copysign(1, real("-0")) == 1
    assert np.copysign(1, real("-0.0")) == -1


@pytest.mark.parametrize(
    "text", ["08", "0b2", "1.0L", "1.5d", "1uu", "1'000", "'a'", "1e", "1_0", "9999999999999999", "1.2.3", "1 2", "1-2",
             "INFINITY", "\u0661", "(uint8_t)-1.5", "(void)1", "((1)", "(" * 100 + "1" + ")" * 100, "-" * 100 + "1"],
)  # fmt: skip
def test_numbers_that_compilers_refuse_or_read_differently_are_refused(text: str) -> None:
    with pytest.raises(FileFormatError):
        real(text)


def before_arrays(text: str) -> str:
    return GOOD[:FIRST_ARRAY] + text + GOOD[FIRST_ARRAY:]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (before_arrays("// a note \\\n"), "its bias, .* is not defined"),
        (before_arrays("// a note \\ \t\n"), "its bias, .* is not defined"),
        (before_arrays("// a note \\\r\n"), "its bias, .* is not defined"),
        (before_arrays("/\\\n/ a note \\\n"), "its bias, .* is not defined"),
        (before_arrays("#define A \\\n"), "its bias, .* is not defined"),
        (before_arrays("// a note ??/\n"), r"\?\?/"),
        (before_arrays("??=define A\n"), r"\?\?="),
        (before_arrays("// a note \r"), r"\\r"),
        (before_arrays('#include "ebnn.h" /* from\n'), "a comment has no end"),
        (before_arrays("#define A\n#ifndef A\n") + "\n#endif\n", "the file ends without ebnn_compute"),
        (before_arrays("#if 1\n"), "an #if has no #endif"),
        (before_arrays("#endif\n"), "#endif without an #if"),
        (before_arrays("#ifdef SMALL\n") + "\n#endif\n", "counts where 'SMALL' is defined"),
        (before_arrays("#if SIZE > 3\n") + "\n#endif\n", "'#if SIZE > 3' is not read here"),
        (before_arrays("#define float double\n"), "expected an array of float or uint8_t"),
        (before_arrays("#define temp1 temp2\n"), "temp2 is defined again"),
        (before_arrays("#define A 1\n#define A 2\n"), "#define A defines it again, otherwise than before"),
        (before_arrays("#define temp1(x) x\n"), "temp1 is a macro with arguments"),
        (before_arrays('#pragma push_macro("temp1")\n'), "'#pragma push_macro"),
        (before_arrays("#error no\n"), "'#error no' can change"),
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


DOUBLING = "".join(f"#define A{i + 1} A{i} A{i}\n" for i in range(29)) + "float a[] = {A29\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#define A0 1,\n" + DOUBLING, "line 32: macros give more than 1,048,576 characters: write out"),
        ("#define A0\n" + DOUBLING, "macros give more than"),
        ("#define A -" + " " * 100_000 + "1\nfloat a[] = {" + "A," * 100_000, "macros give more than"),
        ("#if 1\n" * 64, "line 65: #if are nested deeper than 63"),
        ("#if 0\n" * 100_000, "#if are nested deeper than 63"),
        ("#if 0\n" + '"\\' * 200_000, "an #if has no #endif"),
        ("'\\" * 200_000, "found"),
        ("#if " + "0||" * 130_000 + "1\n", "an #if has no #endif"),
    ],
)  # fmt: skip
def test_what_multiplies_is_refused_soon(text: str, message: str) -> None:
    begin = time.monotonic()
    with pytest.raises(FileFormatError, match=message):
        parse_header(f'#include "ebnn.h"\n{text}', "x.h")
    assert time.monotonic() - begin < 60


def test_63_open_conditions_are_read() -> None:
    parse_header("#if 1\n" * 63 + GOOD + "\n#endif" * 63, "x.h")


def test_arrays_of_zeros_take_no_memory() -> None:
    """Gigabytes where each is filled as it is read."""
    zeros = "".join(f"float a{i}[4000000] = {{0}};\n" for i in range(50))
    tracemalloc.start()
    try:
        parse_header(before_arrays(zeros), "x.h")
        assert tracemalloc.get_traced_memory()[1] < 10**8
    finally:
        tracemalloc.stop()


def test_an_array_that_many_layers_read_is_refused() -> None:
    """As weights of 200 layers it is 200 times what the file holds."""
    size = 4000
    ones = "".join(f"float {name}[{size}] = {{0}};\n" for name in "abgms")
    layers = "".join(
        f"void l{i}(uint8_t* input, uint8_t* output){{\n"
        f"  blinear_layer(input, w, output, a, b, g, m, s, 1, {size}, {size});\n}}\n"
        for i in range(200)
    )
    calls = "".join(f"  l{i}({'input' if not i else f't{i % 2}'}, t{(i + 1) % 2});\n" for i in range(200))
    text = (
        f'#include "ebnn.h"\n{ones}uint8_t w[{size * size // 8}] = {{0}};\nuint8_t t0[{size}];\nuint8_t t1[{size}];\n'
        f"{layers}void ebnn_compute(uint8_t* input, uint8_t* output){{\n{calls}  l199(t0, output);\n}}\n"
    )
    with pytest.raises(FileFormatError, match="the layers read more than 4,194,304 values"):
        parse_header(text, "x.h")


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
