"""The image of a network: what ``model.h`` of ``firmware/lib/ebnn`` opens at run time, section 12 of ``SPEC.md``.

It holds the constant arrays that a plan has, and a record for each layer that names its kernel. The order of kernels,
flags and fields belongs to the version.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..boards import Board, load_board
from ..errors import FileFormatError, NetworkError
from ..model.encoders import Affine, Thermometer
from ..model.kinds import INT8, KINDS, Shape
from ..model.layers import Pool, Windowed
from ..model.network import Network
from ..model.probabilities import Octaves, least_probability
from ..model.transforms import Requantize, Scores
from .class_names import class_texts
from .encoder import threshold_ranks
from .kernels.integer import IntegerKernel
from .options import Options
from .plan import Plan, Step, plan
from .readings import has_readings
from .target import AVR, WORDS, Target, target_of

MAGIC = b"EBNI"
VERSION = 1  # EBNN_MODEL_VERSION of model.h; a test compares them
MOST_TEXTS = 2**16 - 1  # bytes of title and names, and of all that stands before the layers
MOST_AVR = 32_767  # bytes of an image on AVR
_START = struct.Struct("<4sBBHLL")  # up to the checksum
_HEAD = struct.Struct("<8sLLHBBHHHHfLHBBBBHHBBHH")  # what follows it
HEAD_BYTES = _START.size + _HEAD.size
_RECORD = struct.Struct("<LBBH")

_KIND_NAMES = {kind.number: kind.name for kind in KINDS.values() if kind.input}
_RAW = ("float", "int16")
_ENCODERS = ("", Affine.name, Thermometer.name)
_TARGETS = {1: "AVR", 2: "32-bit cores"}

# Kernels by the functions that tell them apart; their number is the place in model_layer.h, from 1.
KERNEL_FUNCTIONS: tuple[tuple[str, ...], ...] = (
    ("ebnn_conv", "ebnn_compare_each"),
    ("ebnn_conv", "ebnn_compare_fours"),
    ("ebnn_conv", "ebnn_compare_sums"),
    ("ebnn_conv_columns",),
    ("ebnn_conv_table",),
    ("ebnn_conv_float",),
    ("ebnn_dense", "ebnn_compare_each"),
    ("ebnn_dense", "ebnn_compare_fours"),
    ("ebnn_dense", "ebnn_compare_sums"),
    ("ebnn_dense_float",),
    ("ebnn_output_bits",),
    ("ebnn_output_bits_4",),
    ("ebnn_output_bytes",),
    ("ebnn_integer", "ebnn_multiply"),
    ("ebnn_integer", "ebnn_depthwise"),
    ("ebnn_integer", "ebnn_depthwise_bits"),
    ("ebnn_integer", "ebnn_values"),
    ("ebnn_integer", "ebnn_add"),
)
_SAME = {"ebnn_multiply_signed": "ebnn_multiply", "ebnn_add_bits": "ebnn_add", "ebnn_add_bytes": "ebnn_add"}
KERNEL_NAMES = (
    *("conv each", "conv fours", "conv sums", "columns", "tables", "conv float"),
    *("dense each", "dense fours", "dense sums", "dense float", "output bits", "output fours", "output bytes"),
    *("multiply", "depthwise", "depthwise bits", "values", "add"),
)
_SLIDES, _POOLS, _ADDS, _FLIPS, _GIVES_INT8, _THRESHOLDS_32 = 1, 2, 4, 8, 64, 128
_END_SHIFT = 4
_SIGNS, _NARROW, _WIDE, _SCORES = range(4)
_FIRST_INTEGER, _VALUES = 14, 17
_END_BIT, _ENCODER_BIT = 20, 24


def image_bytes(
    network: Network,
    target: Target = WORDS,
    arithmetic: str = "integer",
    optimize: str = "balanced",
    title: str = "",
) -> bytes:
    """The image of ``network`` for a target, whole words.

    ``title`` is the network's name in it; ``arithmetic`` and ``optimize`` as for a header. Raises NetworkError where
    the network is too big for the target, its names are too long, or it lacks what the arithmetic needs.
    """
    planned = plan(network, Options.named(arithmetic, optimize), target)
    texts = _texts(network, title)
    front = _padded(_encoder_bytes(network)) + _padded(texts)
    first = HEAD_BYTES + len(front)
    if first > MOST_TEXTS:
        raise NetworkError(
            f"title, names and encoder take {first:,} B of an image, {MOST_TEXTS:,} fit: use shorter names"
        )
    body = _head(planned, texts) + front + b"".join(map(_layer_bytes, planned.steps))
    size = _START.size + len(body)
    if target.lanes == AVR.lanes and size > MOST_AVR:
        raise NetworkError(f"the image takes {size:,} B, {MOST_AVR:,} fit an AVR: use fewer filters")
    start = _START.pack(MAGIC, VERSION, target.lanes, first, size, binascii.crc32(body))
    return start + body


def image_target(board: str | Board | None) -> Target:
    """The target of a board's images; of none, 32-bit cores. Raises UnknownNameError."""
    board = load_board(board) if isinstance(board, str) else board
    return WORDS if board is None else target_of(board)


def needed_kernels(
    network: Network, target: Target = WORDS, arithmetic: str = "integer", optimize: str = "balanced"
) -> int:
    """What ``EBNN_MODEL_KERNELS`` must have for a network: a bit for each kernel, end and encoder."""
    mask = 0 if network.encoder is None else 1 << _ENCODER_BIT + _ENCODERS.index(network.encoder.name)
    for step in plan(network, Options.named(arithmetic, optimize), target).steps:
        number = _kernel_number(step)
        mask |= 1 << number
        if number >= _FIRST_INTEGER:
            mask |= 1 << _END_BIT + _end(step)
    return mask


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _texts(network: Network, title: str) -> bytes:
    """The title, and the names and "unknown", each ended by 0."""
    try:
        text = title.encode()
    except UnicodeEncodeError:
        raise NetworkError(
            "the title of an image is no UTF-8 text: give another one; a command takes the file's name, so rename the "
            "file"
        ) from None
    if b"\0" in text:
        raise NetworkError("the title of an image holds a character of code 0: leave it out")
    return text + b"\0" + b"".join(class_texts(network))


def _encoder_bytes(network: Network) -> bytes:
    """The constants of the encoder, as ``encoder.h`` takes them."""
    encoder = network.encoder
    if encoder is None:
        return b""
    if isinstance(encoder, Affine):
        return np.stack([encoder.offset, encoder.scale], axis=1).astype("<f4").tobytes()
    if isinstance(encoder, Thermometer):
        return threshold_ranks(encoder).astype("<i4").tobytes()
    raise NetworkError(f"the encoder {encoder.name!r} has no place in an image: use {' or '.join(_ENCODERS[1:])}")


def _head(planned: Plan, texts: bytes) -> bytes:
    """The head of an image behind its checksum."""
    network = planned.network
    shape, encoder, rejection = network.input.shape, network.encoder, network.meta.rejection
    octaves = Octaves.of_scale(network.scale)
    levels = encoder.levels if isinstance(encoder, Thermometer) else 0
    return _HEAD.pack(
        bytes.fromhex(network.hash[:16]),
        planned.arena_bytes,
        network.input.bytes,
        network.classes,
        len(network.layers),
        network.input.values.number,
        *(shape.channels, shape.height, shape.width),
        0 if rejection is None else least_probability(rejection),
        network.scale,
        *(octaves.most, octaves.multiplier, octaves.down, octaves.shift),
        0 if encoder is None else _ENCODERS.index(encoder.name),
        0 if encoder is None else _RAW.index(encoder.raw),
        levels,
        len(texts),
        int(bool(network.meta.class_names)),
        int(bool(network.meta.bit_outputs)),
        network.meta.step_of(network.raw_shape.width) if has_readings(network) else 0,
        0,
    )


def _kernel_number(step: Step) -> int:
    kernel = step.kernel
    name: tuple[str, ...] = (kernel.function,)
    if isinstance(kernel, IntegerKernel):
        name = kernel.function, _SAME.get(kernel.given[1], kernel.given[1])
    elif kernel.given:
        name = kernel.function, kernel.given[-1]
    if name not in KERNEL_FUNCTIONS:
        raise NetworkError(f"{step.layer.name} is run by {name[-1]}, which images have no number for: export a header")
    return KERNEL_FUNCTIONS.index(name) + 1


def _end(step: Step) -> int:
    """How a layer ends, as a record says it."""
    end = step.layer.transform
    if isinstance(end, Scores):
        return _SCORES
    if isinstance(end, Requantize):
        return _NARROW if end.narrow else _WIDE
    return _SIGNS


def _layer_bytes(step: Step) -> bytes:
    """The record of a layer and its arrays."""
    layer, constants = step.layer, step.constants
    end, pool = layer.transform, layer.pool
    flags = _end(step) << _END_SHIFT | (_FLIPS if "flips" in constants else 0)
    record = b""
    if isinstance(layer.linear, Windowed):
        flags |= _SLIDES
        record += struct.pack("<6H", *layer.linear.kernel, *layer.linear.stride, *layer.linear.pad)
    if pool is not None:
        flags |= _POOLS | (_ADDS if pool.sums else 0)
        record += _pool_bytes(pool)
    if isinstance(end, Requantize):
        flags |= _GIVES_INT8 if end.output_kind is INT8 else 0
        record += struct.pack("<2h", *map(int, end.range))
    if "thresholds" in constants and constants["thresholds"].values.itemsize == 4:
        flags |= _THRESHOLDS_32
    for array in constants.values():
        values = np.ascontiguousarray(array.values)
        record += _padded(values.astype(values.dtype.newbyteorder("<")).tobytes())
    return _RECORD.pack(_RECORD.size + len(record), _kernel_number(step), flags, layer.outputs) + record


def _pool_bytes(pool: Pool) -> bytes:
    return struct.pack("<6H", *pool.size, *pool.stride, *pool.pad)


@dataclass(frozen=True)
class ImageLayer:
    """A layer of an image: its kernel, the shapes of its input and output, and bytes of record and arrays."""

    kernel: str
    input: Shape
    output: Shape
    bytes: int


@dataclass(frozen=True)
class Image:
    """What an image says of itself.

    Attributes:
        target: what it is for: "AVR" or "32-bit cores".
        bytes: of all.
        hash: the first 16 hexadecimal digits of the network's.
        arena_bytes, input_bytes: of RAM.
        kind, shape: of the input.
        classes: how many, or how many bits where ``bit_outputs``.
        bit_outputs: whether the outputs are bits.
        class_names: none, or one for each class.
        title: the network's name.
        encoder: its name, "" without one.
        raw: the type of raw values, "" without an encoder.
        rejection: what is less probable is unknown; None where nothing is.
        scale: what makes a score a logit.
        step: readings from one window to the next; None where samples are no series.
        layers: in order.
        kernels: what ``EBNN_MODEL_KERNELS`` must have.
    """

    target: str
    bytes: int
    hash: str
    arena_bytes: int
    input_bytes: int
    kind: str
    shape: Shape
    classes: int
    bit_outputs: bool
    class_names: tuple[str, ...]
    title: str
    encoder: str
    raw: str
    rejection: float | None
    scale: float
    step: int | None
    layers: tuple[ImageLayer, ...]
    kernels: int


def is_image(data: bytes) -> bool:
    """Whether bytes begin as an image does."""
    return data[:4] == MAGIC


def is_image_file(path: Path) -> bool:
    """Whether a file begins as an image does; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return is_image(file.read(len(MAGIC)))
    except OSError:
        return False


def read_image(data: bytes) -> Image:
    """What an image says of itself. Raises FileFormatError where it is damaged, or of another version."""
    if not is_image(data):
        raise FileFormatError("is no image of a network")
    if len(data) < HEAD_BYTES:
        raise FileFormatError(f"is an image cut off: it has {len(data)} B, its head alone {HEAD_BYTES}")
    _, version, lanes, first, size, checksum = _START.unpack_from(data)
    if version != VERSION:
        raise FileFormatError(f"is an image of version {version}, this ebnn reads version {VERSION}: export it again")
    if not HEAD_BYTES <= size <= len(data):
        raise FileFormatError(f"is an image cut off: it has {len(data):,} B of {size:,}")
    data = data[:size]
    if binascii.crc32(data[_START.size :]) != checksum:
        raise FileFormatError("is a damaged image: its checksum is wrong")
    try:
        return _read(data, lanes, first)
    except (struct.error, ValueError, IndexError, ZeroDivisionError, KeyError):
        raise FileFormatError("is a damaged image: its numbers do not fit each other") from None


def _read(data: bytes, lanes: int, first: int) -> Image:
    (digits, arena, input_bytes, classes, layers, kind, channels, height, width, rejection, scale, *rest) = (
        _HEAD.unpack_from(data, _START.size)
    )
    encoder, raw, _, text_bytes, named, bits, step, _ = rest[4:]
    texts = data[first - len(_padded(bytes(text_bytes))) :][:text_bytes].decode().split("\0")
    shape, at, rows, kernels = Shape(channels, height, width), first, [], 0
    if encoder:
        kernels |= 1 << _ENCODER_BIT + encoder
    for _ in range(layers):
        size, number, flags, outputs = _RECORD.unpack_from(data, at)
        if number == 0:
            raise ValueError(number)
        output = _output_shape(data, at + _RECORD.size, number, flags, outputs, shape)
        rows.append(ImageLayer(KERNEL_NAMES[number - 1], shape, output, size))
        kernels |= 1 << number
        if number >= _FIRST_INTEGER:
            kernels |= 1 << _END_BIT + (flags >> _END_SHIFT & 3)
        shape, at = output, at + size
    if at != len(data):
        raise ValueError(at)
    return Image(
        target=_TARGETS[lanes],
        bytes=len(data),
        hash=digits.hex(),
        arena_bytes=arena,
        input_bytes=input_bytes,
        kind=_KIND_NAMES[kind],
        shape=Shape(channels, height, width),
        classes=classes,
        bit_outputs=bool(bits),
        class_names=tuple(texts[1 : 1 + classes]) if named else (),
        title=texts[0],
        encoder=_ENCODERS[encoder],
        raw=_RAW[raw] if encoder else "",
        rejection=rejection / 65_535 if rejection else None,
        scale=scale,
        step=step or None,
        layers=tuple(rows),
        kernels=kernels,
    )


def _output_shape(data: bytes, at: int, number: int, flags: int, outputs: int, shape: Shape) -> Shape:
    """The shape that a layer gives, from the windows at ``at``."""
    sides = (shape.height, shape.width) if number == _VALUES else (1, 1)
    for flag in (_SLIDES, _POOLS):
        if flags & flag:
            if flag == _SLIDES:
                sides = shape.height, shape.width
            window = struct.unpack_from("<6H", data, at)
            at += 12
            size, stride, pad = window[:2], window[2:4], window[4:]
            counts = [(sides[i] + 2 * pad[i] - size[i]) // stride[i] + 1 for i in (0, 1)]
            sides = counts[0], counts[1]
    return Shape(outputs, *sides)
