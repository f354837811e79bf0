"""Headers with every part that they can have: an encoder, names, readings, probabilities, a threshold, a self-test."""

import subprocess

import pytest
from support.c_networks import RUNTIME, WARNINGS, require
from support.raw_samples import ENCODERS, encoder_network

from ebnn.compile.header import header_text
from ebnn.model.kinds import Shape
from ebnn.model.meta import Meta

META = Meta(("wave", "circle", "still"), rejection=0.5, window_step=3, sample_rate=50)
USE = """\
#include "one.h"
#include "two.h"
int @name@(void);
int @name@(void)
{
    static one_raw_t raw[ONE_RAW_VALUES];
    static two_raw_t others[TWO_RAW_VALUES];
    int32_t scores[ONE_CLASSES];
    uint16_t probabilities[ONE_CLASSES];
    char text[TWO_CLASS_NAME_BYTES];
    one_encode(raw, one_input());
    one_encode_value(raw[0], 0, one_input());
    two_encode(others, two_input());
    one_scores(one_input(), scores);
    one_probabilities(scores, probabilities);
    (void)two_class_name_in(two_predict_or_unknown(two_input()), text);
    return one_class_name(one_class_or_unknown(scores))[0] + text[0] + one_push(raw) +
           (int)two_self_test_in(&two_arena) + (int)one_self_test_in(&one_arena);
}
"""
MAIN = "int first(void);\nint second(void);\nint main(void)\n{\n    return first() == second() ? 0 : 1;\n}\n"
STRICT = [*WARNINGS, "-Wsign-conversion", "-Wundef"]
COMPILERS = ["gcc", "clang", "g++", "avr-gcc -mmcu=atmega2560"]
DEFINED = {
    "by the linker": ([], []),
    "in one": (["-DONE_IMPLEMENTATION", "-DTWO_IMPLEMENTATION"], ["-DONE_DECLARATIONS", "-DTWO_DECLARATIONS"]),
}


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("defined", DEFINED)
def test_two_files_share_two_networks(tmp_path, compiler, defined):
    """SPEC 7.6: no warning, one copy, the same answers in both files; and alone with EBNN_STATIC."""
    series = encoder_network(ENCODERS["float to bits"], Shape(5, 1, 9), META)
    (tmp_path / "one.h").write_text(header_text(series, name="one", self_test=2, probabilities=True))
    image = encoder_network(ENCODERS["int16 to int8"], meta=META)
    (tmp_path / "two.h").write_text(header_text(image, name="two", self_test=2))
    for name, text in (("first", USE), ("second", USE), ("main", MAIN)):
        (tmp_path / f"{name}.c").write_text(text.replace("@name@", name))
    program, *target = compiler.split()
    command = [require(program), *target, *STRICT, f"-I{RUNTIME}", "-Os"]
    command += ["-x", "c++", "-std=c++11"] if program.endswith("++") else ["-std=c99"]
    for name, flags in zip(("first", "second", "main"), (*DEFINED[defined], []), strict=True):
        subprocess.run([*command, *flags, "-c", f"{name}.c", "-o", f"{name}.o"], cwd=tmp_path, check=True)
    objects = ["first.o", "second.o", "main.o"]
    subprocess.run([require(program), *target, *objects, "-o", "program"], cwd=tmp_path, check=True)
    if not target:
        assert subprocess.run([tmp_path / "program"], check=False).returncode == 0
    subprocess.run([*command, "-DEBNN_STATIC", "-c", "first.c", "-o", "alone.o"], cwd=tmp_path, check=True)
