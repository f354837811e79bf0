"""Model files of tinier-nn, ``model.def``: fully connected layers of ±1 whose outputs are bits.

The text is ``bnn``; for each layer a line ``IN,OUT`` and OUT lines of IN characters 0 and 1, one line for each output;
and ``0,0``. 1 stands for +1. An output is 1 where fewer than half of its inputs differ from its weights, that is where
the sum is above 0: a tie gives 0.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError, LoweringError, NetworkError
from ..model.kinds import Input, Shape
from ..model.layers import Block, Conv, Dense, Layer
from ..model.meta import Meta
from ..model.network import Network
from ..model.transforms import Scores, Sign
from .batch_norm import Cuts, as_normalize
from .imported import BIT_OUTPUTS, Imported

MAX_FILE_BYTES = 64 * 2**20
_MAGIC = re.compile(rb"bnn[ \t]*(?:\r?\n|\Z)")
_SIZES = re.compile(rb"[ \t]*(\d{1,9})[ \t]*,[ \t]*(\d{1,9})[ \t]*")
_SHOWN = 40  # characters of a line in a message


def recognises(head: bytes) -> bool:
    """Whether a file that begins so is a model.def."""
    return _MAGIC.match(head) is not None


def read_model_def(path: str | os.PathLike[str]) -> Imported:
    """Returns the Network of a model.def, whose outputs are bits: see :meth:`ebnn.Network.predict_bits`.

    Raises FileFormatError, naming the line and the limit, where the file is cut short, too long or another one.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_FILE_BYTES:
        raise FileFormatError(f"{path}: is over {MAX_FILE_BYTES:,} bytes, a model.def has at most so many")
    try:
        network = network_of(parse_model_def(data, str(path)))
    except NetworkError as error:
        raise FileFormatError(f"{path}: {error}") from None
    return Imported(network, (BIT_OUTPUTS,))


def parse_model_def(data: bytes, name: str) -> list[NDArray[np.bool_]]:
    """Returns the weights of each layer, (OUT, IN), True for +1. ``name`` stands in messages."""
    return _Parser(data, name).layers()


def network_of(weights: Sequence[NDArray[np.bool_]]) -> Network:
    """Returns the Network of fully connected layers, (outputs, inputs) each, True for +1, as a model.def means them.

    Raises NetworkError where they do not follow each other.
    """
    source = Input("bits", Shape(weights[0].shape[1], 1, 1))
    blocks: list[Block] = []
    for rows in weights:
        outputs, inputs = rows.shape
        dense = Dense(rows.reshape(outputs, 1, 1, inputs))
        if len(blocks) == len(weights) - 1:
            # A sum from 1 on gives a score from 0 on.
            scores = Scores(np.ones(outputs, np.int16), np.full(outputs, -1, np.int32), 1.0)
            blocks.append(Block(dense, None, scores))
            continue
        least, upwards = np.ones(outputs, np.int32), np.zeros(outputs, bool)
        cuts = Cuts(least.astype(np.float32), upwards, np.zeros(outputs, np.int8))
        blocks.append(Block(dense, None, Sign(least, upwards, as_normalize(cuts))))
    return Network(source, blocks, meta=Meta(bit_outputs=True))


def model_def_text(network: Network) -> str:
    """Returns a network as a model.def. Inputs are in the order channels, rows, columns of a sample.

    Raises LoweringError, naming the layer, where the format has no such network.
    """
    if network.encoder is not None:
        _refuse("it has an encoder, a model.def takes bits: train it on bits")
    if network.input.kind != "bits":
        _refuse(f"its input is {network.input.kind}, a model.def takes bits: train it with --input bits")
    if not network.meta.bit_outputs:
        _refuse("its outputs are scores of classes, those of a model.def are bits: examples/bits trains such a network")
    parts = ["bnn"]
    for layer in network.layers:
        rows = _rows(layer)
        parts.append(f"{rows.shape[1]},{rows.shape[0]}")
        parts += [(row + ord("0")).astype(np.uint8).tobytes().decode() for row in rows]
    return "\n".join([*parts, "0,0"])


def _rows(layer: Layer) -> NDArray[np.uint8]:
    """Weights (outputs, inputs) as 0 and 1; those of an output that is 1 from −1 downwards are turned."""
    linear = layer.linear
    if isinstance(linear, Conv) or not isinstance(linear, Dense) or linear.weights.dtype != bool:
        _refuse(f"{layer.name} is no fully connected layer of ±1, a model.def has no other: use d64, as in d64-d64")
    flat: NDArray[np.bool_] = linear.weights.transpose(0, 3, 1, 2).reshape(layer.outputs, -1)
    upwards = _turns(layer, flat.shape[1])
    wrong = np.flatnonzero(upwards == 0)
    if len(wrong):
        _refuse(
            f"{layer.name}: output {wrong[0]} changes at another sum than 0, a model.def has no thresholds: train "
            "without batch normalisation and bias"
        )
    return np.where((upwards > 0)[:, None], flat, ~flat).astype(np.uint8)


def _turns(layer: Layer, inputs: int) -> NDArray[np.int64]:
    """For each output 1 where it is 1 for just the sums above 0, −1 for just those below, 0 where neither."""
    near = np.arange(2 - inputs % 2, 0, -2)  # the least sum above 0, 1 or 2; sums go in steps of 2
    sums = np.unique(np.concatenate([[-inputs, inputs], near, -near, [0] if inputs % 2 == 0 else []])).astype(np.int64)
    acc = np.broadcast_to(sums[:, None], (len(sums), layer.outputs)).astype(np.int32)
    bits = layer.transform.apply(acc) if isinstance(layer.transform, Sign) else layer.transform.apply(acc) >= 0
    above, below = (np.all(bits == wanted[:, None], axis=0) for wanted in (sums > 0, sums < 0))
    turns: NDArray[np.int64] = above.astype(np.int64) - below
    return turns


def _refuse(what: str) -> NoReturn:
    raise LoweringError(f"the network cannot be written as a model.def: {what}")


class _Parser:
    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self.lines = [line.removesuffix(b"\r") for line in data.split(b"\n")]
        self.at = 0  # of the next line, from 0

    def refuse(self, what: str, line: int | None = None) -> NoReturn:
        raise FileFormatError(f"{self.name}, line {self.at if line is None else line}: {what}")

    def take(self, what: str) -> bytes:
        if self.at == len(self.lines):
            self.refuse(f"the file ends where {what} must follow: it is cut short")
        self.at += 1
        return self.lines[self.at - 1]

    def layers(self) -> list[NDArray[np.bool_]]:
        if self.take("bnn").rstrip() != b"bnn":
            self.refuse("a model.def begins with bnn")
        layers: list[NDArray[np.bool_]] = []
        while True:
            line = self.take(f"layer {len(layers) + 1}, or 0,0,")
            match = _SIZES.fullmatch(line)
            if match is None:
                self.refuse(f"expected IN,OUT of layer {len(layers) + 1}, or 0,0, found {self.shown(line)}")
            inputs, outputs = map(int, match.groups())
            if inputs == outputs == 0:
                break
            if not inputs or not outputs:
                self.refuse(f"layer {len(layers) + 1} has {inputs} inputs and {outputs} outputs: both must be above 0")
            if layers and len(layers[-1]) != inputs:
                self.refuse(f"layer {len(layers) + 1} takes {inputs} values, the one before gives {len(layers[-1])}")
            layers.append(self.rows(len(layers) + 1, inputs, outputs))
        if not layers:
            self.refuse("the model has no layers")
        for number, line in enumerate(self.lines[self.at :], self.at + 1):
            if line.strip():
                self.refuse(f"after 0,0 the file ends, found {self.shown(line)}", number)
        return layers

    def rows(self, layer: int, inputs: int, outputs: int) -> NDArray[np.bool_]:
        if outputs > len(self.lines) - self.at:
            self.at = len(self.lines)
            self.refuse(f"the file ends within layer {layer} of {outputs:,} lines: it is cut short")
        rows = []
        for output in range(1, outputs + 1):
            line = self.take("a row")
            if len(line) != inputs:
                what = f"row {output} of layer {layer} has {len(line):,} characters, {inputs:,} are declared"
                self.refuse(f"{what}: {self.shown(line)}" if len(line) <= _SHOWN else what)
            values = np.frombuffer(line, np.uint8) - ord("0")
            if values.max() > 1:
                wrong = int((values > 1).argmax())
                self.refuse(f"row {output} of layer {layer} has {chr(line[wrong])!r}, 0 and 1 are allowed")
            rows.append(values.astype(bool))
        return np.stack(rows)

    def shown(self, line: bytes) -> str:
        text = line.decode("ascii", "replace")
        return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
