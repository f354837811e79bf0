"""Tables of networks, of boards, and of what networks take on boards."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from ..boards import Board
from ..compile.estimate import Estimate
from ..compile.image import Image
from ..compile.summary import describe_network
from ..model.network import Network
from ..report import bounds_text, counts_instructions, estimate_text
from .listings import facts, listing

_COLUMNS_WITH_MCU = 110  # of a terminal


def network_table(network: Network) -> Table:
    """A network's layers, one to a row."""
    table = listing(("layer", "input", "output"), ("weights", "thresholds", "MACs"))
    for layer in describe_network(network)["layers"]:
        table.add_row(
            layer["name"] + (", pool" if layer["pool"] and layer["weight_kind"] else ""),
            _sides(layer["input_shape"]) + f" {layer['input_kind']}",
            _sides(layer["output_shape"]) + f" {layer['output_kind']}",
            f"{layer['weight_bytes']:,} B",
            f"{layer['threshold_bytes'] + layer['score_bytes']:,} B",
            f"{layer['macs']:,}",
        )
    return table


def image_table(image: Image) -> Table:
    """An image's layers, one to a row."""
    table = listing(("kernel", "input", "output"), ("bytes",))
    for layer in image.layers:
        table.add_row(layer.kernel, str(layer.input), str(layer.output), f"{layer.bytes:,}")
    return table


def channels_table(network: Network) -> Table | None:
    """The channels of a raw sample and the ranges that the encoder takes; None without an encoder."""
    if network.encoder is None:
        return None
    meta = network.meta
    table = listing(("channel", "unit", "range of the encoder"), ())
    for k, (low, high) in enumerate(zip(*network.encoder.ranges, strict=True)):
        name = meta.channel_names[k] if meta.channel_names else str(k)
        table.add_row(name, meta.channel_units[k] if meta.channel_units else "", f"{low:.4g} to {high:.4g}")
    return table


def names_and_rejection(network: Network) -> list[tuple[str, str]]:
    """What is known of a network's classes, as rows of two texts: their names, and from where on it is sure."""
    rows = []
    if network.meta.class_names:
        rows.append(("names", ", ".join(network.meta.class_names)))
    if network.meta.rejection is not None:
        rows.append(("sure", f"from a probability of {network.meta.rejection:.3f} on; below it is unknown"))
    return rows


def flash_text(network: Network) -> str:
    """The bytes of a network's constants in flash, and of which parts they are."""
    values = describe_network(network)
    parts = {"weights": "weight", "thresholds": "threshold", "scores": "score", "encoder": "encoder", "names": "name"}
    sizes = {title: values[f"{name}_bytes"] for title, name in parts.items()}
    shown = [
        f"{title} {size:,}" for title, size in sizes.items() if size or title in ("weights", "thresholds", "scores")
    ]
    return f"{sum(sizes.values()):,} B: {', '.join(shown)}"


def boards_table(boards: list[Board], columns: int = 80) -> Table:
    """Boards, one to a row; a star marks those that can be simulated. Where ``columns`` allow it, their MCU too."""
    wide = columns >= _COLUMNS_WITH_MCU
    words = ("board", "what it is", "MCU") if wide else ("board", "what it is")
    table = listing(words, ("clock", "flash, B", "RAM, B"))
    for board in boards:
        name = board.name if board.simulator is None else f"{board.name} *"
        clock = "" if counts_instructions(board.name) else _megahertz(board.clock_hz)
        titles = (board.title, board.mcu or "") if wide else (board.title,)
        table.add_row(name, *titles, clock, _count(board.flash_bytes), _count(board.ram_bytes))
    return table


def estimates_table(estimates: list[Estimate]) -> Table:
    """What a network takes on each board: used and limit, and the time."""
    table = listing(("board",), ("flash, B", "RAM, B", "a sample"), show_edge=False)
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
        ("", f"{name} {bounds_text(board.name, *one)}") for name, one in zip(names, found.layer_bounds, strict=True)
    ]
    return facts(rows)


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
