"""The results of `benchmarks.kernels` as a document in Markdown: what has a limit first, then a table for each kind."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from benchmarks.cases import (
    CONV_CHANNELS,
    DENSE_SIZES,
    INTEGER_BOARDS,
    INTEGER_KERNELS,
    Case,
    Peer,
    conv,
    dense,
)
from benchmarks.counts import CodeSize, Counts
from benchmarks.loops import Loop

INTRODUCTION = """\
# Kernels and networks on each core

Made by `uv run python -m benchmarks.kernels --write`. Counts are the same in every run of the same compilers, and
tests/test_benchmarks.py compares them with benchmarks/kernels.json. AVR (uno, megaatmega2560): exact cycles in simavr,
without those of interrupts. Cortex-M and RV32IMC: exact instructions in QEMU. A kernel's figure is per
multiply-accumulate (MAC), a network's is one inference, code is in bytes. Behind the core: the compiler's level, and
what the header was emitted for where that is not `balanced`. Figures under "today" are given ones, of other people's
public code, not measured by this program."""

NO_RATIO = """\
A ratio stands beside a figure of the same work only. For dense layers on the Uno and the Cortex-M3 there is none: on an
Uno, eBNN's dense layer of 1,024 inputs and 8 outputs takes 5.5 cycles per MAC; on a Cortex-M3 its inner loop is 16
instructions for 8 MACs."""


@dataclass(frozen=True)
class Result:
    """A case and its figure: per MAC, of one inference, or bytes; and what was counted beside it."""

    case: Case
    figure: float
    counts: Counts | None = None
    size: CodeSize | None = None
    loop: Loop | None = None


def document(results: Sequence[Result]) -> str:
    """Everything that was measured; parts of which nothing was are left out."""
    found = {result.case.key: result for result in results}
    kinds = {kind: [result for result in results if result.case.kind == kind] for kind in ("network", "code", "loop")}
    integer = [result for result in kinds["network"] if result.case.setting.arithmetic == "integer"]
    floating = [result for result in kinds["network"] if result.case.setting.arithmetic == "float"]
    parts = [
        INTRODUCTION,
        _part("Limits", NO_RATIO, _limits([result for result in results if result.case.limit is not None])),
        _part("Dense layers of 32 outputs, by inputs: per MAC", "", _range(found, DENSE_SIZES, dense, "n")),
        _part("Convolutions 3×3×C, 32 filters on 8×8, by C: per MAC", "", _range(found, CONV_CHANNELS, conv, "C")),
        _part(
            "Layers of integer sums: per MAC",
            "At -Os; convolutions padded on 8×8, on the Uno on maps that it has room for.",
            _integer(found),
        ),
        _part("Networks", "Cycles or instructions of one inference.", _networks(integer)),
        _part("The float arithmetic beside the integer one", "The same networks and samples.", _float(floating, found)),
        _part(
            "Inner loops on the ARC EM (quarkse_em)",
            "A static count: the instructions of one turn of the longest inner loop in the compiled function, delay "
            "slots and\ncalled functions included.",
            _loops(kinds["loop"]),
        ),
        _part(
            "Code on the ATmega328P",
            "What one call of `network_predict` adds to the flash of an otherwise empty program: linked with and "
            "without it, and\nsubtracted. Code is all functions, those of the C library too; tables are the library's, "
            "with the room that their alignment\ntakes; constants are the network's weights, thresholds and "
            "descriptions of layers. The limit is for the code.",
            _code(kinds["code"]),
        ),
        _part(
            "All programs",
            "The serial firmware with the network, in bytes: code is flash without the network's constants, RAM is "
            "variables + the\ndeepest stack.",
            _memory([result for result in results if result.counts is not None]),
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _part(title: str, text: str, table: Table) -> str:
    if not table.row_count:
        return ""
    plain = Console(width=400, record=True, file=io.StringIO())
    plain.print(table)
    lines = [line.rstrip() for line in plain.export_text().splitlines() if line.strip()]
    return "\n\n".join(filter(None, (f"## {title}", text, "\n".join(lines))))


def _table(*names: str, left: int) -> Table:
    """A table whose first ``left`` columns hold words."""
    table = Table(box=MARKDOWN)
    for i, name in enumerate(names):
        table.add_column(name, justify="left" if i < left else "right")
    return table


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 100 else f"{value:.3f}"


def _given(value: float) -> str:
    return f"{value:,g}" if value < 1e4 else f"{value:,.0f}"


def _today(peers: Iterable[Peer]) -> str:
    spans = ((peer, [_given(value) for value in dict.fromkeys((peer.least, peer.most))]) for peer in peers)
    return "; ".join(f"{'–'.join(span)} ({peer.name})" for peer, span in spans)


def _times(peers: Iterable[Peer], figure: float) -> str:
    """How often ours goes into theirs."""
    spans = ([f"{value / figure:,.1f}" for value in dict.fromkeys((peer.least, peer.most))] for peer in peers)
    return "; ".join("–".join(span) for span in spans)


def _limits(results: Iterable[Result]) -> Table:
    names = ("what", "core", "today", "must", "stretch", "ours", "ours / must", "ours / stretch", "today / ours")
    table = _table(*names, left=2)
    for result in results:
        case, limit = result.case, result.case.limit
        assert limit is not None
        ratios = [f"{result.figure / value:.2f}" for value in (limit.must, limit.stretch)]
        bounds = [_given(limit.must), _given(limit.stretch)]
        ours, times = _figure(result.figure), _times(case.peers, result.figure)
        table.add_row(case.what, str(case.setting), _today(case.peers), *bounds, ours, *ratios, times)
    return table


def _range(found: Mapping[str, Result], sizes: Sequence[int], name: Callable[[int], str], letter: str) -> Table:
    """One row for each core, one column for each size."""
    table = _table("core", *(f"{letter} = {size}" for size in sizes), left=1)
    settings: dict[str, None] = {}
    for size in sizes:
        settings |= {str(r.case.setting): None for r in found.values() if r.case.what == name(size)}
    for setting in settings:
        figures = [found.get(f"{name(size)}, {setting}") for size in sizes]
        table.add_row(setting, *("" if result is None else _figure(result.figure) for result in figures))
    return table


def _integer(found: Mapping[str, Result]) -> Table:
    """One row for each kernel, one column for each core."""
    table = _table("kernel", *INTEGER_BOARDS, left=1)
    for what in INTEGER_KERNELS:
        figures = [found.get(f"{what}, {board} -Os") for board in INTEGER_BOARDS]
        if any(figures):
            table.add_row(what, *("" if result is None else _figure(result.figure) for result in figures))
    return table


def _networks(results: Iterable[Result]) -> Table:
    table = _table("network", "core", "ours", "today", "today / ours", left=2)
    for result in results:
        case = result.case
        ours, times = _figure(result.figure), _times(case.peers, result.figure)
        table.add_row(case.what, str(case.setting), ours, _today(case.peers), times)
    return table


def _float(results: Iterable[Result], found: Mapping[str, Result]) -> Table:
    names = ("network", "core", "float", "integer", "float / integer", "today", "today / float")
    table = _table(*names, left=2)
    for result in results:
        case = result.case
        setting = replace(case.setting, arithmetic="integer")
        integer = found.get(f"{case.what}, {setting}")
        beside = ("", "") if integer is None else (_figure(integer.figure), f"{result.figure / integer.figure:.1f}")
        times = _times(case.peers, result.figure)
        table.add_row(case.what, str(setting), _figure(result.figure), *beside, _today(case.peers), times)
    return table


def _loops(results: Iterable[Result]) -> Table:
    table = _table("function", "level", "instructions", "MACs", "per MAC", "given figures", left=2)
    for result in results:
        case, loop = result.case, result.loop
        assert loop is not None
        counted = [str(loop.instructions), str(case.macs), _figure(result.figure)]
        table.add_row(case.what, case.setting.level, *counted, _today(case.peers))
    return table


def _code(results: Iterable[Result]) -> Table:
    table = _table("emitted for", "code", "tables", "constants", "together", left=1)
    for result in results:
        size = result.size
        assert size is not None
        parts = (size.code, size.tables, size.constants)
        table.add_row(result.case.setting.optimize, *(f"{part:,}" for part in (*parts, sum(parts))))
    return table


def _memory(results: Iterable[Result]) -> Table:
    table = _table("what", "core", "figure", "flash", "code", "RAM", left=2)
    for result in results:
        counts = result.counts
        assert counts is not None
        memory = f"{counts.static:,} + {counts.stack:,}"
        core = str(result.case.setting)
        table.add_row(result.case.what, core, _figure(result.figure), f"{counts.flash:,}", f"{counts.code:,}", memory)
    return table
