"""SPEC 7.6: one header in many source files, two headers of one name, and a caller's own arena."""

import random
import re
import subprocess

import numpy as np
import pytest
from support.c_networks import RUNTIME, WARNINGS, require
from support.random_networks import random_network, random_samples
from test_network import three_layers, tiny

from ebnn.compile.header import header_text

WAYS = {  # how files a and b include the header
    "plain": ("", ""),
    "implementation": ("#define NET_IMPLEMENTATION\n", ""),
    "implementation last": ("", "#define NET_IMPLEMENTATION\n"),
    "declarations": ("", "#define NET_DECLARATIONS\n"),
    "both": ("#define NET_IMPLEMENTATION\n", "#define NET_DECLARATIONS\n"),
    "declarations first": ("#define NET_DECLARATIONS\n", '#include "net.h"\n#define NET_IMPLEMENTATION\n'),
}
COMPILERS = {  # of files a and b, and of main with the flags of all
    "gcc": ("gcc", "gcc", "gcc", []),
    "gcc -flto": ("gcc", "gcc", "gcc", ["-flto", "-O2"]),
    "gcc dropping": ("gcc", "gcc", "gcc", ["-O2", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]),
    "gcc as of before 10": ("gcc", "gcc", "gcc", ["-fcommon", "-O1"]),
    "clang": ("clang", "clang", "clang", ["-O1"]),
    "mixed": ("gcc", "g++", "g++", ["-O2"]),
    "mixed with clang": ("clang++", "gcc", "gcc", ["-Os"]),
}
TARGETS = {
    "avr": ("avr-gcc", "avr-g++", ["-mmcu=atmega2560", "-Os"]),
    "avr -flto": ("avr-gcc", "avr-g++", ["-mmcu=atmega2560", "-Os", "-flto"]),
    "uno": (
        "avr-gcc",
        "avr-g++",
        ["-mmcu=atmega328p", "-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"],
    ),
    "arm": (
        "arm-none-eabi-gcc",
        "arm-none-eabi-g++",
        ["-mcpu=cortex-m3", "-mthumb", "-Os", *"--specs=picolibc.specs -nostartfiles -Wl,--entry=main".split()],
    ),
    "riscv": (
        "riscv64-unknown-elf-gcc",
        "riscv64-unknown-elf-g++",
        ["-march=rv32imc", "-mabi=ilp32", "-Os", *"--specs=picolibc.specs -nostartfiles -Wl,--entry=main".split()],
    ),
    "arc": (
        "arc-linux-gnu-gcc",
        "arc-linux-gnu-g++",
        ["-Os", "-fno-stack-protector", *"-nostdlib -static -Wl,-e,main".split()],
    ),
}
C_LIBRARY = """\
#include <stddef.h>
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n)
{
    while (n-- > 0) ((char *)to)[n] = ((const char *)from)[n];
    return to;
}
void *memset(void *to, int byte, size_t n)
{
    while (n-- > 0) ((char *)to)[n] = (char)byte;
    return to;
}
"""
A = """\
{way}#include "net.h"
{external}const uint8_t *a_place(void);
{external}void a_fill(const uint8_t *sample);
const uint8_t *a_place(void) {{ return net_arena.bytes; }}
void a_fill(const uint8_t *sample) {{ memcpy(net_input(), sample, NET_INPUT_BYTES); }}
"""
B = """\
{way}#include "net.h"
{external}const uint8_t *b_place(void);
{external}uint8_t b_predict(int32_t *scores);
const uint8_t *b_place(void) {{ return net_arena.bytes; }}
uint8_t b_predict(int32_t *scores) {{ return net_scores(net_input(), scores); }}
"""
MAIN = """\
#include <stdio.h>
#define NET_DECLARATIONS
#include "net.h"
{external}const uint8_t *a_place(void);
{external}const uint8_t *b_place(void);
{external}void a_fill(const uint8_t *sample);
{external}uint8_t b_predict(int32_t *scores);
int main(void)
{{
    uint8_t sample[NET_INPUT_BYTES];
    int32_t scores[NET_CLASSES];
    int k;
    if (a_place() != b_place()) return 2;
    while (fread(sample, 1, sizeof sample, stdin) == sizeof sample) {{
        a_fill(sample);
        printf("%d", b_predict(scores));
        for (k = 0; k < NET_CLASSES; k++) printf(" %ld", (long)scores[k]);
        printf("\\n");
    }}
    return 0;
}}
"""


def plus_plus(compiler):
    return compiler.endswith("++")


def compile_file(compiler, source, flags):
    """Compiles a file as C99 or as C++11, warnings as errors; returns the object's path."""
    language = ["-x", "c++", "-std=c++11"] if plus_plus(compiler) else ["-std=c99"]
    output = source.with_suffix(".o")
    flags = [flag for flag in flags if not flag.startswith(("-Wl,", "-nost", "-static"))]
    command = [require(compiler), *language, *WARNINGS, *flags, f"-I{RUNTIME}", f"-I{source.parent}", "-c"]
    done = subprocess.run([*command, source, "-o", output], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return output


def link(linker, objects, flags, program):
    return subprocess.run(
        [require(linker), *flags, *objects, "-o", program], capture_output=True, text=True, check=False
    )


def build(folder, compilers, way, text=None, extra=()):
    """Compiles files a and b and links them with main; returns the program."""
    a, b, main, flags = compilers
    text = text or header_text(three_layers(), name="net")
    (folder / "net.h").write_text(text)
    objects = []
    for name, source, compiler, prefix in (("a", A, a, way[0]), ("b", B, b, way[1]), ("main", MAIN, main, None)):
        path = folder / f"{name}.c"
        path.write_text(source.format(way=prefix, external='extern "C" ' if plus_plus(compiler) else "extern "))
        objects.append(compile_file(compiler, path, flags))
    program = folder / "program"
    done = link(main, [*objects, *extra], flags, program)
    assert done.returncode == 0, done.stderr[-3000:]
    return program


def check(program):
    """What file a writes to the arena, file b predicts from."""
    network = three_layers()
    x = np.random.default_rng(1).integers(0, 256, (20, 3, 4, 5))
    done = subprocess.run([program], input=network.pack_input(x).tobytes(), capture_output=True, check=False)
    assert done.returncode == 0
    rows = [list(map(int, line.split())) for line in done.stdout.decode().splitlines()]
    assert [row[0] for row in rows] == network.predict(x).tolist()
    assert [row[1:] for row in rows] == network.scores(x).tolist()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_files_share_one_arena(tmp_path, way):
    check(build(tmp_path, COMPILERS["gcc"], way))


@pytest.mark.parametrize("compilers", COMPILERS.values(), ids=COMPILERS)
@pytest.mark.parametrize("way", ["plain", "implementation"])
def test_with_every_compiler(tmp_path, compilers, way):
    check(build(tmp_path, compilers, WAYS[way]))


def test_one_copy_of_the_code_is_linked(tmp_path):
    """Of arena and functions always, of the kernels where unused sections are dropped."""
    for name in ("gcc", "gcc dropping"):
        program = build(tmp_path, COMPILERS[name], WAYS["plain"])
        symbols = [line.split()[-1] for line in tool("nm", program).splitlines()]
        for symbol in ("net_arena", "net_predict_in", "net_layer_in"):
            assert symbols.count(symbol) == 1
    assert symbols.count("net_dense2") == 1
    program = build(tmp_path, COMPILERS["gcc"], WAYS["both"])
    assert [line.split()[-1] for line in tool("nm", program).splitlines()].count("net_dense2") == 1


def tool(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_declarations_define_nothing(tmp_path):
    (tmp_path / "net.h").write_text(header_text(tiny(), name="net"))
    (tmp_path / "m.c").write_text('#define NET_DECLARATIONS\n#include "net.h"\nint x;\n')
    rows = tool("nm", compile_file("gcc", tmp_path / "m.c", ["-O0"])).splitlines()
    assert [row for row in rows if " net" in row and " n " not in row] == []  # n: the name of a group


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_on_every_target(tmp_path, target):
    """Two files in C and one in C++ with two networks; a third header of the first one's name is refused."""
    c, cpp, flags = target
    (tmp_path / "net.h").write_text(header_text(three_layers(), name="net"))
    (tmp_path / "other.h").write_text(header_text(tiny(), name="other"))
    uses = "    return (uint8_t)(net_predict(net_input()) + other_predict(other_input()));\n"
    objects = []
    for i, compiler in enumerate((c, cpp, c)):
        external = 'extern "C" ' if plus_plus(compiler) else "extern "
        name = "main" if i == 0 else f"use{i}"
        kind = "int" if i == 0 else "uint8_t"
        path = tmp_path / f"{name}.c"
        path.write_text(
            f'#include "net.h"\n#include "other.h"\n{external}{kind} {name}(void);\n{kind} {name}(void)\n{{\n{uses}}}\n'
        )
        objects.append(compile_file(compiler, path, flags))
    support = tmp_path / "support.c"
    support.write_text(C_LIBRARY)
    libraries = [compile_file(c, support, [*flags, "-fno-builtin"])] if c.startswith("arc") else []
    done = link(c, [*objects, *libraries, "-lgcc"], flags, tmp_path / "program")
    assert done.returncode == 0, done.stderr[-3000:]
    (tmp_path / "net.h").write_text(header_text(three_layers(), name="net", optimize="size"))
    objects[1] = compile_file(cpp, tmp_path / "use1.c", flags)
    done = link(c, [*objects, *libraries, "-lgcc"], flags, tmp_path / "program")
    assert done.returncode != 0
    assert "source_files_include_different_headers_of_net" in done.stderr


OTHERS = {
    "another network": {"network": tiny()},
    "another optimization": {"optimize": "size"},
    "another arithmetic": {"arithmetic": "float"},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("flags", [[], ["-flto", "-O2"]], ids=["", "lto"])
@pytest.mark.parametrize("way", ["", "#define NET_DECLARATIONS\n", "#define EBNN_STATIC\n"])
def test_two_headers_of_one_name_do_not_link(tmp_path, other, flags, way):
    """In two files; in one file the compiler stops."""
    texts = [header_text(normalized(), name="net")]
    texts.append(
        header_text(
            other.get("network", normalized()), name="net", **{k: v for k, v in other.items() if k != "network"}
        )
    )
    for i, text in enumerate(texts):
        (tmp_path / f"net{i}.h").write_text(text)
        (tmp_path / f"f{i}.c").write_text(
            f'{way * i}#include "net{i}.h"\nint f{i}(void);\nint f{i}(void) {{ return 0; }}\n'
        )
    (tmp_path / "main.c").write_text("int f0(void); int f1(void); int main(void) { return f0() + f1(); }\n")
    objects = [compile_file("gcc", tmp_path / f"{name}.c", flags) for name in ("f0", "f1", "main")]
    done = link("gcc", objects, flags, tmp_path / "program")
    assert done.returncode != 0
    assert "source_files_include_different_headers_of_net" in done.stderr
    (tmp_path / "one.c").write_text('#include "net0.h"\n#include "net1.h"\n')
    done = subprocess.run(
        [require("gcc"), f"-I{RUNTIME}", "-c", "one.c"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert re.search("two networks are called net|two headers of net differ", done.stderr)


def normalized():
    return random_network(random.Random(4001), normalized=True)


def test_a_private_copy_is_one_files_alone(tmp_path):
    """EBNN_STATIC: works in one file, and does not link where another includes the header as well."""
    (tmp_path / "net.h").write_text(header_text(three_layers(), name="net"))
    (tmp_path / "main.c").write_text(
        '#define EBNN_STATIC\n#include "net.h"\nint main(void)\n{\n    return net_predict(net_input());\n}\n'
    )
    (tmp_path / "more.c").write_text('#include "net.h"\nint more;\n')
    for compiler in ("gcc", "g++", "clang++"):
        main = compile_file(compiler, tmp_path / "main.c", ["-Os"])
        assert link("gcc", [main], [], tmp_path / "program").returncode == 0
        assert not re.search(r" [A-Z] net_", tool("nm", tmp_path / "program"))
        for way in ("", "#define EBNN_STATIC\n"):
            (tmp_path / "more.c").write_text(f'{way}#include "net.h"\n')
            done = link("gcc", [main, compile_file("gcc", tmp_path / "more.c", ["-Os"])], [], tmp_path / "program")
            assert "source_files_include_different_headers_of_net" in done.stderr


@pytest.mark.parametrize("network", [tiny(), three_layers()], ids=["tiny", "three layers"])
def test_sharing_costs_nothing_where_the_linker_optimizes(tmp_path, network):
    """As in the Arduino IDE and PlatformIO on AVR: one file takes the flash that it takes with EBNN_STATIC."""
    (tmp_path / "net.h").write_text(header_text(network, name="net"))
    flags = "-mmcu=atmega328p -Os -std=gnu11 -ffunction-sections -fdata-sections -Wl,--gc-sections -flto".split()
    sizes = []
    for way in ("", "#define EBNN_STATIC\n"):
        (tmp_path / "m.c").write_text(
            f'{way}#include "net.h"\nvolatile uint8_t answer;\n'
            "int main(void)\n{\n    answer = net_predict(net_input());\n    return 0;\n}\n"
        )
        done = link("avr-gcc", [tmp_path / "m.c"], [*flags, f"-I{RUNTIME}"], tmp_path / "program")
        assert done.returncode == 0, done.stderr
        sizes.append(tool("avr-size", tmp_path / "program").split("\n")[1].split()[:3])
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("macro", ["KEY_TITLE", "DT_HASH", "RE_CHAR_CLASSES", "DVD_LAYERS"])
def test_a_name_whose_macros_another_header_has_is_refused(tmp_path, macro):
    """As Linux' and glibc's headers have them; CDC_HEADER of the Leonardo's core, and TIPC_ZONE_SCOPE, are not ours."""
    name = macro.rpartition("_")[0].lower()
    (tmp_path / "net.h").write_text(header_text(tiny(), name=name))
    for other, fine in ((macro, False), (f"{name.upper()}_HEADER", True), (f"{name.upper()}_SCOPE", True)):
        (tmp_path / "m.c").write_text(f'#define {other} 1\n#include "net.h"\n')
        command = [require("gcc"), "-Werror", f"-I{RUNTIME}", "-c", "m.c"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == fine, done.stderr
        assert (f"another header has macros of {name}: export it with another --name" in done.stderr) != fine


def test_without_weak_symbols_the_compiler_says_what_to_do(tmp_path):
    (tmp_path / "net.h").write_text(header_text(tiny(), name="net"))
    plain = '#undef __ELF__\n#include "net.h"\n'
    for text, fine in (
        (plain, False),
        ("#define NET_IMPLEMENTATION\n" + plain, True),
        ("#define NET_DECLARATIONS\n" + plain, True),
    ):
        (tmp_path / "m.c").write_text(text)
        done = subprocess.run(
            [require("gcc"), f"-I{RUNTIME}", "-c", "m.c"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode == 0) == fine
    (tmp_path / "m.c").write_text(plain)
    done = subprocess.run(
        [require("gcc"), f"-I{RUNTIME}", "-c", "m.c"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "define NAME_IMPLEMENTATION in one source file, NAME_DECLARATIONS in all others" in done.stderr


# A caller's arena


def test_callers_arenas_make_it_re_entrant(tmp_path):
    """Eight threads, each with arenas of its own, on the same networks: 0 wrong scores, and no race for TSan."""
    networks = [random_network(random.Random(seed), normalized=True) for seed in range(3000, 3012)]
    x = [random_samples(network, 3, 5) for network in networks]
    includes, tables, cases = "", "", ""
    for i, (network, samples) in enumerate(zip(networks, x, strict=True)):
        (tmp_path / f"n{i}.h").write_text(header_text(network, name=f"n{i}"))
        includes += f'#include "n{i}.h"\n'
        packed = ", ".join(map(str, network.pack_input(samples).ravel().view(np.uint8)))
        scores = ", ".join(f"{score}l" for score in network.scores(samples).ravel()).replace(
            "-2147483648l", "-2147483647l-1"
        )
        aligned = "__attribute__((aligned(4)))"
        tables += f"static const uint8_t x{i}[] {aligned} = {{{packed}}};\n"
        tables += f"static const int32_t expected{i}[] = {{{scores}}};\n"
        cases += f"        CHECK(n{i}, N{i}, x{i}, expected{i})\n"
    (tmp_path / "threads.c").write_text(
        f"#include <pthread.h>\n#include <stdio.h>\n{includes}{tables}"
        """
#define CHECK(name, NAME, x, expected)                                                                    \\
    {                                                                                              \\
        name##_arena_t arena;                                                                      \\
        int32_t scores[NAME##_CLASSES];                                                            \\
        int sample, k;                                                                             \\
        for (sample = 0; sample < 3; sample++) {                                                   \\
            memcpy(name##_input_in(&arena), x + sample * NAME##_INPUT_BYTES, NAME##_INPUT_BYTES);  \\
            name##_predict_in(&arena, name##_input_in(&arena), scores);                            \\
            for (k = 0; k < NAME##_CLASSES; k++)                                                   \\
                *wrong += scores[k] != expected[sample * NAME##_CLASSES + k];                             \\
        }                                                                                          \\
    }
static void *run(void *argument)
{
    long *wrong = (long *)argument;
    int round;
    for (round = 0; round < ROUNDS; round++) {
"""
        f"{cases}"
        """    }
    return NULL;
}
int main(void)
{
    static long wrong[8];
    pthread_t threads[8];
    long sum = 0;
    int i;
    for (i = 0; i < 8; i++) pthread_create(&threads[i], NULL, run, &wrong[i]);
    for (i = 0; i < 8; i++) pthread_join(threads[i], NULL);
    for (i = 0; i < 8; i++) sum += wrong[i];
    printf("%ld\\n", sum);
    return 0;
}
"""
    )
    for flags, rounds in ((["-O2"], 200), (["-O1", "-g", "-fsanitize=thread"], 2)):
        program = tmp_path / "threads"
        command = [require("gcc"), "-std=gnu99", *WARNINGS, *flags, f"-DROUNDS={rounds}", f"-I{RUNTIME}", "-pthread"]
        subprocess.run([*command, tmp_path / "threads.c", "-o", program], check=True)
        done = subprocess.run([program], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


def test_a_callers_arena_has_the_type_that_aligns_it(tmp_path):
    """A pointer to bytes is refused by the compiler; the program's own arena is left out where nobody uses it."""
    (tmp_path / "net.h").write_text(header_text(three_layers(), name="net"))
    use = '#include "net.h"\nuint8_t use({0} *arena, const uint8_t *x);\nuint8_t use({0} *arena, const uint8_t *x)\n'
    use += "{{\n    return net_predict_in(arena, x, NULL);\n}}\n"
    for kind, fine in (("net_arena_t", True), ("uint8_t", False), ("uint32_t", False)):
        (tmp_path / "m.c").write_text(use.format(kind))
        for compiler in ("gcc", "g++"):
            command = [require(compiler), "-Werror", f"-I{RUNTIME}", "-c", "m.c"]
            command[1:1] = ["-x", "c++"] if plus_plus(compiler) else ["-std=c99"]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
            assert (done.returncode == 0) == fine
    flags = ["-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]
    (tmp_path / "m.c").write_text(
        '#include "net.h"\nint main(void)\n{\n    net_arena_t arena;\n    *net_input_in(&arena) = 1;\n'
        "    return net_predict_in(&arena, net_input_in(&arena), NULL);\n}\n"
    )
    program = tmp_path / "program"
    assert link("gcc", [compile_file("gcc", tmp_path / "m.c", flags)], flags, program).returncode == 0
    assert "net_arena" not in tool("nm", program)


def test_headers_of_the_package_have_short_lines(tmp_path):
    """120 bytes, with a name of 20 letters too, and in the port."""
    for seed in range(3000, 3040):
        network = random_network(random.Random(seed), normalized=True)
        for name in ("net", "n" * 20):
            text = header_text(network, name=name, arithmetic=("integer", "float")[seed % 2])
            lines = [line for line in text.splitlines() if len(line.encode()) > 120]
            assert lines == []
    assert [line for line in (RUNTIME / "ebnn/port.h").read_text().splitlines() if len(line.encode()) > 120] == []
