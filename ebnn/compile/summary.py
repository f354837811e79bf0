"""A network's layers and sizes as plain values, for tables and programs."""

from __future__ import annotations

from typing import Any

from ..model.network import Network
from .class_names import name_bytes


def describe_network(network: Network) -> dict[str, Any]:
    """A network's layers and sizes as plain JSON values."""
    layers = []
    for layer in network.layers:
        last = layer.transform.last
        constants = layer.transform.constant_bytes
        layers.append(
            {
                "name": layer.name,
                "pool": layer.pool is not None,
                "input_kind": layer.kind.name,
                "input_shape": list(layer.input.shape),
                "weight_kind": None if layer.weight_kind is None else layer.weight_kind.name,
                "output_shape": [layer.outputs] if last else list(layer.output_shape),
                "output_kind": "scores" if last else layer.output_kind.name,
                "weight_bytes": layer.weight_bytes,
                "threshold_bytes": 0 if last else constants,
                "score_bytes": constants if last else 0,
                "macs": layer.macs,
            }
        )
    return {
        "hash": network.hash,
        "input": {"kind": network.input.kind, "shape": list(network.input.shape), "bytes": network.input.bytes},
        "raw": _describe_encoder(network),
        "classes": network.classes,
        **network.meta.describe(),
        "layers": layers,
        "weight_bytes": network.weight_bytes,
        "threshold_bytes": network.threshold_bytes,
        "score_bytes": network.score_bytes,
        "encoder_bytes": network.encoder.constant_bytes if network.encoder else 0,
        "name_bytes": name_bytes(network),
        "arena_bytes": network.arena_bytes,
        "avr_arena_bytes": network.avr_arena_bytes,
        "macs": network.macs,
    }


def _describe_encoder(network: Network) -> dict[str, Any] | None:
    """What the network takes before its encoder, and the range of each channel; None where there is no encoder."""
    encoder = network.encoder
    if encoder is None:
        return None
    low, high = encoder.ranges
    return {
        "kind": encoder.raw,
        "shape": list(network.raw_shape),
        "encoder": encoder.name,
        "ranges": [list(pair) for pair in zip(low.tolist(), high.tolist(), strict=True)],
    }


def input_text(network: Network) -> str:
    """What a network takes, in a line: "int8 6×1×119", or "6 channels float, 6×1×119 → int8"."""
    taken = network.input
    if network.encoder is None:
        return f"{taken.kind} {taken.shape}"
    raw = network.raw_shape
    channels = f"{raw.channels} channels" if raw.channels > 1 else "1 channel"
    changed = f" {taken.shape}" if taken.shape != raw else ""
    return f"{channels} {network.encoder.raw}, {raw} → {taken.kind}{changed}"
