"""Names of classes in a header: any text, in flash, and "unknown" for what is no class."""

import subprocess

import pytest
from support.c_networks import RUNTIME, SANITIZERS, WARNINGS, require
from test_network import three_layers, tiny

from ebnn.compile.header import flash_bytes, header_text
from ebnn.model.meta import Meta
from ebnn.model.network import Network

NAMES = ('wave "hello" \\ ??/ %s', "né 手*/ ☃", "2" * 64)
PRINT = """\
#include "net.h"
#include <stdio.h>
int main(void)
{
    char text[NET_CLASS_NAME_BYTES];
    int k;
    for (k = 0; k < 256; k++)
        printf("%s|%s|%s\\n", net_class_name((uint8_t)k), net_class_name_in((uint8_t)k, text),
               ebnn_network_class_name((uint8_t)k));
    return 0;
}
"""


def named(*names: str) -> Network:
    network = tiny()
    return network.with_meta(Meta(class_names=names or tuple(f"class {k}" for k in range(network.classes))))


@pytest.mark.parametrize("compiler", ["gcc", "clang++"])
@pytest.mark.parametrize("flags", [SANITIZERS, ["-DEBNN_FLASH=", "-O2"], ["-funsigned-char", "-trigraphs"]], ids=str)
def test_any_text(tmp_path, compiler, flags):
    """SPEC 7.10: UTF-8, whatever C makes of quotes, comments and trigraphs."""
    network = three_layers().with_meta(Meta(class_names=NAMES))
    (tmp_path / "net.h").write_text(header_text(network, name="net"))
    (tmp_path / "m.c").write_text(PRINT)
    language = ["-x", "c++", "-std=c++11"] if compiler.endswith("++") else ["-std=c99"]
    command = [require(compiler), *language, *WARNINGS, "-Wno-trigraphs", *flags, f"-I{RUNTIME}", "m.c", "-o", "m"]
    subprocess.run(command, cwd=tmp_path, check=True)
    output = subprocess.run([tmp_path / "m"], capture_output=True, check=True).stdout.decode()
    expected = [network.meta.class_names[k] if k < network.classes else "unknown" for k in range(256)]
    assert output.splitlines() == ["|".join([name] * 3) for name in expected]


@pytest.mark.parametrize("mcu", ["atmega328p", "atmega2560"])
def test_on_avr_they_lie_in_flash(tmp_path, mcu):
    """Of RAM, a caller of name_class_name takes the longest name, of name_class_name_in nothing."""
    network = named()
    (tmp_path / "net.h").write_text(header_text(network, name="net"))
    for call, ram in (("net_class_name(k)", 8), ("net_class_name_in(k, text)", 0), ("net_class_name_in_flash(k)", 0)):
        (tmp_path / "m.c").write_text(
            f'#include "net.h"\nint main(void)\n{{\n    volatile uint8_t k = 1;\n    char text[NET_CLASS_NAME_BYTES];\n'
            f"    (void)text;\n    return *{call};\n}}\n"
        )
        command = [require("avr-gcc"), f"-mmcu={mcu}", "-std=c99", "-Os", *WARNINGS, f"-I{RUNTIME}"]
        command += ["-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "m.c", "-o", "m.elf"]
        subprocess.run(command, cwd=tmp_path, check=True)
        rows = subprocess.run(
            ["avr-size", "-A", "m.elf"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        sizes = {row.split()[0]: int(row.split()[1]) for row in rows.splitlines() if row.startswith(".")}
        assert sizes.get(".data", 0) + sizes.get(".bss", 0) == ram


def test_names_are_in_the_figures():
    """Each with its end, and "unknown"; they change no answer and no hash, but the header."""
    network = named("a", "bc")
    assert network == tiny()
    assert flash_bytes(network) == flash_bytes(tiny()) + 2 + 3 + 8
    assert "class_name" not in header_text(tiny(), name="net")
    assert header_text(network, name="net") != header_text(tiny(), name="net")
