"""A kernel: which layers it takes, its constants, scratch and call in C, and the work that it does.

`KERNELS` in ``__init__.py`` is the order of preference.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ...errors import NetworkError
from ...model import bits
from ...model.layers import Layer
from ...model.transforms import Normalize, Scores, Sign
from ..options import Options
from ..target import Target
from .structs import Struct

T = TypeVar("T")
Work: TypeAlias = "dict[str, float]"  # how often each loop of a kernel runs, by name

GROUP = 4  # filters whose weights are interleaved by words; EBNN_GROUP of dot.h
MOST_TAPS = 32_766  # of bits whose sums and thresholds fit 16 bits
MOST_WORDS = 2_047  # whose mismatches 16 bits can count; EBNN_MOST_WORDS of dot.h
_EIGHT = 8  # words whose mismatches are added up bit by bit before they are counted


def once(function: Callable[..., T]) -> Callable[..., T]:
    """``function`` of a layer and what else, asked once for each; its answers live as long as the layer."""
    known: WeakKeyDictionary[Layer, dict[Any, T]] = WeakKeyDictionary()

    @wraps(function)
    def answer(layer: Layer, *others: Any) -> T:
        answers = known.setdefault(layer, {})
        if others not in answers:
            answers[others] = function(layer, *others)
        return answers[others]

    return answer


@dataclass(frozen=True, eq=False)
class Array:
    """A constant array, the comment that says its shape, and whether the target decides what it holds."""

    values: NDArray[Any]
    comment: str
    by_target: bool = False


Arrays: TypeAlias = "dict[str, Array]"  # by the last parts of their names


@dataclass(frozen=True)
class Kernel(ABC):
    """A way to run a layer.

    Attributes:
        name: of its work in the tables of costs.
        struct: the C struct that says a layer to it.
        function: the C function that runs it.
        given: C functions that it is given.
        parts: what else of the library it brings along, by the names of the tables of costs.
        folded: whether its "table" holds weights and thresholds in one; else its weights are called "weights".
        takes: the C type of the values that its input points to.
        measured: the kernel whose figures stand for this one's in the tables of costs; by default its own.
        grouped: whether it takes filters of bits four at a time.
    """

    name: str
    struct: Struct
    function: str
    given: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    folded: bool = False
    takes: str = "uint8_t"
    measured: str = ""
    grouped: bool = False

    @property
    def costs(self) -> str:
        """The name whose figures stand for it in the tables of costs."""
        return self.measured or self.name

    @property
    def library(self) -> Iterator[str]:
        """All parts of the library that it brings along."""
        yield from (self.function, *self.given, *self.parts)

    @property
    def whole_words(self) -> bool:
        """Whether it reads bits in whole words, so that a sample must lie aligned, and followed by zeros."""
        return False

    @property
    def weights_name(self) -> str:
        """What the array of its weights is called."""
        return "table" if self.folded else "weights"

    @abstractmethod
    def runs(self, layer: Layer) -> bool:
        """Whether it can run a layer, with some options, on every target."""

    @abstractmethod
    def chosen(self, layer: Layer, options: Options) -> bool:
        """Whether it is to run a layer that it can run, unless a kernel before it is."""

    @abstractmethod
    def constants(self, layer: Layer, options: Options, target: Target) -> Arrays:
        """Its constant arrays, the one with the weights first; of the same sizes on every target."""

    def scratch(self, layer: Layer, target: Target) -> int:
        """Bytes that it needs beside a layer's input and output."""
        return 0

    @abstractmethod
    def work(self, layer: Layer, target: Target, fired: float | None = None) -> Work:
        """How often each of its loops runs for one sample.

        ``fired`` is the fraction of comparisons that a pooled convolution makes before its window is settled, where it
        is known; by default what `ebnn.compile.kernels.conv.fraction_tested` makes of the thresholds.
        """


def weight_words(layer: Layer) -> NDArray[np.uint32]:
    """The weights of a layer as the device has them: (outputs, words of one filter) uint32.

    Filters of a convolution, and of a dense layer on bytes, are one stream in the order height, width, input. A dense
    layer on bits follows its input's memory, row padding included; one on floats has its input's order, channel first.
    """
    weights = layer.weights
    if layer.is_dense and layer.kind.packed:
        rows = bits.pack(weights.reshape(len(weights), weights.shape[1], -1))
        return bits.pack_words(bits.unpack(rows, rows.shape[-1] * 8).reshape(len(weights), -1))
    if layer.is_dense and layer.kind.channel_first:
        weights = weights.transpose(0, 3, 1, 2)
    return bits.pack_words(weights.reshape(len(weights), -1))


def byte_words(values: NDArray[Any]) -> NDArray[np.uint32]:
    """Bytes, of one axis, as whole words."""
    stream = np.ascontiguousarray(values).view(np.uint8)
    padded = np.pad(stream, (0, bits.round_to_words(len(stream)) - len(stream)))
    return padded.view("<u4").astype(np.uint32, copy=False)


def interleaved(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """(outputs, words) flattened: in groups of GROUP filters word beside word; the rest follows filter by filter."""
    whole = len(words) // GROUP * GROUP
    groups = words[:whole].reshape(-1, GROUP, words.shape[1]).transpose(0, 2, 1)
    return np.concatenate([groups.ravel(), words[whole:].ravel()])


def weights_array(layer: Layer, grouped: bool) -> Array:
    """The weights of a layer as they are, or ``grouped`` by fours."""
    outputs, height, width, channels = layer.weights.shape
    words = weight_words(layer)
    if layer.is_dense:
        count = height * width * channels
        what = f"{outputs} outputs of {count} bits in the order of the input's memory, each whole words"
    else:
        what = f"{outputs} filters of {height}×{width}×{channels} bits (height×width×input), each whole words"
    return Array(interleaved(words), f"{what}; {GROUP} word beside word") if grouped else Array(words, what)


def normalization_arrays(layer: Layer) -> Arrays:
    """The constants of the float arithmetic. Raises NetworkError where only thresholds are known."""
    transform = layer.transform
    normalize = transform.normalize if isinstance(transform, Sign) else transform
    if not isinstance(normalize, Normalize):
        raise NetworkError(
            f"{layer.name} has thresholds only, no batch normalisation: export it with the integer arithmetic"
        )
    comment = "per output: bias, mean, 1 / standard deviation, gamma, beta"
    return {"normalization": Array(normalize.table(), comment)}


def threshold_arrays(layer: Layer, any_sum: bool) -> Arrays:
    """The thresholds of a layer, and which of them are turned over; of 16 bits unless they may be of ``any_sum``."""
    assert isinstance(layer.transform, Sign)
    value, _ = layer.transform.at_least()
    if not any_sum:  # sums of n bits, in 16 bits: no limit is beyond them
        value = np.clip(value, -layer.taps, layer.taps + 1).astype(np.int16)
    return {"thresholds": Array(value, "per output: its bit is acc >= threshold"), **flip_arrays(layer)}


def flip_arrays(layer: Layer) -> Arrays:
    """Which outputs' comparisons are turned over, where one is."""
    assert isinstance(layer.transform, Sign)
    _, flip = layer.transform.at_least()
    return {"flips": Array(bits.pack(flip), "bits: outputs whose comparison is turned over")} if flip.any() else {}


def score_arrays(layer: Layer) -> Arrays:
    """The constants of the scores."""
    assert isinstance(layer.transform, Scores)
    offsets = f"per class; score × {layer.transform.scale!r} is the trainer's logit"
    return {
        "multipliers": Array(layer.transform.multiplier, "per class"),
        "offsets": Array(layer.transform.offset, offsets),
    }


def flips(layer: Layer) -> int:
    """Outputs that are walked to turn some of them over."""
    return layer.outputs if isinstance(layer.transform, Sign) and bool(layer.transform.below.any()) else 0


def counting(tests: float, words: int, filters: int, grouped: bool) -> Work:
    """The loops that count the mismatches of so many words in ``tests`` filters of the layer's ``filters``.

    Where four are taken at a time (``grouped``), the last ones, fewer than four, go one by one.
    """
    alone = tests * (filters % GROUP) / filters if grouped else tests
    eights, rest = divmod(words, _EIGHT)
    work: Work = {"tests": alone, "words": alone * words}
    if alone != tests:
        work |= {"fours": (tests - alone) / GROUP, "words_of_four": (tests - alone) / GROUP * words}
    return work | {"eights": tests * eights, "rests": tests * rest}


def takes_signs(layer: Layer) -> bool:
    """Whether a layer's weights are ±1, and its pool, if any, takes the largest sum."""
    return layer.binary and not (layer.pool is not None and layer.pool.sums)


def can_group(layer: Layer) -> bool:
    """Whether four of a layer's filters of bits can be taken at a time."""
    return layer.kind.packed and layer.outputs >= GROUP and layer.filter_words <= MOST_WORDS
