"""A network as plain values and named arrays, and its hash: what a file holds of it.

Version 1 knows blocks that end in signs and a last layer of scores, all with weights of ±1. A network that it can
describe has that description's hash, so that boards which were flashed before are known again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import bits
from .kinds import Input, Pair, Shape
from .layers import Block, Conv, Dense, Layer, Pool
from .transforms import Normalize, Scores, Sign

FORMAT = "ebnn network"
VERSION = 1
MAX_LAYERS = 255  # a layer's index is a uint8_t on the device

Values = dict[str, Any]
Arrays = dict[str, NDArray[Any]]


def describe(source: Input, layers: Sequence[Layer]) -> tuple[Values, Arrays]:
    """The network's whole content as JSON values and named arrays; weights as packed bits."""
    arrays: Arrays = {}
    blocks = []
    for layer in layers:
        prefix = "output" if layer.transform.last else f"block{layer.index}"
        values, constants = layer.transform.describe()
        arrays[f"{prefix}.weights"] = bits.pack(layer.linear.weights.ravel())
        arrays |= {f"{prefix}.{name}": array for name, array in constants.items()}
        entry: Values = {"weights": list(layer.linear.weights.shape), **values}
        if not layer.transform.last:
            entry |= {"linear": layer.linear.name, "pool": _describe_pool(layer.pool)}
            if isinstance(layer.linear, Conv):
                entry |= {"stride": list(layer.linear.stride), "pad": list(layer.linear.pad)}
        blocks.append(entry)
    values = {"input": {"kind": source.kind, "shape": list(source.shape)}, "blocks": blocks[:-1], "output": blocks[-1]}
    return values, arrays


def hash_of(values: Values, arrays: Arrays) -> str:
    """SHA-256 of a description, 64 hexadecimal digits: the same content has the same hash everywhere."""
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name} {array.dtype.newbyteorder('<').str} {array.shape}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def rebuild(values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> tuple[Input, list[Block]]:
    """The input and the blocks of a description. Raises KeyError, TypeError, ValueError where it is none."""
    left = dict(arrays)
    if len(values["blocks"]) >= MAX_LAYERS:
        raise ValueError(f"{len(values['blocks'])} blocks, {MAX_LAYERS - 1} fit")
    blocks = [_rebuild_block(entry, f"block{i}", left) for i, entry in enumerate(values["blocks"])]
    output = values["output"]
    weights, constants = _take("output", output["weights"], left)
    blocks.append(Block(Dense(weights), None, Scores.rebuild(output, constants)))
    if left:
        raise ValueError(f"unknown members {', '.join(sorted(left))}")
    return Input(values["input"]["kind"], Shape(*values["input"]["shape"])), blocks


def _rebuild_block(entry: Mapping[str, Any], prefix: str, left: Arrays) -> Block:
    weights, constants = _take(prefix, entry["weights"], left)
    linear: Conv | Dense
    if entry["linear"] == "conv":
        linear = Conv(weights, _pair(entry["stride"]), _pair(entry["pad"]))
    elif entry["linear"] == "dense":
        linear = Dense(weights)
    else:
        raise ValueError(f"unknown linear part {entry['linear']!r}")
    pool = entry["pool"] and Pool(*(_pair(entry["pool"][name]) for name in ("size", "stride", "pad")))
    transform = (Sign if "threshold" in constants else Normalize).rebuild(entry, constants)
    return Block(linear, pool or None, transform)


def _take(prefix: str, shape: list[int], left: Arrays) -> tuple[NDArray[np.bool_], Arrays]:
    """Takes a layer's arrays out of those that are ``left``: its weights, and the rest by the ends of their names."""
    names = [name for name in left if name.startswith(f"{prefix}.")]
    constants = {name.removeprefix(f"{prefix}."): left.pop(name) for name in names}
    return bits.unpack_shape(constants.pop("weights"), shape), constants


def _describe_pool(pool: Pool | None) -> Values | None:
    return None if pool is None else {"size": list(pool.size), "stride": list(pool.stride), "pad": list(pool.pad)}


def _pair(values: list[int]) -> Pair:
    first, second = values
    return first, second
