"""Chainer chains to train: of an architecture, and their float baselines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...compile.target import BOARD_CLASSES
from ...errors import TrainingError, UnknownNameError
from ...model.kinds import INPUT_KINDS, InputKind
from ...training.architectures import AverageSpec, ConvSpec, DenseSpec, LayerSpec, OutputSpec, read_architecture
from .c_chain_mixin import CChainMixin
from .framework import chainer
from .links import (
    AveragePool2D,
    AveragePoolBlock,
    BinaryConvBNBST,
    BinaryConvPoolBNBST,
    BinaryLinearBNBST,
    BinaryLinearBNSoftmax,
    ConvBNBST,
    ConvPoolBNBST,
    FloatBlock,
    LinearBNBST,
    Pool2D,
    QuantBlock,
    QuantConvBlock,
    QuantConvolution2D,
    QuantDepthwiseBlock,
    QuantLinearBlock,
    QuantLinearSoftmax,
    size_blocks,
)


class BlockChain(CChainMixin, chainer.Chain):  # type: ignore[misc]
    """A network that is a list of blocks; its output is the last block's, the logits.

    Args:
        blocks: in order; they become the children ``l1``, ``l2``, …
        input_kind: what the first block takes.
        input_shape: of one sample, (channels, height, width); None where the first one seen decides.

    Attributes:
        input_kind, input_shape: as given.
    """

    def __init__(
        self, blocks: Sequence[Any], input_kind: InputKind, input_shape: tuple[int, int, int] | None = None
    ) -> None:
        super().__init__()
        self.input_kind = input_kind
        self.input_shape = input_shape
        self._names = [f"l{i}" for i in range(1, len(blocks) + 1)]
        with self.init_scope():
            for name, block in zip(self._names, blocks, strict=True):
                setattr(self, name, block)

    def link_order(self) -> list[Any]:
        """Returns the blocks in order."""
        return [self[name] for name in self._names]

    def forward(self, x: Any) -> Any:
        """Returns logits (n, classes) float32 for ``x`` (n, c, h, w) float32, unscaled or -1 and +1."""
        for block in self.link_order():
            x = block(x)
        return x


class FloatChain(chainer.Chain):  # type: ignore[misc]
    """The float baseline of a network: blocks of the same shapes with float weights and ReLU. It is not lowered.

    Args:
        model: whose blocks it copies, with their latent weights as its first ones.

    Attributes:
        input_kind, input_shape: as the model's.
    """

    def __init__(self, model: BlockChain) -> None:
        super().__init__()
        self.input_kind = model.input_kind
        self.input_shape = model.input_shape
        with self.init_scope():
            self.blocks = chainer.ChainList(*(FloatBlock(block) for block in model.link_order()))

    def forward(self, x: Any) -> Any:
        """Returns logits (n, classes) float32 for ``x`` (n, c, h, w) float32, as the model does."""
        for block in self.blocks:
            x = block(x)
        return x


def build_network(
    architecture: str,
    shape: tuple[int, int, int],
    classes: int,
    input_kind: InputKind = "uint8",
    estimator: str = "hard_tanh",
    seed: int = 0,
) -> BlockChain:
    """Returns an untrained network, its parameters sized and drawn.

    Args:
        architecture: a name in :data:`ebnn.training.ARCHITECTURES`, or a text such as "c16k3p1-m2-d64": see
            :data:`ebnn.training.GRAMMAR`. A dense layer with ``classes`` outputs follows.
        shape: of one sample, (channels, height, width).
        classes: number of them.
        input_kind: what the images are.
        estimator: name of the signs' pseudo-gradient.
        seed: of the latent weights, below 2**32; ``numpy.random`` is left as it was.

    Raises:
        UnknownNameError: no architecture or estimator has that name.
        TrainingError: the architecture cannot be read, or does not fit the shape.
    """
    if input_kind not in INPUT_KINDS:
        raise TrainingError(f"input kind {input_kind!r} is unknown: use one of {', '.join(INPUT_KINDS)}")
    if not 2 <= classes <= BOARD_CLASSES:
        raise TrainingError(f"a network of {classes} classes cannot be: give 2 to {BOARD_CLASSES}")
    state = np.random.get_state()
    np.random.seed(seed)
    way = ""
    try:
        blocks = _blocks(read_architecture(architecture), classes, input_kind, estimator)
        way = "; samples of single values take dense layers, such as --architecture d32" if shape[1:] == (1, 1) else ""
        size_blocks(blocks, shape)
    except UnknownNameError:
        raise
    except ValueError as error:
        raise TrainingError(f"architecture {architecture!r} on images of {shape}: {error}{way}") from error
    finally:
        np.random.set_state(state)
    return BlockChain(blocks, input_kind, shape)


def _blocks(layers: Sequence[LayerSpec], classes: int, kind: InputKind, estimator: str) -> list[Any]:
    blocks: list[Any] = []
    for layer in layers:
        if isinstance(layer, OutputSpec):
            return [*blocks, _output(layer, classes, kind)]
        block = _block(layer, kind, estimator)
        kind = getattr(block, "output_kind", "bits")
        blocks.append(block)
    return [*blocks, BinaryLinearBNSoftmax(None, classes, nobias=True)]


def _output(layer: OutputSpec, classes: int, kind: InputKind) -> Any:
    """The last block: with 8-bit weights and with scaled signs a bias, with plain signs batch normalisation."""
    weights = "bwn" if layer.numbers.scaled else "binary" if layer.numbers.weights == 1 else "int8-layer"
    if layer.kernel is None:
        if weights == "binary":
            return BinaryLinearBNSoftmax(None, classes, nobias=True)
        return QuantLinearSoftmax(None, classes, input_kind=kind, weights=weights)
    plain = weights == "binary"
    linear = QuantConvolution2D(None, classes, layer.kernel, layer.stride, layer.padding, plain, weights)
    pool = AveragePool2D() if layer.pooled else None
    return QuantBlock(linear, None, pool, "after" if plain else None, kind)


def _block(layer: ConvSpec | AverageSpec | DenseSpec, kind: InputKind, estimator: str) -> Any:
    if isinstance(layer, AverageSpec):
        _refuse_float(kind, "an average pool")
        return AveragePoolBlock(layer.window, layer.stride, layer.padding, input_kind=kind)
    options: dict[str, Any] = {"estimator": estimator, "nobias": True}  # batch normalisation makes a bias redundant
    binary = kind == "bits"
    numbers = layer.numbers
    plain = numbers.plain and not (isinstance(layer, ConvSpec) and layer.depthwise)
    if not plain:
        _refuse_float(kind, "a layer of 8 bits, of scaled signs or without batch normalisation, or a depthwise one,")
        options["weights"] = "int8" if numbers.weights == 8 else "bwn" if numbers.scaled else "binary"
        options["activation"] = "sign" if numbers.activations == 1 else "int8" if numbers.signed else "relu"
        options["input_kind"] = kind
        if not numbers.norm:
            options |= {"norm": None, "nobias": False}
    if isinstance(layer, DenseSpec):
        dense = (BinaryLinearBNBST if binary else LinearBNBST) if plain else QuantLinearBlock
        return dense(None, layer.outputs, **options)
    conv = (None, layer.filters, layer.kernel, layer.stride, layer.padding)
    window = () if layer.pool is None else (layer.pool.window, layer.pool.stride, layer.pool.padding)
    if not plain:
        pool = Pool2D(*window) if window else None
        return (QuantDepthwiseBlock if layer.depthwise else QuantConvBlock)(*conv, pool=pool, **options)
    if layer.pool is None:
        return (BinaryConvBNBST if binary else ConvBNBST)(*conv, **options)
    return (BinaryConvPoolBNBST if binary else ConvPoolBNBST)(*conv, *window, **options)


def _refuse_float(kind: InputKind, what: str) -> None:
    if kind == "float":
        raise TrainingError(f"{what} takes no float input: use uint8, int8 or bits")
