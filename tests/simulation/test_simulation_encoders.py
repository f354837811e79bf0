"""On every simulated core, emitted encoders make of raw samples what Python makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import serial
from avr_programs import compile_avr, require_simavr
from qemu_boards import NAMES, STRICT, require_board
from support.c_networks import WARNINGS
from support.raw_samples import ENCODERS, RAW_SHAPE, encoded, encoder_network, raw_bytes, raw_samples

from ebnn.boards import load_board
from ebnn.compile.header import header_text
from ebnn.device import Device
from ebnn.simulation import board_url
from ebnn.simulation.bare import build_bare

NETWORKS = {name: encoder_network(encoder) for name, encoder in ENCODERS.items()}
SAMPLES = {name: raw_samples(encoder) for name, encoder in ENCODERS.items()}


def write_headers(folder: Path) -> str:
    """Writes the header of each network; returns what includes them."""
    for i, network in enumerate(NETWORKS.values()):
        (folder / f"n{i}.h").write_text(header_text(network, name=f"n{i}"))
    return "".join(f'#include "n{i}.h"\n' for i in range(len(NETWORKS)))


def assert_encoded(name: str, found: list[bytes]) -> None:
    """10,000 values of an encoder, each as in Python."""
    raw = SAMPLES[name]
    assert raw.size >= 10_000
    wanted = encoded(NETWORKS[name], raw)
    np.testing.assert_array_equal(np.frombuffer(b"".join(found), np.uint8).reshape(wanted.shape), wanted, name)


@pytest.mark.parametrize(("board", "level"), [("uno", "-Os"), ("megaatmega2560", "-O3")])
def test_avr(board: str, level: str, tmp_path: Path) -> None:
    require_simavr()
    cases = " ".join(f"RUN({i}, n{i}, N{i})" for i in range(len(NETWORKS)))
    (tmp_path / "encoders.h").write_text(f"{write_headers(tmp_path)}#define ENCODERS {cases}\n")
    program = compile_avr(board, "encode.c", tmp_path, ["-std=c99", *WARNINGS, level])
    with serial.serial_for_url(board_url(board, program=program), timeout=60.0) as port:
        for i, (name, network) in enumerate(NETWORKS.items()):
            found = []
            for sample in SAMPLES[name]:
                port.write(bytes([i]) + raw_bytes(network, sample[None]))
                found.append(port.read(network.input.bytes))
            assert_encoded(name, found)


# The responder's network: a sample is the number of an encoder and a raw sample, its scores are what was encoded.
_SCORES = 24
_PROBE = f"""\
#define EBNN_NETWORK_NAME "encoders"
#define EBNN_NETWORK_HASH 0x0E0C0DE5ul
#define EBNN_INPUT_BYTES {4 + 4 * RAW_SHAPE.size}
#define EBNN_INPUT_TYPE uint8_t
#define EBNN_CLASSES {_SCORES}
#define EBNN_LAYERS 1
#define EBNN_ARENA_BYTES EBNN_INPUT_BYTES
"""
_PROBE_END = """
static uint32_t probe_arena[EBNN_ARENA_BYTES / 4];

static inline uint8_t *ebnn_network_input(void)
{
    return (uint8_t *)probe_arena;
}

static inline uint8_t ebnn_network_layer(uint8_t index, const uint8_t *input, int32_t *scores)
{
    const void *raw = probe_arena + 1;

    (void)index;
    memset(scores, 0, 4 * EBNN_CLASSES);
    switch (input[0]) {
@cases@
    default:
        break;
    }
    return 0;
}

static inline uint8_t ebnn_network_scores(const uint8_t *input, int32_t *scores)
{
    return ebnn_network_layer(0, input, scores);
}
"""


@pytest.mark.parametrize("board", NAMES)
def test_qemu(board: str, tmp_path: Path) -> None:
    require_board(board)
    cases = "\n".join(
        f"    case {i}:\n        n{i}_encode((const n{i}_raw_t *)raw, (void *)scores);\n        break;"
        for i in range(len(NETWORKS))
    )
    includes = write_headers(tmp_path)
    undefined = "".join(f"#undef {line.split()[1]}\n" for line in _PROBE.splitlines())
    undefined += "#undef ebnn_network_input\n#undef ebnn_network_layer\n#undef ebnn_network_scores\n"
    text = f"#ifndef PROBE_H\n#define PROBE_H\n{includes}{undefined}{_PROBE}{_PROBE_END}#endif\n"
    (tmp_path / "probe.h").write_text(text.replace("@cases@", cases))
    program = build_bare(load_board(board), tmp_path / "probe.h", tmp_path, flags=STRICT)
    with Device(board_url(board, program=program)) as device:
        for i, (name, network) in enumerate(NETWORKS.items()):
            found = []
            for sample in SAMPLES[name]:
                body = bytes([i, 0, 0, 0]) + raw_bytes(network, sample[None])
                answer = device.predict(body.ljust(4 + 4 * RAW_SHAPE.size, b"\0"))
                found.append(np.asarray(answer.scores, "<i4").tobytes()[: network.input.bytes])
            assert_encoded(name, found)
