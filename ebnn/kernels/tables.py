"""Truth tables of convolutions with few taps, as ``ebnn_conv_table`` of the runtime reads them (``ebnn/tables.h``).

A patch of bits, read as a number, is the place of an entry: the output bits of all filters, ⌈filters/8⌉ bytes. Where
the kernel overhangs the image it has fewer taps, and a table of its own.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .. import bits
from ..blocks import Block, Conv, InputKind, Pool, Shape, activation_bytes, at_least

MAX_TAPS = 10  # of a patch: 1,024 entries
MAX_NIBBLE = 15  # pooling windows that begin or end at one row
MAX_BYTE = 255  # bytes of an entry, entries of a window, numbers of runs: uint8_t on the device
MAX_STEP = 31  # bits under the kernel from one position of a row to the next: a uint32_t is shifted by them
MAX_BYTES = 65_535  # of the input and of the scratch: uint16_t there
MAX_ROW_BITS = 65_528  # whole bytes of them: a bit's place in a row is a uint16_t

_PLAN_BYTES = 20  # of ebnn_plan_t
_RUN_BYTES = 8  # of ebnn_run_t
_FRESH = 256  # in the size of a run of rows


@dataclass(frozen=True)
class _Run:
    """Neighbouring places of the kernel along a side, with the same part of it in the image; in rows or pixels."""

    inside: int
    """The first row or pixel of the image under the kernel, at the run's first place."""
    first: int
    """The kernel's own row or column that lies there."""
    size: int
    """Its rows or columns inside the image."""
    step: int
    """From place to place."""
    count: int
    last: int
    """``inside`` at the run's last place."""
    fresh: bool
    """Whether its part of the kernel is another than that of the run before: it takes the next table."""


def takes_table(kind: InputKind, block: Block, shape: Shape, limit: int) -> bool:
    """Whether ``block`` can be computed by tables of at most ``limit`` bytes for an input of ``kind`` and ``shape``."""
    if not (
        kind == "bits"
        and isinstance(block.linear, Conv)
        and block.threshold is not None
        and block.linear.weights[0].size <= MAX_TAPS
        and table_bytes(block, shape) <= limit
    ):
        return False
    pools = _pool_runs(block, shape)
    return (
        max(_entry_bytes(block), len(_column_runs(block, shape)), len(pools), *[run.size for run in pools]) <= MAX_BYTE
        and block.linear.stride[1] * shape.channels * block.linear.kernel[0] <= MAX_STEP
        and max(max(counts) for counts in _windows_at_rows(block, shape)) <= MAX_NIBBLE
        and shape.width * shape.channels <= MAX_ROW_BITS
        and activation_bytes(kind, shape) <= MAX_BYTES
        and table_scratch_bytes(block, shape) <= MAX_BYTES
    )


def table_bytes(block: Block, shape: Shape) -> int:
    """Bytes of the tables and their plan in flash, whole words."""
    rows, columns = _row_runs(block, shape), _column_runs(block, shape)
    channels = block.linear.weights.shape[3]
    taps = [row.size * column.size * channels for row in rows if row.fresh for column in columns]
    return bits.round_to_words(_plan_bytes(block, shape) + sum(2 + 2**count * _entry_bytes(block) for count in taps))


def table_scratch_bytes(block: Block, shape: Shape) -> int:
    """Bytes of RAM, whole words: entries of a row of the map for each pooling window that is begun at one time."""
    return _slots(block) * _slot_bytes(block, shape)


def truth_tables(block: Block, shape: Shape) -> NDArray[np.uint16]:
    """The plan (``ebnn_plan_t`` and what follows it) and the tables: (table_bytes / 2,) uint16 for the device.

    A bit of an entry is ``acc >= threshold`` of :func:`ebnn.blocks.at_least`; its flip comes after the pooling.
    """
    rows, columns = _row_runs(block, shape), _column_runs(block, shape)
    tables = [_table(block, row, column) for row in rows if row.fresh for column in columns]
    everything = np.concatenate([_plan(block, shape), *tables])
    padded = np.pad(everything, (0, bits.round_to_words(len(everything)) - len(everything)))
    return padded.view("<u2").astype(np.uint16, copy=False)


def _table(block: Block, row: _Run, column: _Run) -> NDArray[np.uint8]:
    """The highest index, then the entries of the patches of ``row.size`` × ``column.size`` pixels."""
    assert block.threshold is not None
    threshold, _ = at_least(block.threshold)
    weights = block.linear.weights
    channels = weights.shape[3]
    taps = row.size * column.size * channels
    signs = ((np.arange(2**taps)[:, None] >> np.arange(taps) & 1) * 2 - 1).astype(np.int8)
    # Bit i of a place is tap i in the order column, channel, row; taps outside the image are 0.
    inside = signs.reshape(2**taps, column.size, channels, row.size).transpose(0, 3, 1, 2)
    patches = np.zeros((2**taps, *weights.shape[1:]), np.int8)
    patches[:, row.first : row.first + row.size, column.first : column.first + column.size] = inside
    acc = patches.reshape(len(patches), -1) @ np.where(weights, 1, -1).reshape(len(weights), -1).T
    highest = np.array([len(patches) - 1], "<u2").view(np.uint8)
    return np.concatenate([highest, bits.pack(acc >= threshold).ravel()])


def _plan(block: Block, shape: Shape) -> NDArray[np.uint8]:
    """What stands before the tables, (bytes,) uint8."""
    rows, columns, pools = _row_runs(block, shape), _column_runs(block, shape), _pool_runs(block, shape)
    row_bytes, channels, entry = bits.row_bytes(shape.width * shape.channels), shape.channels, _entry_bytes(block)
    out = block.output_shape(shape)
    windows = [begin + 16 * end for begin, end in _windows_at_rows(block, shape)]
    end = bits.row_bytes((columns[0].inside + columns[0].size) * channels)
    head = [_plan_bytes(block, shape), len(windows), row_bytes, end, bits.row_bytes(out.width * out.channels)]
    head += [_slot_bytes(block, shape), table_scratch_bytes(block, shape), _columns(block, shape) * entry]
    turn = 2 ** (block.outputs % 8) if block.outputs % 8 else 0
    head += [entry + 256 * turn, len(columns) + 256 * len(pools)]
    words = np.array(head + [word for run in _device_runs(columns, channels, end * 8) for word in run], "<u2")
    pooled = np.array(_device_runs(pools, entry, 0), "<u2")
    pooled[:, 2] = [run.size for run in pools]
    below = np.array(_device_runs(rows, row_bytes, 0), "<u2")
    below[:, 2] = [row.size + _FRESH * row.fresh for row in rows]
    plan = np.concatenate([words, pooled.ravel(), below.ravel()]).view(np.uint8)
    padding = np.zeros(_plan_bytes(block, shape) - len(plan) - len(windows), np.uint8)
    return np.concatenate([plan, padding, np.array(windows, np.uint8)])


def _device_runs(runs: list[_Run], unit: int, at: int) -> list[tuple[int, int, int, int]]:
    """``ebnn_run_t`` of each run, in units; ``at`` is where the first one starts from."""
    made = []
    for run in runs:
        made.append((abs(run.inside * unit - at), run.step * unit, run.size * unit, run.count))
        at = run.last * unit
    return made


def _plan_bytes(block: Block, shape: Shape) -> int:
    runs = len(_row_runs(block, shape)) + len(_column_runs(block, shape)) + len(_pool_runs(block, shape))
    return bits.round_to_words(_PLAN_BYTES + _RUN_BYTES * runs + len(_windows_at_rows(block, shape)))


def _entry_bytes(block: Block) -> int:
    return bits.row_bytes(block.outputs)


def _slots(block: Block) -> int:
    pool = _pool(block)
    return -(-pool.size[0] // pool.stride[0])


def _slot_bytes(block: Block, shape: Shape) -> int:
    return bits.round_to_words(_columns(block, shape) * _entry_bytes(block))


def _columns(block: Block, shape: Shape) -> int:
    """Columns of the map, up to the last pooling window's end."""
    return _windows(block, shape, 1)[-1][1]


def _pool(block: Block) -> Pool:
    return block.pool or Pool((1, 1), (1, 1))


def _windows(block: Block, shape: Shape, axis: int) -> list[tuple[int, int]]:
    """The pooling windows along a side of the map, half-open ranges."""
    pool, limit = _pool(block), block.map_shape(shape)[1 + axis]
    starts = [window * pool.stride[axis] - pool.pad[axis] for window in range(block.output_shape(shape)[1 + axis])]
    return [(max(start, 0), min(start + pool.size[axis], limit)) for start in starts]


def _windows_at_rows(block: Block, shape: Shape) -> list[tuple[int, int]]:
    """For each row of the map in a pooling window, from the top: how many windows begin with it, and how many end."""
    windows = _windows(block, shape, 0)
    rows = sorted({row for window in windows for row in range(*window)})
    begins, ends = Counter(begin for begin, _ in windows), Counter(end for _, end in windows)
    return [(begins[row], ends[row + 1]) for row in rows]


def _row_runs(block: Block, shape: Shape) -> list[_Run]:
    """Runs of the kernel over the rows of the map that lie in a pooling window, from the top."""
    rows = sorted({row for window in _windows(block, shape, 0) for row in range(*window)})
    return _runs(_inside(block, shape, 0, row) for row in rows)


def _column_runs(block: Block, shape: Shape) -> list[_Run]:
    """Runs of the kernel over the columns of the map up to the last pooling window's end, from the right."""
    return _runs(_inside(block, shape, 1, column) for column in reversed(range(_columns(block, shape))))


def _pool_runs(block: Block, shape: Shape) -> list[_Run]:
    """Runs of the pooling window along a row of the map, from the left, as ranges that begin with their end."""
    return _runs((end, 0, end - begin) for begin, end in _windows(block, shape, 1))


def _inside(block: Block, shape: Shape, axis: int, place: int) -> tuple[int, int, int]:
    """Where the kernel lies in the image at a row or column of the map: _Run's inside, first and size."""
    assert isinstance(block.linear, Conv)
    conv, side = block.linear, shape[1 + axis]
    start = place * conv.stride[axis] - conv.pad[axis]
    inside, end = (min(max(at, 0), side) for at in (start, start + conv.kernel[axis]))
    return (inside, inside - start, end - inside) if end > inside else (inside, 0, 0)


def _runs(places: Iterable[tuple[int, int, int]]) -> list[_Run]:
    """Joins neighbours: (inside, first, size) of each place."""
    runs: list[_Run] = []
    for inside, first, size in places:
        fresh = not runs or (runs[-1].first, runs[-1].size) != (first, size)
        if not fresh:
            run, step = runs[-1], abs(inside - runs[-1].last)
            if run.count == 1 or run.step == step:
                runs[-1] = replace(run, step=step, count=run.count + 1, last=inside)
                continue
        runs.append(_Run(inside, first, size, 0, 1, inside, fresh))
    return runs
