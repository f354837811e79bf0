"""Chainer chain → Network, exactly.

Thresholds are asked from the trained link: for every output a binary search finds where, along the sums that can occur,
the link's own float32 batch normalisation changes the sign. Batch normalisation is monotone in its input, rounding
included, so one comparison stands for it, gamma negative or zero, bias and eps included.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import LoweringError, NetworkError
from ...model import reference
from ...model.kinds import Input, InputKind, Shape
from ...model.layers import Block, Conv, Dense, Layer, Pool
from ...model.network import Network
from ...model.thresholds import find_threshold, score_constants
from ...model.transforms import Normalize, Scores, Sign
from .framework import chainer
from .functions import exact_settings
from .links import CLink, DeviceBlock, size_blocks

CHECKED_SAMPLES = 4


def lower(chain: Any, shape: Sequence[int], input_kind: InputKind | None = None) -> Network:
    """The Network that predicts as ``chain`` does in test mode.

    Args:
        chain: a Chainer chain with ``link_order()`` (see ebnn.links.CChainMixin), or a list of ebnn's blocks; the last
            one gives scores, as ``BinaryLinearBNSoftmax`` or ``QuantLinearSoftmax`` does. It is not changed, but for
            blocks made without an input size, which get their parameters.
        shape: of one sample, (channels, height, width).
        input_kind: what the device is given: "uint8", "int8", "bits" or "float". The default is the chain's own
            ``input_kind``; without one, the first block's; "bits" where its name begins with Binary, else "float". The
            chain must have been trained on the same numbers: integers unscaled, bits as −1 and +1.

    Raises LoweringError, naming the block, where the chain has no exact Network.
    """
    if not isinstance(chain, list | tuple) and not hasattr(chain, "link_order"):
        raise LoweringError(
            f"a {type(chain).__name__} does not say in which order its blocks run: give it link_order() "
            "(see ebnn.links.CChainMixin), or give the blocks as a list"
        )
    blocks = list(chain if isinstance(chain, list | tuple) else chain.link_order())
    names = [f"block {i + 1} ({type(block).__name__})" for i, block in enumerate(blocks)]
    _check_blocks(blocks, names)
    kind = getattr(chain, "input_kind", None)
    if input_kind is None:
        input_kind = kind or getattr(blocks[0], "input_kind", "bits" if blocks[0].binary_input else "float")
    elif kind not in (None, input_kind):
        raise LoweringError(f"the chain takes {kind}, not {input_kind}: give its own kind, or none")
    try:
        source = Input(input_kind, shape)  # type: ignore[arg-type]
    except NetworkError as error:
        raise LoweringError(str(error)) from None
    sample = source.shape
    taken = getattr(chain, "input_shape", None)
    if taken is not None and tuple(taken) != sample:
        raise LoweringError(f"the chain takes samples of shape {tuple(taken)}, not {tuple(sample)}: give its own shape")
    _size(blocks, names, sample)
    lowered: list[Layer] = []
    try:
        with exact_settings(), chainer.using_config("train", False), chainer.no_backprop_mode():
            for link, name in zip(blocks, names, strict=True):
                given = lowered[-1].output if lowered else source
                lowered.append(_lower(link, name, given).at(len(lowered), given))
            network = Network(source, lowered)
            _check_answers(chain, blocks, names, network)
    except NetworkError as error:
        raise LoweringError(str(error)) from None
    except chainer.utils.type_check.InvalidType as error:
        reason = " ".join(str(error).split())
        raise LoweringError(f"{name} takes other inputs than its kind of block: {reason}") from None
    return network


def _check_blocks(blocks: list[Any], names: list[str]) -> None:
    if not blocks:
        raise LoweringError("the chain has no blocks: link_order() returned an empty list")
    for block, name in zip(blocks, names, strict=True):
        if not isinstance(block, CLink):
            raise LoweringError(f"{name} has no counterpart in C: build the network from the blocks of ebnn.links")
        if block.last != (block is blocks[-1]):
            raise LoweringError(
                f"{name} cannot stand there: every block but the last ends in a sign (…BST) or another activation, the "
                "last one gives scores (BinaryLinearBNSoftmax, BinaryLinearSoftmax, QuantLinearSoftmax, or a block "
                "whose activation is None)"
            )


def _size(blocks: list[Any], names: list[str], shape: Shape) -> None:
    """Gives parameters to blocks without, and checks that each takes what the one before gives."""
    sides: tuple[int, ...] = tuple(shape)
    for block, name in zip(blocks, names, strict=True):
        given = sides
        try:
            sides = size_blocks([block], given)
        except (ValueError, AssertionError, chainer.utils.type_check.InvalidType) as error:
            reason = " ".join(str(error).split())
            raise LoweringError(f"{name} does not take an input of shape {given}: {reason}") from None


def _check_answers(chain: Any, blocks: list[Any], names: list[str], network: Network) -> None:
    """Holds the network against the chain on a few random samples: a link may do more than its name says.

    The chain's own forward is compared where it takes samples alone; one that takes labels too gives losses.
    """
    random = np.random.default_rng(0)
    kind, shape = network.input.values, (CHECKED_SAMPLES, *network.input.shape)
    if kind.whole:
        x: NDArray[Any] = random.integers(int(kind.low), int(kind.high) + 1, shape)
    else:
        x = random.integers(-256, 257, shape) / 256  # sums of such floats are exact in any order
    activations = reference.activations(network.layers, network.check_samples(x))
    numbers = h = kind.as_numbers(next(activations)).transpose(0, 3, 1, 2)
    for block, name, layer, expected in zip(blocks[:-1], names, network.layers, activations, strict=False):
        h = block(h).array
        values = layer.output_kind.as_numbers(expected).transpose(0, 3, 1, 2)
        if not np.array_equal(h.reshape(-1), values.reshape(-1)):
            raise LoweringError(
                f"{name} does something else than its kind of block: its "
                f"{'signs' if layer.output_kind.packed else 'values'} are not the network's"
            )
    logits, scores = blocks[-1](h).array, network.scores(x)
    # Half a unit is lost where a multiplier is rounded, for each unit of the sum, and half where an offset is.
    last = network.layers[-1]
    assert isinstance(last.transform, Scores)
    scale = last.transform.scale
    rounding = scale * (last.reach + 1) / 2 + 1e-4 * max(1.0, float(np.abs(logits).max()))
    if logits.shape != scores.shape or not np.all(np.abs(scores * scale - logits) <= rounding):
        raise LoweringError(f"{names[-1]} does something else than its kind of block: its scores are not the network's")
    if _takes_samples_alone(chain) and not _are_logits(chain(numbers), logits):
        raise LoweringError(
            f"{type(chain).__name__}.forward() gives other logits than its blocks in the order of link_order(): the "
            "network has the blocks only, so scale or change the samples before they reach the chain"
        )


def _takes_samples_alone(chain: Any) -> bool:
    """Whether the chain can be called with samples and nothing else."""
    if not isinstance(chain, chainer.Chain):
        return False
    call = chain.__call__ if type(chain).__call__ is not chainer.Chain.__call__ else getattr(chain, "forward", None)
    if call is None:
        return False
    try:
        inspect.signature(call).bind("samples")
    except TypeError:
        return False
    return True


def _are_logits(answer: Any, logits: NDArray[np.float32]) -> bool:
    """Whether a chain's answer is the logits, or probabilities made of them."""
    array = np.asarray(getattr(answer, "array", np.nan))
    if array.shape != logits.shape:
        return False
    probabilities = chainer.functions.softmax(logits).array
    return np.array_equal(array, logits) or np.allclose(array, probabilities, rtol=1e-4, atol=1e-7)


def _lower(link: Any, name: str, source: Input) -> Block:
    if not isinstance(link, DeviceBlock):
        return _lower_output(link, name, source) if link.last else _lower_block(link, name, source)
    if source.kind == "float":
        raise LoweringError(
            f"{name} takes {link.input_kind}, its input is float: a first block of binary weights that ends in a sign "
            "(ConvBNBST, …) takes float; or use uint8 or int8 input"
        )
    if source.kind != link.input_kind:
        raise LoweringError(f"{name} takes {link.input_kind}, its input is {source.kind}: give it that input_kind")
    try:
        return link.lowered(source)
    except LoweringError as error:
        raise LoweringError(f"{name}: {error}") from None


def _lower_block(link: Any, name: str, source: Input) -> Block:
    linear = _linear(link, name, source.shape)
    pool = None
    if hasattr(link, "pool"):
        pool = Pool(_pair(link.pool.ksize), _pair(link.pool.stride), _pair(link.pool.pad))
    normalize = _normalization(link, name)
    if source.values.largest is None:
        _check_normalization(link, name, normalize)
        return Block(linear, pool, normalize)
    reach = linear.weights[0].size * source.values.largest
    sign = find_threshold(lambda acc: _ask(link, acc) > 0, reach, len(linear.weights))
    _check_normalization(link, name, normalize)
    return Block(linear, pool, Sign(sign.value, sign.below, normalize))


def _ask(link: Any, acc: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the link makes of one sum for each output, (outputs,) float32: bias, batch normalisation and sign."""
    signs: NDArray[np.float32] = _normalized(link, acc[None], link.bst)[0]
    return signs


def _normalized(link: Any, acc: NDArray[np.float32], *after: Any) -> NDArray[np.float32]:
    """Bias, the link's batch normalisation and what comes ``after`` it, for sums (n, outputs) float32."""
    bias = _affine(link).b
    x: Any = acc if bias is None else acc + bias.array
    for step in (link.bn, *after):
        x = step(x)
    array: NDArray[np.float32] = x.array
    return array


def _affine(link: Any) -> Any:
    return link.bconv if hasattr(link, "bconv") else link.bl


def _linear(link: Any, name: str, shape: Shape) -> Conv | Dense:
    weights = _float32(_affine(link).W.array, name, "weights") >= 0
    if hasattr(link, "bconv"):
        return Conv(weights.transpose(0, 2, 3, 1), _pair(link.bconv.stride), _pair(link.bconv.pad))
    return Dense(_dense_weights(weights, shape))


def _dense_weights(weights: NDArray[np.bool_], shape: Shape) -> NDArray[np.bool_]:
    """(outputs, inputs in Chainer's order, channel first) → (outputs, height, width, channels)."""
    filters: NDArray[np.bool_] = weights.reshape(len(weights), *shape).transpose(0, 2, 3, 1)
    return filters


def _normalization(link: Any, name: str) -> Normalize:
    bn = link.bn
    bias = _affine(link).b
    var = _float32(bn.avg_var, name, "variance")
    if not np.all(var + np.float32(bn.eps) > 0):
        raise LoweringError(f"{name}: its variance is {var.min()}, it must be above 0 with eps added: train it again")
    outputs = len(var)
    # As Chainer computes it: reciprocal, then root, in float32.
    inv_std = np.sqrt(np.reciprocal(var + np.float32(bn.eps)))
    return Normalize(
        np.zeros(outputs, np.float32) if bias is None else _float32(bias.array, name, "bias"),
        _float32(bn.avg_mean, name, "mean"),
        inv_std,
        np.ones(outputs, np.float32) if bn.gamma is None else _float32(bn.gamma.array, name, "gamma"),
        np.zeros(outputs, np.float32) if bn.beta is None else _float32(bn.beta.array, name, "beta"),
    )


def _check_normalization(link: Any, name: str, normalize: Normalize) -> None:
    """The float arithmetic must be the link's own, to the last bit."""
    spread = np.linspace(-4, 4, 33, dtype=np.float32)[:, None]
    around = normalize.mean - normalize.bias + spread / normalize.inv_std
    if not np.array_equal(_normalized(link, around), normalize.normalized(around)):
        raise LoweringError(f"{name}: its batch normalisation is not Chainer's own, in float32, and has no exact C")


def _lower_output(link: Any, name: str, source: Input) -> Block:
    weights = _dense_weights(_float32(link.bl.W.array, name, "weights") >= 0, source.shape)
    classes = len(weights)
    gain, shift = np.ones(classes), np.zeros(classes)
    if link.bl.b is not None:
        shift = _float32(link.bl.b.array, name, "bias").astype(np.float64)
    if hasattr(link, "bn"):
        n = {field: getattr(_normalization(link, name), field).astype(np.float64) for field in Normalize.FIELDS}
        gain = n["inv_std"] * n["gamma"]
        shift = (n["bias"] - n["mean"]) * gain + n["beta"]
    reach = weights[0].size * (source.values.largest or 1)
    return Block(Dense(weights), None, Scores(*score_constants(gain, shift, reach)))


def _float32(array: Any, name: str, what: str) -> NDArray[np.float32]:
    if not isinstance(array, np.ndarray):
        raise LoweringError(f"{name}: its {what} are not on the CPU: call to_cpu() first")
    if array.dtype != np.float32:
        raise LoweringError(f"{name}: its {what} are {array.dtype}, thresholds are exact for float32 only")
    if not np.isfinite(array).all():
        raise LoweringError(f"{name}: its {what} hold a value that is not finite: training diverged, use a lower rate")
    return array


def _pair(value: Any) -> tuple[int, int]:
    first, second = value if isinstance(value, tuple | list) else (value, value)
    return int(first), int(second)
