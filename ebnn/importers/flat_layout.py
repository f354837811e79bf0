"""Where things lie in a flat file of weights, as binarynet-tensorflow's exporter writes it: see SPEC.md, section 11.

A layer is a convolution; a dense one has a kernel as large as its input. Nothing here knows a Network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FORMAT = "flat-weights"  # in the JSON file beside it
MASK_BITS = 128  # an xor mask is padded to whole ones of these
MOST_MISMATCHES = 65_535  # a threshold is a uint16


@dataclass(frozen=True)
class FlatLayer:
    """One layer of a file.

    Attributes:
        name: in messages.
        taps: height, width and channels of its kernel.
        outputs: how many.
        on_bits: it takes bits; else numbers.
        last: it gives scores; else bits.
    """

    name: str
    taps: tuple[int, int, int]
    outputs: int
    on_bits: bool
    last: bool

    @property
    def inputs(self) -> int:
        """Weights of one output."""
        height, width, channels = self.taps
        return height * width * channels

    @property
    def weight_bytes(self) -> int:
        return -(-self.inputs * self.outputs // 8)

    @property
    def parameter_bytes(self) -> int:
        """Thresholds, or factors and offsets."""
        return self.outputs * (2 if self.on_bits and not self.last else 8)

    @property
    def mask_bytes(self) -> int:
        """Of its xor mask, where it has one."""
        return -(-self.outputs // MASK_BITS) * MASK_BITS // 8

    def order(self) -> NDArray[np.int64]:
        """Places of the stream's weights in an array (height, width, channels, outputs), in the stream's order.

        Place after place of the kernel; there, groups of outputs, the last one smaller; in a group, blocks of inputs;
        for each block output after output, and of each the inputs of the block.
        """
        height, width, channels = self.taps
        group, block = (64, 8) if self.on_bits else (32, 2)
        if channels % block:
            block = 1
        places = np.arange(self.inputs * self.outputs).reshape(height * width, channels // block, block, self.outputs)
        whole = self.outputs // group * group
        parts = []
        for some, size in ((places[..., :whole], group), (places[..., whole:], self.outputs - whole)):
            if some.size:
                grouped = some.reshape(height * width, channels // block, block, -1, size)
                parts.append(grouped.transpose(0, 3, 1, 4, 2).reshape(height * width, -1))
        return np.concatenate(parts, axis=1).ravel()

    def unpack_weights(self, data: bytes) -> NDArray[np.bool_]:
        """The weights in a stream, (outputs, height, width, channels), True is +1."""
        negative = np.empty(self.inputs * self.outputs, bool)
        negative[self.order()] = np.unpackbits(np.frombuffer(data, np.uint8), count=negative.size).astype(bool)
        weights: NDArray[np.bool_] = ~negative.reshape(*self.taps, self.outputs).transpose(3, 0, 1, 2)
        return weights

    def pack_weights(self, weights: NDArray[np.bool_]) -> bytes:
        """The stream of weights, as `unpack_weights` gives them."""
        return np.packbits(~weights.transpose(1, 2, 3, 0).ravel()[self.order()]).tobytes()

    def unpack_mask(self, data: bytes) -> NDArray[np.bool_]:
        """Which outputs are negated, (outputs,)."""
        return np.unpackbits(np.frombuffer(data, np.uint8), count=self.outputs).astype(bool)

    def pack_mask(self, mask: NDArray[np.bool_]) -> bytes:
        """The mask of outputs, repeated to its end."""
        return np.packbits(np.resize(mask, self.mask_bytes * 8)).tobytes()


def masked_layers(layers: list[FlatLayer], spare: int) -> tuple[int, ...] | None:
    """Which layers have a mask where a file has ``spare`` bytes beyond weights and parameters; None where none fit.

    Raises ValueError where that cannot be told: masks of several layers would take as much.
    """
    found: dict[int, list[tuple[int, ...]]] = {0: [()]}  # two ways to every number of bytes are enough
    for index, layer in enumerate(layers):
        if layer.last:
            continue
        grown = {size: list(ways) for size, ways in found.items()}
        for size, ways in found.items():
            if size + layer.mask_bytes <= spare:
                known = grown.setdefault(size + layer.mask_bytes, [])
                known.extend((*way, index) for way in ways)
                del known[2:]
        found = grown
    ways = found.get(spare, [])
    if len(ways) > 1:
        raise ValueError("masks of several layers take as much")
    return ways[0] if ways else None
