"""The command ``ebnn export``."""

from pathlib import Path

import click

from ..atomic import write_atomically, write_json
from ..boards import load_board
from ..compile.estimate import check_fits
from ..compile.file_names import check_header_name
from ..compile.header import MAX_SELF_TEST, check_identifier, header_text, identifier
from ..compile.image import image_bytes, image_target, read_image
from ..compile.linux.source_files import linux_header, linux_source, weights_file_bytes
from ..firmware_sources import firmware_folder, linux_library
from ..importers import flat_file, model_def_text
from ..published import load
from ..show.console import make_console, print_line, print_whole
from ..show.network_tables import estimate_table
from .idle_options import FOR_BOARDS, FOR_C, FOR_IMAGE, FOR_LINUX, refuses_idle
from .options import arithmetic_option, board_option, model_argument, optimize_option
from .paths import OutputFile, check_kind, check_output

_FORMATS = {
    "c": ("C header of ebnn's", "network.h"),
    "image": ("image of a network", "network.img"),
    "model.def": ("model.def", "model.def"),
    "flat-weights": ("file of flat weights", "network.bin"),
}
"""What each writes, as messages call it, and the file where none is named."""


@click.command()
@model_argument
@click.option(
    "-o",
    "--output",
    type=OutputFile("file that this command writes"),
    help="The file to write. [default: network.h; with another --format, network.img, model.def or network.bin]",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(tuple(_FORMATS)),
    default="c",
    show_default=True,
    help="image: a file that model.h of the library opens at run time, for --board's core, or for 32-bit ones. "
    "model.def: tinier-nn's text file, of fully connected layers without thresholds, whose outputs are bits. "
    "flat-weights: binarynet-tensorflow's file, of layers that end in signs, and a JSON file beside it.",
)
@click.option("--name", help="Starts every name in the header; the title of an image. [default: its file name]")
@board_option
@arithmetic_option
@optimize_option
@click.option(
    "--self-test",
    type=click.IntRange(0, MAX_SELF_TEST),
    default=0,
    metavar="N",
    help="Bring N samples with their scores, and NAME_self_test_in(arena), which returns how many scores are wrong.",
)
@click.option("--probabilities", is_flag=True, help="Bring NAME_probabilities(scores, probabilities).")
@click.option(
    "--target",
    type=click.Choice(("boards", "linux")),
    default="boards",
    show_default=True,
    help="linux: a source file, with its header beside it, for gcc or clang on a PC or a Raspberry Pi.",
)
@click.option(
    "--weights-file",
    type=OutputFile("file of weights"),
    help="With --target linux: write the weights to this file, which the program maps, not into the source.",
)
@refuses_idle(FOR_C, FOR_IMAGE, FOR_BOARDS, FOR_LINUX)
def export(
    model: Path,
    output: Path | None,
    file_format: str,
    name: str | None,
    board: str | None,
    arithmetic: str,
    optimize: str,
    self_test: int,
    probabilities: bool,
    target: str,
    weights_file: Path | None,
) -> None:
    """Emit a trained network as a C header.

    The header needs the library in firmware/lib/ebnn and nothing else: include it, call NAME_predict(input). Weights
    stay in flash. Put it at firmware/own/network.h to build the serial firmware with it. With --board, a network
    that is too big for the board is refused, and layers on an AVR take the board's RAM: by default an Uno's.
    """
    kind, default = _FORMATS[file_format]
    if output is None:
        output = Path(default)
        check_output("--output", output, kind)
    else:
        check_kind(output, kind)
    if file_format == "model.def":
        _export_model_def(model, output)
        return
    if file_format == "flat-weights":
        _export_flat(model, output)
        return
    if file_format == "image":
        _export_image(model, output, output.stem if name is None else name, board, arithmetic, optimize)
        return
    if target == "linux":
        _export_linux(model, output, name, weights_file)
        return
    check_header_name(output)
    network = load(model)
    known = load_board(board) if board else None
    found = check_fits(network, known, arithmetic, optimize) if known else None
    name = identifier(output.stem) if name is None else name
    text = header_text(
        network,
        name=name,
        arithmetic=arithmetic,
        optimize=optimize,
        self_test=self_test,
        board=known,
        probabilities=probabilities,
    )
    write_atomically(output, text.encode())
    console = make_console()
    print_line(
        console,
        f"{output}: {arithmetic} arithmetic, weights {network.weight_bytes:,} B, arena "
        f"{network.arena_bytes if found is None else found.arena_bytes:,} B",
    )
    if found is not None:
        print_whole(console, estimate_table(network, found))
    print_line(
        console,
        f"include it and call {f'{name}_encode(raw, input), ' if network.encoder else ''}{name}_predict(input); the "
        f"library is in {firmware_folder() / 'lib/ebnn'}",
    )


def _export_model_def(model: Path, output: Path) -> None:
    network = load(model)
    write_atomically(output, model_def_text(network).encode())
    print_line(make_console(), f"{output}: {network.input.shape.size:,} bits → {network.output_text}, model.def")


def _export_flat(model: Path, output: Path) -> None:
    beside = output.with_suffix(".json")
    check_output("--output", beside, "JSON file")
    network = load(model)
    data, side, notes = flat_file(network)
    write_atomically(output, data)
    write_json(beside, side)
    console = make_console()
    print_line(console, f"{output}: {len(data):,} B of flat weights; {beside} says what is in them")
    for note in notes:
        print_line(console, f"note: {note}")


def _export_image(model: Path, output: Path, title: str, board: str | None, arithmetic: str, optimize: str) -> None:
    """Writes the image of a network, and says what the program that opens it needs."""
    network, target = load(model), image_target(board)
    data = image_bytes(network, target, arithmetic, optimize, title)
    image = read_image(data)
    write_atomically(output, data)
    console = make_console()
    sizes = f"{image.bytes:,} B for {image.target}, arena {image.arena_bytes:,} B"
    print_line(console, f"{output}: {arithmetic} arithmetic, {sizes}")
    mask = f"EBNN_MODEL_KERNELS 0x{image.kernels:X}ul"
    print_line(
        console,
        f"ebnn_model_open of ebnn/model.h opens it, built with {mask} or more; the library is in "
        f"{firmware_folder() / 'lib/ebnn'}",
    )


def _export_linux(model: Path, output: Path, name: str | None, weights_file: Path | None) -> None:
    """Writes source, header and, where it is asked for, the file of weights."""
    header, source = output.with_suffix(".h"), output.with_suffix(".c")
    for path, kind in ((header, "C header of ebnn's"), (source, "C source of ebnn's")):
        if path != output:
            check_output("--output", path, kind)
    check_header_name(header)
    name = identifier(output.stem) if name is None else name
    check_identifier(name)
    network = load(model)
    text = linux_source(network, name, header.name, constants=weights_file is None)
    if weights_file is not None:
        write_atomically(weights_file, weights_file_bytes(network))
    write_atomically(source, text.encode())
    write_atomically(header, linux_header(network, name).encode())
    console = make_console()
    beside = "" if weights_file is None else f", weights in {weights_file}"
    print_line(console, f"{source} and {header}: {network.weight_bytes:,} B of weights{beside}")
    print_line(
        console,
        f"compile it with the library, cc -O3 -pthread -I{linux_library()}/include {source} {linux_library()}/src/*.c, "
        f"and open {name}_network",
    )
