"""Network: a trained binarized network as a frozen value of small integers and packed bits.

Nothing here knows Chainer or C; ``SPEC.md`` holds the arithmetic, ``blocks.py`` the parts.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import bits
from .blocks import (
    Block,
    Conv,
    Input,
    InputKind,
    Normalization,
    Scores,
    Shape,
    activation_bytes,
    block_threshold_bytes,
    check_shape,
    largest_value,
)
from .errors import InputError, NetworkError
from .kernels import scratch_bytes
from .memory import MemoryPlan, plan_memory
from .samples import as_images

if TYPE_CHECKING:
    from os import PathLike

MAX_ROW_BITS = 65_535  # a bit's place in a row or a patch is a uint16_t
MAX_EXACT_SUM = 2**24  # float32 holds every integer up to here: beyond it the trainer's own sums would round
MAX_FLOAT = 2.0**100  # of a float sample: sums of up to 2**27 of them stay finite, so no maximum meets a NaN
MIN_CLASSES = 2  # the class is the largest score: of one score it would always be 0
MAX_CLASSES = 255  # a class index is a uint8_t on the device
MAX_LAYERS = 255  # so is a layer's
MAX_CONSTANT_BYTES = 8 * 2**20  # twice the flash of the largest board; bounds what a file can ask for
_VALUE_RANGE: dict[InputKind, tuple[int, int]] = {"bits": (0, 1), "uint8": (0, 255), "int8": (-128, 127)}


@dataclass(frozen=True, eq=False)
class Network:
    """A binarized network: ``input``, the ``blocks`` in order, and the last layer, ``output``. Compared by hash."""

    input: Input
    blocks: tuple[Block, ...]
    output: Scores

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))
        self._check()

    # Shapes and sizes

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Shape of the input, then of each block's output."""
        shapes = [self.input.shape]
        for i, block in enumerate(self.blocks):
            try:
                shapes.append(block.output_shape(shapes[-1]))
            except NetworkError as error:
                raise NetworkError(f"{self.block_name(i)}: {error}") from None
        return tuple(shapes)

    @property
    def kinds(self) -> tuple[InputKind, ...]:
        """Kind of the input, then of each block's output."""
        hidden: list[InputKind] = ["bits"] * len(self.blocks)
        return (self.input.kind, *hidden)

    @property
    def classes(self) -> int:
        return len(self.output.offset)

    def block_name(self, index: int) -> str:
        """The name of block ``index`` in messages, tables and the emitted C: conv1, dense2, …"""
        return f"{self.blocks[index].kind}{index + 1}"

    @property
    def layer_weights(self) -> tuple[NDArray[np.bool_], ...]:
        """Weights of every block, then of the last layer, each (output, height, width, input)."""
        return (*[block.linear.weights for block in self.blocks], self.output.weights)

    @property
    def layer_weight_bytes(self) -> tuple[int, ...]:
        """Bytes of the packed weights of every block, then of the last layer."""
        return tuple(
            self.filter_bits(i, weights[0].shape) * len(weights) // 8 for i, weights in enumerate(self.layer_weights)
        )

    def filter_bits(self, layer: int, shape: tuple[int, ...]) -> int:
        """Bits of one filter of (height, width, input) ``shape`` in memory, a multiple of 32."""
        return bits.round_to_words(bits.row_bytes(self.filter_stream_bits(layer, shape))) * 8

    def filter_stream_bits(self, layer: int, shape: tuple[int, ...]) -> int:
        """The same up to the last bit of its input, row padding included."""
        height, width, channels = shape
        if not self.is_conv(layer) and self.kinds[layer] == "bits":
            return height * bits.row_bytes(width * channels) * 8
        return height * width * channels

    def is_conv(self, layer: int) -> bool:
        return layer < len(self.blocks) and isinstance(self.blocks[layer].linear, Conv)

    @property
    def weight_bytes(self) -> int:
        """Bytes of all packed weights in flash."""
        return sum(self.layer_weight_bytes)

    @property
    def layer_threshold_bytes(self) -> tuple[int, ...]:
        """Bytes of each block's thresholds; of a block on float input, its normalisation's."""
        return tuple(block_threshold_bytes(block) for block in self.blocks)

    @property
    def threshold_bytes(self) -> int:
        """Bytes of all thresholds in flash, in the integer arithmetic."""
        return sum(self.layer_threshold_bytes)

    @property
    def score_bytes(self) -> int:
        """Bytes of the last layer's multipliers and offsets in flash."""
        return self.classes * (2 + 4)

    @cached_property
    def memory_plan(self) -> MemoryPlan:
        """Where each activation lies in the arena."""
        return self._memory_plan(avr=False)

    @cached_property
    def avr_memory_plan(self) -> MemoryPlan:
        """The same on AVR, whose kernels take less scratch."""
        return self._memory_plan(avr=True)

    def _memory_plan(self, avr: bool) -> MemoryPlan:
        sizes = [activation_bytes(kind, shape) for kind, shape in zip(self.kinds, self.shapes, strict=True)]
        layers = zip(self.blocks, self.kinds, self.shapes, strict=False)
        return plan_memory(sizes, [scratch_bytes(*layer, avr=avr) for layer in layers])

    @property
    def arena_bytes(self) -> int:
        """Bytes of RAM for the input, the activations and what the kernels need beside them."""
        return self.memory_plan.arena_bytes

    @property
    def avr_arena_bytes(self) -> int:
        """The same on AVR."""
        return self.avr_memory_plan.arena_bytes

    @property
    def layer_macs(self) -> tuple[int, ...]:
        """Multiply-accumulates of every block (over its whole map, before pooling), then of the last layer."""
        positions = [block.map_shape(shape)[1:] for block, shape in zip(self.blocks, self.shapes, strict=False)]
        return tuple(
            weights.size * height * width
            for weights, (height, width) in zip(self.layer_weights, [*positions, (1, 1)], strict=True)
        )

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one prediction."""
        return sum(self.layer_macs)

    # Identity

    def describe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The network as plain JSON values and named arrays, its whole content; weights as packed bits."""
        arrays: dict[str, NDArray[Any]] = {}
        blocks = []
        for i, block in enumerate(self.blocks):
            entry: dict[str, Any] = {"linear": block.kind, "weights": list(block.linear.weights.shape)}
            arrays[f"block{i}.weights"] = bits.pack(block.linear.weights.ravel())
            if isinstance(block.linear, Conv):
                entry |= {"stride": list(block.linear.stride), "pad": list(block.linear.pad)}
            pool = block.pool
            entry["pool"] = pool and {"size": list(pool.size), "stride": list(pool.stride), "pad": list(pool.pad)}
            if block.threshold is not None:
                arrays[f"block{i}.threshold"] = block.threshold.value
                arrays[f"block{i}.below"] = bits.pack(block.threshold.below)
            if block.normalization is not None:
                for name in Normalization.FIELDS:
                    arrays[f"block{i}.{name}"] = getattr(block.normalization, name)
            blocks.append(entry)
        arrays["output.weights"] = bits.pack(self.output.weights.ravel())
        arrays["output.multiplier"] = self.output.multiplier
        arrays["output.offset"] = self.output.offset
        description = {
            "input": {"kind": self.input.kind, "shape": list(self.input.shape)},
            "blocks": blocks,
            "output": {"weights": list(self.output.weights.shape), "scale": self.output.scale},
        }
        return description, arrays

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the content, 64 hexadecimal digits: the same network has the same hash everywhere."""
        description, arrays = self.describe()
        digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
        for name in sorted(arrays):
            array = arrays[name]
            digest.update(f"\n{name} {array.dtype.newbyteorder('<').str} {array.shape}\n".encode())
            digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()

    @property
    def hash32(self) -> int:
        """The first 32 bits of the hash: what a board answers in the handshake."""
        return int(self.hash[:8], 16)

    def __eq__(self, other: object) -> bool:
        return self.hash == other.hash if isinstance(other, Network) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"<Network {self.input.kind} {self.input.shape} → {self.classes} classes, hash {self.hash[:8]}>"

    # Samples

    def check_samples(self, x: ArrayLike) -> NDArray[Any]:
        """``x`` as (n, channels, height, width) of the input's type: bool, uint8, int8 or float32.

        ``x`` may be (n, height, width) where there is one channel, and (n, values) where samples are vectors: see
        :mod:`ebnn.samples`. Raises InputError where axes, type or range differ.
        """
        kind = self.input.kind
        array = as_images(x, self.input.shape)
        if kind == "float":
            if array.dtype.kind not in "fiub":
                raise InputError(f"samples of type {array.dtype} do not fit: this network takes float32")
            # Written so that NaN fails too.
            if not np.all(np.abs(array.astype(np.float64, copy=False)) <= MAX_FLOAT):
                raise InputError(
                    f"a sample holds a value that is not finite or over {MAX_FLOAT:.3g}: this network takes finite "
                    "float32 values whose sums cannot overflow"
                )
            return array.astype(np.float32, copy=False)
        if array.dtype.kind not in "iub":
            raise InputError(f"samples of type {array.dtype} do not fit: this network takes {kind}, as whole numbers")
        low, high = _VALUE_RANGE[kind]
        if array.size and (array.min() < low or array.max() > high):
            raise InputError(
                f"samples from {array.min()} to {array.max()} do not fit: this network takes {kind}, {low} to {high}"
            )
        return array.astype(bool if kind == "bits" else kind)

    def pack_input(self, x: ArrayLike) -> NDArray[np.uint8]:
        """``x`` as the device takes it: (n, input bytes) uint8. ``x`` as in :meth:`predict`."""
        array = self.check_samples(x)
        n, channels, height, width = array.shape
        if self.input.kind == "float":
            return np.ascontiguousarray(array, dtype="<f4").reshape(n, channels * height * width).view(np.uint8)
        rows = array.transpose(0, 2, 3, 1).reshape(n, height, width * channels)
        if self.input.kind == "bits":
            rows = bits.pack(rows)
        return np.ascontiguousarray(rows).reshape(n, self.input.bytes).view(np.uint8)

    def predict(self, x: ArrayLike) -> NDArray[np.int64]:
        """Classes of the samples, (n,) int64.

        ``x`` (n, channels, height, width), or as :meth:`check_samples` takes it, in the input's type, bits as 0 and 1.
        Raises InputError where it does not fit.
        """
        classes: NDArray[np.int64] = np.argmax(self.scores(x), axis=1)
        return classes

    def scores(self, x: ArrayLike) -> NDArray[np.int32]:
        """Integer scores of the samples, (n, classes) int32; ``x`` as in :meth:`predict`."""
        from .reference import scores  # the interpreter knows Network, so it is imported late

        return scores(self, x)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes a ``.ebnn`` file."""
        from .files import save  # likewise

        save(self, path)

    # Validation

    def _check(self) -> None:
        if len(self.blocks) >= MAX_LAYERS:
            raise NetworkError(f"the network has {len(self.blocks) + 1} layers, {MAX_LAYERS} fit: use fewer blocks")
        constants = self.weight_bytes + sum(_constant_bytes(block) for block in self.blocks)
        if constants > MAX_CONSTANT_BYTES:
            raise NetworkError(
                f"the network has {constants:,} B of constants, {MAX_CONSTANT_BYTES:,} fit: use fewer filters or a "
                "pool before a dense layer"
            )
        for i, (shape, kind) in enumerate(zip(self.shapes, self.kinds, strict=True)):
            name = self.block_name(i) if i < len(self.blocks) else "the last layer"
            weights = self.layer_weights[i]
            check_shape(f"the input of {name}", shape)
            if kind == "bits" and shape.width * shape.channels > MAX_ROW_BITS:
                row = shape.width * shape.channels
                raise NetworkError(f"a row of {name}'s input has {row} bits, {MAX_ROW_BITS} fit")
            if self.is_conv(i):
                if weights.shape[3] != shape.channels:
                    raise NetworkError(f"{name} takes {weights.shape[3]} channels, its input has {shape.channels}")
                if weights[0].size > MAX_ROW_BITS:
                    raise NetworkError(f"a filter of {name} has {weights[0].size} taps, {MAX_ROW_BITS} fit")
            elif weights.shape[1:] != (shape.height, shape.width, shape.channels):
                raise NetworkError(
                    f"{name} takes {weights.shape[1:]} values (height, width, channels), its input is {shape}"
                )
            largest = 0 if kind == "float" else weights[0].size * largest_value(kind)
            if largest > MAX_EXACT_SUM:
                raise NetworkError(
                    f"a sum of {name} can reach {largest:,}, the trainer's float32 is exact to {MAX_EXACT_SUM:,}: "
                    "use fewer inputs"
                )
            if i < len(self.blocks):
                self._check_block(name, kind, self.blocks[i])
        self._check_output()

    def _check_block(self, name: str, kind: InputKind, block: Block) -> None:
        if kind == "float" and block.normalization is None:
            raise NetworkError(f"{name} takes float input and needs its normalisation")
        if kind == "float" and block.threshold is not None:
            raise NetworkError(f"{name} takes float input and cannot have integer thresholds")
        if kind != "float" and block.threshold is None:
            raise NetworkError(f"{name} needs its thresholds")
        if block.threshold is not None:
            limit = block.linear.weights[0].size * largest_value(kind) + 1
            value = np.abs(block.threshold.value.astype(np.int64)).max()
            if value > limit:
                raise NetworkError(f"{name} has a threshold of {value:,}, its sums end at {limit - 1:,}")

    def _check_output(self) -> None:
        if self.classes < MIN_CLASSES:
            raise NetworkError(
                "the last layer has a single output, and the largest of one score is always class 0: give it two "
                "outputs, one for each class, and train them with the softmax cross entropy"
            )
        if self.classes > MAX_CLASSES:
            raise NetworkError(f"the network has {self.classes} classes, {MIN_CLASSES} to {MAX_CLASSES} fit")
        if self.kinds[-1] == "float":
            raise NetworkError(
                "the last layer takes float input, but scores are integers: put a block that ends in a sign before it, "
                "or use uint8 input"
            )
        largest = self.output.weights[0].size * largest_value(self.kinds[-1])
        reach = np.abs(self.output.multiplier.astype(np.int64)) * largest + np.abs(self.output.offset.astype(np.int64))
        if reach.max() >= 2**31:
            raise NetworkError(f"a score can reach {reach.max():,}, an int32 ends at {2**31 - 1:,}")


def _constant_bytes(block: Block) -> int:
    """Bytes of all thresholds, directions and normalisations of a block, one arithmetic beside the other."""
    threshold, normalization = block.threshold is not None, block.normalization is not None
    return block.outputs * (5 * threshold + 4 * len(Normalization.FIELDS) * normalization)
