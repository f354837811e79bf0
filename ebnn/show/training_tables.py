"""Tables of training: runs, float against binarized, the networks of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

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


def comparison_table(sides: Mapping[str, Side]) -> Table:
    """Networks of one shape, one to a row, the float one among them; the others have what they lose to it."""
    baseline = sides["float"]
    judged = [name for name in ("validation", "test") if name == "test" or baseline.validation_accuracy is not None]
    table = listing(("network",), (*judged, "lost", "parameters", "smaller", "training"))
    for name, side in sides.items():
        accuracies = {"validation": side.validation_accuracy, "test": side.accuracy}
        shown = [accuracies[each] for each in judged]
        table.add_row(
            name,
            *("" if accuracy is None else percent(accuracy) for accuracy in shown),
            "" if side is baseline else f"{100 * price(baseline, side)['accuracy']:+.2f} points",
            f"{side.bytes:,} B",
            "" if side is baseline else f"{baseline.bytes / side.bytes:.1f} times",
            time_text(1e6 * side.train_seconds),
        )
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
