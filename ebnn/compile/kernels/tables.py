"""Truth tables of convolutions with few taps, as ``ebnn_conv_table`` of the runtime reads them (``ebnn/tables.h``).

A patch of bits, read as a number, is the place of an entry: the output bits of all filters, ⌈filters/8⌉ bytes. Where
the kernel overhangs the image it has fewer taps, and a table of its own.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...model import bits
from ...model.layers import NO_POOL, Conv, Layer, Pool
from ...model.transforms import Sign
from ..options import MOST_TABLE_BYTES, Options
from ..target import Target
from .kernel import Array, Arrays, Kernel, Work, flip_arrays, flips, takes_signs
from .structs import CONV

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


class Tables(Kernel):
    """Output bits of all filters, looked up by the patch."""

    def runs(self, layer: Layer) -> bool:
        return takes_table(layer, MOST_TABLE_BYTES)

    def chosen(self, layer: Layer, options: Options) -> bool:
        return table_bytes(layer) <= options.optimize.table_bytes and not options.in_float(layer)

    def constants(self, layer: Layer, options: Options, target: Target) -> Arrays:
        comment = "the plan (tables.h), then tables of output bits, an entry for each patch"
        return {"table": Array(truth_tables(layer), comment), **flip_arrays(layer)}

    def scratch(self, layer: Layer, target: Target) -> int:
        return table_scratch_bytes(layer)

    def work(self, layer: Layer, target: Target, fired: float | None = None) -> Work:
        """Entries looked up for each position of the map, and ORed over each pooling window."""
        assert isinstance(layer.linear, Conv)
        out, pool, shape = layer.output_shape, layer.pool or NO_POOL, layer.input.shape
        entry = _entry_bytes(layer)
        rows, columns = layer.map_shape[1:]
        pixels, across = out.height * out.width, rows * shape.width * shape.channels
        return {
            "layers": 1,
            "rows": rows,
            "positions": rows * columns,
            "looked_up": rows * columns * entry,
            "reads": across // 8 if layer.linear.kernel[0] in (1, 3) else across,  # of columns, where not on AVR
            "columns": across,
            "taps": across * layer.linear.kernel[0],
            "pixels": pixels,
            "pooled": pixels * pool.size[1] * entry,
            "written": pixels * entry,
            "merged": out.height * (pool.size[0] > pool.stride[0]) * columns * entry,
            "flips": pixels * flips(layer),
        }


def takes_table(layer: Layer, limit: int) -> bool:
    """Whether a layer can be computed by tables of at most ``limit`` bytes that the device can walk."""
    if not (
        layer.kind.packed
        and takes_signs(layer)
        and isinstance(layer.linear, Conv)
        and isinstance(layer.transform, Sign)
        and layer.taps <= MAX_TAPS
        and table_bytes(layer) <= limit
    ):
        return False
    pools, shape = _pool_runs(layer), layer.input.shape
    return (
        max(_entry_bytes(layer), len(_column_runs(layer)), len(pools), *[run.size for run in pools]) <= MAX_BYTE
        and layer.linear.stride[1] * shape.channels * layer.linear.kernel[0] <= MAX_STEP
        and max(max(counts) for counts in _windows_at_rows(layer)) <= MAX_NIBBLE
        and shape.width * shape.channels <= MAX_ROW_BITS
        and layer.input.bytes <= MAX_BYTES
        and table_scratch_bytes(layer) <= MAX_BYTES
    )


TABLES = Tables("conv_table", CONV, "ebnn_conv_table", folded=True)


def table_bytes(layer: Layer) -> int:
    """Bytes of the tables and their plan in flash, whole words."""
    rows, columns = _row_runs(layer), _column_runs(layer)
    channels = layer.weights.shape[3]
    taps = [row.size * column.size * channels for row in rows if row.fresh for column in columns]
    return bits.round_to_words(_plan_bytes(layer) + sum(2 + 2**count * _entry_bytes(layer) for count in taps))


def table_scratch_bytes(layer: Layer) -> int:
    """Bytes of RAM, whole words: entries of a row of the map for each pooling window that is begun at one time."""
    return _slots(layer) * _slot_bytes(layer)


def truth_tables(layer: Layer) -> NDArray[np.uint16]:
    """The plan (``ebnn_plan_t`` and what follows it) and the tables: (table_bytes / 2,) uint16 for the device.

    A bit of an entry is ``acc >= threshold`` of `Sign.at_least`; its flip comes after the pooling.
    """
    rows, columns = _row_runs(layer), _column_runs(layer)
    tables = [_table(layer, row, column) for row in rows if row.fresh for column in columns]
    everything = np.concatenate([_plan(layer), *tables])
    padded = np.pad(everything, (0, bits.round_to_words(len(everything)) - len(everything)))
    return padded.view("<u2").astype(np.uint16, copy=False)


def _table(layer: Layer, row: _Run, column: _Run) -> NDArray[np.uint8]:
    """The highest index, then the entries of the patches of ``row.size`` × ``column.size`` pixels."""
    assert isinstance(layer.transform, Sign)
    threshold, _ = layer.transform.at_least()
    weights = layer.weights
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


def _plan(layer: Layer) -> NDArray[np.uint8]:
    """What stands before the tables, (bytes,) uint8."""
    rows, columns, pools = _row_runs(layer), _column_runs(layer), _pool_runs(layer)
    row_bytes, entry = layer.kind.row_bytes(layer.input.shape), _entry_bytes(layer)
    channels = layer.input.shape.channels
    out = layer.output_shape
    windows = [begin + 16 * end for begin, end in _windows_at_rows(layer)]
    end = bits.row_bytes((columns[0].inside + columns[0].size) * channels)
    head = [_plan_bytes(layer), len(windows), row_bytes, end, bits.row_bytes(out.width * out.channels)]
    head += [_slot_bytes(layer), table_scratch_bytes(layer), _columns(layer) * entry]
    turn = 2 ** (layer.outputs % 8) if layer.outputs % 8 else 0
    head += [entry + 256 * turn, len(columns) + 256 * len(pools)]
    words = np.array(head + [word for run in _device_runs(columns, channels, end * 8) for word in run], "<u2")
    pooled = np.array(_device_runs(pools, entry, 0), "<u2")
    pooled[:, 2] = [run.size for run in pools]
    below = np.array(_device_runs(rows, row_bytes, 0), "<u2")
    below[:, 2] = [row.size + _FRESH * row.fresh for row in rows]
    plan = np.concatenate([words, pooled.ravel(), below.ravel()]).view(np.uint8)
    padding = np.zeros(_plan_bytes(layer) - len(plan) - len(windows), np.uint8)
    return np.concatenate([plan, padding, np.array(windows, np.uint8)])


def _device_runs(runs: list[_Run], unit: int, at: int) -> list[tuple[int, int, int, int]]:
    """``ebnn_run_t`` of each run, in units; ``at`` is where the first one starts from."""
    made = []
    for run in runs:
        made.append((abs(run.inside * unit - at), run.step * unit, run.size * unit, run.count))
        at = run.last * unit
    return made


def _plan_bytes(layer: Layer) -> int:
    runs = len(_row_runs(layer)) + len(_column_runs(layer)) + len(_pool_runs(layer))
    return bits.round_to_words(_PLAN_BYTES + _RUN_BYTES * runs + len(_windows_at_rows(layer)))


def _entry_bytes(layer: Layer) -> int:
    return bits.row_bytes(layer.outputs)


def _slots(layer: Layer) -> int:
    pool = _pool(layer)
    return -(-pool.size[0] // pool.stride[0])


def _slot_bytes(layer: Layer) -> int:
    return bits.round_to_words(_columns(layer) * _entry_bytes(layer))


def _columns(layer: Layer) -> int:
    """Columns of the map, up to the last pooling window's end."""
    return _windows(layer, 1)[-1][1]


def _pool(layer: Layer) -> Pool:
    return layer.pool or NO_POOL


def _windows(layer: Layer, axis: int) -> list[tuple[int, int]]:
    """The pooling windows along a side of the map, half-open ranges."""
    pool, limit = _pool(layer), layer.map_shape[1 + axis]
    starts = [window * pool.stride[axis] - pool.pad[axis] for window in range(layer.output_shape[1 + axis])]
    return [(max(start, 0), min(start + pool.size[axis], limit)) for start in starts]


def _windows_at_rows(layer: Layer) -> list[tuple[int, int]]:
    """For each row of the map in a pooling window, from the top: how many windows begin with it, and how many end."""
    windows = _windows(layer, 0)
    rows = sorted({row for window in windows for row in range(*window)})
    begins, ends = Counter(begin for begin, _ in windows), Counter(end for _, end in windows)
    return [(begins[row], ends[row + 1]) for row in rows]


def _row_runs(layer: Layer) -> list[_Run]:
    """Runs of the kernel over the rows of the map that lie in a pooling window, from the top."""
    rows = sorted({row for window in _windows(layer, 0) for row in range(*window)})
    return _runs(_inside(layer, 0, row) for row in rows)


def _column_runs(layer: Layer) -> list[_Run]:
    """Runs of the kernel over the columns of the map up to the last pooling window's end, from the right."""
    return _runs(_inside(layer, 1, column) for column in reversed(range(_columns(layer))))


def _pool_runs(layer: Layer) -> list[_Run]:
    """Runs of the pooling window along a row of the map, from the left, as ranges that begin with their end."""
    return _runs((end, 0, end - begin) for begin, end in _windows(layer, 1))


def _inside(layer: Layer, axis: int, place: int) -> tuple[int, int, int]:
    """Where the kernel lies in the image at a row or column of the map: _Run's inside, first and size."""
    assert isinstance(layer.linear, Conv)
    conv, side = layer.linear, layer.input.shape[1 + axis]
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
