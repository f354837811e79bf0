"""BitDense layers, as TinyML.jl has them: a bit for each weight and for each bias, of which 1 is negative.

An output of a hidden layer of ``n`` inputs is 1 where ``mismatches + b > (1 − b) + n − mismatches``; an equal count
gives 0. An output of the last layer is the logistic function of ``1 − (mismatches + b) / n``.

::

    hidden = BitDense.from_words(words, 784, biases)      # (800, 13) uint64, (800,) of 0 and 1
    network = bit_dense_network([hidden, last], (1, 28, 28))
    network.predict(images), outputs(network, images)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import NetworkError
from ..model.arrays import freeze
from ..model.bits import unpack
from ..model.kinds import Input, Shape
from ..model.layers import Block, Dense
from ..model.meta import Meta
from ..model.network import Network
from ..model.transforms import Scores, Sign

WORD_BITS = 64


@dataclass(frozen=True, eq=False)
class BitDense:
    """A layer: ``weights`` (outputs, inputs) and ``biases`` (outputs,), truth values of which True is negative.

    Raises NetworkError where the arrays do not fit together.
    """

    weights: NDArray[np.bool_]
    biases: NDArray[np.bool_]

    def __post_init__(self) -> None:
        freeze(self, "weights", bool, 2)
        freeze(self, "biases", bool, 1)
        if len(self.weights) != len(self.biases):
            raise NetworkError(
                f"a BitDense layer has weights of {len(self.weights)} outputs and {len(self.biases)} biases: give one "
                "for each"
            )

    @classmethod
    def from_words(cls, words: ArrayLike, inputs: int, biases: ArrayLike) -> BitDense:
        """Returns the layer whose weights are words of 64 bits, the least significant first.

        Args:
            words: (outputs, ⌈inputs / 64⌉) uint64.
            inputs: how many weights an output has.
            biases: (outputs,) of 0 and 1.

        Raises:
            NetworkError: the arrays have another shape or type.
        """
        array = np.asarray(words)
        wanted = -(-inputs // WORD_BITS)
        if array.dtype != np.uint64 or array.ndim != 2 or array.shape[1] != wanted:
            raise NetworkError(
                f"words are {array.dtype} of shape {array.shape}: {inputs} inputs take uint64 (outputs, {wanted})"
            )
        octets = np.ascontiguousarray(array.astype("<u8")).view(np.uint8)
        return cls(unpack(octets, inputs), np.asarray(biases))

    @property
    def inputs(self) -> int:
        """How many weights an output has."""
        return int(self.weights.shape[1])


def bit_dense_network(
    layers: Sequence[BitDense], shape: tuple[int, int, int] | None = None, meta: Meta | None = None
) -> Network:
    """Returns the network of BitDense layers: for the same bits it gives the same hidden outputs and the same class.

    The network takes the very bits that the layers take. In a Network a bit 1 is positive: so the first layer's weights
    stay as they are, for mismatches count alike, hidden outputs are the opposite bits, and the weights of the layers
    behind them too. Scores times the scale are ``1 − (mismatches + b) / n``.

    Args:
        layers: in order; the last one gives the classes.
        shape: of a sample, (channels, height, width), whose pixels are the inputs row after row; None for a vector.
        meta: of the network.

    Raises:
        NetworkError: a layer does not fit the one before it, or the shape.
    """
    if not layers:
        raise NetworkError("there are no BitDense layers: give one or more")
    taken = Shape(*shape) if shape is not None else Shape(layers[0].inputs, 1, 1)
    if taken.size != layers[0].inputs:
        raise NetworkError(f"a sample of {taken} has {taken.size} bits, the first layer takes {layers[0].inputs}")
    blocks: list[Block] = []
    width = taken.size
    for index, layer in enumerate(layers):
        if layer.inputs != width:
            raise NetworkError(f"BitDense layer {index + 1} takes {layer.inputs} bits, the one before it gives {width}")
        weights = layer.weights if index == 0 else ~layer.weights
        channels, height, columns = taken if index == 0 else Shape(width, 1, 1)
        linear = Dense(weights.reshape(-1, channels, height, columns).transpose(0, 2, 3, 1))
        biases = layer.biases.astype(np.int32)
        width = len(biases)
        if index + 1 < len(layers):
            blocks.append(Block(linear, None, Sign(2 * biases - 1, np.zeros(width, bool))))
        else:
            # 1 − (mismatches + b) / n = (sum + n − 2b) / 2n, for sum = n − 2 · mismatches.
            scores = Scores(np.ones(width, np.int16), layer.inputs - 2 * biases, 1 / (2 * layer.inputs))
            blocks.append(Block(linear, None, scores))
    return Network(Input("bits", taken), blocks, None, meta)


def outputs(network: Network, x: ArrayLike) -> NDArray[np.float32]:
    """Returns the outputs of such a network's last layer, (n, classes) float32; ``x`` as `Network.predict` takes it."""
    logits = network.scores(x).astype(np.float64) * network.scale
    return (1 / (1 + np.exp(-logits))).astype(np.float32)
