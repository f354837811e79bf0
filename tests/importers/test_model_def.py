"""Model files of tinier-nn: read exactly, refused clearly, written back, run by the C program of the example."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from random_models import answers_of, as_array, make_samples, make_text
from support.c_networks import RUNTIME, require

import ebnn
from ebnn.cli import main
from ebnn.errors import FileFormatError, LoweringError, NetworkError
from ebnn.importers import import_network, model_def_text
from ebnn.importers.model_def import parse_model_def

EXAMPLE = Path(__file__).parents[2] / "examples/bits"

# 4 inputs, 2 outputs; worked by hand: an output is 1 where fewer than 2 of the inputs differ.
TWO_ROWS = "bnn\n4,2\n1100\n1111\n0,0"
BY_HAND = {"1100": "10", "1000": "10", "1111": "01", "0011": "00", "0110": "00", "1110": "11", "0000": "00"}


@pytest.fixture(scope="module")
def run_program(tmp_path_factory):
    """The example's program; returns what it prints for a model and rows."""
    program = tmp_path_factory.mktemp("run") / "run"
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-pedantic"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover"]
    subprocess.run([require("gcc"), *flags, *sanitizers, EXAMPLE / "run.c", "-o", program], check=True)

    def run(model, *rows):
        data = model if isinstance(model, bytes) else model.encode()
        return subprocess.run([program, *rows], input=data, capture_output=True)

    return run


def read(text, tmp_path):
    path = tmp_path / "model.def"
    path.write_bytes(text.encode())
    return import_network(path).network


def bits_of(network, samples):
    return ["".join("01"[bit] for bit in row.astype(int)) for row in network.predict_bits(as_array(samples))]


def test_an_output_by_hand(tmp_path, run_program):
    network = read(TWO_ROWS, tmp_path)
    assert bits_of(network, list(BY_HAND)) == list(BY_HAND.values())
    printed = run_program(TWO_ROWS, *BY_HAND).stdout.decode().splitlines()[1:]
    assert [line.split()[:2] for line in printed] == [list(item) for item in BY_HAND.items()]
    assert answers_of(TWO_ROWS, list(BY_HAND)) == list(BY_HAND.values())


@pytest.mark.parametrize("seed", range(30))
def test_bits_are_those_of_the_file(seed, tmp_path, run_program):
    """Of random widths, with both line ends; in Python, in the example's C, and after the way back."""
    rng = np.random.default_rng(seed)
    text = make_text(rng, ending=["\n", "\r\n"][seed % 2])
    samples = make_samples(rng, text)
    expected = answers_of(text, samples)
    network = read(text, tmp_path)
    assert bits_of(network, samples) == expected
    printed = run_program(text, *samples).stdout.decode().splitlines()
    assert [line.split()[1] for line in printed[1:]] == expected
    assert [line.split()[2] for line in printed[1:]] == ["01"[2 * bits.count("1") > len(bits)] for bits in expected]
    assert model_def_text(network) == text.replace("\r", "")


def test_the_emitted_c_gives_the_bits(tmp_path):
    rng = np.random.default_rng(5)
    text = make_text(rng)
    samples = make_samples(rng, text)
    network = read(text, tmp_path)
    ebnn.write_header(network, tmp_path / "bits.h")
    packed = ", ".join(map(str, network.pack_input(as_array(samples)).ravel()))
    (tmp_path / "main.c").write_text(f"""\
#include <stdio.h>
#include "bits.h"
static const uint8_t samples[] = {{{packed}}};
int main(void)
{{
    static int32_t scores[BITS_CLASSES];
    int n, k;
    for (n = 0; n < {len(samples)}; n++) {{
        bits_scores(samples + n * BITS_INPUT_BYTES, scores);
        for (k = 0; k < BITS_CLASSES; k++)
            putchar(scores[k] >= 0 ? '1' : '0');
        putchar('\\n');
    }}
    return 0;
}}
""")
    command = [require("gcc"), "-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{RUNTIME}", tmp_path / "main.c"]
    subprocess.run([*command, "-o", tmp_path / "main"], check=True)
    done = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == answers_of(text, samples)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("bnn", 1, "the file ends where layer 1, or 0,0, must follow: it is cut short"),
        ("bnn\n", 2, "expected IN,OUT of layer 1, or 0,0, found ''"),
        ("bnn\n0,0", 2, "the model has no layers"),
        ("bnn\n4,0\n0,0", 2, "layer 1 has 4 inputs and 0 outputs: both must be above 0"),
        ("bnn\n4;2\n", 2, "expected IN,OUT of layer 1, or 0,0, found '4;2'"),
        ("bnn\n-4,2\n", 2, "expected IN,OUT"),
        ("bnn\n9999999999,2\n", 2, "expected IN,OUT"),
        ("bnn\n4,2\n1100\n", 4, "row 2 of layer 1 has 0 characters, 4 are declared: ''"),
        ("bnn\n4,2\n1100", 3, "the file ends within layer 1 of 2 lines: it is cut short"),
        ("bnn\n4,999999999\n1100", 3, "the file ends within layer 1 of 999,999,999 lines: it is cut short"),
        ("bnn\n4,2\n1100\n1111\n", 5, "expected IN,OUT of layer 2, or 0,0, found ''"),
        ("bnn\n4,2\n1100\n1111", 4, "the file ends where layer 2, or 0,0, must follow: it is cut short"),
        ("bnn\n4,2\n110\n1111\n0,0", 3, "row 1 of layer 1 has 3 characters, 4 are declared: '110'"),
        ("bnn\n4,2\n1100\n11110\n0,0", 4, "row 2 of layer 1 has 5 characters, 4 are declared: '11110'"),
        ("bnn\n4,2\n1100\n1121\n0,0", 4, "row 2 of layer 1 has '2', 0 and 1 are allowed"),
        ("bnn\n4,2\n1100\n1111\n3,1\n111\n0,0", 5, "layer 2 takes 3 values, the one before gives 2"),
        ("bnn\n4,2\n1100\n1111\n0,0\n11", 6, "after 0,0 the file ends, found '11'"),
    ],
)
def test_what_is_no_model_is_refused(text, line, message, tmp_path, run_program):
    with pytest.raises(FileFormatError) as error:
        read(text, tmp_path)
    assert f"model.def, line {line}: {message}" in str(error.value)
    if "after 0,0" not in message:  # the program reads a stream, and nothing behind its end
        done = run_program(text, "1111")
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.decode().startswith("model, line ")
        assert done.stderr.count(b"\n") == 1


def test_every_prefix_is_refused(tmp_path, run_program):
    text = make_text(np.random.default_rng(1), 12)
    for end in range(len(text)):
        with pytest.raises(FileFormatError, match=r"^x, line \d+: \S"):
            parse_model_def(text[:end].encode(), "x")
    for end in range(0, len(text) - 1, 7):
        assert run_program(text[:end]).returncode == 1
    assert parse_model_def(text.encode() + b"\r\n\n", "x")[0].ndim == 2


def test_only_what_the_format_has_is_written():
    for name, message in (("mnist-uno", "its input is uint8"), ("mnist-bits", "its outputs are scores of classes")):
        with pytest.raises(LoweringError, match=f"cannot be written as a model.def: {message}"):
            model_def_text(ebnn.load(name))


def test_outputs_that_turn_at_0_downwards_are_written_with_turned_weights(tmp_path):
    from ebnn.model.layers import Block, Dense
    from ebnn.model.transforms import Scores, Sign

    network = read("bnn\n4,3\n1100\n1010\n1111\n3,2\n101\n011\n0,0", tmp_path)
    first, last = network.layers
    turned = Block(Dense(~first.linear.weights), None, Sign(np.full(3, -1, np.int32), np.ones(3, bool)))
    scores = Scores(np.array([2, -3], np.int16), np.array([-1, -2], np.int32), 1.0)
    weights = last.linear.weights * np.array([True]) ^ np.array([False, True])[:, None, None, None]
    other = ebnn.Network(network.input, [turned, Block(Dense(weights), None, scores)], meta=network.meta)
    x = as_array([f"{i:04b}" for i in range(16)])
    assert np.array_equal(other.predict_bits(x), network.predict_bits(x))
    assert model_def_text(other) == model_def_text(network)
    shifted = Block(Dense(first.linear.weights), None, Sign(np.array([1, 3, 1], np.int32), np.zeros(3, bool)))
    with pytest.raises(LoweringError, match="dense1: output 1 changes at another sum than 0"):
        model_def_text(ebnn.Network(network.input, [shifted, last], meta=network.meta))


def test_bits_are_asked_of_networks_that_have_them(tmp_path):
    with pytest.raises(NetworkError, match="scores of classes, no bits"):
        ebnn.load("mnist-bits").predict_bits(np.zeros((1, 1, 28, 28), np.uint8))
    network = read("bnn\n2,1\n10\n0,0", tmp_path)
    network.save(tmp_path / "one.ebnn")
    assert ebnn.load(tmp_path / "one.ebnn").predict_bits([[1, 0], [0, 1]]).tolist() == [[True], [False]]


def test_its_story_command_by_command(tmp_path, run_program):
    """Trained, written, run by the C program; imported and exported again."""
    train = [sys.executable, EXAMPLE / "train.py", "--out", tmp_path, "--sizes", "32", "64", "64", "32"]
    done = subprocess.run(train, capture_output=True, text=True, check=True)
    rows = [f"{a} xor {b} = {a ^ b}" for a in (0, 1) for b in (0, 1)]
    assert done.stdout.splitlines()[-5:-1] == rows
    model = (tmp_path / "xor.def").read_text()
    assert model.startswith("bnn\n32,64\n")
    assert model.endswith("\n0,0")
    printed = run_program(model).stdout.decode().splitlines()
    assert printed[0] == "3 layers"
    assert [tuple(line.split()[::2]) for line in printed[1:]] == [("00", "0"), ("01", "1"), ("10", "1"), ("11", "0")]

    def command(*words):
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == 0, result.output
        return result.output

    output = command("import", tmp_path / "xor.def", "-o", tmp_path / "bits.ebnn")
    assert "bits 32×1×1 → 32 bits" in output
    assert "a bit is 1 where its score is 0 or above" in " ".join(output.split())
    assert "→ 32 bits" in command("info", tmp_path / "bits.ebnn")
    command("export", tmp_path / "bits.ebnn", "--format", "model.def", "-o", tmp_path / "back.def")
    assert (tmp_path / "back.def").read_text() == model


def test_the_committed_model_is_xor(run_program):
    printed = run_program((EXAMPLE / "xor.def").read_bytes()).stdout.decode().splitlines()
    assert [line.split()[2] for line in printed[1:]] == ["0", "1", "1", "0"]
