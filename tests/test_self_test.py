"""What ``--self-test N`` adds to a header: samples, scores, and a function that counts the wrong ones."""

import random
import re
import subprocess

import pytest
from click.testing import CliRunner
from support.c_networks import RUNTIME, WARNINGS, require
from support.random_networks import random_network
from test_network import float_network, only_scores, three_layers, tiny

from ebnn.cli import main
from ebnn.compile.header import header_text
from ebnn.errors import NetworkError

PROGRAM = (
    '#include "net.h"\n#include <stdio.h>\nint main(void)\n{\n    printf("%d of %d", net_self_test_in(&net_arena),\n'
)
PROGRAM += "           NET_SELF_TEST * NET_CLASSES);\n    return 0;\n}\n"
NETWORKS = [three_layers(), tiny(), float_network(), only_scores("bits"), random_network(random.Random(4001))]


def wrong(folder, text, compiler="gcc"):
    """What the program says of the header."""
    (folder / "net.h").write_text(text)
    (folder / "m.c").write_text(PROGRAM)
    language = ["-x", "c++", "-std=c++11"] if compiler.endswith("++") else ["-std=c99"]
    command = [require(compiler), *language, *WARNINGS, f"-I{RUNTIME}", "m.c", "-o", "program"]
    subprocess.run(command, cwd=folder, check=True)
    return subprocess.run([folder / "program"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_no_score_is_wrong(tmp_path, network):
    for compiler in ("gcc", "clang++"):
        text = header_text(network, name="net", self_test=5)
        assert wrong(tmp_path, text, compiler) == f"0 of {5 * network.classes}"
    assert text == header_text(network, name="net", self_test=5)


def test_wrong_scores_are_counted(tmp_path):
    """Of a header whose offsets of one class are another's, or whose weights were changed."""
    text = header_text(three_layers(), name="net", self_test=4)
    old = re.search(r"net_output_offsets\[3\] EBNN_FLASH = {\n    (-?\d+)l,", text)
    changed = text[: old.start(1)] + str(int(old[1]) + 1) + text[old.end(1) :]
    assert wrong(tmp_path, changed) == "4 of 12"


def test_it_is_asked_for(tmp_path):
    """Without the option the header is as it was; the function costs nothing where it is not called."""
    assert "self_test" not in header_text(tiny(), name="net").lower()
    for count in (-1, 256):
        with pytest.raises(NetworkError, match=f"a self-test of {count} samples cannot be made: take 0 to 255"):
            header_text(tiny(), name="net", self_test=count)
    tiny().save(tmp_path / "t.ebnn")
    output = tmp_path / "net.h"
    done = CliRunner().invoke(main, ["export", str(tmp_path / "t.ebnn"), "-o", str(output), "--self-test", "3"])
    assert done.exit_code == 0, done.output
    assert output.read_text() == header_text(tiny(), name="net", self_test=3)


@pytest.mark.parametrize("mcu", ["atmega328p", "atmega2560"])
def test_on_avr_it_lies_in_flash(tmp_path, mcu):
    (tmp_path / "net.h").write_text(header_text(three_layers(), name="net", self_test=4))
    (tmp_path / "m.c").write_text(
        '#include "net.h"\nint main(void)\n{\n    return (int)net_self_test_in(&net_arena);\n}\n'
    )
    command = [require("avr-gcc"), f"-mmcu={mcu}", "-std=c99", "-Os", *WARNINGS, f"-I{RUNTIME}", "m.c", "-o", "m.elf"]
    subprocess.run(command, cwd=tmp_path, check=True)
    rows = subprocess.run(["avr-size", "-A", tmp_path / "m.elf"], capture_output=True, text=True, check=True).stdout
    assert not re.search(r"^\.(data|rodata) +[1-9]", rows, re.MULTILINE)
