"""SPEC 7.4 on AVRs of more than 64 KB: what links has every constant of ours within the reach of pgm_read."""

import re
import subprocess

import pytest
from support.c_networks import RUNTIME, require
from support.large_networks import large_network

from ebnn.compile.header import flash_bytes, write_header

LINKER_SAYS = "ebnn_constants_lie_beyond_64_KB"
FLAGS = {
    "plain": ["-Os"],
    "gc": ["-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"],
    "lto": ["-Os", "-ffunction-sections", "-fdata-sections", "-flto", "-fuse-linker-plugin", "-Wl,--gc-sections"],
    "lto in parts": [
        "-Os",
        "-flto",
        "-flto-partition=max",
        "-ffunction-sections",
        "-fdata-sections",
        "-Wl,--gc-sections",
    ],
    "relax": ["-O2", "-mrelax"],
    "unoptimized": ["-O0"],
}
SKETCH = """\
#include <avr/pgmspace.h>
#include <stdint.h>
extern const uint8_t picture{n}[{bytes}];
const uint8_t picture{n}[{bytes}] {where} = {{1}};
extern volatile uint16_t at{n};
volatile uint16_t at{n};
{attribute} uint8_t show{n}(void);
{attribute} uint8_t show{n}(void)
{{
    return pgm_read_byte(picture{n} + at{n});
}}
"""


def sketch(folder, n, size, where="PROGMEM", attribute=""):
    """A source file with a constant of its own."""
    path = folder / f"sketch{n}.c"
    path.write_text(SKETCH.format(n=n, bytes=size, where=where, attribute=attribute))
    return path


def user(folder, name, network, language="c"):
    """A source file that predicts with ``network``."""
    write_header(network, folder / f"{name}.h")
    path = folder / f"{name}.{language}"
    external = 'extern "C" ' if language == "cpp" else "extern "
    path.write_text(
        f'#include "{name}.h"\n{external}uint8_t {name}_run(void);\n'
        f"uint8_t {name}_run(void)\n{{\n    return {name}_predict({name}_input());\n}}\n"
    )
    return path


def main(folder, *calls):
    path = folder / "main.c"
    declarations = "".join(f"uint8_t {call}(void);\n" for call in calls)
    path.write_text(
        f"#include <stdint.h>\n{declarations}int main(void)\n{{\n    volatile uint8_t sum = 0;\n    for (;;) {{\n"
        + "".join(f"        sum = (uint8_t)(sum + {call}());\n" for call in calls)
        + "    }\n}\n"
    )
    return path


def link(folder, sources, flags, mcu="atmega2560"):
    """The linker's complaint, or "" where it links; then all that the networks read lies in the first 64 KB."""
    program = folder / "program.elf"
    command = [require("avr-gcc"), f"-mmcu={mcu}", "-std=gnu99", *flags, f"-I{RUNTIME}", f"-I{folder}"]
    c = [path for path in sources if path.suffix != ".cpp"]
    objects = []
    for path in sources:  # in this order
        compiler = command if path in c else [require("avr-g++"), *command[1:2], "-std=c++11", *command[3:]]
        objects.append(path.with_suffix(".o"))
        done = subprocess.run([*compiler, "-c", path, "-o", objects[-1]], capture_output=True, text=True, check=False)
        if "-flto" not in flags and "ebnn: constants beyond 60 KB in one source file" in done.stderr:
            return done.stderr
        assert done.returncode == 0, done.stderr[-3000:]
        assert not re.search("warning", done.stderr, re.IGNORECASE), done.stderr[-3000:]
    done = subprocess.run([*command, *objects, "-o", program], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = LINKER_SAYS in done.stderr or "ebnn: constants beyond 60 KB" in done.stderr
        assert said, done.stderr[-3000:]
        return done.stderr
    rows = subprocess.run(["avr-nm", "-S", program], capture_output=True, text=True, check=True).stdout.split("\n")
    ours = [row.split() for row in rows if re.search(r"net\d?_(dense\d|output)|ebnn_ones", row)]
    assert len(ours) >= 6
    assert all(int(start, 16) + int(size, 16) <= 0x10000 for start, size, *_ in ours), ours
    return ""


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
def test_a_sketch_s_own_constants_push_ours_nowhere(tmp_path, flags):
    """24,200 B and 100 KB before a network of 40 KB and behind it, in C and C++, also read by a constructor."""
    network = large_network(130)
    assert 40_000 < flash_bytes(network) < 44_000
    net = user(tmp_path, "net", network)
    pictures = [sketch(tmp_path, n, 24_200, attribute="__attribute__((constructor))" * (n == 1)) for n in range(4)]
    calls = ["net_run", *(f"show{n}" for n in range(4))]
    assert link(tmp_path, [*pictures[:1], net, main(tmp_path, *calls[:2])], flags) == ""
    assert link(tmp_path, [*pictures, net, main(tmp_path, *calls)], flags) == ""
    assert link(tmp_path, [net, *pictures, main(tmp_path, *calls)], flags) == ""
    plus_plus = user(tmp_path, "net", network, "cpp")
    assert link(tmp_path, [*pictures, plus_plus, main(tmp_path, *calls)], flags) == ""


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
def test_networks_that_are_too_large_together_do_not_link(tmp_path, flags):
    """However they are spread over source files; each of them, and two smaller ones, do."""
    sizes = {"net1": 180, "net2": 180, "net3": 20, "net4": 60}
    networks = {name: large_network(second, 248) for name, second in sizes.items()}
    assert sum(map(flash_bytes, networks.values())) > 65_536
    sources = {name: user(tmp_path, name, network) for name, network in networks.items()}
    calls = {name: f"{name}_run" for name in networks}
    for fitting in (["net1"], ["net1", "net3"], ["net3", "net4"]):
        chosen = [sources[name] for name in fitting]
        assert link(tmp_path, [*chosen, main(tmp_path, *(calls[name] for name in fitting))], flags) == ""
    assert link(tmp_path, [*sources.values(), main(tmp_path, *calls.values())], flags)
    together = tmp_path / "all.c"
    together.write_text("".join(f'#include "{name}.c"\n' for name in networks))
    assert link(tmp_path, [together, main(tmp_path, *calls.values())], flags)


@pytest.mark.parametrize("flags", [FLAGS["gc"], FLAGS["lto"]], ids=["gc", "lto"])
def test_what_is_dropped_does_not_count(tmp_path, flags):
    """A network that nobody calls, and the second copy of one that two source files include."""
    network = large_network(130)
    net, unused = user(tmp_path, "net", network), user(tmp_path, "net2", network)
    again = tmp_path / "again.c"
    again.write_text(net.read_text().replace("net_run", "again_run"))
    sources = [net, unused, again, main(tmp_path, "net_run", "again_run")]
    assert link(tmp_path, sources, flags) == ""
    rows = subprocess.run(["avr-nm", tmp_path / "program.elf"], capture_output=True, text=True, check=True).stdout
    assert len(re.findall(r"net_dense1_weights", rows)) == 1
    assert "net2_dense1_weights" not in rows


@pytest.mark.parametrize("before", [0, 2_000, 3_000, 4_000, 12_000, 30_000])
def test_others_in_the_section_before_ours(tmp_path, before):
    """Where GCC's own tables, or somebody's, come first, it links only while ours are still within reach."""
    network = large_network(404)
    assert 59_500 < flash_bytes(network) < 60_000
    net = user(tmp_path, "net", network)
    first = sketch(tmp_path, 1, before or 1, '__attribute__((section(".progmem.gcc_other")))')
    complaint = link(tmp_path, [first, net, main(tmp_path, "show1", "net_run")], FLAGS["gc"])
    assert bool(complaint) == (before >= 4_000)


def test_a_linker_script_that_puts_ours_last(tmp_path):
    """As far as 64 KB it links, beyond it does not."""
    done = subprocess.run(
        [require("avr-gcc"), "-mmcu=atmega2560", "-Wl,--verbose", "-nostdlib"],
        capture_output=True,
        text=True,
        check=False,
    )
    script = done.stdout.split("=" * 50)[1]
    assert script.count("*(.progmem.gcc*)") == 1
    moved = script.replace("*(.progmem.gcc*)", "").replace("*(.progmem*)", "*(.progmem.data*) *(.progmem.gcc*)")
    assert moved != script
    (tmp_path / "own.ld").write_text(moved)
    net = user(tmp_path, "net", large_network(130))
    flags = [*FLAGS["gc"], f"-Wl,-T,{tmp_path / 'own.ld'}"]
    assert link(tmp_path, [sketch(tmp_path, 1, 1_000), net, main(tmp_path, "net_run", "show1")], flags) == ""
    assert link(tmp_path, [sketch(tmp_path, 1, 24_200), net, main(tmp_path, "net_run", "show1")], flags)


def test_sections_that_only_the_linker_reads_are_not_loaded(tmp_path):
    """They cost no flash, and no board of 64 KB or less has them."""
    net = user(tmp_path, "net", large_network(20, 100))
    for mcu, there in (("atmega2560", True), ("atmega328p", False)):
        assert link(tmp_path, [net, main(tmp_path, "net_run")], FLAGS["gc"], mcu) == ""
        rows = subprocess.run(
            ["avr-objdump", "-h", tmp_path / "program.elf"], capture_output=True, text=True, check=True
        ).stdout.replace("\n" + " " * 18, " ")
        found = [row for row in rows.splitlines() if ".ebnn" in row and "_header" not in row]
        assert bool(found) == there
        assert not any("LOAD" in row or "ALLOC" in row for row in found)
