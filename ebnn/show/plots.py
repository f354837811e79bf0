"""Pictures of results, drawn without a display."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..atomic import write_atomically
from ..errors import WriteError
from ..extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

    from ..sweep import Sweep
    from ..training.history import History

PICTURES = (".png", ".svg", ".pdf")
"""How the name of a picture ends, in either case."""
WIDTH = 4.8  # of a panel, inches
LIST_ROW = 0.2  # inches
CHARACTER = 0.075  # inches, of the small letters of lists
MARK = 6 / 72  # inches across a point


def check_picture(path: Path | None) -> None:
    """Refuses, before the work is done, a picture that cannot be drawn: by its name's end, or without Matplotlib."""
    if path is None:
        return
    if path.suffix.lower() not in PICTURES:
        raise WriteError(f"{path} is no picture that can be drawn: end its name in {', '.join(PICTURES)}")
    check_drawing(f"drawing {path}")


def check_drawing(purpose: str) -> None:
    """Raises MissingDependencyError where Matplotlib is absent; ``purpose`` begins its message."""
    import_extra("matplotlib.figure", purpose)


def plot_sweep(sweep: Sweep, path: Path) -> None:
    """Draws accuracy against bytes, and against time on each board, with the Pareto fronts.

    A network's number is its place in the list below the panels; below a board's panel stand the numbers of those that
    do not fit there.

    Args:
        sweep: what to draw.
        path: picture to write, atomically; its ending says which kind.
    """
    check_drawing("a picture")
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    from ..sweep import cost_label

    panels = 1 + len(sweep.boards)
    names = [_shortened(trial.architecture, _characters(WIDTH * panels)) for trial in sweep.trials]
    columns = _columns(names, WIDTH * panels, 2 * panels)
    rows = -(-len(sweep.trials) // columns)
    total = 4.4 + LIST_ROW * rows
    list_top = LIST_ROW * rows / total
    layout = ConstrainedLayoutEngine(rect=(0, list_top, 1, 1 - list_top))
    figure = Figure(figsize=(WIDTH * panels, total), layout=layout)
    axes = figure.subplots(1, panels, sharey=True, squeeze=False)[0]
    costs: list[list[float | None]] = [[float(trial.data_bytes) for trial in sweep.trials]]
    _draw_front(axes[0], sweep, costs[0], sweep.bytes_front())
    axes[0].set_xlabel("bytes of weights, thresholds, score constants")
    axes[0].set_ylabel("accuracy on held-out images, %")
    for i, board in enumerate(sweep.boards):
        label, unit = cost_label(board)
        found = [trial.estimates[i] for trial in sweep.trials]
        costs.append([one.us / unit if one.fits else None for one in found])
        _draw_front(axes[1 + i], sweep, costs[-1], sweep.time_front(i))
        unfit = ", ".join(str(k + 1) for k, one in enumerate(found) if not one.fits)
        axes[1 + i].set_xlabel(f"{label} (estimated)" + (f"\ndoes not fit: {unfit}" if unfit else ""), wrap=True)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False)
    for i, name in enumerate(names):
        place = ((i // rows + 0.1) / columns, list_top - LIST_ROW * (i % rows + 0.5) / total)
        figure.text(*place, f"{i + 1}  {name}", fontsize=7.5, va="center")
    figure.draw_without_rendering()  # lays the panels out: which marks touch depends on their size
    for panel, panel_costs in zip(axes, costs, strict=True):
        _number_points(panel, sweep, panel_costs)
    _write(figure, path)


def _characters(inches: float) -> int:
    """How many characters of a name have room, beside its number."""
    return int(inches / CHARACTER) - 6


def _columns(names: Sequence[str], inches: float, most: int) -> int:
    """In how many columns names can be listed without touching each other."""
    return max(1, min(most, int(inches / (CHARACTER * (6 + max(map(len, names)))))))


def _shortened(name: str, most: int) -> str:
    """A name of at most so many characters, without its middle if need be."""
    return name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[-(most // 2) :]}"


def _draw_front(axes: Axes, sweep: Sweep, costs: Sequence[float | None], front: Sequence[bool]) -> None:
    """One panel: every network a point, those on the front joined."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    points = [
        (cost, 100 * trial.accuracy, on_front)
        for cost, trial, on_front in zip(costs, sweep.trials, front, strict=True)
        if cost is not None
    ]
    axes.grid(alpha=0.3)
    if not points:
        axes.text(0.5, 0.5, "none fits", ha="center", va="center", transform=axes.transAxes)
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    others = [point for point in points if not point[2]]
    best = sorted(point for point in points if point[2])
    axes.plot([p[0] for p in best], [p[1] for p in best], "o-", color="tab:blue", drawstyle="steps-post", label="front")
    if others:
        axes.plot([p[0] for p in others], [p[1] for p in others], "o", color="tab:gray", label="beaten by another")
    axes.margins(0.1)


def _number_points(axes: Axes, sweep: Sweep, costs: Sequence[float | None]) -> None:
    """Writes each network's number by its point: one label for marks that overlap, and none across another."""
    labels: list[tuple[tuple[float, float], list[str]]] = []

    def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
        (x0, y0), (x1, y1) = axes.transData.transform([one, other])
        return math.hypot(x1 - x0, y1 - y0) / axes.figure.dpi

    for i, (cost, trial) in enumerate(zip(costs, sweep.trials, strict=True)):
        if cost is not None:
            point = (cost, 100 * trial.accuracy)
            near = [numbers for place, numbers in labels if distance(place, point) < MARK]
            if near:
                near[0].append(str(i + 1))
            else:
                labels.append((point, [str(i + 1)]))
    taken: list[Bbox] = []
    for point, numbers in labels:
        label = axes.annotate(", ".join(numbers), point, xytext=(4, -10), textcoords="offset points", fontsize=7.5)
        while any(label.get_window_extent().overlaps(other) for other in taken):
            x, y = label.get_position()
            label.set_position((x, y - 2))
        taken.append(label.get_window_extent())


def _write(figure: Figure, path: Path) -> None:
    write_atomically(path, _rendered(figure, path.suffix.removeprefix(".").lower()))


def _rendered(figure: Figure, kind: str) -> bytes:
    """The same figure gives the same bytes: a picture has no date, and no random names inside."""
    import matplotlib

    dates: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "ebnn"}):
        figure.savefig(buffer, format=kind, dpi=150, metadata=dates.get(kind))
    return buffer.getvalue()


_MANY = 10  # runs, for which Matplotlib has colours that are told apart easily


def plot_history(histories: Sequence[History], path: Path) -> None:
    """Draws loss, accuracy and learning rate of training runs over their epochs.

    Args:
        histories: of the runs; one of them at least has an epoch.
        path: picture to write, atomically; its ending says which kind.
    """
    _write(_history_figure(histories), path)


def history_svg(histories: Sequence[History]) -> bytes:
    """Returns the picture of `plot_history` as SVG."""
    return _rendered(_history_figure(histories), "svg")


def _history_figure(histories: Sequence[History]) -> Figure:
    check_drawing("a picture")
    from matplotlib import colormaps
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

    wide = 7.0
    drawn = [history for history in histories if history.records]
    names = [_shortened(history.name, _characters(wide)) for history in drawn]
    columns = _columns(names, wide, 4)
    figure = Figure(figsize=(wide, 7.6 + LIST_ROW * (-(-len(names) // columns))), layout="constrained")
    loss, accuracy, rate = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1))
    for i, history in enumerate(drawn):
        colour = f"C{i}" if len(drawn) <= _MANY else colormaps["turbo"](i / (len(drawn) - 1))
        records, best, name = history.records, history.best, history.held_out
        epochs = [record.epoch for record in records]
        single = len(records) == 1  # a line of one point cannot be seen
        options = {"color": colour, "marker": "." if single else None}
        trained = {"color": colour, "marker": "x" if single else None, "linestyle": "--", "linewidth": 1}
        loss.plot(epochs, [r.loss for r in records], **trained)
        loss.plot(
            epochs,
            [getattr(r, f"{name}_loss") for r in records],
            label=_plain(names[i]),
            **options,
        )
        loss.plot([best.epoch], [getattr(best, f"{name}_loss")], "o", color=colour)
        accuracy.plot(epochs, [100 * r.train_accuracy for r in records], **trained)
        accuracy.plot(epochs, [100 * getattr(r, f"{name}_accuracy") for r in records], **options)
        accuracy.plot([best.epoch], [100 * getattr(best, f"{name}_accuracy")], "o", color=colour)
        rate.plot(epochs, [r.learning_rate for r in records], **options)
    # Outside the panels, where a legend covers no line.
    figure.legend(loc="outside upper left", fontsize="small", frameon=False, ncols=columns)
    single = any(len(history.records) == 1 for history in drawn)
    _explain_lines(figure, " or ".join(sorted({history.held_out for history in drawn})), "x" if single else None)
    if all(len(history.records) == 1 for history in drawn):
        rate.set_xlim(0.5, 1.5)
    loss.set_ylabel("loss")
    if all(value > 0 for line in loss.lines for value in line.get_ydata()):
        loss.set_yscale("log")
        loss.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        for formatted in (loss.yaxis.set_major_formatter, loss.yaxis.set_minor_formatter):
            formatted(StrMethodFormatter("{x:g}"))
    accuracy.set_ylabel("accuracy, %")
    accuracy.set_ylim(_lowest_of_interest(drawn), None)
    rate.set_ylabel("learning rate")
    rate.set_ylim(0, None)
    rate.set_xlabel("epoch")
    rate.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in (loss, accuracy, rate):
        axes.grid(alpha=0.3)
    return figure


def _plain(name: str) -> str:
    """A name as a label: Matplotlib takes $ for mathematics, and leaves out what begins with an underscore."""
    return (" " if name.startswith("_") else "") + name.replace("$", r"\$")


def _explain_lines(figure: Figure, held_out: str, marker: str | None) -> None:
    """A legend for what line styles and marks mean, whatever the colour."""
    from matplotlib.lines import Line2D

    figure.legend(
        handles=[
            Line2D([], [], color="black", label=held_out),
            Line2D([], [], color="black", linestyle="--", marker=marker, lw=1, label="training, as trained"),
            Line2D([], [], color="black", linestyle="", marker="o", label="epoch that is kept"),
        ],
        loc="outside lower left",
        fontsize="small",
        frameon=False,
        ncols=3,
    )


def _lowest_of_interest(histories: Sequence[History]) -> float:
    """Where the axis of accuracies begins, in percent: below all but the first quarter of epochs."""
    values = [
        value
        for history in histories
        for record in history.records[len(history.records) // 4 :]
        for value in (record.train_accuracy, getattr(record, f"{history.held_out}_accuracy"))
    ]
    return max(0.0, 100 * (min(values) - 0.1 * (max(values) - min(values)) - 0.002))
