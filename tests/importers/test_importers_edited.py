"""Headers of eBNN's as people edit them are read as a compiler of C reads them: gcc is asked what is in each."""

import re
import subprocess

import numpy as np
import pytest
from original_ebnn import bits_of, classes_of, header_of, make_layer, make_network, make_signs
from support.c_networks import require

import ebnn
from ebnn.errors import FileFormatError, LoweringError
from ebnn.importers import import_ebnn_header
from ebnn.importers.ebnn_parser import parse_header

# Prints the arguments of each layer that runs: bytes of its weights, bits of its floats, its numbers.
LIBRARY = """\
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void print_floats(const float *values, int count)
{
    int i;
    uint32_t bits;
    for (i = 0; i < count; i++) {
        memcpy(&bits, &values[i], 4);
        printf(" %lu", (unsigned long)bits);
    }
}

static void print_layer(const char *kind, const uint8_t *W, int bytes, const float *const *vectors, int outputs,
                        const int *numbers, int count)
{
    int i;
    printf("%s", kind);
    for (i = 0; i < bytes; i++)
        printf(" %d", W[i]);
    for (i = 0; i < 5; i++)
        print_floats(vectors[i], outputs);
    for (i = 0; i < count; i++)
        printf(" %d", numbers[i]);
    printf("\\n");
}

#define VECTORS const float *b, const float *gamma, const float *beta, const float *mean, const float *std
#define SIZES int m, int f, int w, int h, int d, int kw, int kh, int sw, int sh, int pw, int ph, int plw, int plh, \\
    int plsw, int plsh, int plpw, int plph
#define ALL {m, f, w, h, d, kw, kh, sw, sh, pw, ph, plw, plh, plsw, plsh, plpw, plph}
#define PRINT(KIND, BYTES, OUTPUTS, ...) \\
    const float *vectors[5] = {b, gamma, beta, mean, std}; \\
    const int numbers[] = __VA_ARGS__; \\
    (void)in; (void)out; \\
    print_layer(KIND, W, BYTES, vectors, OUTPUTS, numbers, sizeof numbers / sizeof numbers[0]);

static void fconv_layer(const float *in, const uint8_t *W, uint8_t *out, VECTORS, SIZES)
{
    PRINT("fconv_layer", f * ((d * kw * kh + 7) / 8), f, ALL)
}
static void bconv_layer(const uint8_t *in, const uint8_t *W, uint8_t *out, VECTORS, SIZES)
{
    PRINT("bconv_layer", f * d * ((kw * kh + 7) / 8), f, ALL)
}
static void blinear_layer(const uint8_t *in, const uint8_t *W, uint8_t *out, VECTORS, int m, int n, int k)
{
    PRINT("blinear_layer", k * ((n + 7) / 8), k, {m, n, k})
}
static void blinear_sm_layer(const uint8_t *in, const uint8_t *W, uint8_t *out, VECTORS, int m, int n, int k)
{
    PRINT("blinear_sm_layer", k * ((n + 7) / 8), k, {m, n, k})
}
"""

MAIN = """
static {kind} sample[100000];
int main(void)
{{
    uint8_t answer[1000];
    (void)&bconv_layer, (void)&fconv_layer, (void)&blinear_layer;
    {call}
    return 0;
}}
"""


def as_gcc_reads(text, tmp_path, early=False):
    (tmp_path / "avr").mkdir(exist_ok=True)
    (tmp_path / "ebnn.h").write_text(LIBRARY)
    (tmp_path / "util.h").write_text(LIBRARY)
    (tmp_path / "avr/pgmspace.h").write_text("#define PROGMEM\n")
    (tmp_path / "net.h").write_bytes(text.encode())
    kind = "float" if "fconv_layer" in text else "uint8_t"
    call = "(void)sample, (void)answer; compute();" if early else "ebnn_compute(sample, answer);"
    (tmp_path / "main.c").write_text('#include "net.h"\n' + MAIN.format(kind=kind, call=call))
    command = [require("gcc"), "-std=gnu99", "-w", f"-I{tmp_path}", tmp_path / "main.c", "-o", tmp_path / "main"]
    subprocess.run(command, check=True)
    return subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout.splitlines()


def as_it_is_read(text):
    lines = []
    for layer in parse_header(text, "net.h").layers:
        norm = layer.batch_norm
        vectors = [norm.bias, norm.gamma, norm.beta, norm.mean, norm.std]
        bits = [int(value) for vector in vectors for value in vector.view(np.uint32)]
        lines.append(" ".join(map(str, [layer.function, *layer.weights, *bits, *layer.numbers.values()])))
    return lines


def spell_float(rng, value):
    exact = np.float32(value)
    spellings = [
        f"{exact:.9g}f" if "." in f"{exact:.9g}" else f"{exact:.9e}f",
        f"{float(exact):.20e}",
        f"{float(exact):.17f}F",
        float(exact).hex(),
        f"(float){float(exact):.12e}",
        f"( - ({-float(exact):.9e}f))",
        f"{float(exact) * 1.00000003:.14e}f",
        f"+{abs(float(exact)):.10f}",
    ]
    return str(rng.choice(spellings))


def spell_byte(rng, value):
    byte = int(value)
    spellings = [hex(byte), f"0{byte:o}", f"{byte}u", f"(uint8_t){byte + 256}", f"(0X{byte:02X})", f"0b{byte:b}"]
    return str(rng.choice(spellings))


def respelled(rng, text):
    """Every number in another spelling, lines broken anywhere, commas behind the last."""

    def array(match):
        spell = spell_float if match[1] == "float" else spell_byte
        numbers = [spell(rng, number) for number in match[3].split(",")]
        breaks = [", ", ",\n    ", " /* , */ , ", ",\\\n", ",\t// and\n"]
        body = "".join(number + str(rng.choice(breaks)) for number in numbers)
        return f"{match[1]} {match[2]} = {{\n    {body}}};"

    return re.sub(r"(float|uint8_t) (l_\w+\[\d+\]) = \{([^}]*)\};", array, text)


def qualified(_, text):
    text = re.sub(r"float (l_\w+\[\d+\]) =", r"static const float \1 PROGMEM =", text)
    text = re.sub(r"uint8_t (l_\w+)\[\d+\] =", r"const PROGMEM unsigned char \1[] =", text)
    return text.replace("\n", "\n#include <avr/pgmspace.h>\n", 1)


def with_arrays(_, text):
    text = re.sub(r"(float|uint8_t) ?\* ?input", r"\1 input[784]", text)
    return text.replace("uint8_t *output", "uint8_t output[1]").replace("uint8_t* output", "uint8_t * restrict output")


MACROS = """
#define CLASSES (N)
#define N LAST /* digits */
#define ROOM 100000 // enough
#define UNUSED(x) (void)(x)
"""


def with_macros(_, text):
    last = re.findall(r", (\d+)\);", text)[-1]
    text = re.sub(rf", {last}\);(?=[^;]*;?[^;]*uint8_t temp1)", ", CLASSES);", text)
    text = re.sub(r"temp(\d)\[(\d+)\] = \{0\}", r"temp\1[ROOM]", text)
    return text.replace("\n", MACROS.replace("LAST", last), 1)


HEAD = """\
#ifndef NET_H
#define NET_H
#pragma once
#ifdef __cplusplus
extern "C" {
#endif
#if 0
it's not C
#else
#endif
#if defined(ARDUINO) || defined(__AVR__)
#error not here
#elif 1
#endif
#ifndef PROGMEM
#define PROGMEM
#endif
#include "ebnn.h"
void ebnn_compute(KIND *, uint8_t[]);
extern uint8_t temp1[];
static const int rows = 1;
"""
TAIL = """
#ifdef __cplusplus
}
#endif
#endif
"""


def guarded(_, text):
    text = re.sub(r"_std, 1, ", "_std, rows, ", text).replace("(temp1, output);\n}", "(temp1, output);\n  return;\n}")
    head = HEAD.replace("KIND", "float" if "fconv_layer" in text else "uint8_t")
    return head + text.replace('#include "ebnn.h"', "") + TAIL


def with_casts(_, text):
    return re.sub(r"\((temp\d), (temp\d|output)\);", r"((uint8_t *)\1, (unsigned char*) \2);", text)


def with_windows_ends(_, text):
    return text.replace("\n", "\r\n")


EDITS = [respelled, qualified, with_arrays, with_macros, guarded, with_casts, with_windows_ends]


@pytest.mark.parametrize("edits", [*([edit] for edit in EDITS), EDITS], ids=[*(edit.__name__ for edit in EDITS), "all"])
def test_an_edited_header_is_read_as_gcc_reads_it(edits, tmp_path):
    rng = np.random.default_rng(len(edits))
    text = header_of(make_network(rng, str(rng.choice(["bits", "float"])), 1, 2, 1)[0])
    for edit in edits:
        changed = edit(rng, text)
        assert changed != text
        text = changed
    assert as_it_is_read(text) == as_gcc_reads(text, tmp_path)


@pytest.mark.parametrize("seed", range(4))
def test_numbers_are_rounded_as_gcc_rounds_them(seed, tmp_path):
    rng = np.random.default_rng(seed)
    text = respelled(rng, header_of(make_network(rng, "bits", 1, 1, 1, 60)[0]))
    assert as_it_is_read(text) == as_gcc_reads(text, tmp_path)


# Headers of early 2017, and of other ends and beginnings


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "simple.h"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("kind", ["float", "bits"])
def test_headers_of_early_2017(kind, write, tmp_path):
    rng = np.random.default_rng(4)
    layers, shape = make_network(rng, kind)
    x = rng.integers(0, 2, (20, *shape)).astype(np.float32 if kind == "float" else np.uint8)
    text = header_of(layers, early=True)
    assert as_it_is_read(text) == as_gcc_reads(text, tmp_path, early=True)
    imported = import_ebnn_header(write(text))
    assert imported.network.predict(x).tolist() == classes_of(layers, x).tolist()
    assert "a header of early 2017" in imported.notes[-1]
    later = text.replace("void compute()", "void compute(float *input, uint8_t *output)")
    assert import_ebnn_header(write(later)).network == imported.network


@pytest.mark.parametrize("seed", range(8))
def test_a_header_that_ends_in_bits(seed, write):
    """Its last layer is a blinear_layer: a vector of bits in the place of a class."""
    rng = np.random.default_rng(seed)
    convs = int(rng.integers(0, 3))
    layers, shape = make_network(rng, "bits", 1, convs, int(rng.integers(0, 2)), int(rng.integers(1, 20)), "blinear")
    x = rng.integers(0, 2, (20, *shape))
    imported = import_ebnn_header(write(header_of(layers)))
    assert np.array_equal(imported.network.predict_bits(x), bits_of(layers, x))
    assert any("writes no class but these bits" in note for note in imported.notes)
    imported.network.save(write("").with_suffix(".ebnn"))
    again = ebnn.load(write("").with_suffix(".ebnn"))
    assert np.array_equal(again.predict_bits(x), bits_of(layers, x))


@pytest.mark.parametrize("function", ["blinear", "fused_float_linear"])
@pytest.mark.parametrize("seed", range(4))
def test_a_first_dense_layer_that_takes_floats(seed, function, write):
    """LinearBNBST: its C reads floats as bits, the network that was trained adds them."""
    rng = np.random.default_rng(seed)
    layers, shape = make_network(rng, "float", 1, 0, int(rng.integers(1, 3)))
    x = (rng.integers(0, 256, (30, *shape)) / 255).astype(np.float32)
    text = header_of(layers, float_linear=function)
    imported = import_ebnn_header(write(text))
    assert imported.network.input.kind == "float"
    assert imported.network.predict(x).tolist() == classes_of(layers, x).tolist()
    assert len(set(classes_of(layers, x).tolist())) > 1
    assert any("takes floats, which eBNN's own C reads as bits" in note for note in imported.notes)


def test_a_later_dense_layer_with_floats_in_its_declaration(write):
    """A LinearBNBST behind another one takes the bits of the first."""
    rng = np.random.default_rng(1)
    layers, shape = make_network(rng, "float", 1, 0, 2)
    x = rng.random((30, *shape)).astype(np.float32)
    text = header_of(layers).replace("void l_b_linear_bn_bst1(uint8_t*", "void l_b_linear_bn_bst1(float*")
    assert "_bst1(float*" in text
    assert import_ebnn_header(write(text)).network.predict(x).tolist() == classes_of(layers, x).tolist()


def test_floats_where_bits_are_read(write):
    rng = np.random.default_rng(0)
    text = header_of(make_network(rng, "bits")[0])
    name = re.search(r"void (l_b_conv\w*0)\(", text)[1]
    with pytest.raises(FileFormatError, match=rf"{name} takes float \*, but bconv_layer reads uint8_t \*"):
        import_ebnn_header(write(text.replace(f"{name}(uint8_t*", f"{name}(float*")))
    only = [make_layer(rng, "flinear", make_signs(rng, 4, 12), 2)]
    with pytest.raises(LoweringError, match=r"takes floats and is the last layer, .*--input uint8"):
        import_ebnn_header(write(header_of(only)))
