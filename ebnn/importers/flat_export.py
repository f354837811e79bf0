"""Network → a flat file of weights as binarynet-tensorflow's exporter writes it: see SPEC.md, section 11."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NetworkError
from ..model.layers import Conv, Dense, Layer
from ..model.network import Network
from ..model.transforms import Scores, Sign
from ..model.weights import BINARY
from .flat_layout import FORMAT, FlatLayer

_EXACT = 2**24  # float32 holds every integer up to here


def flat_file(network: Network) -> tuple[bytes, dict[str, Any], tuple[str, ...]]:
    """A network's flat file, the JSON values that go beside it, and notes for the user.

    Raises NetworkError, naming the layer, where the format has no place for something.
    """
    if network.encoder is not None or network.input.kind == "float":
        raise NetworkError("a flat file has numbers or bits as input, no encoder and no floats: export a C header")
    data, texts, xor, notes = bytearray(), list[str](), list[int](), list[str]()
    for index, layer in enumerate(network.layers):
        text = _text(layer, any(isinstance(each.linear, Conv) for each in network.layers[index + 1 :]))
        texts += [text] if text else []
        flat = FlatLayer(
            layer.name,
            layer.linear.weights.shape[1:],  # type: ignore[attr-defined]
            layer.outputs,
            layer.kind.packed,
            layer.transform.last,
        )
        weights: NDArray[np.bool_] = layer.weights
        data += flat.pack_weights(weights)
        if flat.last:
            data += _score_parameters(layer, notes)
            continue
        parameters, mask = _sign_parameters(layer, flat)
        data += parameters
        if mask.any():
            data += flat.pack_mask(mask)
            xor.append(index)
    side = {
        "format": FORMAT,
        "architecture": "-".join(texts),
        "shape": list(network.input.shape),
        "input": network.input.kind,
        "classes": network.classes,
        "xor": xor,
    }
    if network.meta.bit_outputs:
        notes.append("the outputs are bits, which a flat file does not say: read again they are scores of classes")
    return bytes(data), side, tuple(notes)


def _text(layer: Layer, before_conv: bool) -> str:
    """A layer as a part of an architecture; of a dense last one nothing. Raises NetworkError.

    A dense layer ``before_conv`` is a convolution of its input's size: behind a dense one no text has a convolution.
    """
    linear, pool = layer.linear, layer.pool
    if not isinstance(linear, Conv | Dense) or layer.weight_kind is not BINARY or (pool is not None and pool.sums):
        raise NetworkError(
            f"{layer.name} has no place in a flat file: it has convolutions and dense layers with weights of ±1, and "
            "max-pools"
        )
    if not isinstance(layer.transform, Scores if layer.transform.last else Sign):
        raise NetworkError(f"{layer.name} has no place in a flat file: hidden layers end in signs there")
    if layer.transform.last and not layer.kind.packed:
        raise NetworkError(f"{layer.name} takes {layer.kind}: in a flat file a layer that ends in signs is before it")
    if isinstance(linear, Dense):
        if before_conv:
            return f"c{layer.outputs}k{_sides(layer.input.shape[1:])}"
        return "" if layer.transform.last else f"d{layer.outputs}"
    if layer.transform.last:
        if pool is not None or linear.padded or layer.index == 0:
            raise NetworkError(
                f"{layer.name} has no place in a flat file: a convolution at the end has layers before it there, and "
                "neither pool nor padding"
            )
        return f"ok{_sides(linear.kernel)}s{_sides(linear.stride)}"
    text = f"c{layer.outputs}k{_sides(linear.kernel)}s{_sides(linear.stride)}p{_sides(linear.pad)}"
    if pool is None:
        return text
    return f"{text}-m{_sides(pool.size)}s{_sides(pool.stride)}p{_sides(pool.pad)}"


def _sides(pair: tuple[int, int]) -> str:
    return f"{pair[0]}" if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"


def _sign_parameters(layer: Layer, flat: FlatLayer) -> tuple[bytes, NDArray[np.bool_]]:
    """A layer's parameters, and which outputs its mask negates."""
    sign = layer.transform
    assert isinstance(sign, Sign)
    value = sign.value.astype(np.int64)
    # acc <= value is not acc >= value + 1.
    least, mask = value + sign.below, sign.below.copy()
    reach = layer.reach
    never, always = least > reach, least <= -reach
    least, mask = np.where(never, -reach, least), mask ^ never  # what no sum passes is what every one does, negated
    if flat.on_bits:
        left = flat.inputs - np.where(always, -flat.inputs, least)
        padded = isinstance(layer.linear, Conv) and layer.linear.padded
        if padded and flat.taps[2] % 2 and (left % 2).any():
            raise NetworkError(
                f"{layer.name} pads an odd number of channels, {flat.taps[2]}, and has thresholds between those of a "
                "flat file: use an even number"
            )
        mismatches = left // 2
        return mismatches.astype("<u2").tobytes(), mask
    factor = np.ones(flat.outputs, "<f4")
    return factor.tobytes() + (-least).astype("<f4").tobytes(), mask


def _score_parameters(layer: Layer, notes: list[str]) -> bytes:
    scores = layer.transform
    assert isinstance(scores, Scores)
    multiplier, offset = scores.multiplier.astype(np.int64), scores.offset.astype(np.int64)
    largest = int((np.abs(multiplier) * layer.reach + np.abs(offset)).max())
    if largest > _EXACT:
        notes.append(
            f"{layer.name}: scores reach {largest:,}, float32 is exact to {_EXACT:,}: there classes may change places"
        )
    return scores.multiplier.astype("<f4").tobytes() + scores.offset.astype("<f4").tobytes()
