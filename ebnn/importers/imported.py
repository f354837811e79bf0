"""What an importer returns."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.network import Network

BIT_OUTPUTS = "the outputs are bits: a bit is 1 where its score is 0 or above, as in network.predict_bits"
"""A note that tells how to read them."""


@dataclass(frozen=True)
class Imported:
    """A ``network``, and ``notes``: where it, or the C it came from, is not what one would expect."""

    network: Network
    notes: tuple[str, ...]
