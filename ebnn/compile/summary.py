"""A network's layers and sizes as plain values, for tables and programs."""

from __future__ import annotations

from typing import Any

from ..model.network import Network


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
                "output_shape": [layer.outputs] if last else list(layer.output_shape),
                "weight_bytes": layer.weight_bytes,
                "threshold_bytes": 0 if last else constants,
                "score_bytes": constants if last else 0,
                "macs": layer.macs,
            }
        )
    return {
        "hash": network.hash,
        "input": {"kind": network.input.kind, "shape": list(network.input.shape), "bytes": network.input.bytes},
        "classes": network.classes,
        "layers": layers,
        "weight_bytes": network.weight_bytes,
        "threshold_bytes": network.threshold_bytes,
        "score_bytes": network.score_bytes,
        "arena_bytes": network.arena_bytes,
        "avr_arena_bytes": network.avr_arena_bytes,
        "macs": network.macs,
    }
