"""Blocks whose weights or activations have 8 bits: linear part, pool, batch normalisation and activation in any mix.

Between blocks flow whole numbers, as the device has them: bits as −1 and +1, uint8 as 0 to 255, int8 as −127 to 127.
What they stand for is 1 for the largest of them; batch normalisation and an activation's range hold all other scales.
In train mode a block computes in float32 with rounded weights, in test mode in the device's integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import chainer
import chainer.functions as F
import numpy as np
import numpy.typing as npt

from ....errors import LoweringError, NetworkError
from ....model.kinds import KINDS, Input
from ....model.layers import MAX_SUM, Block, Conv, Dense, Depthwise, Identity, Linear, Pool
from ....model.thresholds import find_change, requantize_constants, score_constants, sign_of
from ....model.transforms import Requantize, Scores, Sign
from ....names import unknown_name
from .average_pool_2d import AveragePool2D
from .batch_normalization import BatchNormalization
from .bst import BST
from .c_link import CLink
from .pool_2d import Pool2D
from .quant_activations import QuantActivation, QuantIdentity, QuantReLU
from .quant_layers import QuantConvolution2D, QuantDepthwiseConvolution2D, QuantLayer, QuantLinear

Size = int | tuple[int, int]
Array = Any

BLOCK_KINDS = tuple(kind.name for kind in KINDS.values() if kind.whole and kind.input)
"""Kinds of values that a block may take."""
ACTIVATIONS: dict[str, type[QuantActivation] | type[BST]] = {"relu": QuantReLU, "int8": QuantIdentity, "sign": BST}
NORMS = ("after", "before")


class DeviceBlock(CLink):
    """A block that says itself what the device makes of it.

    Attributes:
        input_kind: what it takes, a name in :data:`BLOCK_KINDS`.
        output_kind: what it gives; None for scores.
    """

    input_kind: str
    output_kind: str | None

    def __init__(self, input_kind: str) -> None:
        super().__init__()
        if input_kind not in BLOCK_KINDS:
            raise unknown_name("kind of input for a block of 8 bits", input_kind, BLOCK_KINDS)
        self.input_kind = input_kind

    @property
    def binary_input(self) -> bool:  # type: ignore[override]
        """Whether it takes −1 and +1."""
        return self.input_kind == "bits"

    @property
    def last(self) -> bool:
        return self.output_kind is None

    def forward(self, x: Any, test: bool = False) -> Any:
        """Returns the block's output for ``x``; see :class:`CLink`. In test mode it is exact, and has no gradient."""
        with chainer.using_config("train", chainer.config.train and not test):
            self.prepare(x)
            return self.trained(x) if chainer.config.train else self.exact(chainer.as_variable(x).array)

    def prepare(self, x: Any) -> None:
        """Gives all parameters their sizes, from the first input ``x``."""
        raise NotImplementedError

    def trained(self, x: Any) -> Any:
        """Returns the output in train mode."""
        raise NotImplementedError

    def exact(self, x: Array) -> Any:
        """Returns the output in test mode, as the device computes it."""
        raise NotImplementedError

    def lowered(self, source: Input) -> Block:
        """Returns the network's block for an input of ``source``. Raises NetworkError."""
        raise NotImplementedError


class QuantBlock(DeviceBlock):
    """Linear part with quantized weights → pool → batch normalisation → activation.

    Args:
        linear: the layer.
        activation: "relu", 8 bits from 0 on; "int8", 8 bits of either sign; "sign"; None for scores, in a last block.
        pool: :class:`Pool2D`, :class:`AveragePool2D` or None.
        norm: "after" the pool, "before" it, or None for none.
        input_kind: what it takes: "bits", "uint8" or "int8".
        estimator: name of the sign's pseudo-gradient.

    Raises:
        UnknownNameError: a name is none of those.
        ValueError: batch normalisation is to come before an average pool with padding, whose zeros it would move.
    """

    def __init__(
        self,
        linear: QuantLayer,
        activation: str | None = "relu",
        pool: Pool2D | AveragePool2D | None = None,
        norm: str | None = "after",
        input_kind: str = "uint8",
        estimator: str = "hard_tanh",
    ) -> None:
        super().__init__(input_kind)
        if activation is not None and activation not in ACTIVATIONS:
            raise unknown_name("activation", activation, ACTIVATIONS)
        if norm is not None and norm not in NORMS:
            raise unknown_name("place of the batch normalisation", norm, NORMS)
        if norm == "before" and isinstance(pool, AveragePool2D) and pool.pad != (0, 0):
            raise ValueError(
                "batch normalisation before an average pool with padding would move its zeros: put it after"
            )
        self.norm = norm
        self.activation = activation
        with self.init_scope():
            self.linear = linear
            if pool is not None:
                self.pool = pool
            if norm is not None:
                axis = (0,) if isinstance(linear, QuantLinear) else (0, 2, 3)
                self.bn = BatchNormalization(None, axis=axis)
            if activation is not None:
                kind = ACTIVATIONS[activation]
                self.act = BST(estimator) if kind is BST else kind()
        self.output_kind = None if activation is None else getattr(self.act, "kind", "bits")

    def steps(self) -> list[Any]:
        names = ("linear", "bn", "pool", "act") if self.norm == "before" else ("linear", "pool", "bn", "act")
        return [getattr(self, name) for name in names if hasattr(self, name)]

    def prepare(self, x: Any) -> None:
        self.linear.prepare(x)
        if self.norm is not None and self.bn.avg_mean is None:
            self.bn._initialize_params((self.linear.out_size,))

    def trained(self, x: Any) -> Any:
        first, *after = self.steps()
        x = first(x, KINDS[self.input_kind].unit)
        for step in after:
            x = step(x)
        return F.reshape(x, (len(x), -1)) if self.last else x

    def exact(self, x: Array) -> Any:
        integers = self._integers()
        acc = self.linear.sums(x, integers)
        if hasattr(self, "pool"):
            acc = self.pool.sums(acc) if isinstance(self.pool, AveragePool2D) else self.pool(acc).array
        if self.activation == "sign":
            signs = np.where(self._normalized(np.moveaxis(acc, 1, -1)) >= 0, np.float32(1), np.float32(-1))
            return chainer.as_variable(np.moveaxis(signs, -1, 1))
        transform = self._transform(self._reach(integers))
        outputs = np.moveaxis(transform.apply(np.moveaxis(acc, 1, -1)), -1, 1)
        if isinstance(transform, Scores):
            scores = outputs.reshape(len(outputs), -1)
            return chainer.as_variable(scores.astype(np.float64) * transform.scale)
        return chainer.as_variable(outputs.astype(np.float32))

    def lowered(self, source: Input) -> Block:
        self._check_finite()
        integers = self._integers()
        reach = self._reach(integers)
        pool = None
        if hasattr(self, "pool"):
            size, stride, pad = self.pool.window
            pool = Pool(size, stride, pad, "average" if isinstance(self.pool, AveragePool2D) else "max")
        transform: Requantize | Scores | Sign
        if self.activation == "sign":
            change = find_change(lambda acc: self._normalized(acc) >= 0, reach, len(integers))
            transform = sign_of(*change, reach)
        else:
            transform = self._transform(reach)
        return Block(self._linear(integers, source), pool, transform)

    @property
    def _terms(self) -> int:
        """How many sums are added up to one."""
        pool = getattr(self, "pool", None)
        return pool.terms if isinstance(pool, AveragePool2D) else 1

    def _directions(self) -> npt.NDArray[np.int8]:
        """−1 where a filter is negated, (outputs,): the maximum of what falls with the sum is the least sum's."""
        falls = np.zeros(len(self.linear.W), bool)
        if self.norm == "before" and isinstance(getattr(self, "pool", None), Pool2D) and self.bn.gamma is not None:
            falls = self.bn.gamma.array < 0
        return np.where(falls, -1, 1).astype(np.int8)

    def _integers(self) -> npt.NDArray[np.int8]:
        """The device's weights, int8 in the shape of the layer's."""
        integers = self.linear.rule.integers(self.linear.W.array)
        directions = self._directions().reshape(-1, *[1] * (integers.ndim - 1))
        return np.asarray(integers * directions, np.int8)

    def _reach(self, integers: npt.NDArray[np.int8]) -> int:
        """The largest magnitude of a pooled sum. Raises NetworkError where the device cannot hold it."""
        magnitudes = np.abs(integers.astype(np.int64)).reshape(len(integers), -1).sum(axis=1)
        reach = int(magnitudes.max()) * (KINDS[self.input_kind].largest or 1) * self._terms
        if reach > MAX_SUM:
            raise NetworkError(f"a sum can reach {reach:,}, {MAX_SUM:,} fit the accumulator: use fewer inputs")
        return reach

    def _units(self) -> npt.NDArray[np.float64]:
        """What 1 of a pooled sum stands for, (outputs,)."""
        steps = self.linear.rule.steps(self.linear.W.array).astype(np.float64)
        return steps * self._directions() * (KINDS[self.input_kind].unit / self._terms)

    def _transform(self, reach: int) -> Requantize | Scores:
        gain = self._units()
        shift = np.zeros(len(gain)) if self.linear.b is None else self.linear.b.array.astype(np.float64)
        if self.norm is not None:
            inv_std, mean, gamma, beta = (each.astype(np.float64) for each in self._normalization())
            gain, shift = gain * inv_std * gamma, (shift - mean) * inv_std * gamma + beta
        if self.activation is None:
            return Scores(*score_constants(gain, shift, reach))
        transform: Requantize = self.act.transform(gain, shift, reach)
        return transform

    def _normalization(self) -> tuple[npt.NDArray[np.float32], ...]:
        """1 / standard deviation, mean, gamma, beta, (outputs,) each."""
        bn, ones = self.bn, np.ones(len(self.linear.W), np.float32)
        return (
            np.sqrt(np.reciprocal(bn.avg_var + np.float32(bn.eps))),
            bn.avg_mean,
            ones if bn.gamma is None else bn.gamma.array,
            ones * 0 if bn.beta is None else bn.beta.array,
        )

    def _normalized(self, acc: Array) -> npt.NDArray[np.float32]:
        """What the sign sees of pooled sums (…, outputs): float32, rounded after each step, so monotone in the sum."""
        y = acc.astype(np.float32) * self._units().astype(np.float32)
        if self.linear.b is not None:
            y += self.linear.b.array
        if self.norm is not None:
            inv_std, mean, gamma, beta = self._normalization()
            y = ((y - mean) * inv_std) * gamma + beta
        found: npt.NDArray[np.float32] = y
        return found

    def _check_finite(self) -> None:
        for name, parameter in self.namedparams():
            if not np.isfinite(parameter.array).all():
                raise LoweringError(f"{name} holds a value that is not finite: training diverged, use a lower rate")
        if self.norm is not None and not np.all(self.bn.avg_var + np.float32(self.bn.eps) > 0):
            raise LoweringError(
                f"its variance is {self.bn.avg_var.min()}, with eps added it must be above 0: train again"
            )

    def _linear(self, integers: npt.NDArray[np.int8], source: Input) -> Linear:
        weights: npt.NDArray[Any] = integers > 0 if self.linear.binary else integers
        if isinstance(self.linear, QuantLinear):
            return Dense(weights.reshape(len(weights), *source.shape).transpose(0, 2, 3, 1))
        part = Depthwise if isinstance(self.linear, QuantDepthwiseConvolution2D) else Conv
        return part(weights.transpose(0, 2, 3, 1), self.linear.stride, self.linear.pad)


class QuantConvBlock(QuantBlock):
    """Convolution → pool → batch normalisation → activation; see :class:`QuantBlock`.

    Args:
        in_channels, out_channels, ksize, stride, pad: as for :class:`QuantConvolution2D`.
        weights: "int8", "binary" or "bwn"; as there.
        nobias: without the float bias, which batch normalisation makes redundant.
        **options: ``activation``, ``pool``, ``norm``, ``input_kind`` and ``estimator``, as for :class:`QuantBlock`.
    """

    def __init__(
        self,
        in_channels: int | None,
        out_channels: int,
        ksize: Size,
        stride: Size = 1,
        pad: Size = 0,
        *,
        weights: str = "int8",
        nobias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(QuantConvolution2D(in_channels, out_channels, ksize, stride, pad, nobias, weights), **options)


class QuantDepthwiseBlock(QuantBlock):
    """Depthwise convolution → pool → batch normalisation → activation; see :class:`QuantBlock`.

    Args:
        in_channels, multiplier, ksize, stride, pad: as for :class:`QuantDepthwiseConvolution2D`.
        weights, nobias, **options: as for :class:`QuantConvBlock`.
    """

    def __init__(
        self,
        in_channels: int | None,
        multiplier: int,
        ksize: Size,
        stride: Size = 1,
        pad: Size = 0,
        *,
        weights: str = "int8",
        nobias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(
            QuantDepthwiseConvolution2D(in_channels, multiplier, ksize, stride, pad, nobias, weights), **options
        )


class QuantLinearBlock(QuantBlock):
    """Fully connected layer → batch normalisation → activation; see :class:`QuantBlock`.

    Args:
        in_size, out_size: as for :class:`QuantLinear`.
        weights, nobias, **options: as for :class:`QuantConvBlock`, but for ``pool``.
    """

    def __init__(
        self, in_size: int | None, out_size: int, *, weights: str = "int8", nobias: bool = True, **options: Any
    ) -> None:
        super().__init__(QuantLinear(in_size, out_size, nobias, weights), **options)


class QuantLinearSoftmax(QuantLinearBlock):
    """Last layer: fully connected, 8-bit weights of one step, a bias; returns logits.

    One step for all classes, and no batch normalisation: the classes' scores then have one scale, which no rounding
    disturbs.

    Args:
        in_size: length of one input; None takes it from the first input seen.
        out_size: number of classes.
        input_kind: what it takes.
        weights: "int8-layer", or another as for :class:`QuantConvolution2D`.
    """

    def __init__(
        self, in_size: int | None, out_size: int, *, input_kind: str = "uint8", weights: str = "int8-layer"
    ) -> None:
        super().__init__(
            in_size, out_size, weights=weights, nobias=False, activation=None, norm=None, input_kind=input_kind
        )


class AveragePoolBlock(DeviceBlock):
    """Average pool of its own; of bits it gives int8, else what it takes.

    Args:
        ksize, stride, pad: as for :class:`AveragePool2D`; without a size it is global.
        input_kind: what it takes: "bits", "uint8" or "int8".
    """

    def __init__(
        self, ksize: Size | None = None, stride: Size | None = None, pad: Size = 0, *, input_kind: str = "uint8"
    ) -> None:
        super().__init__(input_kind)
        self.output_kind = "int8" if input_kind == "bits" else input_kind
        with self.init_scope():
            self.pool = AveragePool2D(ksize, stride, pad)

    def steps(self) -> Sequence[Any]:  # type: ignore[override]
        return [self.pool]

    def prepare(self, x: Any) -> None:
        self.pool.prepare(x)

    def trained(self, x: Any) -> Any:
        return self.pool(x) * np.float32(self._factor)

    def exact(self, x: Array) -> Any:
        outputs = self._transform(x.shape[1]).apply(np.moveaxis(self.pool.sums(x), 1, -1))
        return chainer.as_variable(np.moveaxis(outputs, -1, 1).astype(np.float32))

    def lowered(self, source: Input) -> Block:
        pool = Pool(*self.pool.window, "average")
        return Block(Identity(source.shape.channels), pool, self._transform(source.shape.channels))

    @property
    def _factor(self) -> int:
        """By which an average of the input is multiplied."""
        return 127 if self.input_kind == "bits" else 1

    def _transform(self, channels: int) -> Requantize:
        terms = self.pool.terms
        gain = np.full(channels, self._factor / terms)
        kind = KINDS[self.output_kind or ""]
        low, high = (-127, 127) if self.input_kind == "bits" else (int(kind.low), int(kind.high))
        reach = terms * (KINDS[self.input_kind].largest or 1)
        return requantize_constants(gain, np.zeros(channels), reach, kind.name, low, high)
