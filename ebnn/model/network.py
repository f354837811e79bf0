"""Network: a trained network as a frozen value of small integers and packed bits.

Nothing here knows a training framework, a kernel or C; ``SPEC.md`` holds the arithmetic, ``encoders.py``,
``linear.py``, ``layers.py`` and ``transforms.py`` the parts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..atomic import write_atomically
from ..errors import InputError, NetworkError
from ..version import __version__
from . import description, npz, reference
from .encoders import Encoder, check_encoder
from .kinds import Input, Shape
from .layers import Block, Layer
from .meta import Meta
from .probabilities import SURE, classes_or_unknown, softmax
from .ranking import top_classes
from .samples import check_samples, pack_samples

if TYPE_CHECKING:
    from os import PathLike

MIN_CLASSES = 2  # the class is the largest score: of one score it would always be 0
MAX_LAYERS = description.MAX_LAYERS
MAX_CONSTANT_BYTES = npz.MAX_CONSTANT_BYTES


@dataclass(frozen=True, eq=False, init=False)
class Network:
    """A network: ``input`` and ``layers`` in order, the last of which gives scores. Compared by hash.

    ``encoder`` makes its input of raw samples, None where they are its input. ``meta`` changes no answer and no hash.
    ``arena_bytes`` and ``avr_arena_bytes`` are short-cuts to the plans of `ebnn.compile`.
    """

    input: Input
    layers: tuple[Layer, ...]
    encoder: Encoder | None
    meta: Meta

    if TYPE_CHECKING:  # set by ebnn.compile.shortcuts

        @property
        def arena_bytes(self) -> int: ...
        @property
        def avr_arena_bytes(self) -> int: ...

    def __init__(
        self, input: Input, layers: Sequence[Block], encoder: Encoder | None = None, meta: Meta | None = None
    ) -> None:
        """Puts ``layers``, given as blocks in order, at their places. Raises NetworkError where that cannot be."""
        if len(layers) > MAX_LAYERS:
            raise NetworkError(f"the network has {len(layers)} layers, {MAX_LAYERS} fit: use fewer blocks")
        placed: list[Layer] = []
        for index, block in enumerate(layers):
            placed.append(block.at(index, placed[-1].output if placed else input))
        if not placed or not placed[-1].transform.last:
            raise NetworkError("the last layer must give scores: end the network with a dense layer of Scores")
        object.__setattr__(self, "input", input)
        object.__setattr__(self, "layers", tuple(placed))
        object.__setattr__(self, "encoder", encoder)
        object.__setattr__(self, "meta", meta or Meta())
        self._check_classes()
        self._check_size()
        if encoder is not None:
            check_encoder(encoder, input)
        self.meta.check(self.classes, self.raw_shape.channels)

    # Shapes and sizes

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Shape of each layer's input."""
        return tuple(layer.input.shape for layer in self.layers)

    @property
    def classes(self) -> int:
        return self.layers[-1].outputs

    @property
    def output_text(self) -> str:
        """What it gives, in words: "10 classes", "32 bits"."""
        if self.meta.bit_outputs:
            return f"{self.classes:,} bit{'s' if self.classes > 1 else ''}"
        return f"{self.classes} classes"

    @property
    def scale(self) -> float:
        """What makes a score a logit of the trainer's."""
        last: Any = self.layers[-1].transform
        return float(last.scale)

    @property
    def raw_shape(self) -> Shape:
        """Shape of one raw sample."""
        return self.input.shape if self.encoder is None else self.encoder.raw_shape(self.input.shape)

    @property
    def weight_bytes(self) -> int:
        """Bytes of all packed weights in flash."""
        return sum(layer.weight_bytes for layer in self.layers)

    @property
    def threshold_bytes(self) -> int:
        """Bytes of what ends all layers but the last: thresholds, multipliers; of layers on floats, normalisations."""
        return sum(layer.transform.constant_bytes for layer in self.layers[:-1])

    @property
    def score_bytes(self) -> int:
        """Bytes of the last layer's multipliers and offsets in flash."""
        return self.layers[-1].transform.constant_bytes

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one prediction."""
        return sum(layer.macs for layer in self.layers)

    # Identity

    def describe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The network as plain JSON values and named arrays, its whole content; weights as packed bits."""
        return description.describe(self.input, self.layers, self.encoder)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the content, 64 hexadecimal digits: the same network has the same hash everywhere."""
        return description.hash_of(*self.describe())

    @property
    def hash32(self) -> int:
        """The first 32 bits of the hash: what a board answers in the handshake."""
        return int(self.hash[:8], 16)

    def __eq__(self, other: object) -> bool:
        return self.hash == other.hash if isinstance(other, Network) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"<Network {self.input.kind} {self.input.shape} → {self.output_text}, hash {self.hash[:8]}>"

    # Samples

    def check_samples(self, x: ArrayLike) -> NDArray[Any]:
        """``x`` as (n, channels, height, width) of the input's type: bool, uint8, int8 or float32.

        ``x`` may be (n, height, width) where there is one channel, and (n, values) where samples are vectors: see
        :mod:`ebnn.model.axes`. Raises InputError where axes, type or range differ.
        """
        return check_samples(self.input, x)

    def pack_input(self, x: ArrayLike) -> NDArray[np.uint8]:
        """``x`` as the device takes it: (n, input bytes) uint8. ``x`` as in :meth:`predict`."""
        return pack_samples(self.input, x)

    def encode(self, raw: ArrayLike) -> NDArray[Any]:
        """Raw samples as :meth:`predict` takes them; without an encoder they must be so already.

        ``raw`` (n, channels, height, width) of :attr:`raw_shape`, or as `ebnn.model.axes` takes it. Raises InputError.
        """
        return self.check_samples(raw) if self.encoder is None else self.encoder.encode(raw, self.raw_shape)

    def predict_raw(self, raw: ArrayLike) -> NDArray[np.int64]:
        """Classes of raw samples, (n,) int64; ``raw`` as in :meth:`encode`."""
        return self.predict(self.encode(raw))

    def probabilities(self, x: ArrayLike) -> NDArray[np.float64]:
        """Probabilities of the classes, (n, classes), each a whole number of 1/65,535: those that a board computes.

        ``x`` as in :meth:`predict`; of raw samples, what :meth:`encode` gives.
        """
        return softmax(self.scores(x), self.scale) / SURE

    def predict_or_unknown(self, x: ArrayLike) -> NDArray[np.int64]:
        """Classes of the samples, (n,) int64, -1 where the probability is below ``meta.rejection``; ``x`` as above."""
        return classes_or_unknown(self.scores(x), self.scale, self.meta.rejection)

    def class_name(self, k: int) -> str:
        """The name of class ``k``: its number where classes have no names, "unknown" where there is no such class."""
        if not 0 <= k < self.classes:
            return "unknown"
        return self.meta.class_names[k] if self.meta.class_names else str(k)

    def with_meta(self, meta: Meta) -> Network:
        """The same network with other names, units and notes. Raises NetworkError where their number differs."""
        return Network(self.input, self.layers, self.encoder, meta)

    def predict(self, x: ArrayLike) -> NDArray[np.int64]:
        """Classes of the samples, (n,) int64.

        ``x`` (n, channels, height, width), or as :meth:`check_samples` takes it, in the input's type, bits as 0 and 1.
        Raises InputError where it does not fit.
        """
        classes: NDArray[np.int64] = np.argmax(self.scores(x), axis=1)
        return classes

    def top(self, x: ArrayLike, k: int) -> NDArray[np.int64]:
        """The ``k`` classes of the largest scores, the largest first, of equal ones the first: (n, k) int64.

        ``x`` as in :meth:`predict`. Raises InputError where there are not so many classes.
        """
        return top_classes(self.scores(x), k)

    def scores(self, x: ArrayLike) -> NDArray[np.int32]:
        """Integer scores of the samples, (n, classes) int32; ``x`` as in :meth:`predict`."""
        return reference.scores(self.layers, self.check_samples(x))

    def predict_bits(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Bits of a network whose outputs are bits (``meta.bit_outputs``), (n, outputs) bool: 1 where a score is >= 0.

        ``x`` as in :meth:`predict`. Raises NetworkError where the outputs are scores of classes.
        """
        if not self.meta.bit_outputs:
            raise NetworkError("the outputs of this network are scores of classes, no bits: use predict")
        return self.scores(x) >= 0

    def require_classes(self) -> None:
        """Raises InputError where the outputs are bits, of which none is a class."""
        if self.meta.bit_outputs:
            raise InputError(
                f"this network gives {self.output_text}, no class: in Python network.predict_bits gives them, in C bit "
                "k is 1 where scores[k] >= 0"
            )

    def save(self, path: str | PathLike[str]) -> None:
        """Writes a ``.ebnn`` file in one step: an interrupted write leaves the old one. Raises WriteError."""
        version, values, arrays = 1, *self.describe()
        if self.meta or "layers" in values:
            version, values, arrays = 2, *description.describe_2(self.input, self.layers, self.encoder)
            values |= {"meta": self.meta.describe(), "optional": ["meta"], "ebnn": __version__}
        header = {"format": description.FORMAT, "version": version, "hash": self.hash, **values}
        members = {npz.DESCRIPTION: np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays}
        write_atomically(Path(path), npz.pack_arrays(members))

    # Validation

    def _check_classes(self) -> None:
        if self.classes < MIN_CLASSES and not self.meta.bit_outputs:
            raise NetworkError(
                "the last layer has a single output, and the largest of one score is always class 0: give it two "
                "outputs, one for each class, and train them with the softmax cross entropy"
            )

    def _check_size(self) -> None:
        constants = sum(layer.weight_bytes + layer.transform.content_bytes for layer in self.layers)
        if constants > MAX_CONSTANT_BYTES:
            raise NetworkError(
                f"the network has {constants:,} B of constants, {MAX_CONSTANT_BYTES:,} fit: use fewer filters or a "
                "pool before a dense layer"
            )
