"""A network run layer by layer through its header: what each call returns, and what the loop costs on AVR."""

import re
import subprocess

import numpy as np
import pytest
from support.c_networks import RUNTIME, SANITIZERS, WARNINGS, require
from support.parts import block_of, net_of
from test_network import float_network, ones, only_scores, scores, three_layers, thresholds

from ebnn.compile.header import header_text
from ebnn.errors import NetworkError
from ebnn.model.kinds import Input
from ebnn.model.layers import Dense

PROGRAM = """\
#include <stdio.h>
#include "net.h"

int main(void)
{
    EBNN_INPUT_TYPE input[NET_INPUT_BYTES / sizeof(EBNN_INPUT_TYPE)];
    int32_t whole[NET_CLASSES], layered[NET_CLASSES] = {0};
    int i;

    while (fread(input, 1, NET_INPUT_BYTES, stdin) == NET_INPUT_BYTES) {
        printf("%d:", net_scores(input, whole));
        for (i = 0; i < EBNN_LAYERS; i++)
            printf(" %d", ebnn_network_layer((uint8_t)i, input, layered));
        for (i = 0; i < NET_CLASSES; i++)
            printf("%s%d", whole[i] == layered[i] ? " = " : " ! ", (int)layered[i]);
        printf(" %d\\n", net_layer(NET_LAYERS - 1, input, NULL));
    }
    return 0;
}
"""


@pytest.mark.parametrize("network", [three_layers(), float_network(), only_scores()], ids=repr)
def test_layers_in_turn_are_a_prediction(network, tmp_path):
    """SPEC 7.5: hidden layers return 0, the last one the class; its scores are left out where none are asked for."""
    (tmp_path / "net.h").write_text(header_text(network, name="net"))
    (tmp_path / "main.c").write_text(PROGRAM)
    flags = ["-std=c99", *WARNINGS, *SANITIZERS, f"-I{RUNTIME}"]
    program = tmp_path / "program"
    subprocess.run([require("gcc"), *flags, tmp_path / "main.c", "-o", program], check=True)
    x = np.random.default_rng(6).integers(0, 2, (20, *network.input.shape), dtype=np.uint8)
    packed = network.pack_input(x).tobytes()
    lines = subprocess.run([program], input=packed, capture_output=True, check=True).stdout.decode().splitlines()
    hidden = "0 " * (len(network.layers) - 1)
    expected = [
        f"{label}: {hidden}{label}{''.join(f' = {score}' for score in row)} {label}"
        for label, row in zip(network.predict(x), network.scores(x), strict=True)
    ]
    assert lines == expected


def test_a_header_says_how_many_layers():
    """SPEC 7.1, 7.2: blocks and the last layer."""
    for network in (three_layers(), float_network(), only_scores()):
        text = header_text(network, name="net")
        assert f"#define NET_LAYERS {len(network.layers)}\n" in text
        assert "#define EBNN_LAYERS NET_LAYERS\n" in text
        assert "#define ebnn_network_layer net_layer\n" in text


def deep(layers):
    """A network of so many layers, each of one output."""
    blocks = tuple(block_of(Dense(ones(1, 1, 1, 1)), None, thresholds(0)) for _ in range(layers - 1))
    return net_of(Input("bits", (1, 1, 1)), blocks, scores(2, 1, 1, 1))


def test_at_most_255_layers():
    """SPEC 7.5."""
    assert "#define NET_LAYERS 255\n" in header_text(deep(255), name="net")
    with pytest.raises(NetworkError, match="has 256 layers, 255 fit: use fewer blocks"):
        deep(256)


AVR_PROGRAM = """\
#define EBNN_STATIC
#include <avr/io.h>
#include "net.h"

int main(void)
{
    GPIOR0 = net_predict(net_input());
    return 0;
}
"""


def direct(text):
    """The header with the layers called one after the other in net_predict_in, in place of the loop."""
    cases = text[text.index("    switch (index) {") : text.index("NET_EBNN_LINKAGE uint8_t net_predict_in")]
    hidden = re.findall(r"^        (ebnn_\w+\([^;]*\);)$", cases, re.MULTILINE)
    last = re.search(r"return (ebnn_output_\w+\([^;]*\));", cases)[1]
    loop = re.search(r"    uint8_t index, winner = 0;.*?return winner;", text, re.DOTALL)[0]
    assert loop.count("net_layer_in(") == 1
    return text.replace(loop, "".join(f"    {call}\n" for call in hidden) + f"    return {last};")


@pytest.mark.parametrize("mcu", ["atmega328p", "atmega2560"])
@pytest.mark.parametrize("flags", [[], ["-flto"]], ids=["", "lto"])
def test_the_loop_costs_few_bytes_on_avr(mcu, flags, tmp_path):
    """A few more instructions for each layer than its call alone, and no kernel twice."""
    network = three_layers()
    sizes = {}
    for name, text in (
        ("loop", header_text(network, name="net")),
        ("direct", direct(header_text(network, name="net"))),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "net.h").write_text(text)
        (folder / "main.c").write_text(AVR_PROGRAM)
        command = [require("avr-gcc"), f"-mmcu={mcu}", "-std=c99", "-Os", *WARNINGS, *flags, f"-I{RUNTIME}"]
        subprocess.run([*command, folder / "main.c", "-o", folder / "elf"], check=True)
        _, row = subprocess.run(
            ["avr-size", folder / "elf"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        sizes[name] = int(row.split()[0])
    assert sizes["loop"] - sizes["direct"] <= 20 * (len(network.layers)), sizes
