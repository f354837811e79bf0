"""A header of the original eBNN → Network, with the predictions of eBNN's own C.

eBNN's memory is in the order filter, row, column, most significant bit first. Its w and h are a sample's rows and
columns; its own C reads samples rightly only where they are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError, LoweringError, NetworkError
from ..model.kinds import MAX_FLOAT, UINT8, Input, InputKind, Shape
from ..model.layers import Block, Conv, Dense, Pool
from ..model.layers import Layer as PlacedLayer
from ..model.meta import Meta
from ..model.network import Network
from ..model.thresholds import sign_of
from ..model.transforms import Scores, Sign
from .batch_norm import Cuts, as_normalize, find_cuts
from .class_order import MOST_SUMS, find_class_order
from .ebnn_parser import Header, Layer, read_header
from .float_sums import MAX_PIXEL, near_whole
from .imported import BIT_OUTPUTS, Imported

_DENSE_BITS = ("blinear_layer", "fused_float_linear_layer")
_MAX_CLASSES = 255  # eBNN's C counts them in a uint8_t
_ROOM_FOR_TAPS = 96  # eBNN's own C copies one channel under a binary kernel into so many bits


def import_ebnn_header(
    path: str | PathLike[str],
    *,
    input_kind: InputKind | None = None,
    shape: Sequence[int] | None = None,
    nearest: bool = False,
) -> Imported:
    """The Network that predicts as a header's own C does.

    Args:
        path: of a C header that eBNN generated.
        input_kind: "uint8" makes a network that takes pixels of one that was trained on pixel / 255; by default it
            takes what the header does, "float" or "bits".
        shape: of one sample, (channels, height, width), where the first layer is dense: the header tells its size
            only. (size, 1, 1) by default.
        nearest: takes the nearest network where no exact one exists, and says so in the notes.

    Raises FileFormatError, naming the line, where the file is not such a header, and LoweringError, naming the layer,
    where it has no exact Network.
    """
    return convert(read_header(path), input_kind=input_kind, shape=shape, nearest=nearest)


def convert(
    header: Header,
    *,
    input_kind: InputKind | None = None,
    shape: Sequence[int] | None = None,
    nearest: bool = False,
) -> Imported:
    """As :func:`import_ebnn_header`, from what was read of the header."""
    converter = _Converter(header.name, nearest)
    if header.early:
        converter.notes.append("a header of early 2017: read with the arithmetic of eBNN's later ebnn.h")
    network = converter.network(header.layers, input_kind, shape)
    return Imported(network, tuple(converter.notes))


class _Converter:
    def __init__(self, name: str, nearest: bool) -> None:
        self.name = name
        self.nearest = nearest
        self.notes: list[str] = []

    def network(
        self, layers: tuple[Layer, ...], input_kind: InputKind | None, given_shape: Sequence[int] | None
    ) -> Network:
        self._check_order(layers)
        layer = layers[0]
        try:
            sample = Input(self._input_kind(layer, input_kind), self._input_shape(layer, given_shape))
            source, placed = sample, list[PlacedLayer]()
            for layer in layers[:-1]:
                placed.append(self._block(layer, source).at(len(placed), source))
                source = placed[-1].output
                self._check_buffer(layer, source.shape)
            layer = layers[-1]
            if layer.function in _DENSE_BITS:
                last = self._bit_scores(layer, source)
                return Network(sample, [*placed, last], meta=Meta(bit_outputs=True))
            return Network(sample, [*placed, self._scores(layer, source.shape)])
        except NetworkError as error:
            self._refuse(layer, str(error))

    def _refuse(self, layer: Layer, what: str) -> NoReturn:
        raise LoweringError(f"{self.name}: {layer.name}: {what}")

    def _refuse_file(self, layer: Layer, what: str) -> NoReturn:
        raise FileFormatError(f"{self.name}, line {layer.line}: {layer.name}: {what}")

    def _refuse_inexact(self, layer: Layer, what: str, way_out: str) -> None:
        """Raises, or where the nearest network will do adds a note."""
        if not self.nearest:
            self._refuse(layer, f"{what}: {way_out}take the nearest network (--nearest)")
        self.notes.append(f"{layer.name}: {what}; this is the nearest network")

    # Input

    def _check_order(self, layers: tuple[Layer, ...]) -> None:
        for layer in layers:
            if layer is layers[-1] and layer.is_conv:
                self._refuse(layer, f"is a {layer.function}, the last layer must give a class or a vector of bits")
            if layer is not layers[-1] and layer.function == "blinear_sm_layer":
                self._refuse(layer, "is a blinear_sm_layer, which gives a class, but more layers follow")
            if layer is not layers[0] and layer.function == "fconv_layer":
                self._refuse(layer, "is an fconv_layer, which takes floats, but the layer before it gives bits")
            if layer.function == "blinear_layer":
                self.notes.append(
                    f"{layer.name}: eBNN's own C never clears what this layer writes to, so bits of earlier values "
                    "stay in it; clear it before the layer runs to compare"
                )
        if layers[0].takes_floats and not layers[0].is_conv:
            self.notes.append(
                f"{layers[0].name}: takes floats, which eBNN's own C reads as bits; this network is the one trained"
            )
        if layers[-1].function in _DENSE_BITS:
            self.notes += [
                BIT_OUTPUTS,
                f"{layers[-1].name}: eBNN's own C writes no class but these bits, the first one in the highest bit of "
                "output[0]",
            ]

    def _input_kind(self, layer: Layer, given: InputKind | None) -> InputKind:
        own: InputKind = "float" if layer.takes_floats else "bits"
        if given not in (None, own) and (own, given) != ("float", "uint8"):
            other = " or uint8" if own == "float" else ""
            self._refuse(layer, f"takes {own}, so the network's input can be {own}{other}, not {given}")
        return given or own

    def _input_shape(self, layer: Layer, given: Sequence[int] | None) -> Shape:
        numbers = layer.numbers
        own = (numbers["d"], numbers["w"], numbers["h"]) if layer.is_conv else (numbers["n"], 1, 1)
        if given is None:
            return Shape(*own)
        shape = Input("bits", Shape(*given)).shape
        if shape != own and (layer.is_conv or shape.size != numbers["n"]):
            size = f"{Shape(*own)}" if layer.is_conv else f"{numbers['n']} values"
            self._refuse(layer, f"takes samples of {size}, a shape of {shape} is given")
        return shape

    def _check_buffer(self, layer: Layer, shape: Shape) -> None:
        needed = -(-shape.size // 8)
        if layer.room is not None and layer.room < needed:
            self.notes.append(
                f"{layer.name}: writes {needed} bytes, {layer.buffer} has {layer.room}: eBNN's own C overwrites other "
                "memory; give it room to compare"
            )

    # Blocks

    def _block(self, layer: Layer, source: Input) -> Block:
        shape = source.shape
        linear: Conv | Dense = self._conv(layer, shape) if layer.is_conv else Dense(self._dense(layer, shape))
        pool = self._pool(layer) if layer.is_conv else None
        taps, largest = linear.weights[0].size, source.values.largest
        if largest is None:
            cuts = find_cuts(layer.batch_norm, taps * MAX_FLOAT, f"{self.name}: {layer.name}")
            height, width = linear.weights.shape[1:3]
            if layer.is_conv and shape.channels > 1 and height * width > 1:
                self._check_order_of_sums(layer, cuts, linear.weights)
            return Block(linear, pool, as_normalize(cuts))
        # The sums that eBNN's own C has, in its own unit; those of pixels / 255 may round upwards.
        pixels = source.values is UINT8
        cuts = find_cuts(layer.batch_norm, taps * 2 if pixels else taps, f"{self.name}: {layer.name}")
        if pixels:
            self._check_pixels(layer, cuts, linear.weights)
        sign = _sign(cuts, MAX_PIXEL if pixels else 1, taps * largest)
        exact = as_normalize(Cuts(sign.value.astype(np.float32), cuts.below, cuts.constant))
        return Block(linear, pool, Sign(sign.value, sign.below, exact))

    def _conv(self, layer: Layer, shape: Shape) -> Conv:
        n = layer.numbers
        own = Shape(n["d"], n["w"], n["h"])
        if own != shape:
            self._refuse_file(layer, f"takes {own} (channels×rows×columns), but is given {shape}")
        if n["w"] != n["h"]:
            self._refuse(
                layer,
                f"its input has {n['w']} rows and {n['h']} columns: eBNN's own C reads such samples with rows and "
                "columns mixed up; make them square",
            )
        kernel, pad = (n["kw"], n["kh"]), (n["pw"], n["ph"])
        if layer.function == "bconv_layer":
            self._check_binary_kernel(layer, n["w"], kernel, pad)
            bits = self._bits(layer, n["num_f"] * n["d"], kernel[0] * kernel[1])
        else:
            bits = self._bits(layer, n["num_f"], n["d"] * kernel[0] * kernel[1], padded=False)
        weights = bits.reshape(n["num_f"], n["d"], *kernel).transpose(0, 2, 3, 1)
        return Conv(weights, (n["sw"], n["sh"]), pad)

    def _check_binary_kernel(self, layer: Layer, side: int, kernel: tuple[int, int], pad: tuple[int, int]) -> None:
        if kernel[0] != kernel[1] and pad != (0, 0):
            self._refuse(
                layer,
                f"pads a kernel of {kernel[0]}×{kernel[1]}: eBNN's own C mixes up rows and columns of a kernel that "
                "is not square at the border; make it square",
            )
        strides = layer.numbers["sw"], layer.numbers["sh"]
        for size, padding, stride in zip(kernel, pad, strides, strict=True):
            starts = np.arange(-padding, side + padding - size + 1, stride)
            if np.any((starts < 0) & (starts + size > side)):
                self._refuse(
                    layer,
                    f"its kernel of {size} overhangs a side of {side} at both ends: eBNN's own C compares the wrong "
                    "weights there; use a smaller kernel or padding",
                )
        if kernel[0] * kernel[1] > _ROOM_FOR_TAPS:
            self.notes.append(
                f"{layer.name}: a kernel of {kernel[0]}×{kernel[1]} is over the {_ROOM_FOR_TAPS} bits that eBNN's own "
                "C has room for: it overwrites other memory; raise its MAX_FILTER_BYTES to compare"
            )

    def _pool(self, layer: Layer) -> Pool | None:
        n = layer.numbers
        size, stride, pad = (n["pl_w"], n["pl_h"]), (n["pl_sw"], n["pl_sh"]), (n["pl_pw"], n["pl_ph"])
        if pad[0] != pad[1]:
            self._refuse(
                layer, f"its pool pads {pad[0]} rows and {pad[1]} columns: eBNN's own C takes the former for both"
            )
        return None if (size, stride, pad) == ((1, 1), (1, 1), (0, 0)) else Pool(size, stride, pad)

    def _check_pixels(self, layer: Layer, cuts: Cuts, weights: NDArray[np.bool_]) -> None:
        """Sums of pixel / 255 are sums of integers / 255, but for float32's rounding: no cut may be as near to one."""
        near = (cuts.constant == 0) & near_whole([_in_its_order(weights)], cuts.at.astype(np.float64))
        if near.any():
            one = layer.numbers["d"] == 1
            self._refuse_inexact(
                layer,
                f"output {int(near.argmax())} changes its sign at {cuts.at[near][0]:.9g}, nearer to a sum of pixels / "
                "255 than float32 rounds",
                "let it take floats (--input float), or " if one else "",
            )

    def _check_order_of_sums(self, layer: Layer, cuts: Cuts, weights: NDArray[np.bool_]) -> None:
        """eBNN adds channel after channel, this runtime pixel after pixel: of pixel / 255 no sign may depend on it."""
        orders = [_in_its_order(weights), weights.reshape(len(weights), -1)]
        near = (cuts.constant == 0) & near_whole(orders, cuts.at.astype(np.float64))
        channels = weights.shape[3]
        what = f"eBNN adds its floats channel after channel, this runtime its {channels} channels pixel after pixel"
        if near.any():
            self._refuse_inexact(
                layer,
                f"{what}; output {int(near.argmax())} changes its sign at {cuts.at[near][0]:.9g}, so near to a sum of "
                "pixels / 255 that rounding could decide",
                "give it pixels (--input uint8) if it was trained on pixel / 255, or ",
            )
            return
        self.notes.append(f"{layer.name}: {what}: the same for pixel / 255; other floats can round differently")

    # Last layer

    def _dense(self, layer: Layer, shape: Shape) -> NDArray[np.bool_]:
        n = layer.numbers
        if n["n"] != shape.size:
            self._refuse_file(layer, f"takes {n['n']} values, but is given {shape}, which are {shape.size}")
        weights: NDArray[np.bool_] = self._bits(layer, n["k"], n["n"]).reshape(n["k"], *shape).transpose(0, 2, 3, 1)
        return weights

    def _scores(self, layer: Layer, shape: Shape) -> Block:
        if layer.numbers["k"] > _MAX_CLASSES:
            self._refuse(layer, f"it has {layer.numbers['k']:,} classes, {_MAX_CLASSES} are possible: use fewer")
        pairs = layer.numbers["k"] * (layer.numbers["k"] - 1) // 2 * (shape.size + 1)
        if pairs > MOST_SUMS:
            self._refuse(layer, f"its classes have {pairs:,} sums to be put in order, {MOST_SUMS:,} are possible")
        weights = self._dense(layer, shape)
        flat = weights.reshape(len(weights), -1)
        norm = layer.batch_norm
        sums = np.arange(-shape.size, shape.size + 1, 2, dtype=np.float32)
        table = norm(sums[:, None]).T
        undefined = ~np.isfinite(table).all(axis=1)
        if undefined.any():
            index = int(undefined.argmax())
            self._refuse(
                layer,
                f"class {index} has std {norm.std[index]}: its scores are infinite in eBNN's own C; train it again",
            )
        gain = norm.gamma.astype(np.float64) / norm.std
        shift = (norm.bias.astype(np.float64) - norm.mean) * gain + norm.beta
        order = find_class_order(table, gain, shift, flat)
        if order.turned:
            self._refuse_inexact(
                layer,
                f"of {order.pairs:,} pairs of sums that two classes can have, integer scores decide {order.turned:,} "
                f"({order.turned / order.pairs:.2g}) for the other class than eBNN's floats do",
                "",
            )
        return Block(Dense(weights), None, Scores(order.multiplier, order.offset, order.scale))

    def _bit_scores(self, layer: Layer, source: Input) -> Block:
        """Scores that are 0 or above where eBNN's bit is 1: of a threshold, how far the sum is beyond it."""
        block = self._block(layer, source)
        if not isinstance(block.transform, Sign):
            self._refuse(
                layer, "takes floats and is the last layer, whose scores are integers: give it pixels (--input uint8)"
            )
        sign = block.transform
        direction = np.where(sign.below, -1, 1)
        return Block(block.linear, None, Scores(direction.astype(np.int16), -direction * sign.value, 1.0))

    def _bits(self, layer: Layer, rows: int, count: int, padded: bool = True) -> NDArray[np.bool_]:
        """Weights, (rows, count): each row starts a byte. Where ``padded``, the padding counts in eBNN's own C."""
        packed = layer.weights.reshape(rows, -1)
        bits = np.unpackbits(packed, axis=1).astype(bool)
        if padded and not bits[:, count:].all():
            self._refuse_file(
                layer, f"its weights are padded with 0 where rows of {count} bits end, eBNN pads them with 1"
            )
        return bits[:, :count]


def _in_its_order(weights: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Weights (outputs, rows, columns, channels) as eBNN adds: (outputs, taps), channel after channel."""
    order: NDArray[np.bool_] = weights.transpose(0, 3, 1, 2).reshape(len(weights), -1)
    return order


def _sign(cuts: Cuts, unit: int, reach: int) -> Sign:
    """The cuts as comparisons of integer sums, −reach … reach, in parts of ``unit``."""
    places = cuts.at.astype(np.float64) * unit
    nearest = np.where(cuts.below, np.floor(places), np.ceil(places))
    return sign_of(np.clip(nearest, -reach - 1, reach + 1).astype(np.int64), cuts.below, cuts.constant, reach)
