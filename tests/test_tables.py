"""Convolutions by truth tables: C against the reference, for every geometry, on this machine and on AVR."""

import os
import random
import subprocess

import numpy as np
import pytest
import serial
from support.c_networks import RUNTIME, SANITIZERS, WARNINGS, require
from support.parts import block_of, placed

from ebnn.compile.kernels.tables import table_bytes, table_scratch_bytes, takes_table, truth_tables
from ebnn.errors import BuildError
from ebnn.model import bits, reference
from ebnn.model.kinds import Shape
from ebnn.model.layers import Block, Conv, Dense, Pool
from ebnn.model.transforms import Sign
from ebnn.simulation import board_url
from ebnn.simulation.simavr_build import simavr_program

SAMPLES = 2
GEOMETRIES = 600
UNLIMITED = 2**30
# (height, width, channels): those of 3 rows, of 1 row and of others go different ways.
KERNELS = [
    (3, 3, 1),
    (3, 3, 1),
    (3, 3, 1),
    (3, 1, 3),
    (3, 2, 1),
    (3, 1, 1),
    (1, 3, 3),
    (1, 1, 10),
    (1, 9, 1),
    (1, 2, 5),
]
KERNELS += [
    (1, 1, 1),
    (2, 2, 2),
    (2, 3, 1),
    (2, 2, 1),
    (2, 1, 5),
    (2, 5, 1),
    (4, 2, 1),
    (4, 1, 2),
    (5, 2, 1),
    (10, 1, 1),
]
FILTERS = [1, 3, 7, 8, 9, 10, 15, 16, 17, 24, 35, 64]

Case = tuple[Block, Shape]


def conv_block(outputs, kernel, stride=(1, 1), pad=(0, 0), pool=None, seed=0, below=False):
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 2, (outputs, *kernel)).astype(bool)
    threshold = Sign(rng.integers(-2, 3, outputs), np.full(outputs, below))
    return block_of(Conv(weights, stride, pad), pool, threshold)


def random_side(choose, taps, most):
    """(side, stride, pad, pool size, pool stride, pool pad); overlapping, gapped and padded windows among them."""
    pad = choose.choice([0, 0, 1, choose.randint(0, 3)])
    stride = choose.choice([1, 1, 2, choose.randint(1, 6)])
    side = max(choose.randint(1, choose.choice([12, most])), taps - 2 * pad)
    length = (side + 2 * pad - taps) // stride + 1
    pool_pad = choose.choice([0, 0, choose.randint(0, 2)])
    size = max(pool_pad + 1, choose.choice([1, 2, 3, choose.randint(1, 6)]))
    if size > length + 2 * pool_pad:
        size, pool_pad = 1, 0
    return side, stride, pad, size, choose.choice([1, 2, 3, size, choose.randint(1, 5)]), pool_pad


def placed_case(block, shape):
    """The layer of a case."""
    return placed(block, "bits", shape)


def random_case(seed, most=40):
    """A block and the shape of its input."""
    choose, rng = random.Random(seed), np.random.default_rng(seed)
    kernel = choose.choice(KERNELS)
    both = [random_side(choose, side, most) for side in kernel[:2]]
    sides, stride, pad, size, pool_stride, pool_pad = zip(*both, strict=True)
    outputs, taps = choose.choice(FILTERS), kernel[0] * kernel[1] * kernel[2]
    reach = choose.choice([3, taps + 1])
    value = np.clip(rng.integers(-reach, reach + 1, outputs), -taps - 1, taps + 1)
    threshold = Sign(value, rng.random(outputs) < choose.choice([0, 0.5]))
    pool = Pool(size, pool_stride, pool_pad) if choose.random() < 0.8 else None
    weights = rng.integers(0, 2, (outputs, *kernel)).astype(bool)
    return block_of(Conv(weights, stride, pad), pool, threshold), Shape(kernel[2], *sides)


def samples(shape, seed):
    """(SAMPLES, height, width, channels) bool."""
    rng = np.random.default_rng(seed)
    return rng.random((SAMPLES, shape.height, shape.width, shape.channels)) < rng.choice([0.2, 0.5, 0.8])


def packed(x):
    """(n, bytes) uint8: activations as they lie in memory."""
    return bits.pack(x.reshape(*x.shape[:2], -1)).reshape(len(x), -1)


def expected(case, seed):
    block, shape = case
    return packed(reference.run_layer(placed(block, "bits", shape), samples(shape, seed)))


def constants(case, name):
    """C text of a block's tables, flips and ebnn_conv_t."""
    block, shape = case
    conv, pool = block.linear, block.pool or Pool((1, 1), (1, 1))
    layer = placed(block, "bits", shape)
    conv_map, out = layer.map_shape, layer.output_shape
    windows = [
        f"{{{size[axis]}, {stride[axis]}, {pad[axis]}, {sides[1 + axis]}}}"
        for size, stride, pad, sides in (
            (conv.kernel, conv.stride, conv.pad, shape),
            (pool.size, pool.stride, pool.pad, conv_map),
        )
        for axis in (0, 1)
    ]
    row_bytes = [bits.row_bytes(side.width * side.channels) for side in (shape, out)]
    fields = [*windows, shape.channels, out.height, out.width, *row_bytes]
    flips = "NULL"
    text = array("uint16_t", f"{name}_tables", truth_tables(placed(block, "bits", shape)))
    if block.transform.below.any():
        flips = f"{name}_flips"
        text += array("uint8_t", flips, bits.pack(block.transform.below))
    filters = f"{{{conv.weights[0].size}, 0, {block.outputs}, EBNN_BITS, 0, 0, NULL, NULL}}"
    values = f"{filters}, {', '.join(map(str, fields))}, {flips}, NULL, {name}_tables"
    return f"{text}static const ebnn_conv_t {name} EBNN_FLASH = {{{values}}};\n"


def array(c_type, name, values):
    return f"static const {c_type} {name}[{len(values)}] EBNN_FLASH = {{{', '.join(map(str, values))}}};\n"


def run_here(cases, folder, compiler, *flags):
    """Every case's outputs for its samples, (n, bytes) uint8 each; the case's number is their seed."""
    text = '#include <stdio.h>\n#include <stdlib.h>\n#include "ebnn/tables.h"\n' + RUN_HERE
    calls, data = "", b""
    for i, (block, shape) in enumerate(cases):
        x = packed(samples(shape, i))
        out = placed(block, "bits", shape).output_bytes
        text += constants((block, shape), f"c{i}")
        calls += f"    run(&c{i}, {x.shape[1]}, {out}, {table_scratch_bytes(placed(block, 'bits', shape))});\n"
        data += x.tobytes()
    source, program = folder / "main.c", folder / "program"
    source.write_text(f"{text}\nint main(void)\n{{\n{calls}    return 0;\n}}\n")
    command = [require(compiler), "-std=c99", *WARNINGS, *flags, f"-I{RUNTIME}", "-o", program, source]
    subprocess.run(command, check=True)
    done = subprocess.run([program], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    return split(cases, done.stdout)


# Each buffer is a heap block of its own, so that the address sanitizer sees what lies past its end.
RUN_HERE = f"""
static void run(const ebnn_conv_t *conv, size_t in_bytes, size_t out_bytes, size_t scratch_bytes)
{{
    for (int i = 0; i < {SAMPLES}; i++) {{
        uint8_t *input = (uint8_t *)malloc(in_bytes);
        uint8_t *output = (uint8_t *)malloc(ebnn_whole_words(out_bytes));
        uint8_t *scratch = (uint8_t *)malloc(scratch_bytes);
        if (fread(input, 1, in_bytes, stdin) != in_bytes)
            exit(3);
        memset(output, 0xA5, ebnn_whole_words(out_bytes));
        memset(scratch, 0x5A, scratch_bytes);
        ebnn_conv_table(conv, input, output, scratch);
        fwrite(output, 1, out_bytes, stdout);
        free(input);
        free(output);
        free(scratch);
    }}
}}
"""


def split(cases, output):
    results, at = [], 0
    for block, shape in cases:
        out = SAMPLES * placed(block, "bits", shape).output_bytes
        results.append(np.frombuffer(output, np.uint8, out, at).reshape(SAMPLES, -1))
        at += out
    assert at == len(output)
    return results


def check(cases, results):
    for i, (case, result) in enumerate(zip(cases, results, strict=True)):
        block, shape = case
        what = (
            f"case {i}: {block.linear.weights.shape}, {block.linear.stride}, {block.linear.pad}, {block.pool}, {shape}"
        )
        np.testing.assert_array_equal(result, expected(case, i), err_msg=what)


def usable(cases):
    return [case for case in cases if takes_table(placed_case(*case), UNLIMITED)]


@pytest.mark.parametrize(("compiler", "flags"), [("gcc", [*SANITIZERS, "-O1"]), ("clang", ["-O2"])])
def test_tables_give_the_bits_of_the_reference(tmp_path, compiler, flags):
    cases = usable(map(random_case, range(GEOMETRIES)))
    assert len(cases) > 0.9 * GEOMETRIES
    check(cases, run_here(cases, tmp_path, compiler, *flags))


@pytest.mark.parametrize("level", ["-Os", "-O2", "-O0"])
@pytest.mark.parametrize("batch", range(4))
def test_tables_give_the_bits_of_the_reference_on_avr(tmp_path, level, batch):
    """As many geometries as fit an ATmega328P."""
    require("avr-gcc")
    try:
        with simavr_program():
            pass
    except BuildError as error:
        pytest.fail(str(error)) if os.environ.get("EBNN_NO_SKIP") else pytest.skip(str(error))
    cases, flash = [], 0
    for seed in range(1000 * batch, 1000 * batch + 100):
        block, shape = case = random_case(seed, most=20)
        layer = placed(block, "bits", shape)
        sizes = [layer.input.bytes, layer.output_bytes]
        size = table_bytes(placed(block, "bits", shape)) + SAMPLES * sum(sizes) + 100
        if (
            size < 2000
            and flash + size < 18_000
            and takes_table(placed_case(*case), UNLIMITED)
            and sum(sizes) + table_scratch_bytes(placed_case(*case)) < 1300
        ):
            cases.append(case)
            flash += size
    assert len(cases) > 20
    ran, wrong, first = run_on_avr(cases, tmp_path, level)
    assert (ran, wrong) == (SAMPLES * len(cases), 0), f"the first is case {first}: {cases[first]}"


def run_on_avr(cases, folder, level):
    """How many samples were run on an Uno, how many outputs were wrong, and the case of the first of them."""
    text, calls = '#include <avr/io.h>\n#include "ebnn/tables.h"\n' + RUN_ON_AVR, ""
    for i, (block, shape) in enumerate(cases):
        x, y = packed(samples(shape, i)), expected((block, shape), i)
        text += constants((block, shape), f"c{i}") + array("uint8_t", f"in{i}", x.ravel())
        text += array("uint8_t", f"out{i}", y.ravel())
        scratch = table_scratch_bytes(placed(block, "bits", shape))
        calls += f"    run({i}, &c{i}, in{i}, {x.shape[1]}, out{i}, {y.shape[1]}, {scratch});\n"
    source, program = folder / "main.c", folder / "program.elf"
    source.write_text(f"{text}\nint main(void)\n{{\n{calls}    send();\n}}\n")
    flags = ["-mmcu=atmega328p", "-DF_CPU=16000000UL", "-std=gnu99", level, *WARNINGS[:-1], f"-I{RUNTIME}"]
    subprocess.run([require("avr-gcc"), *flags, "-o", program, source], check=True)
    answer = b""
    with serial.serial_for_url(board_url("uno", program=program), timeout=1.0) as port:
        for _ in range(100):
            port.write(b"?")
            answer += port.read(6 - len(answer))
            if len(answer) == 6:
                break
    return np.frombuffer(answer, "<u2").tolist()


# Bytes before and behind the output and the scratch must be left alone.
RUN_ON_AVR = f"""
static uint32_t room[400];
static uint16_t found[3];

static void run(uint16_t index, const ebnn_conv_t *conv, const uint8_t *from, uint16_t in_bytes,
                const uint8_t *expected, uint16_t out_bytes, uint16_t scratch_bytes)
{{
    uint8_t *scratch = (uint8_t *)room + 4, *input = scratch + scratch_bytes + 4, *output = input + in_bytes + 1;
    uint8_t i;

    for (i = 0; i < {SAMPLES}; i++, from += in_bytes, expected += out_bytes) {{
        memset(room, 0xA5, sizeof room);
        memcpy_P(input, from, in_bytes);
        ebnn_conv_table(conv, input, output, scratch);
        found[0]++;
        if (memcmp_P(output, expected, out_bytes) || scratch[-1] != 0xA5 || scratch[scratch_bytes] != 0xA5 ||
            input[-1] != 0xA5 || output[-1] != 0xA5 || output[ebnn_whole_words(out_bytes)] != 0xA5) {{
            if (found[1]++ == 0)
                found[2] = index;
        }}
    }}
}}

static void send(void)
{{
    uint8_t i;

    UCSR0B = _BV(RXEN0) | _BV(TXEN0);
    loop_until_bit_is_set(UCSR0A, RXC0); /* what is sent before the port is open is lost */
    for (i = 0; i < sizeof found; i++) {{
        loop_until_bit_is_set(UCSR0A, UDRE0);
        UDR0 = ((const uint8_t *)found)[i];
    }}
    __asm__ __volatile__("sei"); /* the simulator takes an idle loop without interrupts for a crash */
    for (;;) {{
    }}
}}
"""


def test_sizes_of_tables():
    block = conv_block(10, (3, 3, 1), (2, 2), pool=Pool((3, 3), (2, 2)))
    shape = Shape(1, 28, 28)
    # One table of 512 entries of 2 bytes; 13 entries of a row for each of two windows.
    assert 1024 < table_bytes(placed(block, "bits", shape)) < 1100
    assert table_scratch_bytes(placed(block, "bits", shape)) == 2 * 28
    padded = conv_block(16, (3, 3, 1), pad=(1, 1), pool=Pool((2, 2), (2, 2)))
    # Where the kernel overhangs on one of 4 sides 6 taps are left, in one of 4 corners 4.
    entries = 512 + 4 * 64 + 4 * 16
    assert 2 * entries < table_bytes(placed(padded, "bits", shape)) < 2 * entries + 150
    assert table_scratch_bytes(placed(padded, "bits", shape)) == 2 * 28


@pytest.mark.parametrize("seed", range(20))
def test_tables_take_the_bytes_that_were_announced(seed):
    block, shape = random_case(seed)
    assert truth_tables(placed(block, "bits", shape)).nbytes == table_bytes(placed(block, "bits", shape))
    assert table_bytes(placed(block, "bits", shape)) % 4 == 0
    assert table_scratch_bytes(placed(block, "bits", shape)) % 4 == 0


def test_blocks_that_take_tables():
    shape = Shape(1, 28, 28)
    block = conv_block(10, (3, 3, 1))
    size = table_bytes(placed(block, "bits", shape))
    assert takes_table(placed(block, "bits", shape), size)
    assert not takes_table(placed(block, "bits", shape), size - 1)
    assert not takes_table(placed(block, "uint8", shape), size)
    assert not takes_table(placed(conv_block(10, (3, 3, 2)), "bits", Shape(2, 28, 28)), UNLIMITED)
    dense = block_of(Dense(np.ones((2, 1, 1, 4), bool)), None, Sign([0, 0], [False, False]))
    assert not takes_table(placed(dense, "bits", Shape(4, 1, 1)), UNLIMITED)
    assert takes_table(placed(conv_block(2040, (1, 1, 1)), "bits", Shape(1, 4, 4)), UNLIMITED)
    assert not takes_table(placed(conv_block(2041, (1, 1, 1)), "bits", Shape(1, 4, 4)), UNLIMITED)
