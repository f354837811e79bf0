"""A flat file of weights of binarynet-tensorflow → Network: see SPEC.md, section 11.

A file has no header: an architecture says what is in it, given as a text or in a JSON file beside it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError, LoweringError, NetworkError
from ..model.kinds import Input, InputKind, Shape
from ..model.layers import Block, Conv, Dense, Layer, Pool
from ..model.network import MIN_CLASSES, Network
from ..model.thresholds import find_threshold
from ..model.transforms import Scores, Sign
from ..training.architectures import ConvSpec, DenseSpec, Numbers, OutputSpec, read_architecture
from .class_order import MOST_SUMS, find_class_order
from .flat_layout import FORMAT, MOST_MISMATCHES, FlatLayer, masked_layers
from .imported import Imported

_MAX_FILE = 2**28
_MAX_JSON = 2**20
_SIDE = {"format", "architecture", "shape", "input", "classes", "xor"}


@dataclass(frozen=True)
class _Side:
    """What a file does not say itself; ``xor`` is None where its length must tell."""

    architecture: str
    input: Input
    classes: int
    xor: tuple[int, ...] | None = None


@dataclass(frozen=True)
class _Part:
    """A layer of the file, and where it stands in the network."""

    layer: FlatLayer
    stride: tuple[int, int] | None
    pad: tuple[int, int]
    pool: Pool | None

    def linear(self, weights: NDArray[np.bool_]) -> Conv | Dense:
        return Dense(weights) if self.stride is None else Conv(weights, self.stride, self.pad)


def import_flat_file(
    path: str | PathLike[str],
    *,
    architecture: str | PathLike[str] | None = None,
    shape: Sequence[int] | None = None,
    input_kind: InputKind | None = None,
    outputs: int | None = None,
    nearest: bool = False,
) -> Imported:
    """The Network of a flat file: it decides as the exporter's C does.

    Args:
        path: of the file.
        architecture: its text (see :data:`ebnn.training.GRAMMAR`), or the path of a JSON file (``.json``) that has it
            and all that follows.
        shape: of one sample, (channels, height, width).
        input_kind: "uint8" or "int8", numbers as they are, or "bits"; "uint8" by default.
        outputs: of the last layer, one a class.
        nearest: takes the nearest scores where no integers put all classes in the file's order.

    Raises FileFormatError where the file or the JSON is wrong, LoweringError where there is no such Network.
    """
    path = Path(path)
    side = _side(path, architecture, shape, input_kind, outputs)
    parts = _parts(path, side)
    data = _read(path)
    masked = _masked(path, side, [part.layer for part in parts], len(data))
    reader = _Reader(path, nearest)
    source, placed, at = side.input, list[Layer](), 0

    def take(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    try:
        for index, part in enumerate(parts):
            layer = part.layer
            weights, parameters = layer.unpack_weights(take(layer.weight_bytes)), take(layer.parameter_bytes)
            flipped = np.zeros(layer.outputs, bool)
            if index in masked:
                flipped = layer.unpack_mask(take(layer.mask_bytes))
            if not layer.last:
                placed.append(reader.block(part, source, weights, parameters, flipped).at(index, source))
                source = placed[-1].output
        return Imported(Network(side.input, [*placed, reader.scores(part, weights, parameters)]), tuple(reader.notes))
    except NetworkError as error:
        raise LoweringError(f"{path}: {error}") from None


# What lies beside the file


def _side(
    path: Path,
    architecture: str | PathLike[str] | None,
    shape: Sequence[int] | None,
    kind: InputKind | None,
    outputs: int | None,
) -> _Side:
    if architecture is None:
        raise FileFormatError(
            f"{path}: a flat file does not say what is in it: give its --architecture, or the JSON file beside it"
        )
    if str(architecture).endswith(".json"):
        return _read_side(Path(architecture), shape, kind, outputs)
    if shape is None or outputs is None:
        raise FileFormatError(f"{path}: a flat file does not say its samples and classes: give --shape and --outputs")
    if outputs < MIN_CLASSES:
        raise FileFormatError(f"{path}: has {outputs} outputs, {MIN_CLASSES} are the least")
    try:
        return _Side(str(architecture), Input(kind or "uint8", Shape(*shape)), outputs)
    except NetworkError as error:
        raise FileFormatError(f"{path}: {error}") from None


def _read_side(path: Path, shape: Sequence[int] | None, kind: InputKind | None, outputs: int | None) -> _Side:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MAX_JSON))
        if not isinstance(found, dict) or set(found) - _SIDE or found.get("format") != FORMAT:
            raise ValueError(f'it must be an object of "format": "{FORMAT}" and {", ".join(sorted(_SIDE))}')
        text, xor = found["architecture"], found["xor"]
        if not isinstance(found["shape"], list) or len(found["shape"]) != 3:
            raise ValueError("shape is a list of 3 numbers, [CHANNELS, HEIGHT, WIDTH]")
        numbers = [*found["shape"], found["classes"], *xor]
        if not isinstance(text, str) or not all(type(each) is int and each >= 0 for each in numbers):
            raise ValueError("architecture is a text; shape, classes and xor are whole numbers")
        if found["classes"] < MIN_CLASSES:
            raise ValueError(f"classes is {found['classes']}, {MIN_CLASSES} are the least")
        source = Input(found["input"], Shape(*found["shape"]))
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise FileFormatError(f"{path}: says nothing of a flat file: {what}") from None
    given = (("--shape", shape, source.shape), ("--input", kind, source.kind), ("--outputs", outputs, found["classes"]))
    for option, asked, told in given:
        if asked is not None and (tuple(asked) if option == "--shape" else asked) != told:  # type: ignore[arg-type]
            raise FileFormatError(f"{path}: says {told}, {option} is another: leave {option} out")
    return _Side(text, source, found["classes"], tuple(xor))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(data) > _MAX_FILE:
        raise FileFormatError(f"{path}: is over {_MAX_FILE:,} B, no network of ours")
    return data


def _masked(path: Path, side: _Side, layers: list[FlatLayer], length: int) -> tuple[int, ...]:
    """The layers that have a mask; the file must be as long as that makes it."""
    bare = sum(layer.weight_bytes + layer.parameter_bytes for layer in layers)
    wanted = f"{bare:,} B and {' or '.join(sorted({f'{each.mask_bytes}' for each in layers}))} B for each mask"
    if side.xor is not None:
        if any(index >= len(layers) - 1 for index in side.xor) or len(set(side.xor)) < len(side.xor):
            raise FileFormatError(
                f"{path}: xor names layers {list(side.xor)}, there are {len(layers) - 1} before the last"
            )
        if length != bare + sum(layers[index].mask_bytes for index in side.xor):
            raise FileFormatError(f"{path}: has {length:,} B, its architecture takes {wanted}")
        return side.xor
    try:
        masked = masked_layers(layers, length - bare)
    except ValueError as error:
        raise FileFormatError(
            f"{path}: its length does not tell which layers have an xor mask, {error}: give a JSON file with xor"
        ) from None
    if masked is None:
        raise FileFormatError(f"{path}: has {length:,} B, its architecture takes {wanted}")
    return masked


def _parts(path: Path, side: _Side) -> list[_Part]:
    """The layers of an architecture, the last one too, with the shapes they get."""

    def refuse(what: str) -> NoReturn:
        raise LoweringError(f"{path}: {what}")

    try:
        specs = list(read_architecture(side.architecture)) if side.architecture else []
        if not specs or not isinstance(specs[-1], OutputSpec):
            specs.append(OutputSpec(Numbers(activations=0)))
        parts, shape = list[_Part](), side.input.shape
        for index, spec in enumerate(specs):
            if not isinstance(spec, ConvSpec | DenseSpec | OutputSpec) or getattr(spec, "depthwise", False):
                refuse("a flat file has convolutions with max-pools and dense layers: no other pool, none depthwise")
            last = isinstance(spec, OutputSpec)
            if spec.numbers.weights != 1 or (spec.numbers.activations != 1 and not last):
                refuse(
                    "of a flat file only layers with weights of ±1 that end in signs are read: its float and int8 "
                    "layers take numbers that are scaled by every sample, and have no exact Network"
                )
            if isinstance(spec, OutputSpec) and (spec.pooled or spec.padding != (0, 0)):
                refuse("the last layer of a flat file has neither padding nor a mean over its map")
            outputs = side.classes if last else spec.filters if isinstance(spec, ConvSpec) else spec.outputs  # type: ignore[union-attr]
            kernel = getattr(spec, "kernel", None)
            sides = (shape.height, shape.width) if kernel is None else kernel
            called = "output" if last else f"{'dense' if kernel is None else 'conv'}{index + 1}"
            on_bits = index > 0 or side.input.kind == "bits"
            flat = FlatLayer(called, (*sides, shape.channels), outputs, on_bits, last)
            stride, pad = (None, (0, 0)) if kernel is None else (spec.stride, spec.padding)  # type: ignore[union-attr]
            pooled = spec.pool if isinstance(spec, ConvSpec) else None
            pool = None if pooled is None else Pool(pooled.window, pooled.stride, pooled.padding)
            parts.append(_Part(flat, stride, pad, pool))
            if flat.inputs > MOST_MISMATCHES:
                refuse(f"{called} has {flat.inputs:,} weights an output, {MOST_MISMATCHES:,} fit")
            if kernel is not None:
                empty = Conv(np.zeros((outputs, *sides, 1), bool), stride or (1, 1), pad)
                shape = empty.map_shape(shape) if pool is None else pool.shape(empty.map_shape(shape))
            else:
                shape = Shape(outputs, 1, 1)
    except (NetworkError, ValueError) as error:
        if isinstance(error, LoweringError):
            raise
        raise LoweringError(f"{path}: architecture {side.architecture!r}: {error}") from None
    return parts


class _Reader:
    """Makes blocks of weights and parameters, and keeps notes."""

    def __init__(self, path: Path, nearest: bool) -> None:
        self.path = path
        self.nearest = nearest
        self.notes: list[str] = []

    def block(
        self,
        part: _Part,
        source: Input,
        weights: NDArray[np.bool_],
        parameters: bytes,
        flipped: NDArray[np.bool_],
    ) -> Block:
        """A hidden layer: what its outputs are, then negated where ``flipped``."""
        layer = part.layer
        if layer.on_bits:
            mismatches = np.frombuffer(parameters, "<u2").astype(np.int64)
            value = layer.inputs - 2 * mismatches - flipped
            ends = np.clip(value, -layer.inputs - 1, layer.inputs + 1)
            return Block(part.linear(weights), part.pool, Sign(ends.astype(np.int32), flipped))
        factor, offset = self._floats(layer, parameters)
        if part.pool is not None:  # a window's bit is set where that of one of its places is: at the largest sum
            turned = factor < 0
            weights, factor = weights ^ turned[:, None, None, None], np.abs(factor)

        def sign(acc: NDArray[np.float32]) -> NDArray[np.bool_]:
            with np.errstate(over="ignore", invalid="ignore"):
                bits: NDArray[np.bool_] = (acc * factor + offset >= 0) != flipped
            return bits

        reach = layer.inputs * (source.values.largest or 1)
        return Block(part.linear(weights), part.pool, find_threshold(sign, reach, layer.outputs))

    def scores(self, part: _Part, weights: NDArray[np.bool_], parameters: bytes) -> Block:
        """The last layer."""
        layer = part.layer
        if not layer.on_bits:
            raise LoweringError(f"{self.path}: its only layer takes numbers: one that ends in signs must come first")
        factor, offset = self._floats(layer, parameters)
        if not np.isfinite(offset).all():
            raise FileFormatError(f"{self.path}: {layer.name} has an offset that is not finite: it is another file's")
        pairs = layer.outputs * (layer.outputs - 1) // 2 * (layer.inputs + 1)
        if pairs > MOST_SUMS:
            raise LoweringError(
                f"{self.path}: its classes have {pairs:,} sums to be put in order, {MOST_SUMS:,} are possible"
            )
        sums = np.arange(-layer.inputs, layer.inputs + 1, 2, dtype=np.float32)
        table = factor[:, None] * sums + offset[:, None]
        gain, shift = factor.astype(np.float64), offset.astype(np.float64)
        order = find_class_order(table, gain, shift, weights.reshape(len(weights), -1))
        if order.turned:
            what = (
                f"{layer.name}: of {order.pairs:,} pairs of sums that two classes can have, integer scores decide "
                f"{order.turned:,} for the other class than the file's floats do"
            )
            if not self.nearest:
                raise LoweringError(f"{self.path}: {what}: take the nearest network (--nearest)")
            self.notes.append(f"{what}; this is the nearest network")
        return Block(part.linear(weights), None, Scores(order.multiplier, order.offset, order.scale))

    def _floats(self, layer: FlatLayer, parameters: bytes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Factors and offsets."""
        factor, offset = np.frombuffer(parameters, "<f4").astype(np.float32).reshape(2, -1)
        if not np.isfinite(factor).all() or np.isnan(offset).any():
            raise FileFormatError(f"{self.path}: {layer.name} has a factor that is not finite: it is another file's")
        return factor, offset
