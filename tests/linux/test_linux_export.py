"""`ebnn export --target linux`: its files build with gcc and clang in C and C++, with weights inside and mapped."""

import binascii
import re
import subprocess

import numpy as np
import pytest
from click.testing import CliRunner
from support.c_networks import require
from support.linux_networks import WARNINGS, library_sources

import ebnn
from ebnn.cli import main
from ebnn.compile.linux import program
from ebnn.compile.linux.source_files import MAGIC, weights_file_bytes
from ebnn.firmware_sources import linux_library

NETWORK = ebnn.load("mnist-tiny")
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 1, 28, 28)).astype(np.uint8)
PROGRAM = """\
#include "digits.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    static uint8_t samples[5 * DIGITS_INPUT_BYTES];
    uint32_t classes[5];
    ebnn_linux_t *net;
    int i;
    const int error = ebnn_linux_open(&net, &digits_network, argc > 1 ? argv[1] : NULL, 1, NULL);

    if (error) {
        puts(ebnn_linux_error(error));
        return error;
    }
    if (fread(samples, 1, sizeof samples, stdin) != sizeof samples)
        return 100;
    ebnn_linux_predict(net, samples, 5, classes);
    for (i = 0; i < 5; i++)
        printf("%u ", (unsigned)classes[i]);
    ebnn_linux_close(net);
    return 0;
}
"""


def export(folder, *options):
    done = CliRunner().invoke(
        main, ["export", "mnist-tiny", "--target", "linux", "-o", str(folder / "digits.h"), *map(str, options)]
    )
    assert done.exit_code == 0, done.output
    return done.output


def build(folder, compiler, language="c"):
    """The program, its main in C or C++."""
    main_file = folder / f"main.{language}"
    main_file.write_text(PROGRAM)
    flags = [*WARNINGS, "-O1", f"-I{linux_library() / 'include'}", f"-I{folder}"]
    objects = []
    for source in (folder / "digits.c", *library_sources()):
        objects.append(folder / f"{source.stem}.o")
        if not objects[-1].exists() or source.parent == folder:
            subprocess.run([require(compiler), "-std=c99", *flags, "-c", source, "-o", objects[-1]], check=True)
    cpp = {"gcc": "g++", "clang": "clang++"}[compiler]
    first = [require(cpp), "-std=c++11"] if language == "cpp" else [compiler, "-std=c99"]
    subprocess.run([*first, *flags, "-pthread", main_file, *objects, "-o", folder / "program"], check=True)
    return folder / "program"


def run(program_file, *arguments):
    return subprocess.run(
        [program_file, *arguments], input=IMAGES.tobytes(), capture_output=True, timeout=120, check=False
    )


@pytest.mark.parametrize(("compiler", "language"), [("gcc", "cpp"), ("clang", "c")])
def test_the_source_alone_and_with_a_file_of_weights(tmp_path, compiler, language):
    expected = " ".join(map(str, NETWORK.predict(IMAGES))) + " "
    assert "digits_network" in export(tmp_path)
    assert run(build(tmp_path, compiler, language)).stdout.decode() == expected
    weights = tmp_path / "digits.weights"
    export(tmp_path, "--weights-file", weights)
    assert (tmp_path / "digits.c").stat().st_size < 5000
    built = build(tmp_path, compiler, language)
    assert run(built, weights).stdout.decode() == expected

    good = weights.read_bytes()
    assert good == weights_file_bytes(NETWORK)
    other = weights_file_bytes(ebnn.load("mnist-uno"))
    middle = len(good) // 2
    flipped = good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :]
    for content, said in [
        (None, "the file of weights cannot be opened"),
        (b"", "this is no file of weights"),
        (b"x" * 5000, "this is no file of weights"),
        (good[:8] + b"\2" + good[9:], "the file of weights has another version than the library"),
        (other, "the file of weights belongs to another network"),
        (good[:-1], "the file of weights is damaged"),
        (good + b"\0", "the file of weights is damaged"),
        (flipped, "the file of weights is damaged"),
    ]:
        weights.unlink(missing_ok=True)
        if content is not None:
            weights.write_bytes(content)
        done = run(built, weights)
        assert said in done.stdout.decode(), said
        assert 1 <= done.returncode <= 99
    assert "the file of weights cannot be opened" in run(built).stdout.decode()


def test_the_file_of_weights_is_as_the_specification_says():
    content = weights_file_bytes(NETWORK)
    assert content[:8] == MAGIC == b"ebnn-wts"
    version, checksum, size = (int.from_bytes(content[a:b], "little") for a, b in ((8, 12), (12, 16), (16, 24)))
    assert (version, size) == (program.LIBRARY_VERSION, len(content) - 128)
    assert checksum == binascii.crc32(content[16:])
    assert content[32:96].decode() == NETWORK.hash
    assert content[128:] == program.linux_program(NETWORK).constants


def test_the_numbers_that_python_and_c_share_are_the_same():
    text = "".join((linux_library() / name).read_text() for name in ("include/ebnn_linux.h", "src/paths.h"))
    for name, value in (("VERSION", program.LIBRARY_VERSION), ("LANES", program.LANES), ("PANEL", program.PANEL)):
        assert re.search(rf"#define EBNN_LINUX_{name} +(\d+)", text)[1] == str(value)
    head = (linux_library() / "include/ebnn_linux.h").read_text()
    struct = head[head.index("typedef struct {") : head.index("} ebnn_linux_layer_t")]
    fields = re.findall(r"(\w+)(?:\[2\])?[,;]", re.sub(r"/\*.*?\*/", "", struct))
    layer = program.linux_program(NETWORK).layers[0]
    assert fields == [*layer.fields, "weights", "corrections", "constants"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target", "linux", "--board", "uno"], "--board has no effect here: it needs --target boards"),
        (["--target", "linux", "--optimize", "size"], "--optimize has no effect here"),
        (["--target", "linux", "--arithmetic", "float"], "--arithmetic has no effect here"),
        (["--weights-file", "w"], "--weights-file has no effect here: it needs --target linux"),
        (["--target", "linux", "--name", "int"], "the name 'int' cannot be used in C"),
        (["--target", "linux", "-o", "stdio.h"], "a header called stdio.h would be included"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(options, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["export", "mnist-tiny", *options])
    assert done.exit_code != 0
    assert said in done.output
    assert list(tmp_path.iterdir()) == []


def test_no_file_of_another_kind_is_written_over(tmp_path):
    (tmp_path / "digits.c").write_text("int my_program;")
    done = CliRunner().invoke(main, ["export", "mnist-tiny", "--target", "linux", "-o", str(tmp_path / "digits.h")])
    assert done.exit_code == 1
    assert "digits.c is there already, and no C source of ebnn's" in done.output
    assert [file.name for file in tmp_path.iterdir()] == ["digits.c"]
