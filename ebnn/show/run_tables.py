"""Tables of what boards answered: right and wrong classes, the figures of a run, the time of each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ..figures import percent
from ..printable import printable
from ..report import COMPUTERS, RunReport, duration_text, time_text, timed
from .listings import facts, listing

if TYPE_CHECKING:
    from ..classifying import Answer
    from ..profiling import ProfileReport

_BAR_COLUMNS = 20  # of the longest bar


def confusion_table(report: RunReport, names: tuple[str, ...] = ()) -> Table:
    """The confusion matrix: labels down, predictions across, what is wrong in red."""
    names = report.class_names or names
    return count_table(report.confusion, names if len(names) == report.classes else ())


def count_table(confusion: NDArray[np.integer], names: Sequence[str] = ()) -> Table:
    """Counts of labels, down, by predictions, across, (classes, classes); what is wrong in red."""
    names = names or [str(each) for each in range(len(confusion))]
    title = "confusion: label down, prediction across"
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", min_width=len(title))
    table.add_column("", style="bold")
    for name in names:
        table.add_column(name, justify="right")
    for row, name in enumerate(names):
        cells = []
        for column, count in enumerate(confusion[row]):
            style = "green" if row == column else "red" if count else "dim"
            cells.append(Text(str(count) if count else "·", style=style))
        table.add_row(name, *cells)
    return table


def _unknown(report: RunReport) -> list[tuple[str, str]]:
    """How many answers are "unknown", where a network can say so."""
    counts = report.unknown
    if counts is None:
        return []
    rejected = f"{counts['right']:,} right and {counts['wrong']:,} wrong answers"
    return [("unknown", f"{rejected}; {counts['accepted_wrong']:,} wrong ones accepted")]


def _speed(report: RunReport) -> tuple[str, str]:
    rate, flow = report.link["samples_per_second"], report.link["bytes_per_second"]
    return "link", f"{rate:,.0f} samples/s, {flow / 1000:,.1f} kB/s"


def _pace(report: RunReport) -> tuple[str, str]:
    """A simulated board has no speed of its own but that of its clock: what the run took is this computer's time."""
    here, network = time_text(1e6 * report.link["seconds"]), duration_text(report.board, float(report.device_us.sum()))
    if report.board in COMPUTERS:
        return "in all", f"{here}, {network} of it in the network"
    return "simulated here", f"in {here} of this computer's time, {network} of the board's"


def _top(report: RunReport, top: int) -> str:
    found = report.top_accuracy(top)
    return f"{percent(found)} right among the first {top}, error {percent(1 - found)}"


def answers_table(answers: Sequence[tuple[str, Answer]]) -> Table:
    """What a network says of pictures, by their names: a row for each class that is shown, the most probable first."""
    board = any(answer.device_us is not None for _, answer in answers)
    table = listing(("picture", "class"), ("probability", *(("network's time",) if board else ())), foldable="picture")
    for name, answer in answers:
        rows = [
            *([("unknown", "")] if answer.unsure else []),
            *zip(answer.names, (percent(each) for each in answer.probabilities), strict=True),
        ]
        for i, (shown, probability) in enumerate(rows):
            taken = [] if not board else ["" if i or answer.device_us is None else time_text(float(answer.device_us))]
            table.add_row("" if i else printable(name), printable(shown), probability, *taken)
    return table


def run_table(report: RunReport, simulated: bool = False, top: int | None = None) -> Table:
    """The figures of a run, with the accuracy among the ``top`` classes where that is asked for.

    A simulated board has no link whose speed would tell anything.
    """
    link = report.link
    rows = [
        ("board", report.board),
        ("network", f"{report.network}, hash {report.network_hash[:8]}"),
        ("samples", f"{report.samples:,} of {report.asked:,}"),
        ("accuracy", percent(report.accuracy)),
        *([] if top is None else [(f"top {top}", _top(report, top))]),
        *_unknown(report),
        ("class mismatches", f"{report.class_mismatches:,}"),
        ("score mismatches", f"{report.score_mismatches:,}"),
        (timed(report.board), f"{duration_text(report.board, report.device_us_per_sample)} a sample"),
        _pace(report) if simulated else _speed(report),
        ("", f"{link['retries']:,} retries, {link['bad_frames']:,} damaged frames"),
    ]
    return facts(rows)


def profile_table(report: ProfileReport, bar: str = "█") -> Table:
    """A row and a bar for each layer; ``bar`` is one column of it."""
    table = listing(("layer", "output"), ("MACs", "a sample", "share"))
    table.add_column("")
    longest = max(max(layer.us for layer in report.layers), 1e-9)
    for layer in report.layers:
        table.add_row(
            layer.name,
            "×".join(map(str, layer.output_shape)),
            f"{layer.macs:,}",
            duration_text(report.board, layer.us),
            percent(report.share(layer), 1),
            Text(bar * round(_BAR_COLUMNS * layer.us / longest), style="green"),
        )
    return table
