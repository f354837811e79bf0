"""The kernels of ``count.h`` that count mismatching bits in words, held to a loop over single bits."""

import subprocess

import pytest
from support.c_networks import SANITIZERS, require
from test_c_compile import compile_c, run_c

COMPILERS = ["gcc", "clang", "g++", "clang++"]
OPTIMISERS = ["-O0", "-O2", "-Os"]
VARIANTS = [[], ["-DEBNN_LONG_ROWS=0"], ["-DEBNN_NINE_WORDS=1"], ["-DEBNN_LONG_ROWS=0", "-DEBNN_NINE_WORDS=1"]]
CORES = [
    "arm-none-eabi-gcc -mthumb -mcpu=cortex-m0",
    "arm-none-eabi-gcc -mthumb -mcpu=cortex-m3",
    "riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32 -misa-spec=2.2",
]
MACHINES = {  # where QEMU runs a core's program: its command, flash and RAM; the Cortex-M3 runs what a Cortex-M0 does
    "arm": ("qemu-system-arm -M mps2-an385", 0x0000_0000, 0x2000_0000),
    "riscv64": ("qemu-system-riscv32 -M virt -bios none", 0x8000_0000, 0x8040_0000),
}

# Every row lies in heap blocks of exactly its size, so that the address sanitizer sees a read past its end.
PROGRAM = """\
#include <stdio.h>
#include <stdlib.h>
#include "ebnn/count.h"

static uint32_t state = 1;

static uint32_t random_word(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* Fills words with random bits (0), with zeros (1) or with ones (2). */
static uint32_t *row(uint16_t words, int fill)
{
    uint32_t *made = (uint32_t *)malloc(4u * (size_t)words);
    uint16_t i;

    for (i = 0; i < words; i++)
        made[i] = fill == 0 ? random_word() : fill == 1 ? 0u : 0xFFFFFFFFu;
    return made;
}

static uint16_t expected(const uint32_t *bits, const uint32_t *mask, const uint32_t *weights, uint16_t step,
                         uint16_t words)
{
    unsigned count = 0;
    uint16_t at;
    int bit;

    for (at = 0; at < words; at++)
        for (bit = 0; bit < 32; bit++)
            count += ((bits[at] ^ weights[(size_t)step * at]) & (mask == NULL ? 0xFFFFFFFFu : mask[at])) >> bit & 1u;
    return (uint16_t)count;
}

static int failed;

static void check(const char *kernel, uint16_t words, int fill, uint16_t got, uint16_t wanted)
{
    if (got != wanted) {
        printf("%s, %u words, fill %d: %u, not %u\\n", kernel, words, fill, got, wanted);
        failed = 1;
    }
}

static void compare(uint16_t words, int fill)
{
    uint32_t *bits = row(words, fill);
    uint32_t *mask = row(words, fill == 0 ? 0 : 2);
    uint32_t *one = row(words, fill == 0 ? 0 : 1);
    uint32_t *four = row((uint16_t)(4 * words), fill == 0 ? 0 : 1);
    const uint8_t *bytes = (const uint8_t *)bits;
    const uint8_t *mask_bytes = (const uint8_t *)mask;
    uint16_t counts[4], masked[4];
    int j;

    check("mismatches", words, fill, ebnn_mismatches(bytes, one, words), expected(bits, NULL, one, 1, words));
    check("masked_mismatches", words, fill, ebnn_masked_mismatches(bytes, mask_bytes, one, words),
          expected(bits, mask, one, 1, words));
    ebnn_mismatches_4(bytes, four, words, counts);
    ebnn_masked_mismatches_4(bytes, mask_bytes, four, words, masked);
    for (j = 0; j < 4; j++) {
        check("mismatches_4", words, fill, counts[j], expected(bits, NULL, four + j, 4, words));
        check("masked_mismatches_4", words, fill, masked[j], expected(bits, mask, four + j, 4, words));
    }
    free(bits);
    free(mask);
    free(one);
    free(four);
}

int main(void)
{
    uint16_t words;
    int fill;

    for (fill = 0; fill < 3; fill++) { /* random, all equal, all different */
        for (words = 1; words <= 80; words++)
            compare(words, fill);
        compare(2047, fill);
    }
    return failed;
}
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "count.c"
    path.write_text(PROGRAM)
    return path


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_kernels_equal_a_loop_over_bits(source, compiler, optimiser, variant):
    """1 to 80 words and 2,047, of random bits, of none that differ and of all that differ."""
    assert run_c(compiler, source, *SANITIZERS, optimiser, *variant) == ""


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("core", CORES)
def test_kernels_equal_a_loop_over_bits_on_the_cores(source, tmp_path, core, optimiser):
    """The same on QEMU; what the program prints and its exit status come through semihosting."""
    machine, flash, ram = MACHINES[core.split("-")[0]]
    memory = {"__flash": flash, "__flash_size": 1 << 22, "__ram": ram, "__ram_size": 1 << 22, "__stack_size": 1 << 14}
    link = [f"-Wl,--defsym={name}={value}" for name, value in memory.items()]
    options = ["-specs=picolibc.specs", "--oslib=semihost", "--crt0=hosted", *link]
    program = compile_c(core, source, optimiser, *options, output=tmp_path / "count.elf")
    emulator, *flags = machine.split()
    command = [require(emulator), *flags, "-display", "none", "-semihosting", "-kernel", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("core", CORES)
def test_kernels_compile_for_the_cores(source, tmp_path, core, optimiser):
    """Without a warning."""
    source.write_text(
        '#include "ebnn/count.h"\n\n'
        "uint16_t all(const uint8_t *bits, const uint8_t *mask, const uint32_t *weights, uint16_t *counts);\n"
        "uint16_t all(const uint8_t *bits, const uint8_t *mask, const uint32_t *weights, uint16_t *counts)\n{\n"
        "    ebnn_mismatches_4(bits, weights, 9, counts);\n"
        "    ebnn_masked_mismatches_4(bits, mask, weights, 9, counts);\n"
        "    counts[0] = ebnn_masked_mismatches(bits, mask, weights, 9);\n"
        "    return ebnn_mismatches(bits, weights, 9);\n}\n"
    )
    compile_c(core, source, optimiser, "-specs=picolibc.specs", "-c", output=tmp_path / "count.o")
