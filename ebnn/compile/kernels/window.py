"""What convolutions share that gather the patch under the kernel: ``window.h``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ...model import bits
from ...model.layers import NO_POOL, Conv, Layer
from ..target import Target
from .kernel import Kernel, Work, counting, takes_signs


@dataclass(frozen=True)
class GatheredConv(Kernel):
    """What the convolutions share that gather patches of bits, or of bytes and floats."""

    packed: bool = False

    def runs(self, layer: Layer) -> bool:
        return isinstance(layer.linear, Conv) and takes_signs(layer) and layer.kind.packed == self.packed

    def scratch(self, layer: Layer, target: Target) -> int:
        """The patch, and a mask of what of it lies in the image."""
        assert isinstance(layer.linear, Conv)
        if not self.packed:
            return layer.taps * layer.kind.bits // 8
        return bits.round_to_words(bits.row_bytes(layer.taps)) * (2 if layer.linear.padded else 1)


class Patches:
    """The patches that a convolution gathers for one sample, each as often as a pooling window needs it."""

    def __init__(self, layer: Layer) -> None:
        assert isinstance(layer.linear, Conv)
        self.layer, self.conv = layer, layer.linear
        self.rows = list(_positions(layer, 0))
        self.columns = list(_positions(layer, 1))

    @property
    def count(self) -> int:
        return len(self.rows) * len(self.columns)

    @cached_property
    def height(self) -> int:
        """Rows of the image under the kernel, of one column of patches together."""
        return sum(end - begin for begin, end, _ in self.rows)

    @cached_property
    def inside(self) -> int:
        """Values that lie in the image."""
        width = sum(end - begin for begin, end, _ in self.columns)
        return self.height * width * self.layer.input.shape.channels

    def bytes_work(self, gathers: int, tests: float) -> Work:
        """Bytes gathered so many times, and summed up in ``tests`` filters."""
        return {
            "rows": gathers * self.height * len(self.columns),
            "tests": tests,
            "skips": self.count * self.layer.outputs - tests,
            "patch_bytes": gathers * self.count * self.layer.taps,
            "gathered": gathers * self.inside,
            "taps": tests * self.layer.taps,
            "ones": tests * float(self.conv.weights.sum()) / self.layer.outputs,
        }

    def bits_work(self, gathers: int, tests: float, grouped: bool, octets: bool) -> Work:
        """Bits gathered so many times, and compared in ``tests`` filters: masked where the kernel overhangs."""
        filters, words = self.layer.outputs, self.layer.filter_words
        whole = sum(end - begin == self.conv.kernel[0] for begin, end, _ in self.rows) * sum(
            end - begin == self.conv.kernel[1] for begin, end, _ in self.columns
        )
        masked = 1 - whole / self.count
        work: Work = {"rows": gathers * self.height * len(self.columns)}
        work["masked_patches"] = gathers * (self.count - whole)
        if octets:
            work["bytes"] = gathers * self.inside // 8
        else:
            channels = self.layer.input.shape.channels
            work["patch_bytes"] = gathers * (2 * self.count - whole) * words * 4
            work["bytes"] = gathers * self.height * sum(_bytes_across(channels, column) for column in self.columns)
        work |= counting(tests * (1 - masked), words, filters, grouped)
        for name, count in counting(tests * masked, words, filters, grouped).items():
            work[f"masked_{name}"] = count
        return work | {"skips": self.count * filters - tests}


def _positions(layer: Layer, axis: int) -> Iterator[tuple[int, int, int]]:
    """Along one axis, for each output and each position of its window: the image's (begin, end) under the kernel, and
    which of the kernel's own rows or columns falls on ``begin``."""
    assert isinstance(layer.linear, Conv)
    conv, pool = layer.linear, layer.pool or NO_POOL
    side, map_side, outputs = (shape[1 + axis] for shape in (layer.input.shape, layer.map_shape, layer.output_shape))
    size, stride, pad = conv.kernel[axis], conv.stride[axis], conv.pad[axis]
    for output in range(outputs):
        start = output * pool.stride[axis] - pool.pad[axis]
        for at in range(max(start, 0), min(start + pool.size[axis], map_side)):
            corner = at * stride - pad
            begin = min(max(corner, 0), side)
            yield begin, min(max(corner + size, 0), side), begin - corner


def _bytes_across(channels: int, column: tuple[int, int, int]) -> int:
    """Bytes that hold the bits of one row of a patch."""
    begin, end, _ = column
    return (end * channels + 7) // 8 - begin * channels // 8 if end > begin else 0
