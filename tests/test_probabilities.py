"""Probabilities of integer scores: near those of floats, the same in C, and "unknown" for what is not sure enough."""

import subprocess

import numpy as np
import pytest
from click.testing import CliRunner
from support.c_networks import RUNTIME, SANITIZERS, WARNINGS, require
from support.scored import SCALES, any_scores, scored_network

from ebnn.cli import main
from ebnn.compile.header import header_text
from ebnn.model.probabilities import (
    MOST_STEPS,
    ROOTS,
    SURE,
    UNKNOWN,
    Octaves,
    classes_or_unknown,
    least_probability,
    softmax,
)

RUN = """\
#include "net.h"
#include <stdio.h>
int main(void)
{
    int32_t scores[NET_CLASSES];
    uint16_t probabilities[NET_CLASSES];
    uint8_t answer;
    while (fread(scores, sizeof scores, 1, stdin) == 1) {
        net_probabilities(scores, probabilities);
        answer = net_class_or_unknown(scores);
        fwrite(probabilities, sizeof probabilities, 1, stdout);
        fwrite(&answer, 1, 1, stdout);
    }
    return 0;
}
"""


@pytest.mark.parametrize("scale", SCALES)
def test_near_those_of_floats(scale):
    """SPEC 5.6: within 0.001."""
    scores = any_scores(10, scale)
    logits = scores.astype(np.float64) - scores.max(axis=1, keepdims=True)
    powers = np.exp(logits * scale)
    np.testing.assert_allclose(softmax(scores, scale) / SURE, powers / powers.sum(axis=1, keepdims=True), atol=1e-3)


@pytest.mark.parametrize("scale", SCALES)
def test_numbers_fit_the_types_of_c(scale):
    octaves = Octaves.of_scale(scale)
    assert 0 <= octaves.most < 2**32
    assert 0 <= octaves.multiplier < 2**16
    assert octaves.most >> octaves.down < 2**16
    assert 0 <= octaves.shift < 32


def test_a_probability_is_its_own_threshold():
    assert [least_probability(k / SURE) for k in range(SURE + 1)] == list(range(SURE + 1))
    assert least_probability(0.5) == 32_768


def test_worked_by_hand():
    """Scores of a logit each: e^0 : e^-1 : e^-1 is 0.576 : 0.212 : 0.212, and equal ones share."""
    assert softmax(np.array([[0, 0]], np.int32), 1.0).tolist() == [[32767, 32767]]
    assert softmax(np.array([[5, 4, 4]], np.int32), 1.0).tolist() == [[37742, 13896, 13896]]
    assert softmax(np.array([[2**31 - 1, -(2**31)]], np.int32), 1.0).tolist() == [[SURE, 0]]
    scores = np.array([[5, 4, 4], [9, 4, 4], [4, 4, 5]], np.int32)
    assert classes_or_unknown(scores, 1.0, 37742 / SURE).tolist() == [0, 0, 2]
    assert classes_or_unknown(scores, 1.0, 37743 / SURE).tolist() == [UNKNOWN, 0, UNKNOWN]
    assert classes_or_unknown(scores, 1.0, None).tolist() == [0, 0, 2]


@pytest.mark.parametrize(("scale", "classes"), [*zip(SCALES, (2, 3, 7, 10, 255, 4, 2), strict=True)])
@pytest.mark.parametrize(("compiler", "flags"), [("gcc", SANITIZERS), ("clang++", ["-O2"])], ids=str)
def test_c_gives_the_same(tmp_path, scale, classes, compiler, flags):
    network, scores = scored_network(scale, classes), any_scores(classes, scale)
    (tmp_path / "net.h").write_text(header_text(network, name="net", probabilities=True))
    (tmp_path / "m.c").write_text(RUN)
    language = ["-x", "c++", "-std=c++11"] if compiler.endswith("++") else ["-std=c99"]
    command = [require(compiler), *language, *WARNINGS, *flags, f"-I{RUNTIME}", "m.c", "-o", "m"]
    subprocess.run(command, cwd=tmp_path, check=True)
    output = subprocess.run([tmp_path / "m"], input=scores.tobytes(), capture_output=True, check=True).stdout
    found = np.frombuffer(output, [("probabilities", "<u2", (classes,)), ("answer", "u1")])
    np.testing.assert_array_equal(found["probabilities"], softmax(scores, scale))
    expected = classes_or_unknown(scores, scale, network.meta.rejection)
    np.testing.assert_array_equal(found["answer"], np.where(expected == UNKNOWN, 255, expected))
    assert classes == 2 or (UNKNOWN in expected and len(set(expected.tolist())) > 2)


def test_a_network_tells_them():
    network = scored_network(0.02)
    x = np.random.default_rng(3).integers(0, 256, (40, 9, 1, 1))
    shares = network.probabilities(x)
    assert shares.shape == (40, 7)
    assert np.all(shares.argmax(axis=1) == network.predict(x))
    answers = network.predict_or_unknown(x)
    assert np.array_equal(answers == UNKNOWN, shares.max(axis=1) < 0.6)
    assert {network.class_name(k) for k in answers} == {"unknown", *(f"class {k}" for k in answers if k >= 0)}
    assert scored_network(0.02, rejection=None).predict_or_unknown(x).tolist() == network.predict(x).tolist()


def test_facts_of_both_sides():
    """The roots, and where powers end."""
    text = (RUNTIME / "ebnn/softmax.h").read_text()
    assert f"{{{', '.join(f'{root}u' for root in ROOTS)}}}" in text
    assert f"#define EBNN_OCTAVE_STEPS {MOST_STEPS} " in text
    assert f"#define EBNN_SURE {SURE}u " in text


def test_no_float_and_no_cost_where_it_is_not_asked_for(tmp_path):
    network = scored_network(0.01, rejection=None)
    assert "softmax" not in header_text(network, name="net")
    (tmp_path / "net.h").write_text(header_text(network, name="net", probabilities=True))
    (tmp_path / "m.c").write_text(
        '#include "net.h"\nint main(void)\n{\n    int32_t scores[NET_CLASSES];\n    uint16_t p[NET_CLASSES];\n'
        "    net_scores(net_input(), scores);\n    net_probabilities(scores, p);\n    return (int)p[0];\n}\n"
    )
    command = [require("avr-gcc"), "-mmcu=atmega2560", "-std=c99", "-Os", *WARNINGS, f"-I{RUNTIME}", "m.c", "-o", "m"]
    subprocess.run(command, cwd=tmp_path, check=True)
    symbols = subprocess.run(["avr-nm", "m"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "sf" not in symbols
    network.save(tmp_path / "n.ebnn")
    arguments = ["export", str(tmp_path / "n.ebnn"), "-o", str(tmp_path / "net.h"), "--probabilities"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "net.h").read_text() == header_text(network, name="net", probabilities=True)
