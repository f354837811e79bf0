"""Headers of the original eBNN: the same predictions as its C, or one clear error."""

import re
from pathlib import Path

import numpy as np
import pytest
from original_ebnn import OriginalLayer, classes_of, header_of, make_layer, make_network, make_signs
from support.c_networks import Case, run

from ebnn.errors import EbnnError, FileFormatError, LoweringError
from ebnn.importers import import_ebnn_header
from ebnn.importers.ebnn_network import convert
from ebnn.importers.ebnn_parser import parse_header
from ebnn.importers.float_sums import rounding

SAMPLES = 20


def pixels_of(rng, shape):
    return rng.integers(0, 256, (SAMPLES, *shape)).astype(np.uint8)


def as_floats(pixels):
    return pixels.astype(np.float32) / np.float32(255)


@pytest.fixture
def write(tmp_path):
    """Writes a header's text and returns its path."""

    def write(text):
        path = tmp_path / "simple.h"
        path.write_text(text)
        return path

    return write


# The same predictions


@pytest.mark.parametrize("seed", range(40))
def test_predicts_as_the_header_with_bits(seed, write):
    rng = np.random.default_rng(seed)
    layers, shape = make_network(rng, "bits", int(rng.choice([1, 3])), int(rng.integers(0, 4)), int(rng.integers(0, 3)))
    x = rng.integers(0, 2, (SAMPLES, *shape))
    imported = import_ebnn_header(write(header_of(layers)))
    assert imported.network.input.kind == "bits"
    assert imported.network.predict(x).tolist() == classes_of(layers, x).tolist()


@pytest.mark.parametrize("seed", range(40))
def test_predicts_as_the_header_with_floats(seed, write):
    rng = np.random.default_rng(seed)
    layers, shape = make_network(rng, "float", 1, int(rng.integers(1, 4)), int(rng.integers(0, 2)))
    x = as_floats(pixels_of(rng, shape))
    network = import_ebnn_header(write(header_of(layers))).network
    assert network.input.kind == "float"
    assert network.predict(x).tolist() == classes_of(layers, x).tolist()


def test_predicts_as_the_header_with_pixels(write):
    """Of a header that takes pixel / 255, one channel or three: by division and by a product alike."""
    refused = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        layers, shape = make_network(rng, "float", int(rng.choice([1, 3])))
        pixels = pixels_of(rng, shape)
        try:
            network = import_ebnn_header(write(header_of(layers)), input_kind="uint8").network
        except LoweringError as error:
            refused.append(str(error))
            continue
        predicted = network.predict(pixels).tolist()
        assert predicted == classes_of(layers, as_floats(pixels)).tolist()
        assert predicted == classes_of(layers, pixels * np.float32(1 / 255)).tolist()
    assert len(refused) <= 2
    assert all("nearer to a sum of pixels" in message for message in refused)


def test_the_emitted_c_predicts_so_too(tmp_path):
    """In both arithmetics: the normalisation that an imported network gets has the signs of eBNN's own."""
    cases, expected = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        kind = ["bits", "float"][seed % 2]
        layers, shape = make_network(rng, kind)
        x = rng.integers(0, 2, (SAMPLES, *shape)) if kind == "bits" else as_floats(pixels_of(rng, shape))
        path = tmp_path / f"{seed}.h"
        path.write_text(header_of(layers))
        for arithmetic in ("integer", "float"):
            cases.append(Case(import_ebnn_header(path).network, x, arithmetic))
            expected.append(classes_of(layers, x).tolist())
    assert [result.classes.tolist() for result in run(cases, tmp_path)] == expected


def test_dead_outputs_of_a_variance_of_0(write):
    """Division by 0 gives infinite values and, at the mean, NaN, which is not >= 0."""
    rng = np.random.default_rng(3)
    layers, shape = make_network(rng, "bits", 1, convs=1)
    layers[0].std[:] = 0
    layers[0].b[:] = 0
    layers[0].mean[:] = 1
    x = rng.integers(0, 2, (SAMPLES, *shape))
    with np.errstate(all="ignore"):
        expected = classes_of(layers, x)
    assert import_ebnn_header(write(header_of(layers))).network.predict(x).tolist() == expected.tolist()


def test_a_sample_s_shape_for_a_first_layer_that_is_dense(write):
    rng = np.random.default_rng(0)
    layers = [make_layer(rng, "blinear_sm", make_signs(rng, 4, 24), 5)]
    x = rng.integers(0, 2, (SAMPLES, 2, 4, 3))
    path = write(header_of(layers))
    expected = classes_of(layers, x).tolist()
    assert import_ebnn_header(path).network.predict(x.reshape(SAMPLES, 24, 1, 1)).tolist() == expected
    assert import_ebnn_header(path, shape=(2, 4, 3)).network.predict(x).tolist() == expected
    with pytest.raises(LoweringError, match=r"takes samples of 24 values, a shape of 2×4×4 is given"):
        import_ebnn_header(path, shape=(2, 4, 4))


def test_comments_qualifiers_guards_and_windows_line_ends(write):
    rng = np.random.default_rng(0)
    text = header_of(make_network(rng)[0])
    plain = import_ebnn_header(write(text)).network
    text = text.replace("float l_", "static const float /* flash\n */ l_").replace("uint8_t l_", "const uint8_t l_")
    text = f"#ifndef SIMPLE_H\n#define SIMPLE_H\n// made by hand\n{text}\n#endif /* SIMPLE_H */\n"
    assert import_ebnn_header(write(text.replace("\n", "\r\n"))).network == plain


# What has no exact network


def test_floats_of_several_channels_where_no_sum_of_pixels_is_near_a_cut(write):
    """eBNN adds channel after channel: where rounding cannot decide, the network is exact for pixel / 255."""
    refused = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        layers, shape = make_network(rng, "float", 3)
        x = as_floats(pixels_of(rng, shape))
        try:
            imported = import_ebnn_header(write(header_of(layers)))
        except LoweringError as error:
            refused.append(str(error))
            continue
        assert imported.network.predict(x).tolist() == classes_of(layers, x).tolist()
        kernel = layers[0].weights.shape[2]
        assert any("the same for pixel / 255" in note for note in imported.notes) == (kernel > 1)
    assert len(refused) < 5
    assert all(re.search("channel after channel.*near to a sum.*--input uint8.*--nearest", text) for text in refused)


def test_floats_of_several_channels_whose_cut_is_a_sum_of_pixels(write):
    """The sum 1 is that of the pixels 255, and float32 can miss it in one order and not in the other."""
    rng = np.random.default_rng(0)
    one = np.ones(1, np.float32)
    layers = [
        OriginalLayer("fconv", make_signs(rng, 1, 3, 2, 2), 0 * one, one, 0 * one, one, one, side=3),
        make_layer(rng, "blinear_sm", make_signs(rng, 2, 4), 2),
    ]
    path = write(header_of(layers))
    with pytest.raises(LoweringError, match=r"after channel.*output 0 changes its sign at 1, so near.*--nearest"):
        import_ebnn_header(path)
    (note,) = import_ebnn_header(path, nearest=True).notes
    assert "this is the nearest network" in note


@pytest.mark.parametrize("seed", range(3))
def test_no_sum_loses_more_than_is_said(seed):
    """Sums of pixel / 255 near a cut, in float32 against whole numbers."""
    rng = np.random.default_rng(seed)
    taps = int(rng.integers(2, 80))
    signs = rng.random((1, taps)) < 0.5
    cut = np.array([float(rng.normal())])
    bound = rounding(signs, cut)[0] + taps * 2.0**-23
    worst = tried = 0
    for _ in range(3000):
        pixels = rng.integers(0, 256, taps) * (rng.random(taps) < rng.random())
        whole = np.where(signs[0], pixels, -pixels).sum() / 255
        if abs(whole - cut[0]) > 0.5:
            continue
        tried += 1
        total = np.float32(0)
        for sign, value in zip(signs[0], as_floats(pixels), strict=True):
            total = total + value if sign else total - value
        worst = max(worst, abs(float(total) - whole))
    assert tried > 50
    assert worst <= bound


def test_a_cut_at_a_sum_of_pixels_is_refused(write):
    """The sum 1 is the pixel sum 255, from which float32 sums of pixel / 255 differ by its rounding."""
    rng = np.random.default_rng(0)
    one = np.ones(1, np.float32)
    layers = [
        OriginalLayer("fconv", make_signs(rng, 1, 1, 3, 3), 0 * one, one, 0 * one, one, one, side=5),
        make_layer(rng, "blinear_sm", make_signs(rng, 2, 9), 3),
    ]
    path = write(header_of(layers))
    with pytest.raises(LoweringError, match=r"output 0 changes its sign at 1, nearer .*--input float.*--nearest"):
        import_ebnn_header(path, input_kind="uint8")
    imported = import_ebnn_header(path, input_kind="uint8", nearest=True)
    assert imported.network.layers[0].transform.value.tolist() == [255]
    assert "nearest" in imported.notes[0]


def test_scores_that_integers_cannot_order_are_refused(write):
    """Three classes whose gains and weights are nearly the same, over so many sums that int16 has no room between."""
    rng = np.random.default_rng(0)
    size, ones, zeros = 60_000, np.ones(3, np.float32), np.zeros(3, np.float32)
    weights = np.tile(make_signs(rng, size), (3, 1))
    weights[np.arange(3), np.arange(3)] *= -1
    gamma = np.array([1, 1 - 1e-5, 1 - 2e-5], np.float32)
    layers = [OriginalLayer("blinear_sm", weights, zeros, gamma, zeros, zeros, ones)]
    path = write(header_of(layers))
    with pytest.raises(LoweringError, match=r"l_b_linear_bn_softmax0: of [\d,]+ pairs of sums .*--nearest"):
        import_ebnn_header(path, shape=(4, 100, 150))
    assert "nearest" in import_ebnn_header(path, shape=(4, 100, 150), nearest=True).notes[0]


def test_notes_say_where_its_own_c_goes_wrong(write):
    rng = np.random.default_rng(5)
    layers, _ = make_network(rng, "bits", 1, convs=1, hidden=1)
    layers[0] = make_layer(rng, "bconv", make_signs(rng, 1, 1, 10, 10), 10, side=12)
    layers[1] = make_layer(rng, "blinear", make_signs(rng, 17, 9), 3)
    layers[2] = make_layer(rng, "blinear_sm", make_signs(rng, 3, 17), 4)
    notes = import_ebnn_header(write(header_of(layers, room=2))).notes
    assert [re.sub(r"\W.*", "", note) for note in notes] == [
        "l_b_linear_bn_bst1",
        "l_b_conv_bn_bst0",
        "l_b_linear_bn_bst1",
    ]
    assert "never clears" in notes[0]
    assert "10×10 is over the 96 bits" in notes[1]
    assert "writes 3 bytes, temp2 has 2" in notes[2]


def change_conv(**changes):
    """A header whose first layer has other numbers than the generator would give it."""
    rng = np.random.default_rng(0)
    kernel = changes.pop("kernel", (3, 3))
    names = "m num_f w h d kw kh sw sh pw ph pl_w pl_h pl_sw pl_sh pl_pw pl_ph".split()
    layer = make_layer(rng, changes.pop("kind", "bconv"), make_signs(rng, 2, 1, *kernel), 3, side=6)
    last = make_layer(rng, "blinear_sm", make_signs(rng, 2, changes.pop("n", 32)), 3)
    text = header_of([layer, last])
    before = [1, 2, 6, 6, 1, *kernel, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0]
    after = [changes.get(name, value) for name, value in zip(names, before, strict=True)]
    old, new = (", ".join(map(str, values)) for values in (before, after))
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (change_conv(h=5), r"6 rows and 5 columns: eBNN's own C reads such samples .* make them square"),
        (change_conv(pw=2, ph=2, kernel=(2, 3)), r"kernel of 2×3: .* make it square"),
        (change_conv(w=1, h=1, pw=1, ph=1, n=2), r"kernel of 3 overhangs a side of 1 at both ends"),
        (change_conv(pl_w=2, pl_h=2, pl_pw=1), r"pool pads 1 rows and 0 columns"),
        (change_conv(pl_w=2, pl_h=2, pl_pw=2, pl_ph=2), r"pool pad 2 leaves windows of size 2 empty"),
        (change_conv(w=2, h=2), r"a kernel of 3×3 does not fit a 2×2 map"),
        (change_conv(pl_w=5, pl_h=5), r"a pooling window of 5×5 does not fit a 4×4 map"),
    ],
)
def test_geometry_without_an_exact_network_is_refused(text, message, write):
    with pytest.raises(LoweringError, match=rf"simple.h: l_b_conv_bn_bst0: .*{message}"):
        import_ebnn_header(write(text))


def test_kernels_that_are_not_square_work_without_padding(write):
    text = change_conv(kernel=(2, 3), n=40)
    assert import_ebnn_header(write(text)).network.shapes[1] == (2, 5, 4)


def test_layers_in_an_order_that_cannot_be(write):
    rng = np.random.default_rng(0)
    bits, _ = make_network(rng, "bits", convs=1, hidden=1)
    floats, _ = make_network(rng, "float", convs=1)
    for layers, message in (
        (bits[:1], r"l_b_conv\w+0: is a bconv_layer, the last layer must give a class or a vector of bits"),
        (
            [*bits, bits[-1]],
            "l_b_linear_bn_softmax2: is a blinear_sm_layer, which gives a class, but more layers follow",
        ),
        ([bits[0], *floats], r"l_conv\w+1: is an fconv_layer, which takes floats"),
    ):
        with pytest.raises(LoweringError, match=message):
            import_ebnn_header(write(header_of(layers)))


def test_input_kinds_that_do_not_fit(write):
    rng = np.random.default_rng(0)
    path = write(header_of(make_network(rng, "bits")[0]))
    with pytest.raises(LoweringError, match=r"takes bits, so the network's input can be bits, not uint8"):
        import_ebnn_header(path, input_kind="uint8")
    path = write(header_of(make_network(rng, "float")[0]))
    with pytest.raises(LoweringError, match=r"takes float, so the network's input can be float or uint8, not bits"):
        import_ebnn_header(path, input_kind="bits")


def test_a_class_with_a_variance_of_0_is_refused(write):
    layers, _ = make_network(np.random.default_rng(0))
    layers[-1].std[3] = 0
    with pytest.raises(LoweringError, match=r"class 3 has std 0.0: its scores are infinite"):
        import_ebnn_header(write(header_of(layers)))


# What is no header of eBNN's


GOOD = header_of(make_network(np.random.default_rng(7), "bits", 1, convs=1, classes=3)[0])
LINES = GOOD.splitlines()


def line_of(part):
    return next(number for number, line in enumerate(LINES, 1) if part in line)


def edit(pattern, replacement):
    text, count = re.subn(pattern, replacement, GOOD, count=1)
    assert count == 1
    return text


CONV = next(name for name in ("l_b_conv_bn_bst0", "l_b_conv_pool_bn_bst0") if name in GOOD)
LAST = "l_b_linear_bn_softmax1"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "the file ends without ebnn_compute: it is truncated, or not eBNN's"),
        ("float b[1] = {0};\nint main(void) { return 0; }", 2, "main: expected '=', found '\\('"),
        ("float b[1] = {0};\ndouble c[1] = {0};", 2, "expected an array of float or uint8_t, .*'double'"),
        ("\n".join(LINES[:-2]), len(LINES) - 2, "ebnn_compute: .*the end of the file"),
        (GOOD[: GOOD.index("};") - 3], 2, r"\w+_b: the file ends after .*truncated"),
        (edit(r"_b\[\d+\] = \{", "_b[9] = {"), 2, r"\w+_b has \d values, 9 are declared"),
        (edit(r"_gamma\[(\d+)\] = \{[^,}]+,?", r"_gamma[\1] = {"), line_of("_bn_gamma["), r"_bn_gamma has \d+ values"),
        (edit(r"_b\[\d+\] = \{[^}]*\}", "_b[1] = {0.5}"), 2, r"_bconv_b has 1 values, \w+ needs \d"),
        (edit(r"_b\[(\d+)\] = \{([^,}]*)", r"_b[\1] = {1 + 2"), 2, r"_bconv_b: .* an expression: '1', then '\+'"),
        (edit(r"_b\[(\d+)\] = \{([^,}]*)", r"_b[\1] = {nan"), 2, r"_bconv_b: expected a number, found 'nan'"),
        (edit(r"_b\[(\d+)\] = \{([^,}]*)", r"_b[\1] = {1e39"), 2, r"_bconv_b: '1e39' is out of a float's range"),
        (edit(r"_b\[(\d+)\] = \{([^,}]*)", r"_b[\1] = {0.5L"), 2, r"_bconv_b: '0.5L' is not a number that C reads"),
        (edit(r"_W\[(\d+)\] = \{([^,}]*)", r"_W[\1] = {256"), 3, r"_bconv_W: 256 is no byte"),
        (edit(r"_W\[(\d+)\] = \{([^,}]*)", r"_W[\1] = {1.0"), 3, r"_bconv_W: '1.0' is not a whole number"),
        (edit(r"uint8_t (\w+_W)", r"float \1"), 3, r"_bconv_W is float, .* it must be uint8_t"),
        (edit("bconv_layer", "xconv_layer"), line_of("bconv_layer"), "layer function xconv_layer is unknown"),
        (edit(r"bconv_layer\(input, ", "bconv_layer("), line_of("bconv_layer"), "takes 25 arguments, 24 are given"),
        (edit(r"(bconv_layer\(.*), 1, ", r"\1, 2 * 3, "), line_of("bconv_layer"), "an expression: '2', then"),
        (edit(r"(std, )1(, \d+, \d+\);)", r"\g<1>2\2"), line_of("blinear_sm"), "m is 2 samples at a time"),
        (
            edit(r"output, \w+_bconv_b", "output, lost"),
            line_of("bconv_layer"),
            r"its bias, lost, is not defined: .*add",
        ),
        (edit(r"output, (\w+)_bl_b, \w+_gamma", r"output, \1_bl_b, g"), line_of("blinear_sm"), "its gamma, g, is not"),
        (edit(r"\(input, temp1\)", "(input, temp3)"), len(LINES) - 2, "writes temp3, which is no array of uint8_t"),
        (edit(r"\(input, temp1\)", "(input, output)"), len(LINES) - 2, "writes output, but more layers follow"),
        (edit(r"\(temp1, output\)", "(temp2, output)"), len(LINES) - 1, "reads temp2, the values are in temp1"),
        (edit(r"\(temp1, output\)", "(temp1, temp2)"), len(LINES) - 1, "is the last layer and must write output"),
        (edit(r"  \w+\(input, temp1\);\n", ""), len(LINES) - 2, "reads temp1, the values are in input"),
        (
            edit(rf"  {LAST}\(temp1, output\);\n", "  other(temp1, output);\n"),
            len(LINES) - 1,
            "other, which is not defined",
        ),
        (GOOD + "\n" + GOOD, len(LINES) + 2, r"\w+_b is defined again, first on line 2: import one network at a time"),
        (edit("\n", "\n#undef temp1\n#error\n"), 3, "'#error' can change what the header means"),
        (edit("\n", "\n/* "), 2, "a comment has no end"),
    ],
)
def test_malformed_headers_get_one_error_that_names_the_line(text, line, message, write):
    with pytest.raises(FileFormatError, match=rf"simple.h, line {line}: .*{message}"):
        import_ebnn_header(write(text))


def test_damaged_headers_raise_nothing_else():
    random = np.random.default_rng(0)
    messages = []
    for _ in range(500):
        characters = list(GOOD)
        for place in random.integers(0, len(GOOD), random.integers(1, 4)):
            characters[place] = str(random.choice([*'0123456789,;{}()[]*=-+.eE_x \n"/#', "", "99999999999", "\0", "é"]))
        try:
            convert(parse_header("".join(characters), "simple.h"))
        except EbnnError as error:
            messages.append(str(error))
    assert 200 < len(messages) < 500
    assert [message for message in messages if not re.match(r"simple.h(, line \d+)?: \S", message)] == []


def test_padding_of_0_is_refused(write):
    """eBNN counts the padding of a row as taps: with 1 it never matches a sample's, with 0 it would."""
    rng = np.random.default_rng(0)
    text = header_of([make_layer(rng, "blinear_sm", -np.ones((1, 4), np.int8), 1)])
    assert "_W[1] = {15}" in text
    with pytest.raises(FileFormatError, match=r"line 9: l_b_linear_bn_softmax0: its weights are padded with 0"):
        import_ebnn_header(write(text.replace("_W[1] = {15}", "_W[1] = {14}")))


def test_a_single_class_is_refused(write):
    """The largest of one score is always class 0."""
    text = header_of([make_layer(np.random.default_rng(0), "blinear_sm", -np.ones((1, 8), np.int8), 1)])
    with pytest.raises(LoweringError, match=r"the last layer has a single output, .*: give it two outputs"):
        import_ebnn_header(write(text))


def test_sizes_that_do_not_follow_from_each_other(write):
    with pytest.raises(FileFormatError, match=r"line \d+: l_b_linear_bn_softmax1: takes 31 values, but is given 2×4×4"):
        import_ebnn_header(write(change_conv(n=31)))


def test_every_prefix_of_a_header_is_refused():
    for end in range(0, len(GOOD.rstrip()) - 1, 7):
        with pytest.raises(FileFormatError, match=r"^simple.h(, line \d+)?: \S"):
            parse_header(GOOD[:end], "simple.h")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileFormatError, match=r"gone.h: cannot be read: No such file"):
        import_ebnn_header(tmp_path / "gone.h")
    (tmp_path / "picture.h").write_bytes(b"\x89PNG\xff\x00")
    with pytest.raises(FileFormatError, match=r"picture.h: is no text"):
        import_ebnn_header(tmp_path / "picture.h")


def test_a_header_of_this_project_is_sent_back(write):
    from test_network import three_layers

    from ebnn.compile.header import header_text

    with pytest.raises(FileFormatError, match=r"ebnn export wrote: take the .ebnn file"):
        import_ebnn_header(write(header_text(three_layers(), name="net")))


def test_what_is_no_header_of_the_original_is_called_what_it_is(write):
    with pytest.raises(FileFormatError, match="is no header that eBNN generated"):
        import_ebnn_header(write("# Notes\n\n    void setup() { }\n"))
    library = Path(__file__).parents[2] / "firmware/lib/ebnn/src/ebnn.h"
    with pytest.raises(FileFormatError, match="is the library's own header"):
        import_ebnn_header(library)
