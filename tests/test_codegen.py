"""The emitted header as text: names, literals, sizes, versions."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from support.c_networks import RUNTIME
from support.degenerate import DEGENERATE
from support.random_networks import random_network
from test_network import float_network, mnist_like, only_scores, three_layers, tiny

import ebnn
from ebnn.cli import main
from ebnn.compile.c_arrays import constant_array
from ebnn.compile.file_names import OWN
from ebnn.compile.file_names import RUNTIME as HEADERS_OF_RUNTIME
from ebnn.compile.header import RUNTIME_VERSION, flash_bytes, header_text, identifier, write_header
from ebnn.compile.kernels.kernel import weight_words
from ebnn.compile.options import ARITHMETICS
from ebnn.errors import NetworkError, WriteError
from ebnn.model import bits
from ebnn.model.kinds import BITS, FLOAT

LIBRARY = RUNTIME.parent


def macro(text, name):
    """The value of a macro in a header's text."""
    return re.search(rf"^#define {name} (.*)$", text, re.MULTILINE)[1]


# Text


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_the_same_network_gives_the_same_text(arithmetic, tmp_path, monkeypatch):
    """SPEC 7.3: no time, no path; another name, arithmetic or network gives another text."""
    text = header_text(tiny(), name="net", arithmetic=arithmetic)
    monkeypatch.setattr("time.time", lambda: 2e9)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_header(tiny(), tmp_path / folder / "other.h", name="net", arithmetic=arithmetic)
        assert (tmp_path / folder / "other.h").read_bytes() == text.encode()
    others = {
        header_text(tiny(), name="another", arithmetic=arithmetic),
        header_text(tiny(), name="net", arithmetic=ARITHMETICS[arithmetic == "integer"]),
        header_text(float_network(), name="net", arithmetic=arithmetic),
    }
    assert text not in others
    assert len(others) == 3


def test_the_summary_says_what_is_in_it():
    """The habit of emitted headers: generator, name, hash, a table of layers, memory."""
    network = mnist_like()
    text = header_text(network, name="digits", optimize="size")
    summary = text[: text.index("*/")]
    for fact in (
        f"digits: a binarized neural network, emitted by ebnn {ebnn.__version__}. Do not edit.",
        network.hash,
        "arithmetic  integer",
        "bits, 1×28×28 (channels×height×width), 112 B",
        "flash       600 B",  # 520 of weights, 20 of thresholds, 60 of scores
        "RAM         216 B",
    ):
        assert fact in summary
    rows = [line.split() for line in summary.splitlines() if "conv1" in line or "output " in line][-2:]
    assert rows[0] == "* conv1, pool 1×28×28 10×6×6 40 B 20 B 15,210".split()
    assert rows[1] == "* output 10×6×6 10 scores 480 B 60 B 3,600".split()


HAND_MADE = [mnist_like(), three_layers(), tiny(), float_network()]
SMALL = [network for network, _ in DEGENERATE.values() if network.weight_bytes < 50_000]


@pytest.mark.parametrize("network", HAND_MADE + SMALL, ids=repr)
def test_the_sizes_in_the_header_are_the_networks(network):
    """SPEC 7.1: the macros are the network's own numbers, in decimal, and flash counts every table."""
    text = header_text(network, name="n")
    tables = {}  # by name: where AVR has its own, they are as large
    for c_type, name, count in re.findall(r"^static const (\w+) (\w+)\[(\d+)\] EBNN_FLASH", text, re.MULTILINE):
        size = {"uint32_t": 4, "int32_t": 4, "float": 4, "int16_t": 2, "uint16_t": 2, "uint8_t": 1}[c_type] * int(count)
        assert tables.setdefault(name, size) == size
    assert macro(text, "N_INPUT_BYTES") == str(network.input.bytes)
    assert macro(text, "N_INPUT_VALUES") == str(network.input.shape.size)
    assert macro(text, "N_CLASSES") == str(network.classes)
    arenas = re.findall(r"^#define N_ARENA_BYTES (\d+)$", text, re.MULTILINE)
    sizes = [network.avr_arena_bytes, network.arena_bytes]
    assert arenas == ([str(size) for size in sizes] if sizes[0] != sizes[1] else [str(sizes[0])])
    assert macro(text, "N_HASH") == f"0x{network.hash[:8].upper()}ul"
    assert macro(text, "N_TITLE") == '"n"'
    assert macro(text, "N_FLASH_BYTES") == str(sum(tables.values())) == str(flash_bytes(network))
    plain = header_text(network, name="n", optimize="size")
    whole = network.weight_bytes + network.threshold_bytes + network.score_bytes
    # A limit that the sums of up to 32,766 bits cannot reach takes 2 bytes there, not 4.
    narrow = [
        layer.outputs
        for layer in network.layers[:-1]
        if layer.kind is BITS and layer.taps <= 32_766 and layer.transform.at_least()[0].itemsize == 4
    ]
    assert macro(plain, "N_FLASH_BYTES") == str(whole - 2 * sum(narrow))


def test_the_float_arithmetic_counts_its_own_tables():
    """SPEC 7.1: 5 floats for each output in place of thresholds."""
    network = tiny()
    text = header_text(network, name="n", arithmetic="float")
    assert macro(text, "N_FLASH_BYTES") == str(network.weight_bytes + 2 * 5 * 4 + network.score_bytes)
    assert "thresholds[" not in text


def test_the_integer_arithmetic_has_no_floats():
    """SPEC 4.4: neither a table nor a call; on float input there are both (4.7)."""
    text = header_text(three_layers(), name="n")
    assert "static const float" not in text
    assert "_float(" not in text
    for arithmetic in ARITHMETICS:
        assert "ebnn_conv_float(" in header_text(float_network(), name="n", arithmetic=arithmetic)


# Names


@pytest.mark.parametrize("name", ["a", "Digits", "net_1", "x" * 63, "eb", "sEBNN"])
def test_names_that_c_takes(name):
    text = header_text(only_scores(), name=name)
    assert f"static inline uint8_t {name}_predict(" in text
    assert f"#define {name.upper()}_CLASSES 2\n" in text


@pytest.mark.parametrize(
    "name",
    [
        *("", "1a", "_a", "a-b", "a b", "a.b", "é", "naïve", "a\n", "a;", 'a"', "*/", "x" * 64),
        *("int", "while", "class", "None", "namespace", "setup", "loop", "main", "register", "uint-8"),
        *("ebnn", "ebnn_net", "EBNN_NET", "Ebnn"),
    ],
)
def test_names_that_c_does_not_take_are_refused(name, tmp_path):
    """The message holds the name and the rule; nothing is written."""
    with pytest.raises(
        NetworkError, match=r"cannot be used in C: take up to 63 letters, digits and _, starting with a"
    ):
        header_text(only_scores(), name=name)
    with pytest.raises(NetworkError) as error:
        write_header(only_scores(), tmp_path / "a.h", name=name)
    assert repr(name) in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("network", "network"),
        ("My Net-2", "my_net_2"),
        ("2nd", "net_2nd"),
        ("int", "net_int"),
        ("ebnn_digits", "net_ebnn_digits"),
        ("größe", "gr__e"),
        ("…", "net"),
        ("", "net"),
        ("__a__", "a"),
        ("x" * 100, "x" * 63),
        ("1" * 100, "net_" + "1" * 59),
    ],
)
def test_a_file_name_becomes_a_name(text, name):
    assert identifier(text) == name


@given(st.text(max_size=80))
def test_any_file_name_becomes_a_name_that_c_takes(text):
    header_text(only_scores(), name=identifier(text))


def test_the_default_name_is_the_files(tmp_path):
    write_header(only_scores(), tmp_path / "My Net.h")
    assert "my_net_predict" in (tmp_path / "My Net.h").read_text()
    write_header(only_scores(), str(tmp_path / "b.h"), name="c")
    assert "c_predict" in (tmp_path / "b.h").read_text()


def test_what_cannot_be_emitted_is_refused(tmp_path):
    """The message names block and way out."""
    with pytest.raises(NetworkError, match="the arithmetic 'fixed' is unknown: use integer or float"):
        header_text(only_scores(), name="n", arithmetic="fixed")
    with pytest.raises(NetworkError, match="conv1 has thresholds only, no batch normalisation: export it with the int"):
        header_text(mnist_like(), name="n", arithmetic="float")
    with pytest.raises(WriteError, match=r"a\.h cannot be written: No such file"):
        write_header(only_scores(), tmp_path / "none" / "a.h")


# Arrays


def values_of(text):
    """The literals of a constant array's text."""
    body = text[text.index("{") + 1 : text.rindex("}")]
    return [literal.strip() for literal in body.split(",")]


@settings(max_examples=200)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_float_literals_are_the_value_again(values):
    """SPEC 4.6: every float32, denormals and the largest too; each has a point or an exponent, and an f."""
    literals = values_of(constant_array("a", np.array(values, np.float32), "comment"))
    for literal, value in zip(literals, values, strict=True):
        assert re.fullmatch(r"-?\d+(\.\d+)?(e[+-]\d+)?f", literal)
        assert "." in literal or "e" in literal
        assert struct.pack("<f", float(literal[:-1])) == struct.pack("<f", value)


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("int16", -(2**15), 2**15 - 1), ("int32", -(2**31), 2**31 - 1), ("uint8", 0, 255)]
)
def test_integer_literals_are_the_value_again(dtype, low, high):
    values = [low, low + 1, 0, 1, high]
    literals = values_of(constant_array("a", np.array(values, dtype), "comment"))
    assert [eval(literal.replace("l", "")) for literal in literals] == values
    # −2147483648 in C is minus a number that no long of 32 bits holds.
    assert not any("2147483648" in literal for literal in literals)


def test_words_are_written_as_such():
    """SPEC 2.7: unsigned long literals, as an int of 16 bits takes them."""
    text = constant_array("w", np.array([[0, 1], [2**31, 2**32 - 1]], np.uint32), "two by two")
    assert text == (
        "/* two by two */\nstatic const uint32_t w[4] EBNN_FLASH = {\n"
        "    0x00000000ul, 0x00000001ul, 0x80000000ul, 0xFFFFFFFFul\n};\n"
    )


def test_lines_are_not_too_long():
    text = constant_array("w", np.arange(1000, dtype=np.int32) * 10**6, "comment")
    assert max(map(len, text.splitlines())) <= 120
    assert len(values_of(text)) == 1000


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_every_weight_lies_at_its_bit(choose):
    """SPEC 2.2, 2.5, 2.6: filters as streams of their own; dense layers as their input lies in memory; padding 0."""
    network = random_network(choose)
    for layer in network.layers:
        weights = layer.linear.weights
        outputs, height, width, channels = weights.shape
        words = weight_words(layer)
        dense_bits = layer.is_dense and layer.kind is BITS
        row = -(-width * channels // 8) * 8 if dense_bits else width * channels
        assert words.shape == (outputs, -(-height * row // 32))
        assert words.size * 4 == layer.weight_bytes
        for o in range(outputs):
            stream = sum(int(word) << 32 * i for i, word in enumerate(words[o]))
            expected = 0
            for y in range(height):
                for x in range(width):
                    for c in range(channels):
                        at = y * row + x * channels + c
                        if layer.is_dense and layer.kind is FLOAT:
                            at = (c * height + y) * width + x  # 2.4
                        expected |= int(weights[o, y, x, c]) << at
            assert stream == expected


def test_the_normalisation_table_is_five_floats_an_output():
    """SPEC 4.6: in the order in which they are used."""
    table = tiny().layers[0].transform.normalize.table()
    assert table.tolist() == [[0.5, 1, 0.25, 1, 0], [0, -1, 1, -2, 0.125]]


def test_thresholds_in_the_header_are_those_of_the_network():
    """SPEC 4.4: as (acc >= value) != flip: 1 rising stays 1; −2 falling becomes −1, turned over."""
    text = header_text(tiny(), name="n", optimize="size")
    assert re.search(r"int16_t n_conv1_thresholds\[2\] EBNN_FLASH = \{\s*1, -1\s*\}", text)
    assert re.search(r"uint8_t n_conv1_flips\[1\] EBNN_FLASH = \{\s*0x02\s*\}", text)
    rising = header_text(three_layers(), name="n", optimize="size")
    assert "n_conv1_flips" not in rising
    assert re.search(r"n_conv1_thresholds}.*NULL, NULL\n", rising, re.DOTALL)


# One place for each fact


def test_versions_agree():
    """The runtime's version, the library's and the package's are stated in several files."""
    header = (RUNTIME / "ebnn.h").read_text()
    assert macro(header, "EBNN_RUNTIME_VERSION") == str(RUNTIME_VERSION)
    assert re.search(rf'"version": "{re.escape(ebnn.__version__)}"', (LIBRARY / "library.json").read_text())
    assert f"\nversion={ebnn.__version__}\n" in (LIBRARY / "library.properties").read_text()


def test_the_runtime_is_one_include():
    """ebnn.h, or model.h for networks at run time, reaches every other file of the library."""
    reached = [RUNTIME / "ebnn.h", RUNTIME / "ebnn/model.h"]
    for path in reached:
        included = [path.parent / name for name in re.findall(r'^#include "(.*)"', path.read_text(), re.MULTILINE)]
        reached += [other for other in included if other not in reached]
    assert set(reached) == set(RUNTIME.rglob("*.h"))


KNOW_AVR = {
    *("bits.h", "dot.h", "count_avr.h", "compare_avr.h", "columns.h", "columns_avr.h", "tables.h", "tables_avr.h"),
    *("model.h", "model_check.h", "model_run.h"),
}


def test_the_runtime_knows_no_emitted_header_and_no_arduino():
    """Arduino is known to the port only; PROGMEM and its reads to nothing else."""
    for path in RUNTIME.rglob("*.h"):
        text = path.read_text()
        if path.name != "port.h":
            assert "pgm_" not in text, path.name
            assert "PROGMEM" not in text, path.name
            assert "__AVR__" not in text or path.name in KNOW_AVR, path.name
        assert "network.h" not in text
        assert "Arduino.h" not in text


def test_bit_order_is_known_to_one_module():
    """Of the modules here, only bits.py says "little"."""
    package = Path(bits.__file__).parent
    for path in package.parent.rglob("*.py"):
        if path.name != "bits.py":
            assert "bitorder" not in path.read_text(), path.name


# File names


@pytest.mark.parametrize(
    "file",
    ["ebnn.h", "string.h", "String.h", "Arduino.h", "stdint.h", "Wire.h", "vector", "frames.h", "EBNN.H", "math.hpp"],
)
def test_a_header_in_another_headers_place_is_refused(tmp_path, file):
    """It would be included for the other: by name, whatever the letters' case."""
    with pytest.raises(NetworkError, match=rf"a header called {file} would be included in place of .*: call it my_"):
        write_header(only_scores(), tmp_path / file)
    only_scores().save(tmp_path / "n.ebnn")
    done = CliRunner().invoke(main, ["export", str(tmp_path / "n.ebnn"), "-o", str(tmp_path / file)])
    assert done.exit_code == 1
    assert f"a header called {file} would be included" in " ".join(done.output.split())
    assert [path.name for path in tmp_path.iterdir()] == ["n.ebnn"]


@pytest.mark.parametrize(
    "file", ["avr/pgmspace.h", "ebnn/conv.h", "avr/io.h", "util/delay.h", "sys/types.h", "AVR/Interrupt.h"]
)
def test_a_header_that_programs_name_with_its_folder_is_refused(tmp_path, file, monkeypatch):
    folder = (tmp_path / file).parent
    folder.mkdir()
    with pytest.raises(NetworkError, match=r"a header called (avr|ebnn|util|sys)/\w+\.h would be included in place of"):
        write_header(only_scores(), tmp_path / file)
    monkeypatch.chdir(folder)
    with pytest.raises(NetworkError, match="would be included in place of"):
        write_header(only_scores(), Path(file).name)
    write_header(only_scores(), "network.h")


@pytest.mark.parametrize(
    "file", ["network.h", "strings2.h", "my_string.h", "vector.h", "digits", "arduino_net.h", "conv.h", "window.h"]
)
def test_other_headers_are_written(tmp_path, file):
    write_header(only_scores(), tmp_path / file)


def test_own_headers_are_known():
    """Those that programs include by name alone, but the network's own, and those that they include with a folder.

    push_key.h is written where firmware is built.
    """
    firmware = LIBRARY.parents[1]
    top = {path.stem for path in firmware.rglob("*.h") if path.parent.name != "ebnn"}
    inner = {path.stem for path in (firmware / "lib/ebnn-linux/src").glob("*.h")} - {"ebnn_linux"}
    assert top - inner - {"network", "xor"} | {"push_key"} == OWN
    assert {path.stem for path in (LIBRARY / "src/ebnn").glob("*.h")} == HEADERS_OF_RUNTIME
