"""What people and programs see of networks and runs: tables, pictures in text, and the same as JSON values."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from .boards import Board, board_names, bundled_board_names, load_board
from .compile.estimate import Estimate
from .compile.summary import describe_network
from .figures import percent
from .model.network import Network

_COLUMNS_WITH_MCU = 110  # of a terminal
_SHADES = " .:-=+*#%@"
_COMPUTERS = ("host", "native")  # what the firmware calls itself where a computer runs it


def network_table(network: Network) -> Table:
    """A network's layers, one to a row."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for header in ("layer", "input", "output"):
        table.add_column(header)
    for header in ("weights", "thresholds", "MACs"):
        table.add_column(header, justify="right")
    for layer in describe_network(network)["layers"]:
        table.add_row(
            layer["name"] + (", pool" if layer["pool"] else ""),
            _sides(layer["input_shape"]) + f" {layer['input_kind']}",
            _sides(layer["output_shape"]) + (" scores" if layer["name"] == "output" else " bits"),
            f"{layer['weight_bytes']:,} B",
            f"{layer['threshold_bytes'] + layer['score_bytes']:,} B",
            f"{layer['macs']:,}",
        )
    return table


def boards_table(boards: list[Board], columns: int = 80) -> Table:
    """Boards, one to a row; a star marks those that can be simulated. Where ``columns`` allow it, their MCU too."""
    wide = columns >= _COLUMNS_WITH_MCU
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("board")
    table.add_column("what it is")
    if wide:
        table.add_column("MCU")
    for header in ("clock", "flash, B", "RAM, B"):
        table.add_column(header, justify="right")
    for board in boards:
        name = board.name if board.simulator is None else f"{board.name} *"
        clock = "" if counts_instructions(board.name) else _megahertz(board.clock_hz)
        titles = (board.title, board.mcu or "") if wide else (board.title,)
        table.add_row(name, *titles, clock, _count(board.flash_bytes), _count(board.ram_bytes))
    return table


def estimates_table(estimates: list[Estimate]) -> Table:
    """What a network takes on each board: used and limit, and the time."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("board")
    for header in ("flash, B", "RAM, B", "a sample"):
        table.add_column(header, justify="right")
    table.add_column("fits")
    for found in estimates:
        lacking = found.lacking[0] if len(found.lacking) == 1 else "both"  # room in 80 columns
        verdict = Text("yes", style="green") if found.fits else Text(f"no: {lacking}", style="red")
        table.add_row(
            found.board.name,
            f"{found.flash_bytes:,}/{found.board.flash_bytes:,}",
            f"{found.ram_bytes:,}/{found.board.ram_bytes:,}",
            ("" if found.board.measured else "~") + estimate_text(found),
            verdict,
        )
    return table


def estimate_table(network: Network, found: Estimate) -> Table:
    """What a network takes on one board, in detail."""
    board = found.board
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column()
    fits = "" if found.fits else f", does not fit: {', '.join(found.lacking)}"
    clock = "" if counts_instructions(board.name) else f", {_megahertz(board.clock_hz)}"
    reserved = board.reserved_ram
    stack = f"heap and stacks {reserved:,}" if reserved else f"stack {found.stack_bytes:,}"
    rows = [
        ("board", f"{board.title}: {board.mcu}{clock}{fits}"),
        ("flash", _room_text(found.flash_bytes, board.flash_bytes)),
        ("RAM", _room_text(found.ram_bytes, board.ram_bytes)),
        ("", f"arena {found.arena_bytes:,}, {stack}, the rest is the firmware's"),
        ("a sample", estimate_text(found)),
    ]
    names = [layer.name for layer in network.layers]
    rows += [
        ("", f"{name} {_bounds_text(board.name, *one)}") for name, one in zip(names, found.layer_bounds, strict=True)
    ]
    for name, value in rows:
        table.add_row(name, Text(value))
    return table


def counts_instructions(board: str) -> bool:
    """Whether a board's microseconds are instructions: QEMU has no cycles to count."""
    return (board in bundled_board_names() or board in board_names()) and load_board(board).simulator == "qemu"


def timed(board: str) -> str:
    """Whose time a prediction took: a board's, or this computer's where the firmware runs on it."""
    return "on this computer" if board in _COMPUTERS else "on the board"


def duration_text(board: str, us: float) -> str:
    """What a board took, to three figures: a time, or instructions where it counts those."""
    if not counts_instructions(board):
        return time_text(us)
    for limit, unit, scale in ((1e3, "", 1.0), (1e6, "k ", 1e3), (float("inf"), "M ", 1e6)):
        if us < limit:
            return f"{_three_figures(us / scale)} {unit}instructions"
    raise ValueError(f"no count: {us}")


def estimate_text(found: Estimate) -> str:
    """The estimated time for a sample: a figure, or its bounds, as in "44 to 56 ms"."""
    return _bounds_text(found.board.name, *found.bounds)


def _bounds_text(board: str, low: float, high: float) -> str:
    """Bounds to a whole unit, or a tenth below 10, rounded outwards."""
    if low == high:
        return duration_text(board, low)
    for limit, unit, scale in ((1e3, "µs", 1.0), (1e6, "ms", 1e3), (float("inf"), "s", 1e6)):
        if high < limit:
            places = 1 if high < 10 * scale else 0
            low, high = (
                turn(us / scale * 10**places) / 10**places for turn, us in ((math.floor, low), (math.ceil, high))
            )
            return f"{low:.{places}f} to {high:.{places}f} {unit}"
    raise ValueError(f"no time: {low} to {high}")


def time_text(us: float) -> str:
    """Microseconds as people read them, to three figures."""
    for limit, unit, scale in ((1e3, "µs", 1.0), (1e6, "ms", 1e3), (float("inf"), "s", 1e6)):
        if us < limit:
            return f"{_three_figures(us / scale)} {unit}"
    raise ValueError(f"no time: {us}")


def _three_figures(value: float) -> str:
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def _room_text(used: int, limit: int | None) -> str:
    assert limit is not None
    left = limit - used
    return f"{used:,} of {limit:,} B, {left:,} left" if left >= 0 else f"{used:,} of {limit:,} B, {-left:,} too many"


def _count(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _megahertz(hertz: int | None) -> str:
    return "" if hertz is None else f"{hertz / 1e6:g} MHz"


def _sides(shape: list[int]) -> str:
    return "×".join(map(str, shape))


@dataclass(frozen=True, eq=False)
class RunReport:
    """What a board answered to samples, held against the reference.

    Attributes:
        board, network: names, as the board says them.
        network_hash: of the network, 64 hexadecimal digits.
        labels, predicted: (n,) int, of the samples that were answered.
        classes: how many there are.
        asked: samples that were to be streamed.
        class_mismatches, score_mismatches: samples whose class, or any of whose scores, is not the reference's.
        device_us: (n,) microseconds that each prediction took, by the board's own clock.
        link: statistics of the link, by name.
    """

    board: str
    network: str
    network_hash: str
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    classes: int
    asked: int
    class_mismatches: int
    score_mismatches: int
    device_us: NDArray[np.int64]
    link: dict[str, Any]

    @property
    def samples(self) -> int:
        """Samples that were answered."""
        return len(self.predicted)

    @property
    def accuracy(self) -> float:
        """Fraction of the answered samples whose class is the label; 0 where none was answered."""
        return float(np.mean(self.predicted == self.labels)) if self.samples else 0.0

    @property
    def device_us_per_sample(self) -> float:
        """Mean microseconds of a prediction by the board's clock; 0 where none was answered."""
        return float(self.device_us.mean()) if self.samples else 0.0

    @property
    def exact(self) -> bool:
        """Whether every answer is the reference's."""
        return self.class_mismatches == 0 and self.score_mismatches == 0

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(classes, classes): how often a sample of the row's label was given the column's class."""
        counts = np.zeros((self.classes, self.classes), np.int64)
        np.add.at(counts, (self.labels, self.predicted), 1)
        return counts

    def values(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "board": self.board,
            "network": self.network,
            "network_hash": self.network_hash,
            "samples": self.samples,
            "asked": self.asked,
            "accuracy": self.accuracy,
            "class_mismatches": self.class_mismatches,
            "score_mismatches": self.score_mismatches,
            "device_us_per_sample": self.device_us_per_sample,
            "unit": "instructions" if counts_instructions(self.board) else "microseconds",
            "confusion": self.confusion.tolist(),
            "link": self.link,
        }


def confusion_table(report: RunReport, names: tuple[str, ...] = ()) -> Table:
    """The confusion matrix: labels down, predictions across, what is wrong in red."""
    names = names if len(names) == report.classes else tuple(map(str, range(report.classes)))
    table = Table(box=SIMPLE_HEAD, title="confusion: label down, prediction across", title_justify="left")
    table.add_column("", style="bold")
    for name in names:
        table.add_column(name, justify="right")
    for row, name in enumerate(names):
        cells = []
        for column, count in enumerate(report.confusion[row]):
            style = "green" if row == column else "red" if count else "dim"
            cells.append(Text(str(count) if count else "·", style=style))
        table.add_row(name, *cells)
    return table


def _speed(report: RunReport) -> tuple[str, str]:
    rate, flow = report.link["samples_per_second"], report.link["bytes_per_second"]
    return "link", f"{rate:,.0f} samples/s, {flow / 1000:,.1f} kB/s"


def _pace(report: RunReport) -> tuple[str, str]:
    """A simulated board has no speed of its own but that of its clock: what the run took is this computer's time."""
    here, network = time_text(1e6 * report.link["seconds"]), duration_text(report.board, float(report.device_us.sum()))
    if report.board in _COMPUTERS:
        return "in all", f"{here}, {network} of it in the network"
    return "simulated here", f"in {here} of this computer's time, {network} of the board's"


def run_table(report: RunReport, simulated: bool = False) -> Table:
    """The figures of a run; a simulated board has no link whose speed would tell anything."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    link = report.link
    rows = [
        ("board", report.board),
        ("network", f"{report.network}, hash {report.network_hash[:8]}"),
        ("samples", f"{report.samples:,} of {report.asked:,}"),
        ("accuracy", percent(report.accuracy)),
        ("class mismatches", f"{report.class_mismatches:,}"),
        ("score mismatches", f"{report.score_mismatches:,}"),
        (timed(report.board), f"{duration_text(report.board, report.device_us_per_sample)} a sample"),
        _pace(report) if simulated else _speed(report),
        ("", f"{link['retries']:,} retries, {link['bad_frames']:,} damaged frames"),
    ]
    for name, value in rows:
        table.add_row(Text(name, style="bold"), Text(value))
    return table


def picture(image: NDArray[Any]) -> list[str]:
    """Lines that show an image (channels, height, width) in text, one character pair a pixel."""
    grey = image.astype(np.float64).mean(axis=0)
    grey = (grey - grey.min()) / max(float(np.ptp(grey)), 1e-9)
    rows = (grey * (len(_SHADES) - 1)).round().astype(int)
    return ["".join(_SHADES[level] * 2 for level in row) for row in rows]
