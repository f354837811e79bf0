"""Readings pushed one by one in C: windows are due when they are in Python, and hold the same bits."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.c_networks import RUNTIME, SANITIZERS, WARNINGS, require
from support.raw_samples import ENCODERS, encoder_network, raw_bytes, raw_samples

from ebnn.compile.header import header_text
from ebnn.compile.readings import ring_bytes
from ebnn.model.encoders import Affine, Thermometer
from ebnn.model.kinds import Shape
from ebnn.model.meta import Meta
from ebnn.model.network import Network

WINDOW = 9
STEPS = {"float to int8": 4, "float to uint8": 1, "int16 to int8": 9, "int16 to uint8": 8, "float to bits": 3}
RESTART = 70  # readings, after which the window begins anew


def series(name: str) -> tuple[Network, NDArray[np.generic]]:
    """A network of windows of 9 readings of 5 channels, and readings (n, 5): the encoder's steps, ends, any bits."""
    encoder = ENCODERS[name]
    network = encoder_network(encoder, Shape(5, 1, WINDOW), Meta(window_step=STEPS.get(name, 20)))
    samples = raw_samples(encoder, 2_000)
    return network, samples.transpose(0, 2, 3, 1).reshape(-1, 5)


def windows(network: Network, readings: NDArray[np.generic]) -> list[tuple[int, bytes]]:
    """After how many readings a window is due, and what the network then takes."""
    step = network.meta.step_of(WINDOW)
    found = []
    for begin, end in ((0, RESTART), (RESTART, len(readings))):
        for due in range(begin + WINDOW, end + 1, step):
            raw = readings[due - WINDOW : due].T[None, :, None]
            found.append((due, network.pack_input(network.encode(raw)).tobytes()))
    return found


MAIN = """\
#include "net.h"
#include <stdio.h>
int main(void)
{
    net_raw_t reading[NET_RAW_CHANNELS];
    unsigned long count;
    for (count = 1; fread(reading, sizeof reading, 1, stdin) == 1; count++) {
        if (PUSH(reading)) {
            size_t i;
            printf("%lu ", count);
            for (i = 0; i < NET_INPUT_BYTES; i++)
                printf("%02x", ((const uint8_t *)net_input())[i]);
            printf("\\n");
            net_predict(net_input());
        }
        if (count == RESTART)
            net_restart();
    }
    return 0;
}
"""


def build(folder: Path, network: Network, compiler: str, flags: list[str], **settings: int) -> Path:
    (folder / "net.h").write_text(header_text(network, name="net"))
    (folder / "main.c").write_text(MAIN)
    language = ["-x", "c++", "-std=c++11"] if compiler.endswith("++") else ["-std=c99"]
    defines = [f"-D{key}={value}" for key, value in {"PUSH": "net_push", "RESTART": RESTART, **settings}.items()]
    command = [require(compiler), *language, *WARNINGS, *flags, *defines, f"-I{RUNTIME}", "main.c", "-o", "main"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "main"


def run(program: Path, network: Network, readings: NDArray[np.generic]) -> list[tuple[int, bytes]]:
    padded = readings[: len(readings) // WINDOW * WINDOW].reshape(-1, WINDOW, 5).transpose(0, 2, 1)[:, :, None]
    done = subprocess.run([program], input=raw_bytes(network, padded), capture_output=True, check=True)
    lines = [line.split() for line in done.stdout.decode().splitlines()]
    return [(int(count), bytes.fromhex(data)) for count, data in lines]


@pytest.mark.parametrize("compiler", ["gcc", "clang++"])
@pytest.mark.parametrize("name", ENCODERS)
def test_windows_are_pythons(tmp_path: Path, name: str, compiler: str) -> None:
    network, readings = series(name)
    program = build(tmp_path, network, compiler, SANITIZERS if compiler == "gcc" else ["-O2"])
    expected = windows(network, readings)
    assert len(expected) > 15
    assert run(program, network, readings) == expected


def test_windows_that_do_not_overlap_are_begun_four_times_as_often() -> None:
    """What was trained on whole recordings meets a gesture at any time."""
    steps = {window_step: Meta(window_step=window_step).step_of(9) for window_step in (1, 8, 9, 20, None)}
    assert steps == {1: 1, 8: 8, 9: 2, 20: 2, None: 2}
    assert Meta().step_of(1) == 1


def test_a_program_may_choose_the_step(tmp_path: Path) -> None:
    network, readings = series("int16 to int8")
    program = build(tmp_path, network, "gcc", ["-DNET_STEP=2"])
    other = network.with_meta(Meta(window_step=2))
    assert run(program, network, readings) == windows(other, readings)


def test_bits_of_a_reading_need_not_fill_bytes() -> None:
    network, _ = series("float to bits")
    assert network.input.shape.channels == 35
    assert ring_bytes(network) == 5 * WINDOW


def test_only_a_series_has_readings() -> None:
    encoder = ENCODERS["float to int8"]
    assert "net_push" in header_text(encoder_network(encoder, Shape(5, 1, 9), Meta(window_step=3)), name="net")
    for network in (
        encoder_network(encoder, Shape(5, 2, 9), Meta(window_step=3)),
        encoder_network(encoder, Shape(5, 1, 1), Meta(window_step=3)),
        encoder_network(encoder, Shape(5, 1, 9)),
    ):
        assert "net_push" not in header_text(network, name="net")


@pytest.mark.parametrize("encoder", [Affine([0, 0], [1, 1]), Thermometer([[0, 1, 2], [0, 1, 2]])], ids=["int8", "bits"])
def test_ram_is_taken_by_programs_that_push(tmp_path: Path, encoder: Affine | Thermometer) -> None:
    network = encoder_network(encoder, Shape(2, 1, 100), Meta(window_step=10))
    (tmp_path / "net.h").write_text(header_text(network, name="net"))
    sizes = []
    for call in ("0", "net_push(reading)"):
        text = '#include "net.h"\nint main(void)\n{\n    static net_raw_t reading[2];\n    (void)reading;\n'
        (tmp_path / "m.c").write_text(text + f"    return {call} + net_predict(net_input());\n}}\n")
        flags = ["-mmcu=atmega328p", "-std=c99", "-Os", "-fdata-sections", "-ffunction-sections", "-Wl,--gc-sections"]
        command = [require("avr-gcc"), *flags, *WARNINGS, f"-I{RUNTIME}", "m.c", "-o", "m.elf"]
        subprocess.run(command, cwd=tmp_path, check=True)
        listed = subprocess.run(
            ["avr-size", "-A", "m.elf"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        sizes.append(sum(int(line.split()[1]) for line in listed.splitlines() if line.startswith((".bss", ".data"))))
    state = 7  # of the ring, and 8 for the reading
    assert sizes[1] - sizes[0] == ring_bytes(network) + state + 8


SMOOTH = """\
#include "net.h"
#include <stdio.h>
int main(void)
{
    int32_t scores[NET_CLASSES];
    int i;
    for (i = 0; fread(scores, sizeof scores, 1, stdin) == 1; i++) {
        const uint8_t winner = net_smooth(scores);
        printf("%d %ld %ld %ld\\n", winner, (long)scores[0], (long)scores[1], (long)scores[2]);
        if (i == 50)
            net_restart();
    }
    return 0;
}
"""


@pytest.mark.parametrize("windows", [1, 3, 4, 255])
def test_means_of_scores(tmp_path: Path, windows: int) -> None:
    """As SPEC 7.12 says, at the ends of int32 too; the sanitizer sees a sum that leaves it."""
    network, _ = series("float to int8")
    (tmp_path / "net.h").write_text(header_text(network, name="net"))
    (tmp_path / "main.c").write_text(SMOOTH)
    command = [require("gcc"), "-std=c99", *WARNINGS, *SANITIZERS, f"-DNET_SMOOTH={windows}", f"-I{RUNTIME}", "main.c"]
    subprocess.run([*command, "-o", "main"], cwd=tmp_path, check=True)
    rng = np.random.default_rng(windows)
    ends = rng.choice([-(2**31), 1 - 2**31, -1, 0, 1, 2**31 - 1], (100, 3))
    scores = np.where(rng.random((100, 1)) < 0.5, ends, rng.integers(-(2**31), 2**31, (100, 3))).astype(np.int32)
    done = subprocess.run([tmp_path / "main"], input=scores.tobytes(), capture_output=True, check=True)
    means: list[int] = []
    expected = []
    for i, row in enumerate(scores.tolist()):
        begins = i in (0, 51)
        means = (
            row
            if begins
            else [m - _quotient(m, windows) + _quotient(s, windows) for m, s in zip(means, row, strict=True)]
        )
        expected.append(" ".join(map(str, [means.index(max(means)), *means])))
    assert done.stdout.decode().splitlines() == expected


def _quotient(value: int, divisor: int) -> int:
    """Towards 0, as C divides."""
    return abs(value) // divisor * (1 if value >= 0 else -1)
