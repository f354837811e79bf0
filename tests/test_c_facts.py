"""What Python and the C library must both know: limits, sizes and the order of fields, as a C compiler sees them."""

import subprocess

import pytest
from support.c_networks import RUNTIME, WARNINGS, require
from test_network import block_of, net_of, normalization, ones, scores, thresholds

from ebnn.compile.header import RUNTIME_VERSION, header_text
from ebnn.compile.kernels import columns, kernel, multiply, tables
from ebnn.compile.target import AVR, WORDS
from ebnn.model.kinds import INPUT_KINDS, KINDS, Input
from ebnn.model.layers import Conv, Pool

COMPILERS = [
    (WORDS, "gcc", []),
    (WORDS, "arm-none-eabi-gcc", ["-mcpu=cortex-m0", "-mthumb", "--specs=picolibc.specs"]),
    (AVR, "gcc", ["-DEBNN_LANES=1"]),
    (AVR, "avr-gcc", ["-mmcu=atmega328p"]),
]


def facts(target):
    """C expressions and what they must be."""
    return {
        "EBNN_RUNTIME_VERSION": RUNTIME_VERSION,
        "EBNN_LANES": target.lanes,
        "EBNN_GROUP": kernel.GROUP,
        "EBNN_MOST_WORDS": kernel.MOST_WORDS,
        "EBNN_TAPS": columns.TABLE_TAPS,
        "EBNN_PHASES": columns.PHASES,
        "sizeof(((ebnn_columns_t *)0)->spans) / sizeof(ebnn_span_t)": columns.PHASES,
        "EBNN_MARKS_RUN": columns.MARKS_RUN[target.lanes],
        "8 * sizeof(ebnn_marks_t)": columns.MARKS_RUN[target.lanes],
        "sizeof(ebnn_sums_t)": 2 * target.lanes,
        "sizeof(ebnn_plan_t)": tables._PLAN_BYTES,
        "sizeof(ebnn_run_t)": tables._RUN_BYTES,
        **({"EBNN_MULTIPLY_CHUNK": multiply.CHUNK} if target is AVR else {}),
    }


@pytest.mark.parametrize(("target", "compiler", "flags"), COMPILERS)
def test_both_sides_know_the_same_limits(tmp_path, target, compiler, flags):
    """An array of −1 elements is refused, so a fact that differs stops the compiler at its line."""
    lines = [f"typedef char fact{i}[({c}) == {value} ? 1 : -1];" for i, (c, value) in enumerate(facts(target).items())]
    kinds = " || ".join(f"{KINDS[name].c_name} > 255u" for name in INPUT_KINDS)
    source = tmp_path / "facts.c"
    source.write_text("\n".join(['#include "ebnn.h"', *lines, f"typedef char kinds[({kinds}) ? -1 : 1];", ""]))
    command = [require(compiler), *flags, "-std=c99", *WARNINGS[:-1], f"-I{RUNTIME}", "-fsyntax-only", source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_convolution_s_fields_are_where_c_looks_for_them(tmp_path):
    """Emitted structs have no names of fields; here no two numbers are alike that could take each other's place."""
    conv = Conv(ones(9, 2, 3, 5), (4, 6), (1, 2))
    block = block_of(conv, Pool((7, 8), (3, 2), (5, 4)), thresholds(*range(9), below=[3]), normalization(9))
    network = net_of(Input("uint8", (5, 40, 68)), (block,), scores(3, 5, 7, 9))
    (tmp_path / "net.h").write_text(header_text(network, name="net", optimize="size"))
    fields = {
        "filters.taps": 30, "filters.words": 1, "filters.outputs": 9, "filters.kind": KINDS["uint8"].c_name,
        "kernel_rows.size": 2, "kernel_rows.stride": 4, "kernel_rows.pad": 1, "kernel_rows.side": 40,
        "kernel_columns.size": 3, "kernel_columns.stride": 6, "kernel_columns.pad": 2, "kernel_columns.side": 68,
        "pool_rows.size": 7, "pool_rows.stride": 3, "pool_rows.pad": 5, "pool_rows.side": 11,
        "pool_columns.size": 8, "pool_columns.stride": 2, "pool_columns.pad": 4, "pool_columns.side": 12,
        "in_c": 5, "out_h": 5, "out_w": 7, "in_row_bytes": 0, "out_row_bytes": 8,
    }  # fmt: skip
    checks = "".join(
        f"    if (net_conv1.{name} != {value}) return {i};\n" for i, (name, value) in enumerate(fields.items(), 1)
    )
    filters = "net_conv1.filters.weights != net_conv1_weights || net_conv1.filters.thresholds != net_conv1_thresholds"
    rest = "net_conv1.flips != net_conv1_flips || net_conv1.normalization != NULL || net_conv1.table != NULL"
    output = "net_output.multipliers != net_output_multipliers || net_output.offsets != net_output_offsets"
    pointers = "".join(f"    if ({wrong}) return 100;\n" for wrong in (filters, rest, output))
    source, program = tmp_path / "fields.c", tmp_path / "fields"
    source.write_text(f'#include "net.h"\nint main(void)\n{{\n{checks}{pointers}    return 0;\n}}\n')
    subprocess.run([require("gcc"), "-std=c99", *WARNINGS, f"-I{RUNTIME}", "-o", program, source], check=True)
    wrong = subprocess.run([program], check=False).returncode
    assert wrong == 0, [*fields, "a pointer"][min(wrong - 1, len(fields))]
