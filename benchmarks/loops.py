"""Instructions of a C function's inner loop on the ARC EM, counted in its disassembly.

The library is compiled as the Arduino core of the board genuino101 compiles it. The control flow of the function's
instructions, delay slots and zero-overhead loops included, is followed: an innermost loop is a cycle that holds no
other, a turn is the longest way around it, and of several loops the longest is taken, which is the unrolled one. A
called function counts with its own longest way. A function without a loop counts from its entry to its return. So it
is a static count: exact where the loop has no branches inside, an upper bound elsewhere.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from ebnn.errors import BuildError
from ebnn.firmware_sources import firmware_folder

TOOLS = "arc-linux-gnu-"
FLAGS = ("-mcpu=quarkse_em", "-mlittle-endian", "-mno-sdata", "-mno-millicode", "-ffreestanding", "-fno-pic")

_FUNCTION = re.compile(r"^[0-9a-f]+ <([^>]+)>:$")
_INSTRUCTION = re.compile(r"^ *([0-9a-f]+):\t([0-9a-f ]+?) *\t(\S+)(?:\s+(.*))?$")
_RELOCATION = re.compile(r"^\s+[0-9a-f]+: R_ARC_\S+\t(\S+)$")
_TARGET = re.compile(r";\s*([0-9a-f]+) <([^>+]+)")
_DATA = frozenset({"bset", "bclr", "btst", "bmsk", "bmskn", "bic", "bxor", "brk"})
_CALLS = ("bl", "jl")

Graph = Mapping[int, frozenset[int]]
"""For each node those that may come next."""


@dataclass(frozen=True)
class Instruction:
    """One line of a disassembly."""

    address: int
    after: int
    """The address behind it."""
    mnemonic: str
    operands: str
    target: int | None
    """The address it branches to, or the end of a zero-overhead loop."""
    callee: str | None
    """The function that the target is in."""

    @property
    def stem(self) -> str:
        """The mnemonic without what says that it is short, or has a delay slot."""
        return self.mnemonic.split(".")[0].removesuffix("_s")

    @property
    def has_slot(self) -> bool:
        return ".d" in self.mnemonic

    @property
    def may_branch(self) -> bool:
        return self.target is not None and self.stem not in (*_CALLS, "lp")

    @property
    def may_fall_through(self) -> bool:
        return self.stem not in ("b", "j") and not (self.stem == "leave" and "pcl" in self.operands)

    def calls(self, function: Container[int]) -> bool:
        """Whether it goes to another function than that of these addresses, perhaps for good."""
        return self.stem in _CALLS or (self.stem == "b" and self.target not in function)

    @property
    def loads_word(self) -> bool:
        return self.stem == "ld"


@dataclass(frozen=True)
class Loop:
    """A turn of an inner loop, or one pass through a function without a loop."""

    instructions: int
    word_loads: int


def count_loop(function: str, level: str) -> Loop:
    """A turn of the longest inner loop of a function of the library, compiled at a level of optimisation ("-Os").

    Raises `ebnn.errors.BuildError` where the compiler is missing or fails, where the library has no such function, and
    where the loop calls a function that is not in the library or has loops itself.
    """
    return longest_loop(disassemble(function, level), function)


def disassemble(function: str, level: str) -> dict[str, list[Instruction]]:
    """The instructions of a function of the library and of those it calls, by function."""
    source = f'#include "ebnn.h"\nconst void *const keep = (const void *){function};\n'
    with tempfile.TemporaryDirectory(prefix="ebnn-loops-") as folder:
        code, compiled = Path(folder) / "loop.c", Path(folder) / "loop.o"
        code.write_text(source)
        include = f"-I{firmware_folder() / 'lib' / 'ebnn' / 'src'}"
        _run("gcc", *FLAGS, level, "-std=c99", include, "-c", str(code), "-o", str(compiled))
        return parse(_run("objdump", "-dr", str(compiled)))


def _run(tool: str, *arguments: str) -> str:
    path = shutil.which(TOOLS + tool)
    if path is None:
        raise BuildError(f"{TOOLS}{tool} is not installed:\n  Debian, Ubuntu:  sudo apt install gcc-arc-linux-gnu")
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{TOOLS}{tool} failed:\n{done.stderr.strip()}")
    return done.stdout


def parse(listing: str) -> dict[str, list[Instruction]]:
    """The instructions of each function in objdump's listing, relocations included."""
    functions: dict[str, list[Instruction]] = {}
    for line in listing.splitlines():
        if found := _FUNCTION.match(line):
            functions[found[1]] = []
        elif found := _INSTRUCTION.match(line):
            address, mnemonic, operands = int(found[1], 16), found[3], found[4] or ""
            at = _TARGET.search(operands)
            made = Instruction(address, address + len(found[2].replace(" ", "")) // 2, mnemonic, operands, None, None)
            if at and made.stem not in _DATA and made.stem.startswith(("b", "lp")):  # others read constants there
                made = replace(made, target=int(at[1], 16), callee=at[2])
            functions[list(functions)[-1]].append(made)
        elif (found := _RELOCATION.match(line)) and functions:
            instructions = functions[list(functions)[-1]]
            if instructions[-1].callee is not None:
                instructions[-1] = replace(instructions[-1], target=None, callee=found[1])
    return functions


def longest_loop(functions: Mapping[str, list[Instruction]], function: str) -> Loop:
    """A turn of the longest inner loop of a function, see `count_loop`."""
    if function not in functions:
        raise BuildError(f"the compiled library has no function {function}")
    instructions = functions[function]
    graph = flow(instructions)
    loops = list(_innermost(graph))
    if not loops:
        return _way(functions, function, _reached(graph, instructions[0].address))
    return max((_way(functions, function, loop) for loop in loops), key=lambda loop: loop.instructions)


def flow(instructions: list[Instruction]) -> Graph:
    """Which instructions may come next; one in a delay slot belongs to its branch. Ways out of the function end."""
    known = {one.address for one in instructions}
    slots = {one.after for one in instructions if one.has_slot}
    ends = {one.target: one.after for one in instructions if one.stem.startswith("lp")}
    graph = {}
    for i, one in enumerate(instructions):
        if one.address in slots:
            continue
        behind = instructions[i + 1].after if one.has_slot else one.after
        following = {behind} if one.may_fall_through else set()
        if one.may_branch and one.target is not None:
            following.add(one.target)
        if behind in ends and one.may_fall_through:
            following.add(ends[behind])
        graph[one.address] = frozenset(following & known)
    return graph


def _reached(graph: Graph, start: int) -> dict[int, frozenset[int]]:
    """The part of a graph that is reached from a node, the node included."""
    seen, waiting = {start}, [start]
    while waiting:
        new = graph[waiting.pop()] - seen
        seen |= new
        waiting += new
    return _part(graph, seen)


def _part(graph: Graph, nodes: Iterable[int]) -> dict[int, frozenset[int]]:
    kept = frozenset(nodes)
    return {node: graph[node] & kept for node in kept}


def _innermost(graph: Graph) -> Iterable[dict[int, frozenset[int]]]:
    """The loops that hold no other, each without the edges that close it."""
    behind = {node: set(_reached(graph, node)) for node in graph}
    left = {node for node in graph if any(node in behind[after] for after in graph[node])}  # on a cycle
    while left:
        first = min(left)
        loop = {node for node in left if node in behind[first] and first in behind[node]}
        left -= loop
        entries = {after for node in graph if node not in loop for after in graph[node]} & loop
        head = min(entries or loop)
        opened = {node: after - {head} for node, after in _part(graph, loop).items()}
        inner = list(_innermost(opened))
        yield from inner or [opened]


def _way(functions: Mapping[str, list[Instruction]], function: str, graph: Graph) -> Loop:
    """The longest way through a graph without cycles."""
    instructions = {one.address: one for one in functions[function]}
    try:
        order = list(TopologicalSorter(graph).static_order())  # what comes next before what it follows
    except CycleError:
        raise BuildError(f"{function} has a loop, its instructions cannot be counted in the code") from None
    best: dict[int, Loop] = {}
    for node in order:
        one = instructions[node]
        taken = [one, instructions[one.after]] if one.has_slot else [one]
        rest = max((best[after] for after in graph[node]), key=lambda way: way.instructions, default=Loop(0, 0))
        called = [_called(functions, function, each) for each in taken if each.calls(instructions)]
        best[node] = Loop(
            len(taken) + rest.instructions + sum(way.instructions for way in called),
            sum(each.loads_word for each in taken) + rest.word_loads + sum(way.word_loads for way in called),
        )
    return max(best.values(), key=lambda way: way.instructions)


def _called(functions: Mapping[str, list[Instruction]], function: str, call: Instruction) -> Loop:
    """One pass through a function that is called."""
    if call.callee is None or call.callee not in functions:
        raise BuildError(f"the loop of {function} calls {call.callee or call.operands}, which is not in the library")
    instructions = functions[call.callee]
    return _way(functions, call.callee, _reached(flow(instructions), instructions[0].address))
