"""Convolutions whose sums are looked up: the codes, the scratch, and the device's bits against the reference."""

import random
import subprocess

import numpy as np
import pytest
import serial
from support.c_networks import RUNTIME, SANITIZERS, WARNINGS, require
from support.parts import block_of, placed

from ebnn.boards import load_board
from ebnn.compile.c_arrays import constant_array
from ebnn.compile.kernels.columns import COLUMNS, column_codes, strip_of
from ebnn.compile.target import AVR, WORDS
from ebnn.model import bits
from ebnn.model.kinds import KINDS, Shape
from ebnn.model.layers import Conv, Dense, Pool
from ebnn.model.reference import conv_sums, run_layer
from ebnn.model.transforms import Normalize, Sign
from ebnn.simulation import board_url

CASES = 300
SAMPLES = 2
RANGES = {"uint8": (0, 256), "int8": (-128, 128)}
MCUS = {"uno": "atmega328p", "megaatmega2560": "atmega2560"}
LANES = ["-DEBNN_LANES=1", "-DEBNN_LANES=2"]


def conv_block(kind, shape, filters, kernel=(3, 3), stride=(1, 1), pad=(0, 0), pool=None, seed=0):
    """A block of random weights and thresholds, some of them out of reach, and samples (n, height, width, channels)."""
    rng = np.random.default_rng(seed)
    conv = Conv(rng.integers(0, 2, (filters, *kernel, shape.channels)).astype(bool), stride, pad)
    x = rng.integers(*RANGES[kind], (SAMPLES, *shape[1:], shape.channels)).astype(kind)
    x[rng.random(x.shape) < 0.1] = RANGES[kind][0]
    x[rng.random(x.shape) < 0.1] = RANGES[kind][1] - 1
    acc = conv_sums(x, conv, KINDS[kind]).reshape(-1, filters)
    value = np.array([rng.choice(acc[:, f]) for f in range(filters)]) + rng.integers(-1, 2, filters)
    reach = conv.weights[0].size * -RANGES[kind][0] if kind == "int8" else conv.weights[0].size * 255
    extreme = rng.random(filters) < 0.1
    value[extreme] = rng.choice([-reach - 1, -reach, reach, reach + 1], int(extreme.sum()))
    below = rng.random(filters) < rng.choice([0, 0.5, 1])
    return block_of(conv, pool, Sign(np.clip(value, -reach - 1, reach + 1), below)), x


def takes_columns(kind, block, shape):
    """Whether the kernel runs a block there."""
    return COLUMNS.runs(placed(block, kind, shape))


def random_case(choose):
    """(kind, shape, block, samples) of any geometry that the kernel takes."""
    while True:
        kind = choose.choice(["uint8", "uint8", "int8"])
        shape = Shape(choose.choice([1, 1, 1, 2, 3, 4]), choose.randint(1, 20), choose.randint(1, 40))
        kernel, stride, pad = _window(choose, shape[1:], 3, choose.random() < 0.5)
        filters = choose.choice([1, 2, 3, 7, 8, 9, 10, 16, 17, 33])
        block, x = conv_block(kind, shape, filters, kernel, stride, pad, None, choose.getrandbits(32))
        if choose.random() < 0.7:
            size, step, margin = _window(choose, placed(block, kind, shape).map_shape[1:], 2, choose.random() < 0.5)
            margin = tuple(min(p, s - 1) for p, s in zip(margin, size, strict=True))
            block = block_of(block.linear, Pool(size, step, margin), block.transform)
        if takes_columns(kind, block, shape):
            return kind, shape, block, x


def _window(choose, sides, most_pad, square):
    axes = []
    for side in sides:
        pad = choose.choice([0, 0, choose.randint(0, most_pad)])
        axes.append((choose.randint(1, max(1, min(side + 2 * pad, 5))), choose.randint(1, 4), pad))
    if square and max(axes[0][0], axes[1][0]) <= min(sides):
        axes = [(3 if min(sides) > 2 else 1, *axes[0][1:])] * 2
    return tuple(zip(*axes, strict=True))


def c_case(name, kind, shape, block):
    """C text of one block's constants, as headers have them."""
    layer = placed(block, kind, shape)
    conv, out, at = block.linear, layer.output_shape, layer.map_shape
    pool = block.pool or Pool((1, 1), (1, 1))
    _, flips = block.transform.at_least()
    windows = [
        f"{{{size[axis]}, {stride[axis]}, {pad[axis]}, {sides[1 + axis]}}}"
        for size, stride, pad, sides in (
            (conv.kernel, conv.stride, conv.pad, shape),
            (pool.size, pool.stride, pool.pad, at),
        )
        for axis in (0, 1)
    ]
    filters = f"{{{conv.weights[0].size}, 0, {block.outputs}, EBNN_{kind.upper()}, 0, 0, NULL, NULL}}"
    fields = [filters, *windows, shape.channels, out.height, out.width, 0, bits.row_bytes(out.width * out.channels)]
    parts = [
        "#if EBNN_LANES == 1",
        constant_array(f"{name}_codes", column_codes(layer, AVR), "of one lane"),
        "#else",
        constant_array(f"{name}_codes", column_codes(layer, WORDS), "of two"),
        "#endif",
    ]
    pointer = "NULL"
    if flips.any():
        pointer = f"{name}_flips"
        parts.append(constant_array(pointer, bits.pack(flips), "flips"))
    struct = ", ".join(map(str, [*fields, pointer, "NULL", f"{name}_codes"]))
    parts.append(f"static const ebnn_conv_t {name} EBNN_FLASH = {{{struct}}};\n")
    return "\n".join(parts)


def expected(kind, shape, block, x):
    """The output of each sample as the device has it: (n, bytes)."""
    layer = placed(block, kind, shape)
    out = layer.output_shape
    y = run_layer(layer, x)
    return bits.pack(y.reshape(len(y), out.height, -1)).reshape(len(y), -1)


HOST_MAIN = """\
#include <stdio.h>
#include <stdlib.h>
#include "ebnn.h"
#include "ebnn/columns.h"
{constants}
static void run(const ebnn_conv_t *conv, size_t in_bytes, size_t out_bytes, size_t scratch_bytes, int count)
{{
    while (count-- > 0) {{
        uint8_t *input = (uint8_t *)malloc(in_bytes);
        uint8_t *output = (uint8_t *)malloc(ebnn_whole_words(out_bytes));
        uint8_t *scratch = (uint8_t *)malloc(scratch_bytes);
        if (fread(input, 1, in_bytes, stdin) != in_bytes) exit(3);
        memset(output, 0xA5, out_bytes);
        memset(scratch, 0xA5, scratch_bytes);
        ebnn_conv_columns(conv, input, output, scratch);
        fwrite(output, 1, out_bytes, stdout);
        free(input);
        free(output);
        free(scratch);
    }}
}}

int main(void)
{{
{calls}
    return 0;
}}
"""


def run_on_host(cases, folder, compiler, flags):
    """The outputs of every case, each (n, bytes), every buffer a heap block of its exact size."""
    constants, calls, wanted = [], [], []
    for i, (kind, shape, block, x) in enumerate(cases):
        constants.append(c_case(f"c{i}", kind, shape, block))
        wanted.append(expected(kind, shape, block, x))
        scratch = max(COLUMNS.scratch(placed(block, kind, shape), target) for target in (AVR, WORDS))
        sizes = f"{shape.size}, {wanted[-1].shape[1]}, {scratch}, {len(x)}"
        calls.append(f"    run(&c{i}, {sizes});")
    source = folder / "main.c"
    source.write_text(HOST_MAIN.format(constants="\n".join(constants), calls="\n".join(calls)))
    language = ["-std=c++11", "-x", "c++"] if "++" in compiler else ["-std=c99"]
    inline = "-DEBNN_INLINE=__attribute__((unused)) static inline"
    command = [require(compiler), *language, *WARNINGS, inline, *flags, f"-I{RUNTIME}", "-o", folder / "program"]
    subprocess.run([*command, source], check=True)
    samples = b"".join(x.tobytes() for _, _, _, x in cases)
    done = subprocess.run([folder / "program"], input=samples, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    assert len(done.stdout) == sum(y.size for y in wanted)
    ends = np.cumsum([0, *(y.size for y in wanted)])
    return [
        (np.frombuffer(done.stdout[start:end], np.uint8).reshape(y.shape), y)
        for start, end, y in zip(ends[:-1], ends[1:], wanted, strict=True)
    ]


EMBEDDED_MAIN = """\
#include "ebnn.h"
#include "ebnn/columns.h"
#if defined(__AVR__)
#include <avr/io.h>
static void start(void)
{{
    UCSR0A = _BV(U2X0);
    UBRR0 = 0;
    UCSR0B = _BV(TXEN0) | _BV(RXEN0);
}}
static uint8_t get(void)
{{
    while ((UCSR0A & _BV(RXC0)) == 0) {{
    }}
    return UDR0;
}}
static void put(uint8_t byte)
{{
    while ((UCSR0A & _BV(UDRE0)) == 0) {{
    }}
    UDR0 = byte;
}}
static uint32_t now(void)
{{
    return 0;
}}
#else
#include "board.h"
#define start bare_start
#define get bare_get
#define put bare_put
#define now bare_instructions
#endif
{constants}
static union {{ uint8_t bytes[{in_bytes}]; uint32_t word; }} input;
static union {{ uint8_t bytes[{out_bytes} + 3]; uint32_t word; }} output;
static union {{ uint8_t bytes[{scratch_bytes}]; uint32_t word; }} scratch;

static void run(const ebnn_conv_t *conv, const uint8_t *sample, uint16_t in_bytes, uint16_t out_bytes)
{{
    uint32_t took;
    uint16_t i;

    EBNN_READ_BLOCK(input.bytes, sample, in_bytes);
    took = now();
    ebnn_conv_columns(conv, input.bytes, output.bytes, scratch.bytes);
    took = now() - took;
    for (i = 0; i < out_bytes; i++)
        put(output.bytes[i]);
    for (i = 0; i < 4u; i++, took >>= 8)
        put((uint8_t)took);
}}

int main(void)
{{
    start();
    (void)get();
{calls}
    for (;;) {{
#if defined(__AVR__)
        __asm__ __volatile__("sei");
#endif
    }}
}}
"""


def embedded_source(cases, folder):
    """Writes a program that runs each case's samples and sends its outputs, each followed by the instructions taken."""
    constants, calls, wanted, rooms = [], [], [], []
    for i, (kind, shape, block, x) in enumerate(cases):
        wanted.append(expected(kind, shape, block, x))
        scratch = max(COLUMNS.scratch(placed(block, kind, shape), target) for target in (AVR, WORDS))
        rooms.append((shape.size, wanted[-1].shape[1], scratch))
        constants += [c_case(f"c{i}", kind, shape, block), constant_array(f"x{i}", x.view(np.uint8), "samples")]
        for at in range(len(x)):
            calls.append(f"    run(&c{i}, x{i} + {at * shape.size}, {shape.size}, {rooms[-1][1]});")
    in_bytes, out_bytes, scratch_bytes = map(max, zip(*rooms, strict=True))
    source = folder / "columns.c"
    source.write_text(
        EMBEDDED_MAIN.format(
            constants="\n".join(constants),
            calls="\n".join(calls),
            in_bytes=in_bytes,
            out_bytes=out_bytes,
            scratch_bytes=scratch_bytes,
        )
    )
    return source, wanted


def receive(port, wanted):
    """Starts the program, checks the outputs that come, and returns the instructions of each."""
    size = sum(len(output) + 4 for outputs in wanted for output in outputs)
    sent = b""
    for _ in range(200):  # until the program listens; whatever comes while the port is being opened would be lost
        port.write(b"\0")
        sent = port.read(1)
        if sent:
            break
    port.timeout = 60.0
    sent += port.read(size - len(sent))
    assert len(sent) == size
    took, at = [], 0
    for i, outputs in enumerate(wanted):
        for output in outputs:
            found = np.frombuffer(sent, np.uint8, len(output), at)
            np.testing.assert_array_equal(found, output, err_msg=str(i))
            took.append(int.from_bytes(sent[at + len(output) : at + len(output) + 4], "little"))
            at += len(output) + 4
    return took


def compile_embedded(board, cases, folder, flags):
    """The program of some cases for a simulated board, and the outputs that are to come."""
    source, wanted = embedded_source(cases, folder)
    program = folder / "columns.elf"
    if board in MCUS:
        command = [require("avr-gcc"), f"-mmcu={MCUS[board]}", "-DF_CPU=16000000UL", source]
    else:
        target, bare = load_board(board).bare, RUNTIME.parents[2] / "bare"
        sources = [bare / name for name in target.sources]
        command = [require(f"{target.tools}gcc"), *target.processor, "-ffunction-sections", "-fdata-sections"]
        command += [f"-I{bare}", source, *sources, bare / "stop.c", "-specs=picolibc.specs", "--oslib=semihost"]
        command += [f"-L{bare}", f"-T{bare / target.script}"]
    flags = ["-std=c99", *WARNINGS, *flags, f"-I{RUNTIME}", "-o", program]
    done = subprocess.run([*command, *flags], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return program, wanted


def run_embedded(board, cases, folder, flags=("-Os",), watch=""):
    """Runs the cases on a simulated board; (instructions of each sample, statistics on AVR)."""
    program, wanted = compile_embedded(board, cases, folder, flags)
    url = board_url(board, program=program) + (f"&watch={watch}" if watch else "")
    with serial.serial_for_url(url, timeout=0.3) as port:
        took = receive(port, wanted)
        return took, port.simulator.statistics() if board in MCUS else None


# Host


@pytest.mark.parametrize("lanes", LANES)
def test_random_geometries_give_the_references_bits(lanes, tmp_path):
    choose = random.Random(1)
    cases = [random_case(choose) for _ in range(CASES)]
    for case, (found, wanted) in zip(cases, run_on_host(cases, tmp_path, "gcc", [lanes, *SANITIZERS]), strict=True):
        np.testing.assert_array_equal(found, wanted, err_msg=str(case[:3]))


@pytest.mark.parametrize("compiler", ["gcc", "g++", "clang", "clang++"])
@pytest.mark.parametrize("lanes", LANES)
def test_compilers_agree(compiler, lanes, tmp_path):
    cases = [random_case(random.Random(seed)) for seed in range(20)]
    for found, wanted in run_on_host(cases, tmp_path, compiler, [lanes, "-O2"]):
        np.testing.assert_array_equal(found, wanted)


def cases_of(*geometries):
    """Cases of (kind, (channels, height, width), filters, options of conv_block)."""
    made = []
    for seed, (kind, shape, filters, options) in enumerate(geometries):
        block, x = conv_block(kind, Shape(*shape), filters, seed=seed, **options)
        made.append((kind, Shape(*shape), block, x[:1]))
    return made


NAMED = {
    "mnist, overlapping pool": ("uint8", (1, 28, 28), 10, {"stride": (2, 2), "pool": Pool((3, 3), (2, 2))}),
    "mnist, padded": ("uint8", (1, 28, 28), 16, {"pad": (1, 1), "pool": Pool((2, 2), (2, 2))}),
    "lookups over three": ("uint8", (1, 20, 20), 5, {"kernel": (5, 5), "pool": Pool((2, 2), (2, 2))}),
    "channels": ("uint8", (3, 10, 12), 9, {"pad": (1, 1)}),
    "signed": ("int8", (1, 11, 17), 12, {"kernel": (3, 4), "pad": (1, 2), "pool": Pool((3, 3), (1, 2), (1, 1))}),
    "one lookup": ("int8", (2, 6, 50), 3, {"kernel": (1, 1), "stride": (2, 1), "pool": Pool((2, 2), (3, 3))}),
    "two lookups": ("uint8", (1, 9, 9), 17, {"kernel": (4, 2), "pool": Pool((5, 5), (2, 2))}),
    "a gap under the pool": ("uint8", (1, 12, 12), 8, {"pool": Pool((1, 2), (3, 4))}),
    "one row": ("uint8", (1, 1, 30), 4, {"pad": (1, 1)}),
    "all padding": ("uint8", (1, 1, 1), 2, {"kernel": (2, 2), "pad": (3, 3), "stride": (3, 1)}),
}


@pytest.mark.parametrize("lanes", LANES)
def test_named_geometries_give_the_references_bits(lanes, tmp_path):
    cases = cases_of(*NAMED.values())
    assert [name for name, case in zip(NAMED, cases, strict=True) if not takes_columns(case[0], case[2], case[1])] == []
    for name, (found, wanted) in zip(NAMED, run_on_host(cases, tmp_path, "gcc", [lanes, *SANITIZERS]), strict=True):
        np.testing.assert_array_equal(found, wanted, err_msg=name)


# Boards


@pytest.mark.parametrize("level", ["-O0", "-O1", "-Os", "-O2", "-O3", "-Os -flto", "-Os -mcall-prologues"])
def test_avr_gives_the_references_bits(level, tmp_path):
    cases = [random_case(random.Random(seed)) for seed in range(12)]
    run_embedded("megaatmega2560", cases_of(*NAMED.values()) + cases, tmp_path, level.split())


@pytest.mark.parametrize("board", ["cortex-m0", "cortex-m3", "rv32"])
@pytest.mark.parametrize("level", ["-Os", "-O2"])
def test_32_bit_cores_give_the_references_bits(board, level, tmp_path):
    cases = [random_case(random.Random(seed)) for seed in range(6)]
    run_embedded(board, cases_of(*list(NAMED.values())[1:]) + cases, tmp_path, [level])


# Codes


def test_few_taps_are_always_taken():
    """What is not taken has many taps, wide windows of a pool, or many filters on a wide map."""
    choose = random.Random(2)
    for _ in range(500):
        channels, kernel = choose.choice([(1, (3, 3)), (1, (4, 4)), (3, (2, 2)), (4, (2, 2)), (1, (5, 3)), (1, (3, 5))])
        shape = Shape(channels, choose.randint(5, 32), choose.randint(5, 32))
        stride = (choose.randint(1, 4), choose.randint(1, 4))
        block, _ = conv_block("uint8", shape, choose.randint(1, 16), kernel, stride, (1, 1))
        assert takes_columns("uint8", block, shape)


def test_what_is_not_taken():
    shape = Shape(1, 28, 28)
    block, _ = conv_block("uint8", shape, 4)
    assert takes_columns("uint8", block, shape)
    zero = Sign(np.zeros(4), np.zeros(4, bool))
    assert not takes_columns("bits", block_of(block.linear, None, zero), shape)
    normalize = Normalize(*np.ones((5, 4)))
    assert not takes_columns("float", block_of(block.linear, None, None, normalize), shape)
    assert not takes_columns("uint8", block_of(Dense(block.linear.weights), None, zero), Shape(1, 3, 3))
    many, _ = conv_block("uint8", Shape(8, 9, 9), 4)  # sums over 16 bits
    assert not takes_columns("uint8", many, Shape(8, 9, 9))
    wide, _ = conv_block("uint8", shape, 4, pool=Pool((1, 9), (1, 9)))  # a pooling window over an element of marks
    assert not takes_columns("uint8", wide, shape)


def test_the_codes_add_up_to_the_sums():
    """A model of the device: places and signs pick sums that make every filter's own."""
    shape = Shape(2, 5, 9)
    block, x = conv_block("uint8", shape, 6, (3, 2), (1, 2))
    threshold, _ = block.transform.at_least()
    acc = conv_sums(x, block.linear, KINDS["uint8"])[0, 0]
    layer = placed(block, "uint8", shape)
    for target in (AVR, WORDS):
        strip = strip_of(layer, target)
        codes = column_codes(layer, target)
        run, columns, rows = codes[:3].tolist()
        assert (run, columns, rows) == (strip.run, strip.columns(strip.run), strip.rows)
        table = np.zeros((rows, columns), int)
        for column in range(columns):
            k, i = divmod(column, run)  # as many phases as columns of the kernel: stride 2, width 2
            at = k + 2 * i
            taps = x[0, :3, at].ravel().astype(int)
            for group, size in enumerate(strip.groups):
                values = taps[group * 3 : group * 3 + size]
                for choice in range(4):
                    signs = np.array([1, *(1 if choice >> bit & 1 else -1 for bit in range(size - 1))])
                    table[group * 4 + choice, column] = signs @ values
        flat = table.ravel()
        for f, code in enumerate(codes[3:].reshape(6, -1)):
            *lookups, low, high = code.tolist()
            level = low + 256 * high - 2**15
            first = lookups[-3]
            for position in range(run):
                terms = [(flat[(c & 127) + position], c >> 7) for c in lookups]
                total = sum(-v if minus and i != len(lookups) - 3 else v for i, (v, minus) in enumerate(terms))
                assert ((total + level >= 0) != bool(first >> 7)) == (acc[position, f] >= threshold[f])
