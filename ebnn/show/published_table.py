"""The table of published networks."""

from __future__ import annotations

from rich.table import Table

from ..figures import percent
from ..published import PublishedNetwork
from ..published.card import BOARDS, estimates, sample_time
from ..recipes import load_recipe
from .listings import listing


def networks_table(published: list[PublishedNetwork]) -> Table:
    """Published networks, one to a row."""
    table = listing(("network",), ("accuracy", "data, B", "arena, B", *BOARDS))
    table.add_column("made for", overflow="fold")
    for one in published:
        table.add_row(
            one.name,
            percent(one.accuracy),
            f"{one.data_bytes:,}",
            f"{one.network.arena_bytes:,}",
            *map(sample_time, estimates(one.network)),
            load_recipe(one.name).summary,
        )
    return table
