"""Layers with weights of 8 bits, or of signs: they own the float weights, and know the device's whole numbers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import chainer
import chainer.functions as F
import numpy as np
import numpy.typing as npt
from chainer import Parameter, initializers

from ..functions import convolution_2d, depthwise_convolution_2d
from ..functions.pairs import as_pair
from .drawing import drawn_by
from .flattening import keep_axes
from .weight_rules import weight_rule

Size = int | tuple[int, int]
Array = Any
Variable = Any

MAX_FLOAT32 = 2**24  # float32 holds every integer up to here


class QuantLayer(chainer.Link):  # type: ignore[misc]
    """What has weights that are quantized by a rule of :data:`WEIGHT_RULES`.

    Args:
        out_size: number of outputs; None where the first input decides.
        weights: name of the rule.
        nobias: without the float bias.
        initialW: initialiser of the float weights; None means He's normal distribution (arXiv 1502.01852).

    Attributes:
        W: float weights, (outputs, …) float32.
        b: (outputs,) float32, or None.
        rule: how the weights are quantized.
        random: where the signs of training are drawn from, where they are the weights; None, as built, for none.
    """

    random: np.random.Generator | None = None

    def __init__(self, out_size: int | None, weights: str, nobias: bool, initialW: Any) -> None:
        super().__init__()
        self.rule = weight_rule(weights)
        self.weights = weights
        self.out_size = out_size
        with self.init_scope():
            self.W = Parameter(initializers.HeNormal(dtype=np.float32) if initialW is None else initialW)
            self.b = None if nobias else Parameter(initializers.Zero(dtype=np.float32))

    @property
    def binary(self) -> bool:
        """Whether the signs of ``W`` are the weights."""
        return self.rule.binary

    @abstractmethod
    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Returns the shape of the weights for an input of ``shape`` (n, …)."""

    @abstractmethod
    def apply(self, x: Variable, W: Variable) -> Variable:
        """Returns the sums of ``x`` with weights ``W``, without the bias."""

    def prepare(self, x: Array) -> None:
        """Gives the parameters their sizes, from the first input ``x``."""
        if self.W.array is None:
            shape = self.weight_shape(x.shape)
            self.out_size = shape[0]
            self.W.initialize(shape)
            if self.b is not None:
                self.b.initialize((shape[0],))

    def forward(self, x: Variable, unit: float = 1.0) -> Variable:
        """Returns the sums for ``x``, of which 1 stands for ``unit``, with rounded weights and the bias."""
        self.prepare(x)
        values = self.rule.values(self.W, drawn_by(self.random))
        y = self.apply(x, values if unit == 1 else values * np.float32(unit))
        return y if self.b is None else F.bias(y, self.b, axis=1)

    def sums(self, x: Array, integers: npt.NDArray[np.int8]) -> Array:
        """Returns the exact sums of whole numbers with ``integers``: float32, or float64 where they may pass 2**24."""
        largest = np.abs(integers.astype(np.int64)).reshape(len(integers), -1).sum(axis=1).max()
        dtype = np.float32 if largest * max(float(np.abs(x).max(initial=0)), 1) <= MAX_FLOAT32 else np.float64
        return self.apply(x.astype(dtype, copy=False), integers.astype(dtype)).array


class QuantWindow(QuantLayer):
    """What slides a kernel over a map.

    Args:
        in_channels: of the input; None takes them from the first input seen.
        out_size: number of outputs; None where the channels decide.
        ksize, stride, pad, nobias, weights, initialW: as for :class:`QuantConvolution2D`.

    Attributes:
        ksize, stride, pad: of the kernel, (vertical, horizontal).
    """

    def __init__(
        self,
        in_channels: int | None,
        out_size: int | None,
        ksize: Size,
        stride: Size,
        pad: Size,
        nobias: bool,
        weights: str,
        initialW: Any,
    ) -> None:
        super().__init__(out_size, weights, nobias, initialW)
        self.ksize, self.stride = as_pair("ksize", ksize, 1), as_pair("stride", stride, 1)
        self.pad = as_pair("pad", pad, 0)
        if in_channels is not None:
            self.prepare(np.empty((1, in_channels, 1, 1), np.float32))


class QuantConvolution2D(QuantWindow):
    """Convolution; W (out_channels, in_channels, height, width).

    Args:
        in_channels: of the input; None takes them from the first input seen.
        out_channels: number of filters.
        ksize: of the kernel, a number or (height, width).
        stride: of the kernel, a number or (vertical, horizontal).
        pad: zeros on each side, a number or (vertical, horizontal).
        nobias: without the float bias.
        weights: "int8", one step for each output; "int8-layer", one for all; "binary", their signs; "bwn", signs times
            the mean magnitude of each output's weights.
        initialW: initialiser; None means He's normal distribution.

    Raises:
        UnknownNameError: ``weights`` is something else.
        ValueError: a size is not a whole number, or too small.
    """

    def __init__(
        self,
        in_channels: int | None,
        out_channels: int,
        ksize: Size,
        stride: Size = 1,
        pad: Size = 0,
        nobias: bool = False,
        weights: str = "int8",
        initialW: Any = None,
    ) -> None:
        super().__init__(in_channels, out_channels, ksize, stride, pad, nobias, weights, initialW)
        self.in_channels = in_channels

    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        assert self.out_size is not None
        return (self.out_size, shape[1], *self.ksize)

    def apply(self, x: Variable, W: Variable) -> Variable:
        return convolution_2d(x, W, None, self.stride, self.pad)


class QuantDepthwiseConvolution2D(QuantWindow):
    """Convolution of each channel alone; W (in_channels · multiplier, 1, height, width).

    Args:
        in_channels: of the input; None takes them from the first input seen.
        multiplier: filters for each channel; output ``o`` is of channel ``o // multiplier``.
        ksize, stride, pad, nobias, weights, initialW: as for :class:`QuantConvolution2D`.
    """

    def __init__(
        self,
        in_channels: int | None,
        multiplier: int,
        ksize: Size,
        stride: Size = 1,
        pad: Size = 0,
        nobias: bool = False,
        weights: str = "int8",
        initialW: Any = None,
    ) -> None:
        self.multiplier, _ = as_pair("multiplier", multiplier, 1)
        super().__init__(in_channels, None, ksize, stride, pad, nobias, weights, initialW)

    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (shape[1] * self.multiplier, 1, *self.ksize)

    def apply(self, x: Variable, W: Variable) -> Variable:
        return depthwise_convolution_2d(x, W, None, self.stride, self.pad)


class QuantLinear(QuantLayer):
    """Fully connected layer; W (out_size, in_size).

    Args:
        in_size: length of one input; None takes it from the first input seen.
        out_size: length of one output.
        nobias, weights, initialW: as for :class:`QuantConvolution2D`.

    Attributes:
        axes: shape of one input, of those with more axes than one; None before the first.
    """

    axes: tuple[int, ...] | None = None

    def __init__(
        self,
        in_size: int | None,
        out_size: int,
        nobias: bool = False,
        weights: str = "int8",
        initialW: Any = None,
    ) -> None:
        super().__init__(out_size, weights, nobias, initialW)
        if in_size is not None:
            self.prepare(np.empty((1, in_size), np.float32))

    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        assert self.out_size is not None
        return (self.out_size, int(np.prod(shape[1:])))

    def apply(self, x: Variable, W: Variable) -> Variable:
        keep_axes(self, x)
        return F.linear(x, W)
