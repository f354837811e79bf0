"""Networks whose constants take tens of kilobytes, no array over an AVR's 32,767."""

from benchmarks.untrained import build
from ebnn import Network


def large_network(second: int, first: int = 496, seed: int = 0) -> Network:
    """Two dense blocks over 512 pixels and 10 classes: about 68 bytes for each output of either block."""
    return build("uint8", (1, 1, 512), f"d{first} d{second}", seed=seed)
