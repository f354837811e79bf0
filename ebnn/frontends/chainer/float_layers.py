"""A float chain as plain layers, for post-training quantization."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import LoweringError
from ...model.kinds import Shape
from ...model.linear import Pool, window_count
from ...training.quantization import FloatLayer
from .chains import FloatChain
from .framework import F, L, chainer
from .links import AveragePool2D, BinaryConvolution2D, BinaryLinear, FloatBlock, Pool2D
from .links.float_block import FloatDepthwiseConvolution2D


def float_layers(chain: Any, shape: tuple[int, int, int]) -> list[FloatLayer]:
    """Returns the layers of a float chain whose samples have ``shape`` (channels, height, width).

    Args:
        chain: a :class:`FloatChain`; or a ``chainer.Sequential`` or list of convolutions (plain or depthwise), linear
            layers, batch normalisations, ``Pool2D`` and ``AveragePool2D``, ``FloatBlock``,
            ``chainer.functions.relu``, ``dropout``, and ``functools.partial`` of ``max_pooling_2d`` and
            ``average_pooling_2d``.

    Raises:
        LoweringError: a step is something else, or stands where the device's layers have no place for it.
    """
    builder = _Builder(Shape(*shape))
    for step in steps(chain):
        builder.add(step)
    return builder.finish()


def steps(chain: Any) -> Iterator[Any]:
    """Yields what a chain applies, in order."""
    if isinstance(chain, FloatChain):
        chain = list(chain.blocks)
    if isinstance(chain, FloatBlock):
        yield from chain.steps()
    elif isinstance(chain, list | tuple | chainer.Sequential):
        for each in chain:
            yield from steps(each)
    else:
        yield chain


class _Builder:
    """Gathers steps into layers: each begins with a linear part, or with a pool that fits none before."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape  # of what the layer that is gathered takes
        self.layers: list[FloatLayer] = []
        self.begin("pool", None, (1, 1), (0, 0), None)

    def begin(self, part: Any, weights: Any, stride: Any, pad: Any, bias: Any) -> None:
        outputs = self.shape.channels if weights is None else len(weights)
        self.part, self.weights, self.stride, self.pad = part, weights, _pair(stride), _pair(pad)
        self.scale = np.ones(outputs)
        self.shift = np.zeros(outputs) if bias is None else bias.array.astype(np.float64)
        self.pool: Pool | None = None
        self.relu = False
        self.map = self._map_shape()

    @property
    def empty(self) -> bool:
        """Whether nothing is gathered."""
        return self.part == "pool" and self.pool is None and not self.relu and not self.scaled

    @property
    def scaled(self) -> bool:
        return bool(np.any(self.scale != 1) or np.any(self.shift != 0))

    def add(self, step: Any) -> None:
        name = _name(step)
        if isinstance(step, BinaryConvolution2D | BinaryLinear):
            raise LoweringError(f"{name} cannot be quantized, its weights are binary: ebnn.lower takes its chain")
        if isinstance(step, L.Convolution2D | FloatDepthwiseConvolution2D):
            self.end()
            self._convolution(step, name)
        elif isinstance(step, L.Linear):
            self.end()
            weights = _initialized(step.W, name)
            if weights.shape[1] != self.shape.size:
                raise LoweringError(f"{name} takes {weights.shape[1]} values, its input has {self.shape.size}")
            self.begin("dense", weights.reshape(-1, *self.shape).transpose(0, 2, 3, 1), 1, 0, step.b)
        elif isinstance(step, L.BatchNormalization):
            self._normalize(step, name)
        elif isinstance(step, Pool2D | AveragePool2D) or _is(step, F.max_pooling_2d, F.average_pooling_2d):
            self._pool(step, name)
        elif _is(step, F.relu):
            if self.part == "pool" and self.weights is None and self.shape == self.map and self.pool is None:
                raise LoweringError(f"{name} stands behind no layer: ReLU follows a convolution or a linear layer")
            self.relu = True
        elif not _is(step, F.dropout):
            raise LoweringError(
                f"{name} cannot be quantized: convolutions, linear layers, batch normalisations, pools, ReLU and "
                "dropout can"
            )

    def _convolution(self, step: Any, name: str) -> None:
        weights = _initialized(step.W, name)
        groups = self.shape.channels if isinstance(step, FloatDepthwiseConvolution2D) else step.groups
        if any(side != 1 for side in _pair(getattr(step, "dilate", 1))):
            raise LoweringError(f"{name} is dilated: the device's convolutions are not")
        if groups not in (1, self.shape.channels):
            raise LoweringError(f"{name} has {groups} groups: 1, or one for each channel, can be quantized")
        if weights.shape[1] * groups != self.shape.channels:
            raise LoweringError(
                f"{name} takes {weights.shape[1] * groups} channels, its input has {self.shape.channels}"
            )
        part = "conv" if groups == 1 else "depthwise"
        self.begin(part, weights.transpose(0, 2, 3, 1), step.stride, step.pad, step.b)

    def _normalize(self, step: Any, name: str) -> None:
        if self.relu or self.part == "pool":
            raise LoweringError(f"{name} stands behind no linear layer: batch normalisation follows one, before a ReLU")
        if step.avg_mean is None or step.avg_mean.shape != self.scale.shape:
            raise LoweringError(f"{name} is not trained, or not by channel")
        inv_std = 1 / np.sqrt(step.avg_var.astype(np.float64) + step.eps)
        gamma = 1 if step.gamma is None else step.gamma.array.astype(np.float64)
        beta = 0 if step.beta is None else step.beta.array.astype(np.float64)
        self.scale = self.scale * inv_std * gamma
        self.shift = (self.shift - step.avg_mean) * inv_std * gamma + beta

    def _pool(self, step: Any, name: str) -> None:
        pool = _read_pool(step, name, self.out)
        if self.pool is not None or self.part == "dense" or (self.relu and pool.sums):
            self.end()  # the pool is a layer of its own
        elif pool.sums and pool.pad != (0, 0) and np.any(self.shift != 0):
            self.end()
        if not pool.sums and self.part != "pool" and np.any(self.scale < 0):  # the largest is the least sum's
            flips = np.where(self.scale < 0, -1, 1)
            self.weights = self.weights * flips[:, None, None, None]
            self.scale = self.scale * flips
        self.pool = pool

    @property
    def out(self) -> Shape:
        """The shape of what the layer that is gathered gives."""
        return self.map if self.pool is None else self.pool.shape(self.map)

    def _map_shape(self) -> Shape:
        if self.weights is None:
            return self.shape
        if self.part == "dense":
            return Shape(len(self.weights), 1, 1)
        kernel = self.weights.shape[1], self.weights.shape[2]
        return Shape(len(self.weights), *window_count(self.shape[1:], kernel, self.stride, self.pad, "kernel"))

    def end(self) -> None:
        """Adds the layer that is gathered, and begins one that is empty."""
        if not self.empty:
            self.layers.append(
                FloatLayer(
                    *(f"layer {len(self.layers) + 1}", self.part, self.weights, self.stride, self.pad, self.pool),
                    *(self.scale, self.shift, self.relu),
                )
            )
            self.shape = self.out
        self.begin("pool", None, (1, 1), (0, 0), None)

    def finish(self) -> list[FloatLayer]:
        self.end()
        return self.layers


def _read_pool(step: Any, name: str, map_shape: Shape) -> Pool:
    if isinstance(step, Pool2D):
        return Pool(*step.window, "max")
    if isinstance(step, AveragePool2D):
        size = step.ksize or (map_shape.height, map_shape.width)
        return Pool(size, step.stride or size, step.pad, "average")
    given = dict(zip(("ksize", "stride", "pad", "cover_all"), step.args, strict=False)) | step.keywords
    if "ksize" not in given:
        raise LoweringError(f"{name} has no ksize: give it one by functools.partial")
    size = _pair(given["ksize"])
    stride = size if given.get("stride") is None else _pair(given["stride"])
    pad = _pair(given.get("pad", 0))
    if step.func is F.average_pooling_2d:
        return Pool(size, stride, pad, "average")
    sides = zip(map_shape[1:], size, stride, pad, strict=True)
    if given.get("cover_all", True) and any((side + 2 * p - k) % t for side, k, t, p in sides):
        raise LoweringError(
            f"{name} covers windows that reach beyond the map: give it cover_all=False, and train again"
        )
    return Pool(size, stride, pad, "max")


def _is(step: Any, *functions: Any) -> bool:
    return (step.func if isinstance(step, partial) else step) in functions


def _initialized(parameter: Any, name: str) -> NDArray[Any]:
    if parameter.array is None:
        raise LoweringError(f"{name} has no weights yet: pass it a sample, or train it, first")
    if not isinstance(parameter.array, np.ndarray):
        raise LoweringError(f"{name}: its weights are not on the CPU: call to_cpu() first")
    if not np.isfinite(parameter.array).all():
        raise LoweringError(f"{name}: its weights hold a value that is not finite: training diverged, use a lower rate")
    return parameter.array


def _name(step: Any) -> str:
    if isinstance(step, partial):
        step = step.func
    return getattr(step, "__name__", type(step).__name__)


def _pair(value: Any) -> tuple[int, int]:
    first, second = value if isinstance(value, tuple | list) else (value, value)
    return int(first), int(second)
