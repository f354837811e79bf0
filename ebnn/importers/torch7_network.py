"""A network of Torch7, as XNOR-Net's are published, → Network.

A layer begins with a convolution or a linear module; what follows up to the next one ends it. Weights of ±1 have a
scale for each output, the mean of their magnitudes (Rastegari, Ordonez, Redmon and Farhadi, "XNOR-Net", arXiv
1603.05279). Scales, biases, batch normalisations and ReLU before a sign become thresholds, computed in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError, LoweringError, NetworkError
from ..model.kinds import BITS, UINT8, Input, InputKind, Shape
from ..model.layers import MAX_SUM, Block, Conv, Dense, Pool
from ..model.layers import Layer as PlacedLayer
from ..model.network import Network
from ..model.thresholds import find_change, requantize_constants, score_constants, sign_of
from ..model.transforms import Scores, Transform
from .imported import Imported
from .torch7_file import Module, read_modules

Floats = NDArray[np.float64]

_CONVOLUTIONS = ("SpatialConvolution", "SpatialConvolutionMM")
_NORMS = ("SpatialBatchNormalization", "BatchNormalization")
_SKIPPED = ("Dropout", "SpatialDropout", "View", "Reshape", "Identity", "Copy", "Contiguous", "SoftMax", "LogSoftMax")
_SIGN = "BinActiveZ"
_TAKEN = (UINT8.name, BITS.name)  # kinds of samples
_SPREAD = 4.0  # standard deviations of what batch normalisation gives that 8 bits hold


@dataclass
class _Layer:
    """A linear module, whether a sign stands before it, and what follows."""

    linear: Module
    after: list[Module] = field(default_factory=list)


@dataclass(frozen=True)
class _Affine:
    """A step by output, ``gain · y + shift``."""

    gain: Floats
    shift: Floats

    def __call__(self, y: Floats) -> Floats:
        return self.gain * y + self.shift


def _relu(y: Floats) -> Floats:
    return np.maximum(y, 0)


_Step = Callable[[Floats], Floats]


def import_torch7(
    path: str | PathLike[str],
    *,
    shape: Sequence[int] | None = None,
    input_kind: InputKind | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    binary_weights: bool = False,
    nearest: bool = False,
) -> Imported:
    """The Network of a Torch7 file.

    Args:
        path: of the file, binary, as ``torch.save`` writes it.
        shape: of one sample, (channels, height, width); by default (size, 1, 1) where the first module is linear.
        input_kind: "uint8", pixels of which the network saw pixel / 255, or "bits", −1 and +1; "uint8" by default.
        mean, std: by which the network saw its channels normalised after that, ``(pixel / 255 − mean) / std``.
        binary_weights: all layers but the first and the last have weights of ±1, whatever the file's look like.
        nearest: makes 8-bit weights of float ones, 8-bit activations of ReLUs.

    Raises FileFormatError where the file is wrong, LoweringError, naming the module, where it has no such Network,
    MissingDependencyError without torchfile.
    """
    path = Path(path)
    return _Converter(path, nearest).network(
        read_modules(path), shape, input_kind or "uint8", mean, std, binary_weights
    )


class _Converter:
    def __init__(self, path: Path, nearest: bool) -> None:
        self.path = path
        self.nearest = nearest
        self.notes: list[str] = []

    def network(
        self,
        modules: Sequence[Module],
        given: Sequence[int] | None,
        kind: InputKind,
        mean: Sequence[float] | None,
        std: Sequence[float] | None,
        binary_weights: bool,
    ) -> Imported:
        layers = self._layers(modules)
        if kind not in _TAKEN:
            raise LoweringError(f"{self.path}: samples are uint8 or bits here, not {kind}")
        try:
            sample = Input(kind, self._shape(layers[0].linear, given))
            source, placed, unit = sample, list[PlacedLayer](), sample.values.unit
            for index, layer in enumerate(layers):
                last = layer is layers[-1]
                binary = binary_weights and 0 < index < len(layers) - 1
                normalised = self._input_scale(sample, mean, std) if index == 0 else None
                block, unit = self._block(layer, source, unit, binary, last, normalised)
                if last:
                    return Imported(Network(sample, [*placed, block]), tuple(self.notes))
                placed.append(block.at(index, source))
                source = placed[-1].output
        except (NetworkError, FileFormatError) as error:
            if isinstance(error, LoweringError) or str(error).startswith(f"{self.path}"):
                raise
            kind_of_error = FileFormatError if isinstance(error, FileFormatError) else LoweringError
            raise kind_of_error(f"{self.path}: {error}") from None
        raise AssertionError("the last layer returns")

    def _refuse(self, what: object, why: str) -> NoReturn:
        raise LoweringError(f"{self.path}: {what} {why}")

    def _inexact(self, what: object, why: str, told: str) -> None:
        if not self.nearest:
            self._refuse(what, f"{why}: take the nearest network (--nearest)")
        self.notes.append(f"{what}: {told}")

    def _layers(self, modules: Sequence[Module]) -> list[_Layer]:
        layers: list[_Layer] = []
        for module in modules:
            if module.name in (*_CONVOLUTIONS, "Linear"):
                layers.append(_Layer(module))
            elif module.name in _SKIPPED:
                continue
            elif not layers:
                self._refuse(module, "has no counterpart before the first convolution: samples come as they are")
            else:
                layers[-1].after.append(module)
        if not layers:
            raise LoweringError(f"{self.path}: has no convolution and no linear module")
        return layers

    def _shape(self, first: Module, given: Sequence[int] | None) -> Shape:
        if given is not None:
            return Shape(*given)
        if first.name != "Linear":
            raise LoweringError(f"{self.path}: does not say how large its samples are: give --shape")
        return Shape(self._weights(first).shape[1], 1, 1)

    def _input_scale(
        self, sample: Input, mean: Sequence[float] | None, std: Sequence[float] | None
    ) -> tuple[Floats, Floats] | None:
        """Mean and standard deviation of each channel of the input, where they are given."""
        if mean is None and std is None:
            return None
        channels = sample.shape.channels
        found = np.array(mean or [0.0] * channels, np.float64), np.array(std or [1.0] * channels, np.float64)
        if any(each.shape != (channels,) or not np.isfinite(each).all() for each in found) or not (found[1] > 0).all():
            raise LoweringError(f"{self.path}: mean and std are {channels} numbers each, std above 0")
        return found

    def _weights(self, module: Module) -> Floats:
        weights = module.array("weight")
        if weights is None:
            self._refuse(module, "has no weights")
        if module.name == "Linear":
            if weights.ndim != 2:
                self._refuse(module, f"has weights of shape {weights.shape}")
            return weights
        sides = [module.number(name) for name in ("nOutputPlane", "nInputPlane", "kH", "kW")]
        if module.number("groups", 1) != 1:
            self._refuse(module, "has groups, which have no counterpart")
        if min(sides) < 1 or weights.size != np.prod(sides, dtype=np.float64):
            self._refuse(module, f"has weights of shape {weights.shape}, its sizes are {sides}")
        return weights.reshape(sides)

    def _block(
        self,
        layer: _Layer,
        source: Input,
        unit: float,
        binary: bool,
        last: bool,
        normalised: tuple[Floats, Floats] | None,
    ) -> tuple[Block, float]:
        module = layer.linear
        weights = self._weights(module)
        outputs = len(weights)
        if module.name == "Linear":
            if weights.shape[1] != source.shape.size:
                self._refuse(module, f"takes {weights.shape[1]} values, its input is {source.shape}")
            weights = weights.reshape(outputs, *source.shape)
        elif weights.shape[1] != source.shape.channels:
            self._refuse(module, f"takes {weights.shape[1]} channels, its input has {source.shape.channels}")
        bias = module.array("bias")
        bias = np.zeros(outputs) if bias is None else bias
        binary = binary or source.kind == "bits" or _is_binary(weights)
        if normalised is not None:
            weights, bias = self._folded(module, weights, bias, normalised, binary)
        integers, steps = self._quantized(module, weights, binary)
        before, pool, after, signed = self._steps(layer, outputs, last)
        if pool is not None and pool.sums and before:
            self._refuse(module, "has a module between it and its average pool, which has no counterpart")
        # A maximum of what falls with the sum is that of the least sum: such outputs are negated.
        turned = np.ones(outputs)
        if pool is not None and not pool.sums:
            for step in before:
                turned *= np.where(step.gain < 0, -1, 1) if isinstance(step, _Affine) else 1
        integers = integers * turned.astype(np.int8)[:, None, None, None]
        gain = steps * unit * turned / (1 if pool is None else pool.terms)
        linear = self._linear(module, integers > 0 if binary else integers)
        if pool is not None:
            self._check_pool(layer, pool, linear.map_shape(source.shape))
        reach = self._reach(module, integers, source, pool)
        chain: list[_Step] = [_Affine(gain, bias), *before, *after]
        transform, unit = self._transform(module, chain, reach, signed, last, layer.after)
        return Block(linear, pool, transform), unit

    def _folded(
        self, module: Module, weights: Floats, bias: Floats, normalised: tuple[Floats, Floats], binary: bool
    ) -> tuple[Floats, Floats]:
        """Weights and bias on pixels / 255, of those on normalised ones."""
        mean, std = normalised
        if binary and len(set(std)) > 1:
            self._refuse(module, "has weights of ±1, and takes channels of different scales: give one std for all")
        if module.number("padW", 0) or module.number("padH", 0):
            self._inexact(
                module,
                "pads a normalised image, whose 0 is no pixel",
                "outside the image stands a pixel of 0, not the mean; this is the nearest network",
            )
        scaled = weights / std[:, None, None]
        return scaled, bias - (scaled * mean[:, None, None]).sum(axis=(1, 2, 3))

    def _quantized(self, module: Module, weights: Floats, binary: bool) -> tuple[NDArray[np.int8], Floats]:
        """Whole weights, and what 1 of each output's stands for: the mean of magnitudes, or 127th of the largest."""
        flat = np.abs(weights).reshape(len(weights), -1)
        if binary:
            return np.where(weights >= 0, 1, -1).astype(np.int8), flat.mean(axis=1)
        self._inexact(
            module, "has float weights, which have no counterpart", "its float weights have 8 bits; the nearest network"
        )
        steps = np.maximum(flat.max(axis=1) / 127, 1e-30)
        return np.rint(weights / steps[:, None, None, None]).astype(np.int8), steps

    def _linear(self, module: Module, weights: NDArray[np.bool_] | NDArray[np.int8]) -> Conv | Dense:
        ordered = weights.transpose(0, 2, 3, 1)
        if module.name == "Linear":
            return Dense(ordered)
        stride = module.number("dH"), module.number("dW")
        return Conv(ordered, stride, (module.number("padH", 0), module.number("padW", 0)))

    def _reach(self, module: Module, integers: NDArray[np.int8], source: Input, pool: Pool | None) -> int:
        magnitudes = np.abs(integers.astype(np.int64)).reshape(len(integers), -1).sum(axis=1)
        reach = int(magnitudes.max()) * (source.values.largest or 1) * (1 if pool is None else pool.terms)
        if reach > MAX_SUM:
            self._refuse(module, f"has sums up to {reach:,}, {MAX_SUM:,} fit")
        return reach

    def _steps(self, layer: _Layer, outputs: int, last: bool) -> tuple[list[_Step], Pool | None, list[_Step], bool]:
        """What follows the sum: before the pool, the pool, behind it; and whether a sign ends it."""
        before, after = list[_Step](), list[_Step]()
        pool: Pool | None = None
        signed = False
        for module in layer.after:
            if signed:
                self._refuse(module, f"stands between {_SIGN} and the next layer: put it before the sign")
            steps = before if pool is None else after
            if module.name in _NORMS:
                steps.append(self._norm(module, outputs))
            elif module.name == "ReLU" or (module.name == "Threshold" and not module.values.get("threshold")):
                steps.append(_relu)
            elif module.name in ("SpatialMaxPooling", "SpatialAveragePooling") and pool is None:
                pool = self._pool(module, last)
            elif module.name == _SIGN and not last:
                signed = True
            else:
                self._refuse(module, "has no counterpart here")
        return before, pool, after, signed

    def _norm(self, module: Module, outputs: int) -> _Affine:
        mean, variance = module.array("running_mean"), module.array("running_var")
        inverse = module.array("running_std")  # of old files: 1 / standard deviation
        if mean is None or (variance is None and inverse is None):
            self._refuse(module, "has no statistics: train it, then save it")
        if inverse is None:
            assert variance is not None
            eps = module.values.get("eps", 1e-5)
            if not isinstance(eps, int | float) or not (variance + eps > 0).all():
                self._refuse(module, "has a variance that is not above 0")
            inverse = 1 / np.sqrt(variance + eps)
        gamma, beta = module.array("weight"), module.array("bias")
        gain = inverse if gamma is None else gamma * inverse
        shift = -mean * gain + (0 if beta is None else beta)
        if gain.shape != (outputs,) or shift.shape != (outputs,):
            self._refuse(module, f"has {gain.size} channels, its input has {outputs}")
        return _Affine(gain, shift)

    def _pool(self, module: Module, last: bool) -> Pool:
        average = module.name == "SpatialAveragePooling"
        if average and not last:
            self._refuse(module, "has no counterpart here: an average pool stands at the end")
        size, stride, pad = (
            (module.number(f"{name}H", default), module.number(f"{name}W", default))
            for name, default in (("k", None), ("d", 1), ("pad", 0))
        )
        return Pool(size, stride, pad, "average" if average else "max")

    def _check_pool(self, layer: _Layer, pool: Pool, shape: Shape) -> None:
        """Torch7 may count windows that lie on the map in part."""
        (module,) = (each for each in layer.after if each.name.endswith("Pooling"))
        sides = zip(shape[1:], pool.size, pool.stride, pool.pad, strict=True)
        if module.values.get("ceil_mode") and any((side + 2 * pad - size) % step for side, size, step, pad in sides):
            self._inexact(
                module,
                "has windows that lie on the map in part, which have no counterpart",
                "windows that lie on the map in part are left out; this is the nearest network",
            )

    def _transform(
        self,
        module: Module,
        chain: list[_Step],
        reach: int,
        signed: bool,
        last: bool,
        after: list[Module],
    ) -> tuple[Transform, float]:
        """What ends the layer, and what 1 of its outputs stands for."""
        first = chain[0]
        assert isinstance(first, _Affine)
        outputs = len(first.gain)
        if signed:

            def sign(places: NDArray[np.int64]) -> NDArray[np.bool_]:
                y = places.astype(np.float64)
                for step in chain:
                    y = step(y)
                return y >= 0

            return sign_of(*find_change(sign, reach, outputs), reach), 1.0
        rectified = chain[-1] is _relu
        affine = chain[:-1] if rectified else chain
        gain, shift = np.ones(outputs), np.zeros(outputs)
        for step in affine:
            if not isinstance(step, _Affine):
                self._refuse(module, "has a ReLU before its batch normalisation or its pool, and no sign after it")
            gain, shift = gain * step.gain, step.gain * shift + step.shift
        if last:
            if rectified:
                self._refuse(module, "is the last layer and ends in ReLU: take that off, or let a layer follow")
            return Scores(*score_constants(gain, shift, reach)), 1.0
        largest = self._range(module, after, rectified)
        self._inexact(
            module,
            "gives floats, which have no counterpart",
            f"its outputs have 8 bits, up to {largest:.3g}, {_SPREAD:g} standard deviations of the batch "
            "normalisation; the nearest network",
        )
        kind, low, high = ("uint8", 0, 255) if rectified else ("int8", -127, 127)
        factor = high / largest
        return requantize_constants(gain * factor, shift * factor, reach, kind, low, high), largest / high

    def _range(self, module: Module, after: list[Module], rectified: bool) -> float:
        """The largest output that 8 bits hold, by the last batch normalisation."""
        norms = [each for each in after if each.name in _NORMS]
        if not norms:
            self._refuse(module, "gives floats, and no batch normalisation tells how large they are")
        gamma, beta = norms[-1].array("weight"), norms[-1].array("bias")
        spread = _SPREAD * (1.0 if gamma is None else np.abs(gamma))
        middle = np.zeros(1) if beta is None else (beta if rectified else np.abs(beta))
        return max(float((middle + spread).max()), 1e-6)


def _is_binary(weights: Floats) -> bool:
    """Whether each output's weights have one magnitude."""
    flat = np.abs(weights).reshape(len(weights), -1)
    return flat.shape[1] > 1 and bool((flat.max(axis=1) <= flat.min(axis=1) * (1 + 1e-5)).all())
