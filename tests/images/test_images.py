"""Images on this computer, with sanitizers: they give what headers and the reference give, or are refused."""

from __future__ import annotations

import binascii
import os
import random
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import c_networks
from support.c_networks import RUNTIME, SANITIZERS, WARNINGS, Case, require
from support.images import IMAGES, IMPLEMENTATION, image_cases
from support.random_networks import random_large_network, random_samples
from test_network import three_layers, tiny

import ebnn
from benchmarks.untrained import build
from ebnn import Network
from ebnn.compile.image import HEAD_BYTES, KERNEL_FUNCTIONS, VERSION, image_bytes, needed_kernels
from ebnn.compile.options import OPTIMIZE
from ebnn.compile.target import AVR, WORDS, Target
from ebnn.errors import NetworkError
from ebnn.importers import import_network
from ebnn.model.encoders import Affine, Thermometer
from ebnn.model.meta import Meta

NETWORKS = int(os.environ.get("EBNN_TEST_IMAGES", "40"))
MUTATED = int(os.environ.get("EBNN_TEST_MUTATED", "4000"))
SAMPLES = 3
TARGETS = {"words": WORDS, "bytes": AVR}  # what the cores' C is compiled as here
OK, SIZE, MAGIC, BAD_VERSION, TARGET, CRC, KERNEL, CONTENT, ALIGN, READ = range(10)


def compile_here(
    folder: Path,
    sources: Sequence[Path],
    target: Target = WORDS,
    flags: Sequence[str] = ("-O1", *SANITIZERS),
    compiler: Sequence[str] = ("gcc", "-std=c99"),
) -> Path:
    """A program of these sources."""
    program = folder / f"program{target.lanes}"
    command = [require(compiler[0]), *compiler[1:], *WARNINGS, *flags, f"-DEBNN_LANES={target.lanes}"]
    subprocess.run([*command, f"-I{RUNTIME}", "-o", program, *sources], check=True, timeout=300)
    return program


@pytest.fixture(scope="module", params=TARGETS)
def runner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Target, Path]:
    """A target, and the program ``run_images.c`` as it would be there."""
    target = TARGETS[request.param]
    folder = tmp_path_factory.mktemp("runner")
    return target, compile_here(folder, [IMAGES / "run_images.c", IMPLEMENTATION], target)


def run_images(program: Path, cases: Sequence[tuple[bytes, bytes]]) -> bytes:
    """What the program makes of images and samples."""
    given = b"".join(struct.pack("<LL", len(image), len(samples)) + image + samples for image, samples in cases)
    done = subprocess.run([program], input=given, capture_output=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    return done.stdout


def status(program: Path, image: bytes) -> int:
    (found,) = run_images(program, [(image, b"")])
    return found


def answers(output: bytes, networks: Sequence[Network]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Classes and scores of each network, for SAMPLES samples."""
    found, at = [], 0
    for network in networks:
        assert output[at] == OK
        table = np.frombuffer(
            output, np.dtype([("class", "u1"), ("scores", "<i4", (network.classes,))]), SAMPLES, at + 1
        )
        found.append((table["class"], table["scores"]))
        at += 1 + table.nbytes
    assert at == len(output)
    return found


def test_images_give_the_answers_of_headers_and_of_the_reference(runner: tuple[Target, Path], tmp_path: Path) -> None:
    target, program = runner
    choose = random.Random(1914)
    cases = image_cases(choose, NETWORKS, target, 30_000, 20_000)
    for optimize in OPTIMIZE:
        network = random_large_network(choose)
        cases.append((network, image_bytes(network, WORDS if target is WORDS else AVR, "integer", optimize)))
    networks = [network for network, _ in cases]
    samples = [random_samples(network, SAMPLES, seed=i) for i, network in enumerate(networks)]
    packed = [network.pack_input(x) for network, x in zip(networks, samples, strict=True)]
    given = [(image, x.tobytes()) for (_, image), x in zip(cases, packed, strict=True)]
    found = answers(run_images(program, given), networks)
    flags = [*SANITIZERS, f"-DEBNN_LANES={target.lanes}"]
    headers = []
    if target is WORDS:
        for first in range(0, len(networks), 50):
            each = [Case(*one) for one in zip(networks[first : first + 50], samples[first : first + 50], strict=True)]
            folder = tmp_path / str(first)
            folder.mkdir()
            headers += c_networks.run(each, folder, flags)
    for i, (network, x) in enumerate(zip(networks, samples, strict=True)):
        np.testing.assert_array_equal(found[i][1], network.scores(x), err_msg=f"network {i}")
        np.testing.assert_array_equal(found[i][0], network.predict(x), err_msg=f"network {i}")
        if headers:
            np.testing.assert_array_equal(found[i][1], headers[i].scores)


def test_networks_of_before_are_run(runner: tuple[Target, Path]) -> None:
    target, program = runner
    for path in sorted((Path(__file__).parents[1] / "vectors").glob("*.ebnn")):
        network = ebnn.load(path)
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as data:
            samples, scores = data["samples"][:SAMPLES], data["scores"][:SAMPLES]
        for arithmetic in ("integer", "float"):
            image = image_bytes(network, target, arithmetic)
            output = run_images(program, [(image, network.pack_input(samples).tobytes())])
            assert len(samples) == SAMPLES
            ((_, found),) = answers(output, [network])
            np.testing.assert_array_equal(found, scores)


def test_an_image_of_before_is_run(runner: tuple[Target, Path]) -> None:
    """Images of version 1 stay readable; this one was written for 32-bit cores."""
    target, program = runner
    image = (IMAGES / "dense.img").read_bytes()
    found = status(program, image)
    assert found == (OK if target is WORDS else TARGET)
    if found == OK:
        output = run_images(program, [(image, bytes([0x5A, 0xC3]))])
        assert output[1] == 2
        assert np.frombuffer(output, "<i4", 4, 2).tolist() == [-4297, 359, 3902, -1314]  # of the reference


def test_a_network_of_one_output_is_run(runner: tuple[Target, Path], tmp_path: Path) -> None:
    """Its output is a bit, as in a file of tinier-nn's: whether most bits are those of its row."""
    target, program = runner
    (tmp_path / "m.def").write_text("bnn\n4,1\n0101\n0,0")
    network = import_network(tmp_path / "m.def").network
    image = image_bytes(network, target)
    samples = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 1, 1]], bool)[:, :, None, None]
    ((_, scores),) = answers(run_images(program, [(image, network.pack_input(samples).tobytes())]), [network])
    assert (scores >= 0).ravel().tolist() == [True, False, True]


def repaired(image: bytes) -> bytes:
    """An image with its checksum made right again."""
    return image[:12] + struct.pack("<L", binascii.crc32(image[16:])) + image[16:]


def changed(image: bytes, at: int, form: str, value: int) -> bytes:
    data = bytearray(image)
    struct.pack_into(form, data, at, value)
    return repaired(bytes(data))


def test_what_is_wrong_is_told(runner: tuple[Target, Path]) -> None:
    target, program = runner
    image = image_bytes(three_layers(), target, title="three")
    first = struct.unpack_from("<H", image, 6)[0]
    assert status(program, image) == OK
    assert status(program, image + bytes(8)) == OK, "what lies behind an image is not of it"
    assert status(program, image[:-4]) == SIZE
    assert status(program, image[:40]) == SIZE
    assert status(program, b"EBNJ" + image[4:]) == MAGIC
    assert status(program, changed(image, 4, "B", VERSION + 1)) == BAD_VERSION
    assert status(program, changed(image, 5, "B", 3 - target.lanes)) == TARGET
    assert status(program, image[:-1] + bytes([image[-1] ^ 1])) == CRC
    for at, form, value in (
        (6, "<H", first + 4),
        (24, "<L", struct.unpack_from("<L", image, 24)[0] - 4),  # an arena that is too small
        (28, "<L", 3),
        (32, "<H", 1),
        (34, "B", 2),
        (35, "B", 4),
        (36, "<H", 0),
        (60, "<H", 3),
        (first, "<L", 8),
        (first + 4, "B", 19),
        (first + 6, "<H", 0),
    ):
        assert status(program, changed(image, at, form, value)) == CONTENT, (at, value)


def test_a_kernel_without_a_number_has_no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ebnn.compile.image.KERNEL_FUNCTIONS", KERNEL_FUNCTIONS[:1])
    with pytest.raises(NetworkError, match="which images have no number for: export a header"):
        image_bytes(tiny())


def test_a_kernel_that_was_not_built_is_refused(tmp_path: Path) -> None:
    network = tiny()
    needed = needed_kernels(network)
    for number in range(1, len(KERNEL_FUNCTIONS) + 1):
        if needed >> number & 1:
            flags = ["-O0", f"-DEBNN_MODEL_KERNELS={needed & ~(1 << number):#x}"]
            program = compile_here(tmp_path, [IMAGES / "run_images.c", IMPLEMENTATION], flags=flags)
            assert status(program, image_bytes(network)) == KERNEL
    program = compile_here(
        tmp_path, [IMAGES / "run_images.c", IMPLEMENTATION], flags=["-O0", f"-DEBNN_MODEL_KERNELS={needed:#x}"]
    )
    assert status(program, image_bytes(network)) == OK


@pytest.mark.parametrize(
    ("kernels", "compiler"),
    [
        ("0", ("gcc", "-std=c99")),
        ("0x880", ("gcc", "-std=c99")),
        ("0x801000", ("clang", "-std=c99")),
        ("0xA60000", ("g++", "-std=c++11", "-x", "c++")),
        ("0x6F7FFFE", ("clang++", "-std=c++11", "-x", "c++")),
    ],
)
def test_any_kernels_compile_without_a_warning(kernels: str, compiler: tuple[str, ...], tmp_path: Path) -> None:
    command = [require(compiler[0]), *compiler[1:], *WARNINGS, "-O1", f"-DEBNN_MODEL_KERNELS={kernels}"]
    subprocess.run([*command, f"-I{RUNTIME}", "-c", IMPLEMENTATION, "-o", tmp_path / "model.o"], check=True)


def test_mutated_images_are_refused_or_harmless(tmp_path: Path) -> None:
    """Most changes are of numbers, checksums are right; the rest of them change answers, but touch nothing else."""
    images = [image for _, image in image_cases(random.Random(7), 60, WORDS, 2_500, 20_000)]
    images += [image_bytes(network) for network in described()]
    program = compile_here(tmp_path, [IMAGES / "fuzz_images.c", IMPLEMENTATION])
    given = b"".join(struct.pack("<L", len(image)) + image for image in images)
    command = [str(program), str(MUTATED), "1914"]
    done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=3600)
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    *statuses, ran = map(int, done.stdout.split())
    assert sum(statuses) == MUTATED
    assert statuses[CONTENT] > MUTATED // 4
    assert ran > MUTATED // 10
    assert statuses[MAGIC] == statuses[CRC] == 0


def described() -> list[Network]:
    """Networks with encoders, names and a rejection threshold."""
    meta = Meta(class_names=("left", "right", "größer"), rejection=0.5)
    rng = np.random.default_rng(4)
    made = []
    for kind, encoder in (
        ("uint8", Affine.of_ranges([-1.0, 0.0], [1.0, 3.5], "uint8")),
        ("int8", Affine.of_ranges([-100, 0], [100, 3000], "int8", "int16")),
        ("bits", Thermometer(np.sort(rng.normal(size=(2, 3)), axis=1).astype(np.float32))),
    ):
        channels = 6 if kind == "bits" else 2
        plain = build(kind, (channels, 1, 5), "d8", seed=5, classes=3)
        made.append(Network(plain.input, plain.layers, encoder, meta))
    return made


DESCRIBED = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ebnn/model.h"

int main(int count, char **arguments)
{
    static union { uint8_t bytes[4096]; uint32_t words[1024]; } image, arena;
    const size_t bytes = fread(image.bytes, 1, sizeof image, stdin);
    float raw[10];
    int16_t whole[10];
    uint8_t input[10], values[10];
    int32_t scores[3];
    uint16_t probabilities[3];
    char text[16];
    ebnn_model_t model;
    int i;

    if (count != 11 || ebnn_model_open(&model, image.bytes, bytes) != EBNN_MODEL_OK)
        return 1;
    for (i = 0; i < 10; i++) {
        raw[i] = (float)atof(arguments[i + 1]);
        whole[i] = (int16_t)raw[i];
    }
    ebnn_model_encode(&model, model.raw ? (const void *)whole : (const void *)raw, input);
    for (i = 0; i < (int)model.raw_values; i++)
        ebnn_model_encode_value(&model, model.raw ? (const void *)&whole[i] : (const void *)&raw[i], (size_t)i, values);
    if (model.raw_values != 10 || memcmp(input, values, model.input_bytes) != 0)
        return 2;
    printf("%08lx %lu ", (unsigned long)model.hash32, (unsigned long)model.raw_bytes);
    printf("%s ", ebnn_model_title(&model, text, 4));
    printf("%s ", ebnn_model_title(&model, text, 5));
    printf("%d ", ebnn_model_predict(&model, arena.bytes, input, scores));
    printf("%d ", ebnn_model_class_or_unknown(&model, scores));
    ebnn_model_probabilities(&model, scores, probabilities);
    for (i = 0; i < 3; i++)
        printf("%ld %u ", (long)scores[i], (unsigned)probabilities[i]);
    for (i = 0; i < 4; i++)
        printf("%s ", ebnn_model_class_name(&model, (uint8_t)i, text, sizeof text));
    return 0;
}
"""


def test_encoder_names_and_rejection_are_in_an_image(tmp_path: Path) -> None:
    source = tmp_path / "described.c"
    source.write_text(DESCRIBED)
    program = compile_here(tmp_path, [source, IMPLEMENTATION], flags=["-O0"])
    for network, size in zip(described(), (1, 20, 1), strict=True):
        whole = network.encoder is not None and network.encoder.raw == "int16"
        for seed in range(4):
            raw = np.round(np.random.default_rng(seed).normal(size=(1, 2, 1, 5)) * size, 3)
            raw = np.rint(raw) if whole else raw.astype(np.float32)
            values = [repr(float(value)) for value in raw[0, :, 0].T.ravel()]
            done = subprocess.run(
                [program, *values], input=image_bytes(network, title="süße"), capture_output=True, check=True
            )
            encoded = network.encode(raw)
            (scores,), (probabilities,) = network.scores(encoded), network.probabilities(encoded)
            (known,) = network.predict_or_unknown(encoded)
            expected = [f"{network.hash32:08x}", "20" if whole else "40", "sü", "sü"]
            expected += [network.predict(encoded)[0]]
            expected += [255 if known == -1 else known]
            for score, probability in zip(scores, probabilities, strict=True):
                expected += [score, round(probability * 65_535)]
            names = ["left", "right", "größer", "unknown"]
            assert done.stdout.decode().split() == [str(each) for each in [*expected, *names]]


FACTS = """\
#include <stdio.h>
#define EBNN_MODEL_IMPLEMENTATION
#include "ebnn/model.h"
int main(void)
{
    printf("%u %u %d", EBNN_MODEL_VERSION, EBNN_MODEL_HEAD_BYTES, (int)EBNN_KERNELS_END - 1);
    return 0;
}
"""


def test_python_and_c_know_the_same_numbers(tmp_path: Path) -> None:
    source = tmp_path / "facts.c"
    source.write_text(FACTS)
    program = compile_here(tmp_path, [source], flags=["-O0"])
    done = subprocess.run([program], capture_output=True, check=True)
    assert list(map(int, done.stdout.split())) == [VERSION, HEAD_BYTES, len(KERNEL_FUNCTIONS)]


def test_what_is_too_big_for_an_image_is_refused() -> None:
    network = ebnn.load("mnist-uno")
    with pytest.raises(NetworkError, match="title, names and encoder take"):
        image_bytes(network, title="x" * 70_000)
    with pytest.raises(NetworkError, match="character of code 0"):
        image_bytes(network, title="x\0y")
    with pytest.raises(NetworkError, match="the title of an image is no UTF-8 text"):
        image_bytes(network, title="\udcff")  # of a file whose name is the byte FF
