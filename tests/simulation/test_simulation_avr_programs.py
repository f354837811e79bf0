"""On a simulated Mega: a header in several source files, and networks beside large constants of the program's own."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import serial
from avr_programs import require_simavr
from support.c_networks import RUNTIME, require
from support.large_networks import large_network
from support.random_networks import random_samples

import ebnn
from ebnn import Network
from ebnn.compile import flash_bytes
from ebnn.simulation import board_url

SAMPLES = 6
DROPPING = ["-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]
FLAGS = {
    "plain": ["-Os"],
    "dropping": ["-Os", *DROPPING],
    "lto": ["-Os", *DROPPING, "-flto", "-fuse-linker-plugin"],
    "lto in parts": ["-Os", *DROPPING, "-flto", "-flto-partition=max"],
    "relax": ["-O2", *DROPPING, "-mrelax"],
}
HEAD = """\
#ifdef __cplusplus
extern "C" {
#endif
#include <stdint.h>
void fill(const uint8_t *sample);
uint8_t predict(int32_t *scores);
uint8_t show0(uint16_t at);
uint8_t show1(uint16_t at);
uint8_t show2(uint16_t at);
uint8_t show3(uint16_t at);
#ifdef __cplusplus
}
#endif
"""
FILL = """\
#include "net.h"
#include "program.h"
void fill(const uint8_t *sample)
{
    memcpy(net_input(), sample, NET_INPUT_BYTES);
}
"""
PREDICT = """\
#include "net.h"
#include "program.h"
uint8_t predict(int32_t *scores)
{
    return net_scores(net_input(), scores);
}
"""
PICTURE = """\
#include <avr/pgmspace.h>
#include "program.h"
static const uint8_t picture[24200] PROGMEM = {{{n}, 1, 2, 3}};
uint8_t show{n}(uint16_t at)
{{
    return pgm_read_byte_far(pgm_get_far_address(picture) + at);
}}
"""
MAIN = """\
#include <avr/io.h>
#define NET_DECLARATIONS
#include "net.h"
#include "program.h"

static uint8_t receive(void)
{
    while ((UCSR0A & _BV(RXC0)) == 0) {
    }
    return UDR0;
}

static void transmit(uint8_t byte)
{
    while ((UCSR0A & _BV(UDRE0)) == 0) {
    }
    UDR0 = byte;
}

int main(void)
{
    static uint8_t sample[NET_INPUT_BYTES];
    static int32_t scores[NET_CLASSES];

    UCSR0A = _BV(U2X0);
    UBRR0 = 0;
    UCSR0B = _BV(RXEN0) | _BV(TXEN0);
    for (;;) {
        uint16_t i;
        for (i = 0; i < NET_INPUT_BYTES; i++)
            sample[i] = receive();
        fill(sample);
        transmit(SHOWN);
        transmit(predict(scores));
        for (i = 0; i < sizeof scores; i++)
            transmit(((const uint8_t *)scores)[i]);
    }
}
"""


@pytest.fixture(autouse=True)
def _simavr() -> None:
    require_simavr()


def write(folder: Path, network: Network, pictures: int, language: str) -> dict[str, Path]:
    """The program's source files by name; the network's in ``language``."""
    ebnn.write_header(network, folder / "net.h")
    shown = " + ".join(["0", *(f"show{n}((uint16_t)(sample[0] & 3u))" for n in range(pictures))])
    texts = {"fill.c": FILL, f"predict.{language}": PREDICT, "main.c": MAIN.replace("SHOWN", f"(uint8_t)({shown})")}
    texts |= {f"picture{n}.c": PICTURE.format(n=n) for n in range(pictures)}
    (folder / "program.h").write_text(HEAD)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {name.split(".")[0]: folder / name for name in texts}


def build(folder: Path, sources: Sequence[Path], flags: Sequence[str]) -> Path:
    """Compiles each source and links them in this order."""
    shared = ["-mmcu=atmega2560", *flags, "-Wall", "-Wextra", "-Werror", f"-I{RUNTIME}", f"-I{folder}"]
    objects = []
    for source in sources:
        compiler = ["avr-g++", "-std=c++11"] if source.suffix == ".cpp" else ["avr-gcc", "-std=gnu99"]
        objects.append(source.with_suffix(".o"))
        subprocess.run([require(compiler[0]), *compiler[1:], *shared, "-c", source, "-o", objects[-1]], check=True)
    program = folder / "program.elf"
    subprocess.run([require("avr-gcc"), *shared, *objects, "-o", program], check=True)
    return program


def check(program: Path, network: Network, pictures: int) -> None:
    """Every score and class is the reference's, and the program's own constants are read rightly."""
    x = random_samples(network, SAMPLES, seed=10)
    classes, scores = [], []
    with serial.serial_for_url(board_url("megaatmega2560", program=program), timeout=20.0) as port:
        for packed in network.pack_input(x):
            port.write(packed.tobytes())
            at = int(packed.view(np.uint8)[0]) & 3
            own = sum(n if at == 0 else at for n in range(pictures))
            assert port.read(1) == bytes([own])
            classes.append(port.read(1)[0])
            scores.append(np.frombuffer(port.read(4 * network.classes), "<i4"))
    np.testing.assert_array_equal(scores, network.scores(x))
    np.testing.assert_array_equal(classes, network.predict(x))


@pytest.mark.parametrize(("language", "way"), [("c", "plain"), ("cpp", "dropping"), ("cpp", "lto")])
def test_one_file_fills_the_arena_and_another_predicts(language: str, way: str, tmp_path: Path) -> None:
    network = large_network(20, 40)
    sources = write(tmp_path, network, 0, language)
    check(build(tmp_path, list(sources.values()), FLAGS[way]), network, 0)


@pytest.mark.parametrize(
    ("language", "pictures", "way"),
    [("c", 1, "plain"), ("cpp", 1, "lto"), ("c", 4, "lto in parts"), ("cpp", 4, "dropping"), ("c", 4, "relax")],
)
def test_beside_constants_of_the_programs_own(language: str, pictures: int, way: str, tmp_path: Path) -> None:
    """A network of 40 KB behind 24,200 B of them, or 96,800."""
    network = large_network(130)
    assert 40_000 < flash_bytes(network) < 44_000
    sources = write(tmp_path, network, pictures, language)
    if way == "plain":  # nothing is dropped, and two copies would be too large
        sources["fill"].write_text("#define NET_DECLARATIONS\n" + FILL)
    order = sorted(sources.values(), key=lambda path: not path.name.startswith("picture"))
    check(build(tmp_path, order, FLAGS[way]), network, pictures)


def test_a_network_near_the_limit(tmp_path: Path) -> None:
    network = large_network(404)
    assert 59_500 < flash_bytes(network) < 60_000
    sources = write(tmp_path, network, 4, "c")
    check(build(tmp_path, [*sources.values()][::-1], FLAGS["lto"]), network, 4)
