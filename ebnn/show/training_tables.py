"""Tables of training: runs, float against binarized, the networks of a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ..figures import percent
from ..printable import printable
from ..report import estimate_text, time_text
from ..training.comparison import Side, price
from .listings import listing

if TYPE_CHECKING:
    from ..sweep import Sweep
    from ..training.history import History
    from ..training.quantization import LayerReport

FRONT_MARK = "*"
_NO_ROOM = Text("does not fit  ", style="red")


def history_table(histories: Sequence[History]) -> Table:
    """Runs, one to a row; accuracies are those of the epoch that is kept, the loss is the last one of training."""
    figures = ("epochs", "best", "validation", "test", "loss", "time")
    table = listing(("run",), figures, foldable="run")
    for found in histories:
        values = found.values()
        accuracies = (values["validation_accuracy"], values["test_accuracy"])
        table.add_row(
            printable(found.name),
            str(values["epochs"]),
            str(values["best_epoch"] or ""),
            *("" if accuracy is None else percent(accuracy) for accuracy in accuracies),
            "" if values["loss"] is None else f"{values['loss']:.4f}",
            str(timedelta(seconds=round(found.seconds))),
        )
    return table


def comparison_table(baseline: Side, binarized: Side) -> Table:
    """Both networks, side by side."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("")
    for header in ("float", "binarized", "float − binarized"):
        table.add_column(header, justify="right")
    labels = {"accuracy": "test accuracy", "validation_accuracy": "validation accuracy"}
    for name, difference in price(baseline, binarized).items():
        sides = (percent(getattr(side, name)) for side in (baseline, binarized))
        table.add_row(labels[name], *sides, f"{100 * difference:+.2f} points")
    table.add_row(
        "parameters",
        f"{baseline.bytes:,} B",
        f"{binarized.bytes:,} B",
        f"{baseline.bytes / binarized.bytes:.1f} times",
    )
    table.add_row("training", *(time_text(1e6 * side.train_seconds) for side in (baseline, binarized)), "")
    return table


def quantization_table(layers: Sequence[LayerReport]) -> Table:
    """What quantization did to each layer: ranges, and errors relative to the size of what they are of."""
    table = listing(("layer", "output"), ("largest", "range", "weights", "error"))
    for layer in layers:
        table.add_row(
            layer.name,
            layer.kind,
            f"{max(abs(layer.low), abs(layer.high)):.3g}",
            "" if layer.clip is None else f"{layer.clip:.3g}",
            "" if layer.weight_error is None else percent(layer.weight_error),
            percent(layer.error),
        )
    return table


def sweep_table(sweep: Sweep) -> Table:
    """One row for each network; a star marks those on the Pareto front of accuracy against the column's figure."""
    boards = (f"{board.name}  " for board in sweep.boards)
    table = listing(("architecture",), ("accuracy", "data, B  ", "arena, B", "MACs", *boards), foldable="architecture")
    by_bytes = sweep.bytes_front()
    by_time = [sweep.time_front(board) for board in range(len(sweep.boards))]
    for i, trial in enumerate(sweep.trials):
        table.add_row(
            trial.architecture,
            percent(trial.accuracy),
            _marked(f"{trial.data_bytes:,}", by_bytes[i]),
            f"{trial.network.arena_bytes:,}",
            f"{trial.network.macs:,}",
            *(
                _marked(estimate_text(one), front[i]) if one.fits else _NO_ROOM
                for one, front in zip(trial.estimates, by_time, strict=True)
            ),
        )
    return table


def _marked(text: str, front: bool) -> Text:
    return Text(f"{text} {FRONT_MARK}", style="bold") if front else Text(f"{text}  ")
