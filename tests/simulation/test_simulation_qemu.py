"""The boards in QEMU as boards: their clock, memory, reset button and faults; and what is said of what is missing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qemu_boards import LOOP, NAMES, PROBE, STACK, STATIC, SUM, UNALIGNED, WILD, build_probe, probe, require_board
from support.c_networks import require
from support.parts import last_of, net_of

import ebnn
from ebnn.boards import load_board
from ebnn.compile.header import flash_bytes
from ebnn.device import Device
from ebnn.errors import BuildError, PortError
from ebnn.frames import Command, Frame, encode
from ebnn.model.kinds import Input, Shape
from ebnn.simulation import board_url, qemu
from ebnn.simulation.bare import build_bare, find_tool, program_size

RANDOM_BYTES = bytes(np.random.default_rng(5).permutation(256).astype(np.uint8)[:255])
RAM_STARTS = {"cortex-m0": 0x20000000, "cortex-m3": 0x20000000, "cortex-m4": 0x20000000, "rv32": 0x80000000}


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    board: str = request.param
    require_board(board)
    return board


@pytest.fixture(scope="module")
def program(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The responder with the probe, in a folder with what the compiler says of the stack."""
    return build_probe(name, tmp_path_factory.mktemp(name))


@pytest.fixture
def url(name: str, program: Path) -> str:
    return board_url(name, program=program)


# The clock


def test_a_loop_takes_as_many_instructions_as_it_has(url: str) -> None:
    """Two for each turn, beyond 300 million, when the timers have wrapped round; and the same in a second run."""
    amounts = [1, 2, 3, 1_000, 999_983, 40_000_000, 40_000_000, 40_000_000, 40_000_000, 1]
    with Device(url) as device:
        counted = [device.predict(probe(LOOP, amount)).device_us for amount in amounts]
    assert [us - 2 * amount for us, amount in zip(counted, amounts, strict=True)] == [counted[0] - 2] * len(amounts)
    assert counted[0] < 100  # what else there is between the readings of the clock
    with Device(url) as device:
        assert [device.predict(probe(LOOP, amount)).device_us for amount in amounts[:5]] == counted[:5]


def test_qemus_own_trace_has_as_many_instructions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line for each instruction, from one reading of the clock to the next. An instruction that QEMU starts again,
    to have it at the end of a block, has two lines in a row; none of the program's own jumps to itself."""
    require_board("cortex-m0")
    program, log = build_probe("cortex-m0", tmp_path), tmp_path / "trace"
    start = qemu.start_process

    def traced(command: list[str], *arguments: Any) -> Any:
        return start([*command, "-singlestep", "-d", "exec,nochain", "-D", str(log)], *arguments)

    monkeypatch.setattr(qemu, "start_process", traced)
    with Device(board_url("cortex-m0", program=program), timeout=20) as device:
        counted = device.predict(probe(LOOP, 12_345)).device_us
    trace = re.findall(r"^Trace .*? \[\w+/(\w+)/.*\] (\w+)", log.read_text(), re.MULTILINE)
    trace = [line for line, after in zip(trace, [*trace[1:], None], strict=True) if line != after]
    reading = min(place for place, function in trace if function == "ebnn_port_micros")  # its first instruction
    first, second = (i for i, (place, _) in enumerate(trace) if place == reading)
    assert second - first == counted


# Memory


def test_the_stack_is_as_deep_as_it_was_made(name: str, program: Path, url: str) -> None:
    """Of the probe's two depths the difference is known; stack, static data and the rest are all RAM there is."""
    size = program_size(load_board(name), program)
    with Device(url) as device:
        shallow = device.profile(probe(LOOP, 1))
        depths = []
        for words in (150, 200):
            device.predict(probe(STACK, words))
            memory = device.profile(probe(LOOP, 1))
            assert memory.untouched_bytes is not None
            assert memory.deepest_stack_bytes is not None
            depths.append(memory.deepest_stack_bytes)
            assert memory.untouched_bytes + memory.deepest_stack_bytes + size.ram == load_board(name).ram_bytes
        assert depths[1] - depths[0] == 4 * 50
        device.port.reset_board()  # type: ignore[attr-defined]
        device.hello()
        again = device.profile(probe(LOOP, 1))
        assert again.deepest_stack_bytes == shallow.deepest_stack_bytes
    # The deepest chain of calls sends an answer; the compiler knows the frame of each, and start-up has a small one.
    usage = dict(re.findall(r":(\w+)\t(\d+)", "".join(path.read_text() for path in program.parent.glob("*.su"))))
    chain = ["main", "ebnn_responder_take", "answer", "ebnn_frame_send", "more"]
    frames = sum(int(usage.get(function, 0)) for function in chain)
    assert shallow.deepest_stack_bytes is not None
    assert frames - 16 <= shallow.deepest_stack_bytes <= frames + 32


def test_the_linker_scripts_have_the_boards_sizes(name: str) -> None:
    board = load_board(name)
    assert board.bare is not None
    script = (PROBE.parents[2] / "firmware/bare" / board.bare.script).read_text()
    sizes = dict(re.findall(r"__(flash|ram)_size = (\w+);", script))
    units = {"K": 2**10, "M": 2**20}
    assert int(sizes["flash"][:-1]) * units[sizes["flash"][-1]] == board.flash_bytes
    assert int(sizes["ram"][:-1]) * units[sizes["ram"][-1]] == board.ram_bytes


def test_sizes_of_a_program(name: str, tmp_path: Path) -> None:
    """Of a real network: against the toolchain's `size`, and the network's own sums."""
    network = ebnn.load("mnist-uno")
    ebnn.write_header(network, tmp_path / "emitted.h", name="uno")
    board = load_board(name)
    program = build_bare(board, tmp_path / "emitted.h", tmp_path)
    size = program_size(board, program)
    tables = flash_bytes(network)
    assert tables <= size.constants <= tables + 300  # and a description of each layer
    table = subprocess.run([find_tool(board, "size"), "-A", program], capture_output=True, text=True, check=True).stdout
    sections = {line.split()[0]: int(line.split()[1]) for line in table.splitlines() if line.startswith(".")}
    assert size.text == sections[".init"] + sections[".text"]
    assert size.code == size.text + size.data - size.constants
    assert size.ram == sections.get(".data", 0) + sections[".bss"] + sections.get(".tbss_space", 0)
    assert network.arena_bytes < size.ram < network.arena_bytes + 300
    symbols = subprocess.run([find_tool(board, "nm"), program], capture_output=True, text=True, check=True).stdout
    places = {line.split()[2]: int(line.split()[0], 16) for line in symbols.splitlines() if len(line.split()) == 3}
    assert places["uno_arena"] >= RAM_STARTS[name]
    constants = [symbol for symbol in places if re.match(r"uno_(conv|dense|output)", symbol)]
    assert len(constants) >= 5
    assert all(places[symbol] < RAM_STARTS[name] for symbol in constants)


def test_a_file_that_is_no_program() -> None:
    require_board("cortex-m3")
    with pytest.raises(BuildError, match="no program for cortex-m3"):
        program_size(load_board("cortex-m3"), PROBE)


# Bytes, reset, end


def test_all_bytes_pass(url: str) -> None:
    with Device(url) as device:
        for turn in range(8):
            rest = bytes(255 - turn) + RANDOM_BYTES[:turn] if turn < 4 else RANDOM_BYTES[turn:] + RANDOM_BYTES[:turn]
            sample = probe(SUM, 0, rest)
            expected = sum(i * byte for i, byte in enumerate(sample) if i > 0)
            assert device.predict(sample).scores[0] == expected
        assert device.statistics.retries == 0


def test_reset(url: str) -> None:
    """In the middle of a frame, in the middle of an inference, by DTR: variables are as at the start each time."""
    with Device(url) as device:
        port: Any = device.port
        assert [device.predict(probe(STATIC, i)).scores[0] for i in range(3)] == [41, 42, 43]
        port.write(encode(Frame(1, Command.PREDICT, probe(SUM)))[:100])
        port.reset_board()
        assert device.hello().inferences == 0
        assert device.predict(probe(STATIC)).scores[0] == 41
        port.write(encode(Frame(2, Command.PREDICT, probe(LOOP, 0xFFFFFFFF))))
        time.sleep(0.1)
        begin = time.monotonic()
        port.reset_board()
        assert device.hello().inferences == 0
        assert time.monotonic() - begin < 30
        port.dtr = False
        port.dtr = True
        assert device.hello().inferences == 0
        assert device.predict(probe(STATIC)).scores[0] == 41


def test_the_board_ends_with_the_port(url: str) -> None:
    with Device(url) as device:
        device.hello()
        process = device.port.process  # type: ignore[attr-defined]
        assert process.poll() is None
    assert process.poll() is not None


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone ends it")
def test_the_board_ends_with_its_program(url: str) -> None:
    script = (
        "import sys, time\nfrom ebnn.device import Device\ndevice = Device(sys.argv[1])\ndevice.hello()\n"
        "print(device.port.process.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, url], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        board = int(parent.stdout.readline())
        assert alive(board)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 120
    while alive(board) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(board)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked after does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_a_board_that_nobody_asks_takes_no_time(url: str) -> None:
    with Device(url) as device:
        device.predict(probe(LOOP, 1))
        stat = Path(f"/proc/{device.port.process.pid}/stat")  # type: ignore[attr-defined]
        if not stat.exists():
            pytest.skip("without /proc nobody can tell")
        before = ticks(stat)
        time.sleep(1.0)
        assert ticks(stat) - before <= os.sysconf("SC_CLK_TCK") // 5


def ticks(stat: Path) -> int:
    fields = stat.read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


# Faults

FAULTS = [
    ("cortex-m0", UNALIGNED, 0x20000000, r"hard fault at pc 0x0000[0-9a-f]{4}$"),
    ("cortex-m0", STACK, 0x10000, r"hard fault at pc 0x0000[0-9a-f]{4}$"),
    ("cortex-m0", WILD, 0xF0000000, "hard fault at pc 0xf0000000$"),
    ("cortex-m3", UNALIGNED, 0x70000000, r"hard fault at pc 0x0000[0-9a-f]{4}$"),
    ("cortex-m3", WILD, 0xF0000000, "hard fault at pc 0xf0000000$"),
    ("cortex-m4", WILD, 0xF0000000, "hard fault at pc 0xf0000000$"),
    ("rv32", WILD, 0xF0000000, "trap with mcause 01 at pc 0xf0000000$"),
]


@pytest.mark.parametrize(("name", "what", "amount", "said"), FAULTS, indirect=["name"])
def test_a_fault_is_told(name: str, program: Path, what: int, amount: int, said: str) -> None:
    begin = time.monotonic()
    with (
        Device(board_url(name, program=program)) as device,
        pytest.raises(PortError, match=f"the simulated {name} stopped: {said}"),
    ):
        device.predict(probe(what, amount))
    assert time.monotonic() - begin < 30


def test_a_program_that_is_none(name: str, tmp_path: Path) -> None:
    for path, said in ((PROBE, f"no program for {name}"), (Path(sys.executable), "no program"), (tmp_path, "missing")):
        with pytest.raises(PortError, match=said):
            Device(board_url(name, program=path))


def test_a_program_without_a_handler_of_faults(tmp_path: Path) -> None:
    """A fault at the first instruction, and another at its handler's: the processor locks up."""
    require_board("cortex-m3")
    (tmp_path / "vectors.s").write_text(".rept 16\n.word 0x70000000\n.endr\n")
    program = tmp_path / "vectors.elf"
    flags = ["-mcpu=cortex-m3", "-nostdlib", "-Wl,-Ttext=0"]
    command = [find_tool(load_board("cortex-m3")), *flags, str(tmp_path / "vectors.s"), "-o", str(program)]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(PortError, match="the simulated cortex-m3 stopped: qemu: fatal: Lockup"):
        Device(board_url("cortex-m3", program=program)).hello()


def test_a_path_with_commas(name: str, program: Path, tmp_path: Path) -> None:
    copy = tmp_path / "a,b,,c.elf"
    shutil.copyfile(program, copy)
    with Device(board_url(name, program=copy)) as device:
        assert device.hello().board == name


# What is missing


def test_without_a_compiler(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        BuildError, match=f"{name} needs .*gcc, which is not installed:\n .*apt install gcc-.* picolibc-"
    ):
        Device(board_url(name, header=PROBE))


def test_without_qemu(name: str, program: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PortError, match=f"sim://{name} needs qemu-.*, which is not installed:\n .*apt install qemu-"):
        Device(board_url(name, program=program))


def test_without_picolibc(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real compiler, told to look for its C library under a name that nothing has."""
    compiler = Path(find_tool(load_board(name)))
    pretended = tmp_path / compiler.name
    pretended.write_text(f'#!/bin/sh\nexec {compiler} "$@" -specs=no-picolibc.specs\n')
    pretended.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(BuildError, match=f"{name} needs the C library picolibc, .*\n .*apt install .*picolibc-"):
        build_bare(load_board(name), PROBE, tmp_path)


def test_without_a_header(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"missing\.h is missing: emit .* ebnn export"):
        build_bare(load_board("cortex-m3"), tmp_path / "missing.h", tmp_path)


def test_a_header_that_does_not_compile(tmp_path: Path) -> None:
    require("arm-none-eabi-gcc")
    header = tmp_path / "broken.h"
    header.write_text("#error what is this\n")
    with pytest.raises(BuildError, match=r"arm-none-eabi-gcc failed on .*broken.h(.|\n)*what is this"):
        build_bare(load_board("cortex-m3"), header, tmp_path)


def test_a_network_that_does_not_fit(tmp_path: Path) -> None:
    """Its input alone takes 22,500 B of the micro:bit's RAM of 16 KB."""
    require_board("cortex-m0")
    shape = Shape(1, 150, 150)
    weights = np.ones((2, 150, 150, 1), bool)
    network = net_of(Input("uint8", shape), (), last_of(weights, np.ones(2, int), np.zeros(2, int), 1.0))
    ebnn.write_header(network, tmp_path / "large.h")
    with pytest.raises(
        BuildError, match=r"large.h needs ([\d,]+) B of RAM more than the 16,384 B of cortex-m0"
    ) as caught:
        build_bare(load_board("cortex-m0"), tmp_path / "large.h", tmp_path)
    beyond = int(re.findall(r"needs ([\d,]+) B", str(caught.value))[0].replace(",", ""))
    assert 22_500 - 16_384 < beyond < 22_500 - 16_384 + 1_500
