"""What compiled layers and networks take on this computer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.table import Table

from .listings import listing

if TYPE_CHECKING:
    from ..compile.linux.timing import NetworkTiming, Timing


def timings_table(timings: Iterable[Timing]) -> Table:
    """A product and a layer to a row."""
    table = listing(("product", "layer"), ("time, µs", "Gops", "NumPy, Gops", "ratio"))
    for timing in timings:
        table.add_row(
            f"{timing.values}×{timing.weights}",
            timing.layer,
            f"{timing.seconds * 1e6:,.0f}",
            f"{timing.gops:,.0f}",
            f"{timing.numpy_gops:,.0f}",
            f"{timing.ratio:.1f}",
        )
    return table


def network_timing_line(timing: NetworkTiming) -> str:
    """A network's images in a second."""
    return (
        f"{timing.network}: {timing.compiled:,.0f} images a second compiled ({timing.path}), "
        f"{timing.interpreted:,.0f} interpreted: {timing.ratio:.1f} times"
    )
