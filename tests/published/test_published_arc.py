"""Networks for the Arduino 101: constants, kernels, arena and input, linked with the flags of its platform."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from support.c_networks import require

import ebnn
import ebnn.platformio
from benchmarks.loops import TOOLS
from ebnn.compile.header import write_header
from ebnn.firmware_sources import firmware_folder
from tools.arc_em import COUNTS

LIMIT = 15 * 1024
PROGRAM = """
#include <stddef.h>
#define EBNN_STATIC
#include "net.h"

void *memset(void *at, int value, size_t count)
{
    char *byte = at;

    while (count-- > 0) {
        *byte++ = (char)value;
        __asm__ volatile("");
    }
    return at;
}

void *memcpy(void *to, const void *from, size_t count)
{
    char *byte = to;
    const char *next = from;

    while (count-- > 0) {
        *byte++ = *next++;
        __asm__ volatile("");
    }
    return to;
}

int main(void)
{
    return net_predict(net_input());
}
"""


@pytest.mark.parametrize(
    ("name", "optimize", "limit"),
    [("mnist-101", "compact", LIMIT), ("mnist-101", "balanced", LIMIT + 1400), ("fashion-101", "size", LIMIT)],
)
def test_all_of_a_network_is_in_15_kb(tmp_path, name, optimize, limit):
    compiler, size, nm = (require(f"{TOOLS}{tool}") for tool in ("gcc", "size", "nm"))
    write_header(ebnn.load(name), tmp_path / "net.h", optimize=optimize)
    (tmp_path / "main.c").write_text(PROGRAM)
    link = ("-nostdlib", "-static", "-Wl,--gc-sections,--build-id=none,-e,main")
    flags = json.loads(COUNTS.read_text())["flags"]
    library = firmware_folder() / "lib/ebnn/src"
    core = next(Path(ebnn.platformio.__file__).parent.rglob("millicode.c")).parent
    called = [str(core / name) for name in ("millicode.c", "shifts.c")]  # libgcc's functions, which the compiler calls
    built = [compiler, *flags, *link, f"-I{library}", "-o", "net", "main.c", *called]
    subprocess.run(built, cwd=tmp_path, check=True)
    found = subprocess.run([size, "net"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    text, data, bss = map(int, found.splitlines()[1].split()[:3])
    assert bss >= ebnn.load(name).arena_bytes  # the input lies in the arena
    symbols = subprocess.run([nm, "-S", "net"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    others = sum(int(bytes_, 16) for bytes_ in re.findall(r"\S+ (\S+) T mem(?:cpy|set)", symbols))  # the core has them
    assert 0 < others < 100
    assert limit - 1400 < text + data + bss - others <= limit
