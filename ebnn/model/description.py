"""A network as plain values and named arrays, and its hash: what a file holds of it.

Version 1 knows blocks that end in signs and a last layer of scores, with weights of ±1. A network that it can describe
has that description's hash, so that boards which were flashed before are known again. Version 2 has every part by its
name; a part that is not known asks for a newer ebnn.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import NetworkError
from . import bits
from .encoders import ENCODERS, Encoder
from .kinds import Input, Shape
from .layers import Block, Layer
from .linear import LINEARS, Conv, Dense, Linear, Pool, Weighted, pair
from .transforms import TRANSFORMS, Normalize, Scores, Sign
from .weights import BINARY

FORMAT = "ebnn network"
VERSIONS = (1, 2)
MAX_LAYERS = 255  # a layer's index is a uint8_t on the device

Values = dict[str, Any]
Arrays = dict[str, NDArray[Any]]
T = TypeVar("T")


class NewerError(NetworkError):
    """A description has a part that this version does not know."""


def describe(source: Input, layers: Sequence[Layer], encoder: Encoder | None = None) -> tuple[Values, Arrays]:
    """The network's whole content as JSON values and named arrays, in the first version that knows all of it."""
    if encoder is None and all(map(_in_version_1, layers)):
        return _describe_1(source, layers)
    return describe_2(source, layers, encoder)


def hash_of(values: Values, arrays: Arrays) -> str:
    """SHA-256 of a description, 64 hexadecimal digits: the same content has the same hash everywhere."""
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name} {array.dtype.newbyteorder('<').str} {array.shape}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def rebuild(
    version: int, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> tuple[Input, list[Block], Encoder | None]:
    """Input, blocks and encoder of a description.

    Raises NewerError where it has a part that is not known, KeyError, TypeError or ValueError where it is none.
    """
    left = dict(arrays)
    source = Input(values["input"]["kind"], Shape(*values["input"]["shape"]))
    encoder = None
    if version == 1:
        blocks = _rebuild_1(values, left)
    else:
        if len(values["layers"]) > MAX_LAYERS:
            raise ValueError(f"{len(values['layers'])} layers, {MAX_LAYERS} fit")
        blocks = [_rebuild_block(entry, f"layer{i}", left) for i, entry in enumerate(values["layers"])]
        if values["encoder"] is not None:
            part = values["encoder"]
            encoder = _known(ENCODERS, part["name"], "an encoder").rebuild(part, _take("encoder", left))
    if left:
        raise ValueError(f"unknown members {', '.join(sorted(left))}")
    return source, blocks, encoder


# Version 2


def describe_2(source: Input, layers: Sequence[Layer], encoder: Encoder | None) -> tuple[Values, Arrays]:
    """The content in version 2: each part by its name, its arrays by their layer's number and the part."""
    arrays: Arrays = {}

    def part(prefix: str, of: Any) -> Values:
        values, constants = of.describe()
        arrays.update({f"{prefix}.{name}": array for name, array in constants.items()})
        return {"name": of.name, **values}

    entries = [
        {
            "linear": part(f"layer{layer.index}.linear", layer.linear),
            "pool": None if layer.pool is None else layer.pool.describe(),
            "transform": part(f"layer{layer.index}.transform", layer.transform),
        }
        for layer in layers
    ]
    values: Values = {
        "input": {"kind": source.kind, "shape": list(source.shape)},
        "encoder": None if encoder is None else part("encoder", encoder),
        "layers": entries,
    }
    return values, arrays


def _rebuild_block(entry: Mapping[str, Any], prefix: str, left: Arrays) -> Block:
    linear, pool, transform = entry["linear"], entry["pool"], entry["transform"]
    return Block(
        _known(LINEARS, linear["name"], "a layer").rebuild(linear, _take(f"{prefix}.linear", left)),
        None if pool is None else Pool.rebuild(pool),
        _known(TRANSFORMS, transform["name"], "a transform").rebuild(transform, _take(f"{prefix}.transform", left)),
    )


def _known(table: Mapping[str, T], name: Any, what: str) -> T:
    if not isinstance(name, str):
        raise TypeError(f"the name of {what} is {name!r}")
    if name not in table:
        raise NewerError(f"it has {what} of kind {name!r:.40}")
    return table[name]


# Version 1


def _in_version_1(layer: Layer) -> bool:
    """Whether version 1 can describe a layer."""
    if layer.weight_kind is not BINARY or (layer.pool is not None and layer.pool.kind != "max"):
        return False
    if layer.transform.last:
        return type(layer.linear) is Dense and type(layer.transform) is Scores
    return type(layer.linear) in (Conv, Dense) and type(layer.transform) in (Sign, Normalize)


def _describe_1(source: Input, layers: Sequence[Layer]) -> tuple[Values, Arrays]:
    arrays: Arrays = {}
    blocks = []
    for layer in layers:
        assert isinstance(layer.linear, Weighted)
        prefix = "output" if layer.transform.last else f"block{layer.index}"
        values, constants = layer.transform.describe()
        arrays[f"{prefix}.weights"] = BINARY.pack(layer.linear.weights)
        arrays |= {f"{prefix}.{name}": array for name, array in constants.items()}
        entry: Values = {"weights": list(layer.linear.weights.shape), **values}
        if not layer.transform.last:
            pool = None if layer.pool is None else layer.pool.describe()
            entry |= {"linear": layer.linear.name, "pool": pool}
            if isinstance(layer.linear, Conv):
                entry |= {"stride": list(layer.linear.stride), "pad": list(layer.linear.pad)}
        blocks.append(entry)
    values = {"input": {"kind": source.kind, "shape": list(source.shape)}, "blocks": blocks[:-1], "output": blocks[-1]}
    return values, arrays


def _rebuild_1(values: Mapping[str, Any], left: Arrays) -> list[Block]:
    if len(values["blocks"]) >= MAX_LAYERS:
        raise ValueError(f"{len(values['blocks'])} blocks, {MAX_LAYERS - 1} fit")
    blocks = [_rebuild_block_1(entry, f"block{i}", left) for i, entry in enumerate(values["blocks"])]
    output = values["output"]
    weights, constants = _take_weights("output", output["weights"], left)
    blocks.append(Block(Dense(weights), None, Scores.rebuild(output, constants)))
    return blocks


def _rebuild_block_1(entry: Mapping[str, Any], prefix: str, left: Arrays) -> Block:
    weights, constants = _take_weights(prefix, entry["weights"], left)
    linear: Linear
    if entry["linear"] == "conv":
        linear = Conv(weights, pair(entry["stride"]), pair(entry["pad"]))
    elif entry["linear"] == "dense":
        linear = Dense(weights)
    else:
        raise ValueError(f"unknown linear part {entry['linear']!r}")
    pool = Pool.rebuild(entry["pool"]) if entry["pool"] else None
    transform = (Sign if "threshold" in constants else Normalize).rebuild(entry, constants)
    return Block(linear, pool, transform)


def _take_weights(prefix: str, shape: list[int], left: Arrays) -> tuple[NDArray[np.bool_], Arrays]:
    constants = _take(prefix, left)
    return bits.unpack_shape(constants.pop("weights"), shape), constants


def _take(prefix: str, left: Arrays) -> Arrays:
    """Takes the arrays of a part out of those that are ``left``, by the ends of their names."""
    names = [name for name in left if name.startswith(f"{prefix}.")]
    return {name.removeprefix(f"{prefix}."): left.pop(name) for name in names}
