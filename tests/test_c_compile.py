"""The runtime and emitted headers under compilers: warnings, targets, optimisers, and what ends up where."""

import platform
import random
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.c_networks import RUNTIME, SANITIZERS, WARNINGS, Case, require, run
from support.degenerate import DEGENERATE
from support.large_networks import large_network
from support.parts import block_of, last_of, net_of
from support.random_networks import random_large_network, random_network, random_samples
from test_network import float_network, mnist_like, ones, only_scores, scores, three_layers, tiny

from ebnn.compile import header
from ebnn.compile.c_arrays import constant_array
from ebnn.compile.header import flash_bytes, header_text
from ebnn.compile.options import ARITHMETICS, OPTIMIZE
from ebnn.model.kinds import KINDS, Input
from ebnn.model.layers import Conv, Dense
from ebnn.model.transforms import Normalize, Sign

SEEDS = range(40)
HOST = ["gcc", "g++", "clang", "clang++"]
AVR = ["avr-gcc -mmcu=atmega328p", "avr-gcc -mmcu=atmega2560"]
PLUS_PLUS = ("g++", "clang++", "avr-g++")


def compile_c(compiler, source, *flags, runtime=RUNTIME, output=None, standard=None):
    """Compiles ``source`` with all warnings as errors; C99, or C++11 for a C++ compiler. Returns the object's path."""
    name, *target = compiler.split()
    standard = standard or ("-std=c++11" if name in PLUS_PLUS else "-std=c99")
    language = ["-x", "c++"] if name in PLUS_PLUS else []
    output = output or source.with_suffix(".o")
    command = [require(name), *target, standard, *WARNINGS, *flags, f"-I{runtime}", "-o", output, *language, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]
    return output


def run_c(compiler, source, *flags, **options):
    """Compiles and runs; returns what it printed."""
    program = compile_c(compiler, source, *flags, output=source.with_suffix(".out"), **options)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


WAYS = [*(("integer", optimize) for optimize in OPTIMIZE), ("float", "balanced")]  # to emit a network


def random_cases(seeds, ways=WAYS, samples=3):
    cases = []
    for seed in seeds:
        network = random_network(random.Random(seed), normalized=True)
        x = random_samples(network, samples, seed)
        cases += [Case(network, x, *way) for way in ways]
    return cases


def check(cases, results):
    for case, result in zip(cases, results, strict=True):
        np.testing.assert_array_equal(result.scores, case.network.scores(case.x), err_msg=str(case))
        np.testing.assert_array_equal(result.classes, case.network.predict(case.x), err_msg=str(case))


def write_headers(folder, **networks):
    """Headers named after their networks: NAME=network or NAME=(network, arithmetic)."""
    for name, network in networks.items():
        network, arithmetic = network if isinstance(network, tuple) else (network, "integer")
        (folder / f"{name}.h").write_text(header_text(network, name=name, arithmetic=arithmetic))


def normalized_mnist():
    """mnist_like() with a normalisation that gives its thresholds: acc − threshold >= 0."""
    network = mnist_like()
    block = network.layers[0]
    zeros, ones_ = np.zeros(10), np.ones(10)
    norm = Normalize(zeros, block.transform.value, ones_, ones_, zeros)
    return net_of(network.input, (block_of(block.linear, block.pool, block.transform, norm),), network.layers[-1])


# Warnings


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """A program that uses every kernel: all kinds, both arithmetics, 2- and 4-byte thresholds, flips and none."""
    folder = tmp_path_factory.mktemp("everything")
    flipped = mnist_like(below=[3])
    networks = {"a": normalized_mnist(), "b": (normalized_mnist(), "float"), "c": flipped, "d": three_layers()}
    networks |= {"e": tiny(), "f": (tiny(), "float"), "g": float_network(), "h": (float_network(), "float")}
    networks |= {f"s{i}": only_scores(kind) for i, kind in enumerate(["bits", "uint8", "int8"])}
    wide = block_of(Dense(ones(2, 1, 1, 300)), None, Sign([40_000, -1], [False, True]))
    networks["w"] = net_of(Input("uint8", (300, 1, 1)), (wide,), scores(2, 1, 1, 2))
    first = block_of(Dense(ones(3, 1, 4, 1)), None, None, Normalize(*np.zeros((5, 3))))
    networks["x"] = net_of(Input("float", (1, 1, 4)), (first,), scores(2, 1, 1, 3))
    write_headers(folder, **networks)
    names = list(networks)
    includes = "".join(f'#include "{name}.h"\n' for name in names)
    calls = "".join(f"    total = total + {name}_predict({name}_input());\n" for name in names)
    scored = "".join(f"    total = total + {name}_scores({name}_input(), room);\n" for name in names)
    (folder / "all.c").write_text(
        f"{includes}\nint main(void)\n{{\n    int32_t room[10];\n    volatile int32_t total = 0;\n"
        f"{calls}{scored}    return (int)(total & 1);\n}}\n"
    )
    return folder / "all.c"


@pytest.mark.parametrize("compiler", [*HOST, *AVR, "avr-g++ -mmcu=atmega2560"])
@pytest.mark.parametrize("extra", ["", "-fshort-enums"])
def test_headers_compile_without_a_warning(everything, tmp_path, compiler, extra):
    """SPEC 7.1: as C99 and as C++11, also where an int has 16 bits."""
    flags = [extra] if extra else ["-Os"]
    compile_c(compiler, everything, "-Wsign-conversion", "-Wundef", *flags, "-c", output=tmp_path / "o.o")


@pytest.mark.parametrize("compiler", ["gcc", "g++"])
@pytest.mark.parametrize("name", sorted(path.relative_to(RUNTIME).as_posix() for path in RUNTIME.rglob("*.h")))
def test_each_file_of_the_runtime_compiles_alone(tmp_path, compiler, name):
    """None counts on what another file has included before it; twice does no harm."""
    source = tmp_path / "alone.c"
    source.write_text(f'#include "{name}"\n#include "{name}"\nint main(void) {{ return 0; }}\n')
    compile_c(compiler, source, "-c")


@pytest.mark.parametrize("compiler", ["gcc", "g++"])
def test_an_unused_header_costs_nothing(tmp_path, compiler):
    """SPEC 7.1: a program that includes a network and does not call it compiles quietly, too."""
    write_headers(tmp_path, a=three_layers(), b=float_network())
    source = tmp_path / "unused.c"
    source.write_text('#include "a.h"\n#include "b.h"\n#include "a.h"\nint main(void) { return 0; }\n')
    compile_c(compiler, source, "-O2", "-c")


# Versions and limits


def refused(compiler, source, message, runtime=RUNTIME, flags=()):
    """Asserts that the compiler stops with our own message, and says it first."""
    name, *target = compiler.split()
    language = ["-x", "c++", "-std=c++11"] if name in PLUS_PLUS else ["-std=c99"]
    output = source.with_suffix(".o")
    command = [require(name), *target, *language, *flags, f"-I{runtime}", "-c", "-o", output, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert message in next(line for line in done.stderr.splitlines() if "error" in line.lower())


def test_a_header_of_another_runtime_version_stops_the_compiler(tmp_path, monkeypatch):
    """SPEC 7.4: a newer header, an older one, and a runtime that states no version."""
    source = tmp_path / "m.c"
    source.write_text('#include "net.h"\nint main(void) { return 0; }\n')
    write_headers(tmp_path, net=tiny())
    compile_c("gcc", source, "-c")
    runtime = tmp_path / "runtime"
    shutil.copytree(RUNTIME, runtime)
    text = (RUNTIME / "ebnn.h").read_text()
    for old, new in [("RUNTIME_VERSION 3", "RUNTIME_VERSION 4"), ("#define EBNN_RUNTIME_VERSION 3", "")]:
        assert text.count(old) == 1
        (runtime / "ebnn.h").write_text(text.replace(old, new))
        refused("gcc", source, "net was emitted by ebnn", runtime)
    monkeypatch.setattr(header, "RUNTIME_VERSION", 4)
    write_headers(tmp_path, net=tiny())
    refused("gcc", source, "for runtime version 4: export again, or take that library")


@pytest.mark.parametrize("compiler", ["avr-gcc -mmcu=atmega2560", "avr-g++ -mmcu=atmega2560"])
def test_one_network_beyond_the_reach_of_pgm_read_stops_the_compiler(tmp_path, compiler):
    """SPEC 7.4: on AVR only. What several networks and files have together, the linker finds: test_avr_reach.py."""
    source = tmp_path / "m.c"
    source.write_text('#include "large.h"\nint main(void) { return 0; }\n')
    write_headers(tmp_path, large=large_network(404))
    compile_c(compiler, source, "-c", "-Os")
    write_headers(tmp_path, large=large_network(420))
    compile_c("gcc", source, "-c")
    refused(compiler, source, "ebnn: large has 61076 bytes of constants, AVR reads 60000: use fewer filters")


def test_two_networks_of_one_name_stop_the_compiler(tmp_path):
    """SPEC 7.4: the second one would be left out without a word. The same network twice is fine."""
    for folder, network in {"a": tiny(), "b": only_scores(), "c": tiny()}.items():
        (tmp_path / folder).mkdir()
        write_headers(tmp_path / folder, net=network)
    source = tmp_path / "m.c"
    for second, fine in (("b", False), ("c", True)):
        source.write_text(f'#include "a/net.h"\n#include "{second}/net.h"\nint main(void) {{ return 0; }}\n')
        if fine:
            compile_c("gcc", source, "-c")
        else:
            refused("gcc", source, "two networks are called net")


def test_excess_precision_stops_the_compiler(tmp_path):
    """SPEC 7.4: where sums of float32 are kept in more, the float arithmetic is refused; the integer is not."""
    if platform.machine() != "x86_64":
        pytest.skip("only x86 has an arithmetic of excess precision to choose")
    write_headers(tmp_path, net=(normalized_mnist(), "float"), whole=normalized_mnist())
    for name, fine in (("net", False), ("whole", True)):
        source = tmp_path / f"{name}.c"
        source.write_text(f'#include "{name}.h"\nint main(void) {{ return 0; }}\n')
        flags = ["-c", "-mfpmath=387"]
        if fine:
            compile_c("gcc", source, *flags)
        else:
            refused("gcc", source, "floats are kept in higher precision", flags=flags)


def test_a_big_endian_target_stops_the_compiler(tmp_path):
    """SPEC 2.1, 2.7: bytes and words are two views of the same memory on little-endian targets only."""
    source = tmp_path / "m.c"
    source.write_text(
        '#undef __BYTE_ORDER__\n#define __BYTE_ORDER__ __ORDER_BIG_ENDIAN__\n#include "ebnn.h"\n'
        "int main(void) { return 0; }\n"
    )
    refused("gcc", source, "ebnn needs a little-endian target")


# Right answers, whatever the optimiser does


@pytest.mark.parametrize(
    ("compiler", "level"),
    [("gcc", "-O0"), ("gcc", "-Os"), ("gcc", "-O2"), ("gcc", "-O3"), ("clang", "-O1"), ("clang", "-O3")],
)
def test_optimised_c_equals_the_reference(tmp_path, compiler, level):
    """SPEC 1 to 5, both arithmetics: with the runtime inlined as it is by default."""
    cases = random_cases(SEEDS)
    check(cases, run(cases, tmp_path, [level, "-UEBNN_INLINE"], compiler))


def test_sanitized_c_equals_the_reference(tmp_path):
    """SPEC 1 to 6, other networks: no read outside the sample, the tables or the arena, no undefined arithmetic."""
    cases = random_cases(range(1000, 1060))
    check(cases, run(cases, tmp_path, SANITIZERS))


def test_degenerate_networks_in_c_equal_the_reference(tmp_path):
    """SPEC 1 to 6 at the edges: 1×1, kernels and pools beyond the image, most taps, largest sums and scores."""
    cases = [Case(network, x) for network, x in DEGENERATE.values()]
    check(cases, run(cases, tmp_path, SANITIZERS))


def test_any_threshold_and_direction_in_c_equals_the_reference(tmp_path):
    """SPEC 4.4: thresholds that no normalisation would give, all rising, all falling and mixed."""
    cases = []
    for seed in range(2000, 2060):
        network = random_network(random.Random(seed))
        cases.append(Case(network, random_samples(network, 3, seed)))
    signs = [layer.transform for case in cases for layer in case.network.layers if isinstance(layer.transform, Sign)]
    falls = {bool(sign.below.any()) for sign in signs}
    assert falls == {False, True}
    check(cases, run(cases, tmp_path, SANITIZERS))


def test_large_networks_in_c_equal_the_reference(tmp_path):
    """Several strips, pools across them, runs of a table's rows, filters of more bits than 16 bits count."""
    cases = []
    for seed in range(24):
        network = random_large_network(random.Random(seed))
        cases.append(Case(network, random_samples(network, 2, seed), optimize=OPTIMIZE[seed % len(OPTIMIZE)]))
    check(cases, run(cases, tmp_path, SANITIZERS))


def test_every_threshold_is_met_on_both_sides(tmp_path):
    """SPEC 4.4: all sums of 300 values up to ±32,768 and beyond, at thresholds that need 2 or 4 bytes."""
    cases = []
    for values in ([32_767, -32_768], [32_768, 0], [32_767, -32_769], [-32_769, 3]):
        for below in ([False, False], [True, True], [False, True]):
            block = block_of(Dense(ones(2, 1, 1, 300)), None, Sign(values, below))
            network = net_of(Input("int8", (300, 1, 1)), (block,), scores(2, 1, 1, 2))
            sums = [acc + near for acc in (*values, 0) for near in (-1, 0, 1)]
            x = np.zeros((len(sums), 300, 1, 1), np.int8)
            for i, acc in enumerate(sums):  # 300 values that add up to acc
                x[i, :, 0, 0] = acc // 300
                x[i, : acc % 300, 0, 0] += 1
                assert x[i].sum(dtype=int) == acc
            cases.append(Case(network, x))
    check(cases, run(cases, tmp_path))


def contraction_cases():
    """Dense blocks whose product and sum, fused into one rounding, would fall below 0; unfused they are exactly 0."""
    rng = np.random.default_rng(11)
    outputs = 250
    acc = np.float32(9)  # of nine bits that are all +1
    inv_std = rng.uniform(0.01, 3, outputs).astype(np.float32)
    gamma = rng.uniform(-2, 2, outputs).astype(np.float32)
    product = (acc * inv_std).astype(np.float32)
    beta = -(product * gamma).astype(np.float32)
    exact = product.astype(np.float64) * gamma + beta
    assert (exact < 0).sum() > 50  # what a fused operation would see
    norm = Normalize(np.zeros(outputs), np.zeros(outputs), inv_std, gamma, beta)
    rising = gamma > 0
    block = block_of(Dense(ones(outputs, 1, 9, 1)), None, Sign(np.full(outputs, 9), ~rising), norm)
    network = net_of(Input("bits", (1, 1, 9)), (block,), scores(2, 1, 1, outputs))
    return [Case(network, np.ones((1, 1, 1, 9), int), "float")]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_fused_multiply_add_changes_no_bit(tmp_path, compiler):
    """SPEC 3.3, 4.6: rounded after each operation, where the target could fuse two of them and the compiler may."""
    flags = ["-O2", "-UEBNN_INLINE", "-ffp-contract=fast"]
    if platform.machine() == "x86_64":
        if " fma " not in Path("/proc/cpuinfo").read_text():
            pytest.skip("this processor has no fused multiply-add")
        flags += ["-march=haswell", "-mfma"]
    cases = contraction_cases() + random_cases(range(20), [("float", "balanced")])
    np.testing.assert_array_equal(cases[0].network.scores(cases[0].x), [[250, 250]])
    check(cases, run(cases, tmp_path, flags, compiler))


def test_extreme_literals_come_out_of_the_compiler_unchanged(tmp_path):
    """SPEC 2.7, 4.6: denormals, the largest float32, −0, both ends of int32: bytes as NumPy has them."""
    floats = [0.0, -0.0, 1e-45, -1.1754942e-38, 1.17549435e-38, 3.4028235e38, -3.4028235e38, 0.1, 1 / 3, 16777216, 1e10]
    arrays = {
        "f": np.array(floats, np.float32),
        "i": np.array([-(2**31), -(2**31) + 1, -1, 0, 2**31 - 1], np.int32),
        "h": np.array([-(2**15), -1, 2**15 - 1], np.int16),
        "w": np.array([0, 1, 2**31, 2**32 - 1, 0x01020304], np.uint32),
    }
    tables = "".join(constant_array(name, array, "values") for name, array in arrays.items())
    dumps = "".join(f"    fwrite({name}, 1, sizeof {name}, stdout);\n" for name in arrays)
    source = tmp_path / "m.c"
    source.write_text(f'#include <stdio.h>\n#include "ebnn.h"\n{tables}int main(void)\n{{\n{dumps}    return 0;\n}}\n')
    for compiler in ("gcc", "clang++"):
        program = compile_c(compiler, source, output=tmp_path / "m.out")
        done = subprocess.run([program], capture_output=True, check=True)
        expected = b"".join(array.astype(array.dtype.newbyteorder("<")).tobytes() for array in arrays.values())
        assert done.stdout == expected


# The caller's side


def c_bytes(name, data):
    return f"static const uint8_t {name}[] = {{{', '.join(map(str, data))}}};\n"


PRINT = """\
#include <stdio.h>
#include <string.h>
static void show(uint8_t winner, const int32_t *scores, int count)
{
    int i;
    printf("%d:", winner);
    for (i = 0; i < count; i++) printf(" %ld", (long)scores[i]);
    printf("\\n");
}
"""


def shown(network, x):
    """What show() prints of each sample."""
    pairs = zip(network.predict(x), network.scores(x), strict=True)
    return [f"{winner}: {' '.join(map(str, row))}" for winner, row in pairs]


@pytest.mark.parametrize("kind", ["bits", "uint8", "int8"])
@pytest.mark.parametrize("blocks", ["dense", "conv", "none"])
def test_a_sample_may_lie_at_any_address(tmp_path, kind, blocks):
    """SPEC 6.3: inputs of bits and bytes need no alignment; the undefined-behaviour sanitizer looks on."""
    seed = {"dense": 1, "conv": 2, "none": 3}[blocks]
    rng = np.random.default_rng(seed)
    shape = (3, 5, 7)
    network = only_scores(kind, shape) if blocks == "none" else network_of_bits(kind, shape, blocks, rng)
    low, high = {"bits": (0, 2), "uint8": (0, 256), "int8": (-128, 128)}[kind]
    x = rng.integers(low, high, (1, *shape))
    write_headers(tmp_path, net=network)
    source = tmp_path / "m.c"
    source.write_text(f"""\
#include "net.h"
{PRINT}{c_bytes("sample", network.pack_input(x)[0])}
int main(void)
{{
    static uint32_t aligned[NET_INPUT_BYTES / 4 + 2];
    int32_t scores[NET_CLASSES];
    size_t shift;
    for (shift = 0; shift < 4; shift++) {{
        uint8_t *at = (uint8_t *)aligned + shift;
        memcpy(at, sample, sizeof sample);
        show(net_scores((const {KINDS[kind].c_type} *)at, scores), scores, NET_CLASSES);
        if (memcmp(at, sample, sizeof sample) != 0) return 4; /* the sample is the caller's */
    }}
    return 0;
}}
""")
    assert run_c("gcc", source, *SANITIZERS).splitlines() == shown(network, x) * 4


def network_of_bits(kind, shape, blocks, rng):
    """One block on ``shape`` whose bits are about half and half."""
    channels, height, width = shape
    if blocks == "dense":
        linear = Dense(rng.integers(0, 2, (9, height, width, channels)).astype(bool))
        out = (1, 1, 9)
    else:
        linear = Conv(rng.integers(0, 2, (9, 3, 3, channels)).astype(bool), (1, 1), (1, 1))
        out = (height, width, 9)
    block = block_of(linear, None, Sign(rng.integers(-9, 9, 9), rng.integers(0, 2, 9).astype(bool)))
    weights = rng.integers(0, 2, (4, *out)).astype(bool)
    return net_of(Input(kind, shape), (block,), last_of(weights, [3] * 4, [-5] * 4, 1.0))


def test_a_sample_may_lie_in_the_arena_and_may_be_overwritten(tmp_path):
    """SPEC 6.3: written to name_input(), every network answers as from anywhere else."""
    networks = [random_network(random.Random(seed), normalized=True) for seed in range(3000, 3030)]
    write_headers(tmp_path, **{f"n{i}": (network, ARITHMETICS[i % 2]) for i, network in enumerate(networks)})
    samples = [random_samples(network, 2, 5) for network in networks]
    tables, calls = "", ""
    for i, (network, x) in enumerate(zip(networks, samples, strict=True)):
        tables += c_bytes(f"x{i}", network.pack_input(x).ravel())
        for k in range(2):
            calls += (
                f"    memcpy(n{i}_input(), x{i} + {k} * N{i}_INPUT_BYTES, N{i}_INPUT_BYTES);\n"
                f"    show(n{i}_scores(n{i}_input(), room), room, N{i}_CLASSES);\n"
                f"    memcpy(n{i}_input(), x{i} + {k} * N{i}_INPUT_BYTES, N{i}_INPUT_BYTES);\n"
                f'    printf("%d\\n", n{i}_predict(n{i}_input()));\n'
            )
    includes = "".join(f'#include "n{i}.h"\n' for i in range(len(networks)))
    source = tmp_path / "m.c"
    source.write_text(f"{includes}{PRINT}{tables}int main(void)\n{{\n    int32_t room[40];\n{calls}    return 0;\n}}\n")
    expected = []
    for network, x in zip(networks, samples, strict=True):
        for line in shown(network, x):
            expected += [line, line.split(":")[0]]
    assert run_c("gcc", source, *SANITIZERS).splitlines() == expected


def test_two_networks_in_one_program(tmp_path):
    """SPEC 7.1, 7.2: both predict right, in turn; names without a name belong to the first."""
    first, second = three_layers(), tiny()
    rng = np.random.default_rng(4)
    x = rng.integers(0, 256, (1, 3, 4, 5)), rng.integers(-128, 128, (1, 1, 1, 5))
    write_headers(tmp_path, first=first, Second=second)
    source = tmp_path / "m.c"
    source.write_text(f"""\
#include "first.h"
#include "Second.h"
{PRINT}{c_bytes("a", first.pack_input(x[0])[0])}{c_bytes("b", second.pack_input(x[1])[0])}
int main(void)
{{
    int32_t room[3];
    uint8_t output[2] = {{99, 99}};
    const EBNN_INPUT_TYPE *sample = a;
    show(first_scores(a, room), room, FIRST_CLASSES);
    show(Second_scores((const int8_t *)b, room), room, SECOND_CLASSES);
    show(first_predict(a), room, 0);
    show(Second_predict((const int8_t *)b), room, 0);
    ebnn_compute(sample, output);
    printf("%d %d\\n", output[0], output[1]);
    show(ebnn_network_scores(sample, room), room, EBNN_CLASSES);
    memcpy(ebnn_network_input(), sample, EBNN_INPUT_BYTES);
    show(ebnn_network_scores(ebnn_network_input(), room), room, EBNN_CLASSES);
    printf("%s %lx %d %d %d\\n", EBNN_NETWORK_NAME, (unsigned long)EBNN_NETWORK_HASH, EBNN_INPUT_BYTES, EBNN_CLASSES,
           EBNN_ARENA_BYTES);
    printf("%s %lx %d %d %d %d %d\\n", FIRST_TITLE, (unsigned long)FIRST_HASH, FIRST_INPUT_BYTES, FIRST_INPUT_VALUES,
           FIRST_CLASSES, FIRST_FLASH_BYTES, FIRST_ARENA_BYTES);
    printf("%s %lx %d %d %d %d %d\\n", SECOND_TITLE, (unsigned long)SECOND_HASH, SECOND_INPUT_BYTES,
           SECOND_INPUT_VALUES, SECOND_CLASSES, SECOND_FLASH_BYTES, SECOND_ARENA_BYTES);
    printf("%d %d\\n", (int)sizeof first_arena, (int)sizeof Second_arena);
    return 0;
}}
""")
    (one,), (two,) = shown(first, x[0]), shown(second, x[1])
    winners = [line.split(":")[0] for line in (one, two)]

    def facts(name, network):
        flash = flash_bytes(network)
        sizes = (network.input.bytes, network.input.shape.size, network.classes, flash, network.arena_bytes)
        return f"{name} {network.hash32:x} {' '.join(map(str, sizes))}"

    expected = [one, two, f"{winners[0]}:", f"{winners[1]}:", f"{winners[0]} 99", one, one]
    expected += [f"first {first.hash32:x} 60 3 {first.arena_bytes}", facts("first", first), facts("Second", second)]
    expected.append(f"{first.arena_bytes} {second.arena_bytes}")
    for compiler in ("gcc", "g++", "clang"):
        assert run_c(compiler, source, "-O2").splitlines() == expected


def test_scores_may_be_left_out(tmp_path):
    """SPEC 7.1: name_scores(input, NULL) is name_predict(input)."""
    network = tiny()
    x = np.random.default_rng(9).integers(-128, 128, (1, 1, 1, 5))
    write_headers(tmp_path, net=network)
    source = tmp_path / "m.c"
    source.write_text(
        f'#include "net.h"\n{PRINT}{c_bytes("a", network.pack_input(x)[0])}'
        "int main(void)\n{\n    show(net_scores((const int8_t *)a, NULL), NULL, 0);\n    return 0;\n}\n"
    )
    assert run_c("gcc", source, *SANITIZERS) == f"{network.predict(x)[0]}:\n"


# Where constants lie, and what is linked


def test_an_avr_that_cannot_multiply_takes_size_only(tmp_path):
    source = tmp_path / "m.c"
    source.write_text('#include "net.h"\nint main(void) { return net_predict(net_input()); }\n')
    (tmp_path / "net.h").write_text(header_text(tiny(), name="net", optimize="size"))
    compile_c("avr-gcc -mmcu=attiny85", source, "-Os", "-c")
    write_headers(tmp_path, net=tiny())
    refused("avr-gcc -mmcu=attiny85", source, "export it with --optimize size")


def test_the_table_of_ones_needs_room_beside_the_arena(tmp_path):
    """By speed 256 bytes of an ATmega328P's 2,048 are the table's."""
    source = tmp_path / "m.c"
    source.write_text('#include "net.h"\nint main(void) { return net_predict(net_input()); }\n')
    conv = block_of(Conv(ones(1, 3, 3, 1)), None, Sign([0], [False]))
    for side, fits in ((24, True), (40, False)):
        network = net_of(Input("uint8", (1, side, side)), (conv,), scores(2, side - 2, side - 2, 1))
        assert network.avr_arena_bytes < 2_048
        (tmp_path / "net.h").write_text(header_text(network, name="net", optimize="speed"))
        if fits:
            compile_c("avr-gcc -mmcu=atmega328p", source, "-Os", "-c")
        else:
            refused("avr-gcc -mmcu=atmega328p", source, "export it with --optimize balanced")


def test_constants_are_read_through_the_ports_macros_only(tmp_path):
    """SPEC 6.2: on a machine where flash can be read through the macros alone: reads elsewhere see rubbish."""
    cases = []
    networks = {}
    for seed in range(4000, 4020):
        network = random_network(random.Random(seed), normalized=True)
        for arithmetic in ARITHMETICS:
            networks[f"n{len(cases)}"] = (network, arithmetic)
            cases.append((network, random_samples(network, 1, seed)))
    write_headers(tmp_path, **networks)
    includes = "".join(f'#include "{name}.h"\n' for name in networks)
    calls = ""
    for i, (network, x) in enumerate(cases):
        data = ", ".join(map(str, network.pack_input(x)[0]))
        calls += f"    {{\n        static const uint8_t x[] = {{{data}}};\n        memcpy(n{i}_input(), x, sizeof x);\n"
        calls += f"        show(n{i}_scores(n{i}_input(), room), room, N{i}_CLASSES);\n    }}\n"
    source = tmp_path / "m.c"
    source.write_text(
        f"#define _GNU_SOURCE\n{HARVARD}{includes}{PRINT}{HARVARD_START}int main(void)\n{{\n    int32_t room[40];\n"
        f"    move_flash();\n{calls}    return 0;\n}}\n"
    )
    expected = [line for network, x in cases for line in shown(network, x)]
    output = run_c("gcc", source, "-O0", "-Wno-pedantic", standard="-std=gnu99")
    assert output.splitlines() == expected


HARVARD = """\
#include <stddef.h>
extern ptrdiff_t harvard; /* how far the readable copy is from the constants */
#define EBNN_FLASH __attribute__((section("ebnnflash")))
#define EBNN_READ_U8(address) (*(const uint8_t *)((const char *)(address) + harvard))
#define EBNN_READ_U16(address) (*(const uint16_t *)((const char *)(address) + harvard))
#define EBNN_READ_U32(address) (*(const uint32_t *)((const char *)(address) + harvard))
#define EBNN_READ_FLOAT(address) (*(const float *)((const char *)(address) + harvard))
#define EBNN_READ_BLOCK(to, from, size) memcpy((to), (const char *)(from) + harvard, (size))
"""

HARVARD_START = """\
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
extern char __start_ebnnflash[], __stop_ebnnflash[];
ptrdiff_t harvard;
static void move_flash(void)
{
    const size_t size = (size_t)(__stop_ebnnflash - __start_ebnnflash);
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *copy = (char *)malloc(size + 64);
    char *first = (char *)((size_t)__start_ebnnflash / page * page);
    copy += (64 - ((size_t)copy - (size_t)__start_ebnnflash) % 64) % 64;
    memcpy(copy, __start_ebnnflash, size);
    if (mprotect(first, (size_t)(__stop_ebnnflash - first), PROT_READ | PROT_WRITE) != 0) exit(5);
    memset(__start_ebnnflash, 0xA5, size);
    harvard = copy - __start_ebnnflash;
}
"""


def avr_program(folder, networks, mcu="atmega328p"):
    """Links a program that predicts with the networks; returns the path of the ELF."""
    write_headers(folder, **networks)
    includes = "".join(f'#include "{name}.h"\n' for name in networks)
    calls = "".join(f"    result = {name}_predict({name}_input());\n" for name in networks)
    source = folder / "m.c"
    source.write_text(f"{includes}int main(void)\n{{\n    volatile uint8_t result;\n{calls}    return result;\n}}\n")
    return compile_c(f"avr-gcc -mmcu={mcu}", source, "-Os", output=folder / "m.elf")


def tool(*command):
    return subprocess.run([require(command[0]), *command[1:]], capture_output=True, text=True, check=True).stdout


FLOAT_ROUTINES = re.compile(r"__(add|sub|mul|div|cmp|eq|ne|lt|le|gt|ge|unord|fix\w*|float\w*)[sd]f\w*|__fp_\w+")


def test_integer_programs_on_avr_hold_no_float(tmp_path):
    """SPEC 4.4, 6.3: not one routine of the float library is linked; in the float arithmetic it is."""
    integer = {"a": normalized_mnist(), "b": three_layers(), "c": tiny()}
    symbols = tool("avr-nm", avr_program(tmp_path, integer)).split()
    assert not [name for name in symbols if FLOAT_ROUTINES.fullmatch(name)]
    floating = {"a": (normalized_mnist(), "float")}
    symbols = tool("avr-nm", avr_program(tmp_path, floating)).split()
    assert "__mulsf3" in symbols
    assert "__addsf3" in symbols


@pytest.mark.parametrize("mcu", ["atmega328p", "atmega2560"])
def test_constants_on_avr_stay_in_flash(tmp_path, mcu):
    """SPEC 6.2, 6.1: .data is empty, .bss is the arenas alone, and every table has an address in flash."""
    networks = {"a": normalized_mnist(), "b": mnist_like(below=[2]), "c": tiny()}
    elf = avr_program(tmp_path, {**networks, "a": (networks["a"], "float")}, mcu)
    sizes = [line.split() for line in tool("avr-size", "-A", elf).splitlines() if line.startswith(".")]
    sections = {name: int(size) for name, size, _ in sizes}
    assert sections.get(".data", 0) == 0
    assert sections.get(".rodata", 0) == 0
    arenas = sum(network.avr_arena_bytes for network in networks.values())
    assert sections[".bss"] == arenas
    places = {row[2]: (int(row[0], 16), row[1]) for row in map(str.split, tool("avr-nm", elf).splitlines())}
    tables = [name for name in places if re.match(r"[abc]_(conv1|output)", name)]
    assert len(tables) >= 3 * 6 + 1
    for name in tables:
        address, section = places[name]
        assert section in "tT", name
        assert address < 0x10000, name


@pytest.mark.parametrize("compiler", ["gcc -O2", "gcc -Os", "avr-gcc -mmcu=atmega328p -Os"])
def test_no_heap_and_no_stdio(everything, tmp_path, compiler):
    """SPEC 6.3: of the C library, memory is copied and set; the rest is the compiler's own arithmetic."""
    compiled = compile_c(compiler, everything, "-c", "-ffreestanding", output=tmp_path / "o.o")
    nm = "avr-nm" if compiler.startswith("avr") else "nm"
    undefined = {line.split()[-1] for line in tool(nm, "-u", compiled).splitlines()}
    undefined -= {name for name in undefined if FLOAT_ROUTINES.fullmatch(name)}
    assert undefined <= {"memcpy", "memset", "memcpy_P", "_GLOBAL_OFFSET_TABLE_"} | {
        name for name in undefined if name.startswith("__") and not name.startswith("__stack_chk")
    }


def test_no_recursion():
    """SPEC 6.3: the runtime's functions in an order in which each calls earlier ones only."""
    text = "".join(path.read_text() for path in sorted(RUNTIME.rglob("*.h")))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"^#define(?:[^\n]*\\\n)*[^\n]*\n", "", text, flags=re.MULTILINE)
    parts = re.split(r"^(?:\w+ )+\*?(ebnn_\w+)\(", text, flags=re.MULTILINE)[1:]
    bodies = dict(zip(parts[::2], parts[1::2], strict=True))
    assert len(bodies) > 20
    calls = {name: {call for call in bodies if re.search(rf"\b{call}\(", body)} for name, body in bodies.items()}
    assert "ebnn_mismatches" in calls["ebnn_compare_each"]
    while calls:
        leaves = {name for name, called in calls.items() if not called & calls.keys()}
        assert leaves, f"these call each other: {sorted(calls)}"
        calls = {name: called for name, called in calls.items() if name not in leaves}


def test_nothing_but_arena_and_scores_is_written(everything, tmp_path):
    """SPEC 6.3: of a program's own data, the arenas alone can be written to."""
    compiled = compile_c("gcc", everything, "-O2", "-fno-pic", "-c", output=tmp_path / "o.o")
    rows = [line.split() for line in tool("nm", compiled).splitlines()]
    assert {name for *_, kind, name in rows if kind in "bBdDcCvV"} == {
        f"{name}_arena" for name in [*"abcdefghwx", "s0", "s1", "s2"]
    }
