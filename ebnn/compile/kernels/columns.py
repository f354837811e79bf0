"""Codes of convolutions whose sums are looked up: what ``ebnn_conv_columns`` of ``columns.h`` reads and needs.

A column of the kernel, height × input channels taps, is split evenly into groups of up to four. The device makes the
sums of every choice of signs in a group, its first tap as +; a filter looks up one of them for each group and column.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...model import bits
from ...model.kinds import BITS
from ...model.layers import NO_POOL, Conv, Layer, Pool
from ...model.transforms import Sign
from ..options import Options
from ..target import TARGETS, Target
from .kernel import Array, Arrays, Kernel, Work, flip_arrays, flips, once, takes_signs
from .structs import CONV

TABLE_TAPS = 4  # taps whose choices share one table
LOOKUPS = 3  # the least of one filter on the device
PLACES = 128  # of a lookup's code: the sums of one strip
PHASES = 5  # columns of the kernel or of a stride, the fewer of them
MARKS_RUN = {1: 8, 2: 16}  # positions in one element of marks
LARGEST_SCRATCH = {1: 640, 2: 1024}  # bytes that may be taken beside the activations
MAX_COORDINATE = 32_767
MAX_ROW_BYTES = 65_535  # of the input
STRIP_COST = 4  # of a filter in a strip beside its positions, counted in them


@dataclass(frozen=True)
class Strip:
    """How the device cuts a row of the map, for cores that add sums of one row (AVR) or of two, ``lanes``, at a time.

    ``run`` is the positions of a strip, 0 where there is no room for one: the fastest of those whose scratch takes up
    to ``room`` bytes, or of all where none does.
    """

    conv: Conv
    pool: Pool
    map_width: int
    lanes: int
    room: int

    @property
    def groups(self) -> tuple[int, ...]:
        """Taps of each group of one column."""
        taps = self.conv.kernel[0] * self.conv.weights.shape[3]
        sizes = []
        for left in range(-(-taps // TABLE_TAPS), 0, -1):
            sizes.append(-(-taps // left))
            taps -= sizes[-1]
        return tuple(sizes)

    @property
    def lookups(self) -> int:
        """Lookups of one filter."""
        return max(LOOKUPS, int(self.conv.kernel[1]) * len(self.groups))

    @property
    def rows(self) -> int:
        """Rows of sums: one for each choice in each group, and one of zeros where a filter has too few lookups."""
        missing = self.conv.kernel[1] * len(self.groups) < LOOKUPS
        return sum(1 << (size - 1) for size in self.groups) + int(missing)

    def columns(self, run: int) -> int:
        """Columns under ``run`` positions, those that no tap meets left out."""
        kernel, stride = int(self.conv.kernel[1]), self.conv.stride[1]
        return sum(run + (kernel - 1 - phase) // stride for phase in range(min(kernel, stride)))

    @cached_property
    def run(self) -> int:
        fitting = [run for run in range(1, PLACES + 1) if self._fits(run)]
        fitting = [run for run in fitting if self.scratch_bytes(run) <= self.room] or fitting
        return min(fitting, key=lambda run: (self.strips(run) * (run + STRIP_COST), run), default=0)

    def _fits(self, run: int) -> bool:
        element = MARKS_RUN[self.lanes]
        return (
            (run <= element if self.lanes == 2 else run <= element or run % element == 0 or run == self.map_width)
            and run <= self.map_width
            and self.rows * self.columns(run) <= PLACES
            and min(self.pool.size[1], self.map_width) <= min(run, element)  # windows reach two elements at most
            and self.strips(run) * run * self.conv.stride[1] + self.conv.kernel[1] <= MAX_COORDINATE
            and self.scratch_bytes(run) <= LARGEST_SCRATCH[self.lanes]
        )

    def strips(self, run: int) -> int:
        """Strips of one row."""
        return -(-self.map_width // run)

    def scratch_bytes(self, run: int) -> int:
        """Bytes of scratch, whole words: sums, partial sums, marks of a row in each lane and of the windows on it."""
        element = MARKS_RUN[self.lanes]
        sums = self.rows * self.columns(run) + (run if self.lookups > LOOKUPS else 0)
        windows = -(-self.pool.size[0] // self.pool.stride[0])
        rows = 0 if self.lanes == windows == 1 else self.lanes
        marks = (rows + windows) * self.strips(run) * -(-run // element) * len(self.conv.weights) * element // 8
        return bits.round_to_words(sums * 2 * self.lanes) + bits.round_to_words(marks)

    def codes(self, thresholds: NDArray[np.int16]) -> NDArray[np.uint8]:
        """The bytes that the device reads, see ``columns.h``: head, then of each filter its lookups and its level."""
        columns, stride = self.columns(self.run), self.conv.stride[1]
        filters, _, width, _ = self.conv.weights.shape
        starts = np.cumsum([0, *(1 << (size - 1) for size in self.groups)])
        places, signs = [], []
        for k in range(width):
            phase_start = sum(self.run + (width - 1 - phase) // stride for phase in range(k % stride))
            taps = self.conv.weights[:, :, k, :].reshape(filters, -1)
            for start, group in zip(starts, np.split(taps, np.cumsum(self.groups)[:-1], axis=1), strict=False):
                same = group[:, 1:] == group[:, :1]
                choice = start + same @ (1 << np.arange(same.shape[1]))
                places.append(choice * columns + phase_start + k // stride)
                signs.append(group[:, 0])
        for _ in range(self.lookups - len(places)):
            places.append(np.full(filters, starts[-1] * columns))
            signs.append(signs[0])
        # The first lookup is added; where it is to be subtracted, all signs and the comparison are turned over.
        turned = ~signs[0]
        minus = np.array([turned, *(sign != signs[0] for sign in signs[1:])])
        codes = np.roll(np.array(places) | minus << 7, -LOOKUPS, axis=0)
        value = thresholds.astype(np.int32)
        level = 2**15 - np.where(turned, 1 - value, value)
        body = np.concatenate([codes, [level & 255], [level >> 8]]).T
        head = np.array([self.run, columns, self.rows])
        return np.concatenate([head, body.ravel()]).astype(np.uint8)


@once
def strip_of(layer: Layer, target: Target) -> Strip:
    """How rows of a convolution's map are cut for a target."""
    assert isinstance(layer.linear, Conv)
    room = LARGEST_SCRATCH[target.lanes]
    if target.room is not None:
        room = target.room - sum(map(bits.round_to_words, (layer.input.shape.size, BITS.bytes(layer.output_shape))))
    return Strip(layer.linear, layer.pool or NO_POOL, layer.map_shape.width, target.lanes, room)


def column_codes(layer: Layer, target: Target) -> NDArray[np.uint8]:
    """The codes of a layer, (3 + outputs · (lookups + 2),) uint8: of the same size on every target."""
    assert isinstance(layer.transform, Sign)
    value, _ = layer.transform.at_least()
    reach = layer.reach + 1  # no sum is beyond
    return strip_of(layer, target).codes(np.clip(value, -reach, reach).astype(np.int16))


class Columns(Kernel):
    """Sums of pixels by columns."""

    def runs(self, layer: Layer) -> bool:
        """Whether it takes a layer: bytes, sums of 16 bits, little scratch."""
        if not isinstance(layer.linear, Conv) or not isinstance(layer.transform, Sign):
            return False
        if layer.kind.packed or not layer.kind.whole or not takes_signs(layer):
            return False
        conv, pool = layer.linear, layer.pool or NO_POOL
        # A sum and a threshold up to 2 beyond it: their difference takes 16 bits.
        if 2 * (layer.reach + 1) > 2**15 - 1:
            return False
        if layer.kind.row_bytes(layer.input.shape) > MAX_ROW_BYTES or min(conv.kernel[1], conv.stride[1]) > PHASES:
            return False
        if -(-pool.size[0] // pool.stride[0]) > 255:
            return False
        return all(strip_of(layer, target).run > 0 for target in TARGETS)

    def chosen(self, layer: Layer, options: Options) -> bool:
        return options.optimize.columns and not options.in_float(layer)

    def constants(self, layer: Layer, options: Options, target: Target) -> Arrays:
        comment = "a strip's positions, columns, rows of sums; then per filter: its lookups, its level (columns.h)"
        return {"table": Array(column_codes(layer, target), comment, by_target=True), **flip_arrays(layer)}

    def scratch(self, layer: Layer, target: Target) -> int:
        strip = strip_of(layer, target)
        return strip.scratch_bytes(strip.run)

    def work(self, layer: Layer, target: Target, fired: float | None = None) -> Work:
        """What is made for each strip, looked up for each filter, and pooled."""
        strip, pool, out = strip_of(layer, target), layer.pool or NO_POOL, layer.output_shape
        rows = min((out.height - 1) * pool.stride[0] + pool.size[0] - pool.pad[0], layer.map_shape.height)
        count = -(-rows // strip.lanes) * strip.strips(strip.run)
        pixels = out.height * out.width
        return {
            "layers": 1,
            "strips": count,
            "sums": count * strip.rows * strip.columns(strip.run),
            "columns": count * strip.columns(strip.run),
            "filters": count * layer.outputs,
            "lookups": count * layer.outputs * strip.run,
            "more_lookups": count * layer.outputs * strip.run * (strip.lookups - LOOKUPS),
            "partials": count * layer.outputs * (strip.lookups > LOOKUPS),
            "additions": count * layer.outputs * (strip.lookups - LOOKUPS),
            "pixels": pixels,
            "pooled": pixels * layer.outputs,
            "flips": pixels * flips(layer),
        }


COLUMNS = Columns("conv_columns", CONV, "ebnn_conv_columns", folded=True)
