"""The table of data sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table


def datasets_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Data sets, one to a row, from the values that ``ebnn datasets --json`` writes of each."""
    table = Table(box=SIMPLE_HEAD)
    for header in ("data set", "shape", "classes", "train", "test", "input", "files"):
        number = header in ("classes", "train", "test")
        table.add_column(header, justify="right" if number else "left", no_wrap=header != "files")
    for row in rows:
        shape = "×".join(str(size) for size in row["shape"])
        counts = (str(row["classes"]), f"{row['train']:,}", f"{row['test']:,}")
        table.add_row(row["name"], shape, *counts, row["kind"], _where(row))
    return table


def _where(row: Mapping[str, Any]) -> str:
    if row["state"] == "absent":
        return "not downloaded" if row["origin"] == "the cache" else "missing"
    lacking = ", ".join(Path(path).name for path in row["missing"])
    return f"partial: lacks {lacking}" if lacking else str(row["state"])
