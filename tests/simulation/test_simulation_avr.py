"""AVR boards on libsimavr: cycles and stack counted by hand, resets, crashes, and programs that are none."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import serial
from avr_programs import compile_avr, require_simavr, wait_for
from click.testing import CliRunner
from support.c_networks import require

import ebnn
from ebnn.cli import main
from ebnn.device import Device
from ebnn.errors import BuildError, PortError
from ebnn.simulation import AvrStatistics, board_url, build_host, plugged_in
from ebnn.simulation.simavr_build import simavr_program
from ebnn.training import build_network

TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _simavr() -> None:
    require_simavr()


def open_board(board: str, program: Path, **options: str) -> Any:
    more = "".join(f"&{key}={value}" for key, value in options.items())
    return serial.serial_for_url(board_url(board, program=program) + more, timeout=1.0)


def statistics_of(board: str, program: Path, calls: int) -> AvrStatistics:
    """When `work` has been called so often."""
    with open_board(board, program, watch="work,leaf") as port:

        def done() -> AvrStatistics | None:
            statistics: AvrStatistics = port.simulator.statistics()
            return statistics if statistics.function("work").calls == calls else None

        found = wait_for(done)
    assert isinstance(found, AvrStatistics)
    return found


@pytest.mark.parametrize(("board", "work", "leaf", "stack"), [("uno", 55, 9, 9), ("megaatmega2560", 58, 10, 12)])
def test_cycles_and_stack_are_those_counted_by_hand(
    board: str, work: int, leaf: int, stack: int, tmp_path: Path
) -> None:
    """avr/count.S has the sum. Stack: two return addresses, two registers, a return address, a register."""
    program = compile_avr(board, "count.S", tmp_path)
    for _ in range(2):
        statistics = statistics_of(board, program, 3)
        for name, cycles in (("work", work), ("leaf", leaf)):
            function = statistics.function(name)
            assert function.calls == 3
            assert function.last_cycles == function.least_cycles == function.most_cycles == cycles
            assert function.total_cycles == function.elapsed_cycles == 3 * cycles
        assert statistics.deepest_stack_bytes == stack
        assert statistics.interrupt_cycles == 0


@pytest.mark.parametrize(("board", "work", "interrupt"), [("uno", 55, 11), ("megaatmega2560", 58, 13)])
def test_interrupts_are_counted_apart(board: str, work: int, interrupt: int, tmp_path: Path) -> None:
    program = compile_avr(board, "count.S", tmp_path, ["-DINTERRUPTS", "-DCALLS=5000"])
    statistics = statistics_of(board, program, 5000)
    function = statistics.function("work")
    assert function.least_cycles == function.most_cycles == work
    inside = function.elapsed_cycles - function.total_cycles
    assert inside > 0
    assert inside % interrupt == 0
    assert statistics.interrupt_cycles % interrupt == 0
    # One interrupt every 256 cycles of a loop of work, call, subi, sbci and brne.
    loop = 5000 * (work + (4 if board == "uno" else 5) + 4)
    assert statistics.interrupt_cycles / interrupt == pytest.approx(loop / (256 - interrupt), abs=2)


def test_half_a_stack_pointer_is_none(tmp_path: Path) -> None:
    """Two return addresses and a frame of 300 bytes; in between, the pointer is half written, 256 bytes deeper."""
    statistics = statistics_of("uno", compile_avr("uno", "count.S", tmp_path, ["-DFRAME"]), 3)
    assert statistics.deepest_stack_bytes == 4 + 300


def test_the_reset_button(tmp_path: Path) -> None:
    with open_board("uno", compile_avr("uno", "count.S", tmp_path), watch="work") as port:
        wait_for(lambda: port.simulator.statistics().function("work").calls == 3)
        time.sleep(0.2)
        before = port.simulator.statistics().cycles
        port.dtr = False
        port.dtr = True
        after = port.simulator.statistics()
        assert after.cycles < before
        wait_for(lambda: port.simulator.statistics().function("work").calls == 3)


def test_a_waiting_board_has_the_clock_of_the_wall_and_spares_the_processor(tmp_path: Path) -> None:
    with open_board("uno", compile_avr("uno", "count.S", tmp_path)) as port:
        wait_for(lambda: port.simulator.statistics().cycles > 10_000)
        used = Path(f"/proc/{port.process.pid}/stat")

        def ticks() -> int:
            return sum(map(int, used.read_text().split()[13:15]))

        begun, cycles, cpu = time.monotonic(), port.simulator.statistics().cycles, ticks()
        time.sleep(1.0)
        statistics, seconds = port.simulator.statistics(), time.monotonic() - begun
        assert (statistics.cycles - cycles) / statistics.clock_hz == pytest.approx(seconds, rel=0.5)
        assert ticks() - cpu < 30  # of 100


CRASHES = {
    "STACK": r"the stack grew into the program's data, which ends at 0x0164 .*\(in recurse, at 0x",
    "ERASED": r"it jumped to 0x06000, where no program is",
    "JUMP": "it jumped out of its flash",
    "OPCODE": r"0x0001 is no instruction of this microcontroller \(in main",
    "WRITE": r"it wrote to 0x4567, where no RAM is \(in main",
    "READ": r"it read from 0x5678, where no RAM is \(in main",
    "SLEEP": "it sleeps with its interrupts off, and nothing can wake it",
    "HALTED": r"the program has stopped itself \(abort or exit\)",
}


@pytest.mark.parametrize("kind", CRASHES)
def test_a_crash_says_why(kind: str, tmp_path: Path) -> None:
    program = compile_avr("uno", "crash.c", tmp_path, [f"-D{kind}"])
    with (
        pytest.raises(PortError, match=r"^the simulated uno crashed: " + CRASHES[kind]),
        Device(board_url("uno", program=program), startup=10.0) as device,
    ):
        device.hello()


def test_the_command_line_says_why(tmp_path: Path) -> None:
    program = compile_avr("uno", "crash.c", tmp_path, ["-DSTACK"])
    network = ebnn.lower(build_network("digits", (1, 8, 8), 10, "uint8"), (1, 8, 8), "uint8")
    network.save(tmp_path / "digits.ebnn")
    url = board_url("uno", program=program)
    done = CliRunner().invoke(main, ["run", str(tmp_path / "digits.ebnn"), "--port", url, "--dataset", "digits"])
    assert done.exit_code == 1
    assert "Error: the simulated uno crashed: the stack grew into" in done.output


def test_a_plugged_board_that_crashes(tmp_path: Path) -> None:
    with plugged_in("uno", program=compile_avr("uno", "crash.c", tmp_path, ["-DOPCODE"])) as plugged:
        with serial.Serial(plugged.port):
            wait_for(lambda: not plugged.simulator.running)
        with pytest.raises(PortError, match="0x0001 is no instruction"):
            plugged.check()


def elf_of_this_computer(folder: Path) -> Path:
    return build_host(TESTS / "link" / "stub" / "network.h", folder)


def truncated(folder: Path) -> Path:
    program = compile_avr("uno", "count.S", folder)
    program.write_bytes(program.read_bytes()[:200])
    return program


def garbage(folder: Path) -> Path:
    path = folder / "garbage.elf"
    path.write_bytes(bytes(range(256)) * 8)
    return path


def damaged_hex(folder: Path) -> Path:
    path = folder / "damaged.hex"
    path.write_text(":100000000C94343C0C94513C0C94513C0C94513CE2\n")
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda folder: compile_avr("megaatmega2560", "count.S", folder),
            "for the atmega2560, board 'uno' has an atmega328p",
        ),
        (elf_of_this_computer, "not for an AVR"),
        (truncated, "is no ELF file that can be read"),
        (garbage, "is no ELF file that can be read"),
        (damaged_hex, "is no Intel hex file"),
        (lambda folder: folder / "nothing.elf", "is missing"),
        (lambda folder: folder, "cannot be read"),
    ],
)
def test_what_is_no_program_for_the_board(make: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    with pytest.raises(PortError, match=message):
        open_board("uno", make(tmp_path))


def test_a_program_that_is_too_large(tmp_path: Path) -> None:
    program = compile_avr("megaatmega2560", "count.S", tmp_path)
    hex_file = tmp_path / "large.hex"
    subprocess.run(["avr-objcopy", "-O", "ihex", "--change-addresses=0x7e00", program, hex_file], check=True)
    with pytest.raises(PortError, match="board 'uno' has 32,256 B for programs"):
        open_board("uno", hex_file)


def test_a_function_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="no function 'nothing' to watch"):
        open_board("uno", compile_avr("uno", "count.S", tmp_path), watch="work,nothing")


def test_an_option_that_is_not_there() -> None:
    with pytest.raises(
        PortError, match="no option 'speed'; it has header, program, updatable, key, bootloader, store, watch"
    ):
        serial.serial_for_url("sim://uno?speed=9")


def test_without_libsimavr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler that finds all headers but libsimavr's."""
    include = tmp_path / "include"
    include.mkdir()
    for entry in Path("/usr/include").iterdir():
        if entry.name != "simavr":
            (include / entry.name).symlink_to(entry)
    gcc = require("gcc")
    machine = subprocess.run([gcc, "-dumpmachine"], capture_output=True, text=True, check=True).stdout.strip()
    own = subprocess.run([gcc, "-print-file-name=include"], capture_output=True, text=True, check=True).stdout.strip()
    searched = [own, str(include / machine), str(include)]
    monkeypatch.setenv("CC", " ".join([gcc, "-nostdinc", *(f"-isystem {folder}" for folder in searched)]))
    monkeypatch.setenv("EBNN_CACHE", str(tmp_path / "cache"))
    with pytest.raises(BuildError, match="sudo apt install libsimavr-dev libelf-dev gcc"), simavr_program():
        pass
    assert [path.name for path in (tmp_path / "cache" / "simavr").iterdir()] == [".lock"]


def test_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(BuildError, match="no C compiler was found"), simavr_program():
        pass


def test_the_simulator_compiles_without_a_warning(tmp_path: Path) -> None:
    source = Path(ebnn.__file__).parent / "simulation" / "simavr" / "board.c"
    flags = ["-std=gnu99", "-O2", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow"]
    subprocess.run([require("gcc"), *flags, "-c", source, "-o", tmp_path / "board.o"], check=True)


def test_a_board_ends_with_the_program_that_opened_it(tmp_path: Path) -> None:
    program = compile_avr("uno", "count.S", tmp_path)
    script = (
        f"import serial, ebnn.simulation as s, os\np = serial.serial_for_url({board_url('uno', program=program)!r})\n"
    )
    script += "print(p.process.pid, flush=True)\nos.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    wait_for(lambda: not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes())
