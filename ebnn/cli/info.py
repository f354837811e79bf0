"""The command ``ebnn info``."""

from dataclasses import asdict
from pathlib import Path

import click

from ..boards import load_board
from ..compile.estimate import estimate, estimated_boards, way_out
from ..compile.image import is_image_file, read_image
from ..compile.summary import describe_network, input_text
from ..errors import FileFormatError, NetworkError
from ..published import load
from ..show.console import make_console, print_line, print_whole
from ..show.network_tables import (
    channels_table,
    estimate_table,
    estimates_table,
    flash_text,
    image_table,
    names_and_rejection,
    network_table,
)
from .idle_options import NETWORK_FILE, refuses_idle
from .options import (
    arithmetic_option,
    board_option,
    json_option,
    model_argument,
    optimize_option,
    write_json,
)


@click.command()
@model_argument
@board_option
@arithmetic_option
@optimize_option
@json_option
@refuses_idle(NETWORK_FILE)
def info(model: Path, board: str | None, arithmetic: str, optimize: str, json_file: Path | None) -> None:
    """Show a network's layers and what they take: shapes, bytes of flash and RAM, multiply-accumulates.

    Then what it takes with the serial firmware on every board, or on one in detail (--board): flash and RAM, the stack
    included, what is left of them, and the time for a sample. These are estimates, from costs that were measured on
    simulated cores.

    Of an image, as ebnn export --format image writes it, what it says of itself.
    """
    if is_image_file(model):
        _image_info(model, json_file)
        return
    network = load(model)
    boards = [load_board(board)] if board else estimated_boards()
    found, refusal = [], ""
    try:
        found = [estimate(network, one, arithmetic, optimize) for one in boards]
    except NetworkError as error:
        if board:
            raise
        refusal = str(error)  # no board takes it; its layers are shown all the same
    console = make_console()
    print_line(console, f"{model}: {input_text(network)} → {network.output_text}")
    print_line(console, f"hash {network.hash}")
    print_whole(console, network_table(network))
    known = channels_table(network)
    if known is not None:
        print_whole(console, known)
    for name, text in names_and_rejection(network):
        print_line(console, f"{name:<6} {text}")
    print_line(console, f"flash  {flash_text(network)}")
    print_line(console, f"RAM    {network.arena_bytes:,} B of arena, the input in it")
    print_line(console, f"work   {network.macs:,} multiply-accumulates")
    print_line(console, "")
    if refusal:
        print_line(console, f"no board: {refusal}")
    elif board is None:
        print_line(console, "estimates, with the serial firmware:")
        print_whole(console, estimates_table(found))
        print_line(console, "times: for images as in training; ~ assumed from similar boards, else measured")
    else:
        print_whole(console, estimate_table(network, found[0]))
        print_line(console, "for images as in training")
        if not found[0].fits:
            print_line(console, f"does not fit: {way_out(network, found[0], arithmetic, optimize)}")
    estimates = [one.values() for one in found]
    write_json(json_file, {"file": str(model), **describe_network(network), "estimates": estimates})


def _image_info(path: Path, json_file: Path | None) -> None:
    """Shows what an image says of itself."""
    try:
        image = read_image(path.read_bytes())
    except FileFormatError as error:
        raise FileFormatError(f"{path} {error}") from None
    console = make_console()
    encoder = f"{image.encoder} of {image.raw} → " if image.encoder else ""
    title = f" of {image.title}" if image.title else ""
    outputs = "bits" if image.bit_outputs else "classes"
    print_line(console, f"{path}: an image{title} for {image.target}")
    print_line(console, f"{encoder}{image.kind} {image.shape} → {image.classes} {outputs}, hash {image.hash}…")
    print_whole(console, image_table(image))
    if image.class_names:
        print_line(console, f"names   {', '.join(image.class_names)}")
    if image.rejection is not None:
        print_line(console, f"sure    from a probability of {image.rejection:.3f} on; below it is unknown")
    print_line(console, f"size    {image.bytes:,} B")
    print_line(console, f"RAM     {image.arena_bytes:,} B of arena, the input in it")
    print_line(console, f"kernels EBNN_MODEL_KERNELS 0x{image.kernels:X}ul")
    write_json(json_file, {"file": str(path), **asdict(image)})
