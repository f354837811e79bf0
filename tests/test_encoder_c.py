"""Encoders in C: raw samples become, bit for bit, what they become in Python, however they are compiled."""

import re
import subprocess

import numpy as np
import pytest
from support.c_networks import RUNTIME, SANITIZERS, WARNINGS, require
from support.raw_samples import ENCODERS, encoded, encoder_network, raw_bytes, raw_samples

from ebnn.compile.header import flash_bytes, header_text
from ebnn.model.encoders import Affine, Thermometer
from ebnn.model.kinds import Shape

NETWORKS = {name: encoder_network(encoder) for name, encoder in ENCODERS.items()}
SAMPLES = {name: raw_samples(encoder) for name, encoder in ENCODERS.items()}
FAST = ["-O3", "-march=native", "-ffp-contract=fast"]

# Raw samples and inputs lie in heap blocks of exactly their size, for the address sanitizer.
_RUN = """\
#include <stdio.h>
#include <stdlib.h>
{includes}
#define RUN(name, NAME, count)                                                                       \\
    for (i = 0; i < (count); i++) {{                                                                  \\
        name##_raw_t *raw = (name##_raw_t *)malloc(NAME##_RAW_BYTES);                                \\
        uint8_t *input = (uint8_t *)malloc(NAME##_INPUT_BYTES);                                      \\
        if (fread(raw, 1, NAME##_RAW_BYTES, stdin) != NAME##_RAW_BYTES) return 3;                    \\
        name##_encode(raw, (void *)input);                                                           \\
        fwrite(input, 1, NAME##_INPUT_BYTES, stdout);                                                \\
        free(raw);                                                                                   \\
        free(input);                                                                                 \\
    }}
int main(void)
{{
    int i;
{calls}
    return 0;
}}
"""


def check(folder, compiler, flags, cases):
    """Encodes the samples of ``cases``, by name (network, raw), in one program."""
    includes, calls, fed, expected = "", "", b"", b""
    for i, (network, raw) in enumerate(cases):
        (folder / f"n{i}.h").write_text(header_text(network, name=f"n{i}"))
        includes += f'#include "n{i}.h"\n'
        calls += f"    RUN(n{i}, N{i}, {len(raw)})\n"
        fed += raw_bytes(network, raw)
        expected += encoded(network, raw).tobytes()
    source, program = folder / "encode.c", folder / "encode"
    source.write_text(_RUN.format(includes=includes, calls=calls))
    command = [require(compiler), "-std=c99", *WARNINGS, *flags, f"-I{RUNTIME}", source, "-o", program]
    subprocess.run(command, check=True)
    done = subprocess.run([program], input=fed, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found, wanted = (np.frombuffer(each, np.uint8) for each in (done.stdout, expected))
    np.testing.assert_array_equal(found, wanted)


WAYS = [
    ("gcc", [*SANITIZERS, "-fsanitize=float-cast-overflow"]),
    ("clang", SANITIZERS),
    ("gcc", ["-O0"]),
    ("gcc", FAST),
    ("clang", FAST),
    ("gcc", ["-Ofast", "-march=native"]),
    ("clang", ["-O3", "-ffast-math", "-march=native", "-Wno-overriding-option", "-Wno-unknown-warning-option"]),
    ("gcc", ["-Os", "-DEBNN_INLINE=__attribute__((noinline, unused)) static"]),
]


@pytest.mark.parametrize(("compiler", "flags"), WAYS, ids=lambda way: way if isinstance(way, str) else " ".join(way))
def test_c_gives_what_python_gives(tmp_path, compiler, flags):
    """SPEC 5.5: 10,000 values for each encoder: each step and beside it, NaN, infinities, subnormals, int16's ends."""
    assert all(raw.size >= 10_000 for raw in SAMPLES.values())
    check(tmp_path, compiler, flags, [(NETWORKS[name], SAMPLES[name]) for name in ENCODERS])


def run_c(folder, text, compiler="gcc", flags=()):
    """Compiles ``text`` and runs it; returns what it printed."""
    (folder / "m.c").write_text(text)
    language = ["-x", "c++", "-std=c++11"] if compiler.endswith("++") else ["-std=c99"]
    command = [require(compiler), *language, *WARNINGS, *flags, f"-I{RUNTIME}", "m.c", "-o", "m"]
    subprocess.run(command, cwd=folder, check=True)
    return subprocess.run([folder / "m"], capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("compiler", ["gcc", "clang++"])
def test_a_prediction_from_raw_values_on(tmp_path, compiler):
    """SPEC 7.9: reading after reading, the channels of one side by side, into name_input()."""
    network = encoder_network(Affine([0, 100, -5], [1, 2, 25.6]), Shape(3, 1, 4))
    raw = np.random.default_rng(5).uniform(-5, 250, (1, 3, 1, 4)).astype(np.float32)
    (tmp_path / "net.h").write_text(header_text(network, name="net"))
    readings = ", ".join(f"{{{', '.join(f'{value:.9g}f' for value in reading)}}}" for reading in raw[0, :, 0].T)
    output = run_c(
        tmp_path,
        f"""\
#include "net.h"
#include <stdio.h>
int main(void)
{{
    static const net_raw_t readings[NET_RAW_VALUES / NET_RAW_CHANNELS][NET_RAW_CHANNELS] = {{{readings}}};
    int32_t scores[NET_CLASSES];
    net_encode(readings[0], net_input());
    net_scores(net_input(), scores);
    printf("%ld %ld %ld\\n", (long)scores[0], (long)scores[1], (long)scores[2]);
    ebnn_network_encode(readings[0], ebnn_network_input());
    printf("%d %d %d", net_predict(net_input()), EBNN_RAW_VALUES, (int)(NET_RAW_BYTES / sizeof(EBNN_RAW_TYPE)));
    return 0;
}}
""".replace("readings[0], ", "&readings[0][0], "),
        compiler,
    )
    scores = network.scores(network.encode(raw))[0]
    assert output == f"{' '.join(map(str, scores))}\n{network.predict_raw(raw)[0]} 12 12"


@pytest.mark.parametrize(("name", "compiler"), [*zip(ENCODERS, ["gcc", "clang++"] * 3, strict=True)])
def test_the_self_test_begins_with_raw_values(tmp_path, name, compiler):
    text = header_text(NETWORKS[name], name="net", self_test=3)
    program = '#include "net.h"\n#include <stdio.h>\nint main(void)\n{\n    '
    program += 'printf("%d", net_self_test_in(&net_arena));\n    return 0;\n}\n'
    (tmp_path / "net.h").write_text(text)
    assert run_c(tmp_path, program, compiler) == "0"
    # Constants of another encoder give other scores.
    broken = NETWORKS[name].encoder
    array = "steps" if isinstance(broken, Affine) else "thresholds"
    begin = text.index("{\n    ", text.index(f"net_encoder_{array}[")) + 6
    first = text[begin : text.index("}", begin)]
    (tmp_path / "net.h").write_text(text.replace(first, ", ".join(["20000"] * (first.count(",") + 1)) + "\n"))
    assert int(run_c(tmp_path, program, compiler)) > 0


def test_an_encoder_lies_in_flash(tmp_path):
    """On AVR, and its bytes are in the figures; a thermometer takes no routine of the float library."""
    for i, name in enumerate(ENCODERS):
        network, net = NETWORKS[name], f"n{i}"
        bare = encoder_network(ENCODERS[name])
        assert flash_bytes(network) == flash_bytes(type(bare)(bare.input, bare.layers)) + network.encoder.constant_bytes
        (tmp_path / f"{net}.h").write_text(header_text(network, name=net, self_test=1))
        source = f'#include "{net}.h"\nint main(void)\n{{\n    static {net}_raw_t raw[90];\n'
        source += f"    {net}_encode(raw, {net}_input());\n    return (int){net}_self_test_in(&{net}_arena);\n}}\n"
        (tmp_path / "m.c").write_text(source)
        for mcu in ("atmega328p", "atmega2560")[: 2 if i == 0 else 1]:
            command = [require("avr-gcc"), f"-mmcu={mcu}", "-std=c99", "-Os", *WARNINGS, f"-I{RUNTIME}", "m.c"]
            subprocess.run([*command, "-o", "m.elf"], cwd=tmp_path, check=True)
            sizes = subprocess.run(
                ["avr-size", "-A", "m.elf"], cwd=tmp_path, capture_output=True, text=True, check=True
            )
            assert not re.search(r"^\.(data|rodata) +[1-9]", sizes.stdout, re.MULTILINE)
            symbols = subprocess.run(["avr-nm", "m.elf"], cwd=tmp_path, capture_output=True, text=True, check=True)
            assert bool(re.search(r"sf\w*$", symbols.stdout, re.MULTILINE)) == isinstance(network.encoder, Affine)


def test_an_older_library_is_named(tmp_path):
    """It stops the compiler before its errors."""
    (tmp_path / "net.h").write_text(header_text(NETWORKS["float to int8"], name="net"))
    (tmp_path / "m.c").write_text('#include "ebnn.h"\n#undef EBNN_ENCODER_H\n#include "net.h"\n')
    done = subprocess.run(
        [require("gcc"), "-fsyntax-only", f"-I{RUNTIME}", "m.c"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "take the ebnn library of that version or a later one" in done.stderr


def test_a_target_with_other_floats_is_refused(tmp_path):
    (tmp_path / "net.h").write_text(header_text(NETWORKS["float to int8"], name="net"))
    (tmp_path / "m.c").write_text('#include "net.h"\n')
    command = [
        require("gcc"),
        "-fsyntax-only",
        "-U__FLT_EVAL_METHOD__",
        "-D__FLT_EVAL_METHOD__=2",
        f"-I{RUNTIME}",
        "m.c",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "floats are kept in higher precision here" in done.stderr


def test_a_thermometer_s_last_bits(tmp_path):
    """Rows that end within a byte, and channels of one threshold."""
    cases = []
    for channels, levels, width in [(1, 1, 1), (1, 1, 9), (3, 1, 5), (2, 4, 2), (1, 17, 3)]:
        encoder = Thermometer(np.sort(np.random.default_rng(levels).normal(size=(channels, levels)), axis=1))
        shape = Shape(channels, 3, width)
        raw = np.random.default_rng(width).normal(size=(20, *shape)).astype(np.float32)
        cases.append((encoder_network(encoder, shape), raw))
    check(tmp_path, "gcc", SANITIZERS, cases)
