"""The command ``ebnn info``."""

from pathlib import Path

import click

from ..files import load
from ..report import describe_network, network_table
from .console import make_console, print_line, print_whole
from .options import check_writable, json_option, model_argument, write_json


@click.command()
@model_argument
@json_option
def info(model: Path, json_file: Path | None) -> None:
    """Show a network's layers and what they take: shapes, bytes of flash and RAM, multiply-accumulates."""
    check_writable(json_file)
    network = load(model)
    console = make_console()
    print_line(console, f"{model}: {network.input.kind} {network.input.shape} → {network.classes} classes")
    print_line(console, f"hash {network.hash}")
    print_whole(console, network_table(network))
    flash = network.weight_bytes + network.threshold_bytes + network.score_bytes
    print_line(
        console,
        f"flash  {flash:,} B: weights {network.weight_bytes:,}, thresholds {network.threshold_bytes:,}, "
        f"scores {network.score_bytes:,}",
    )
    print_line(console, f"RAM    {network.arena_bytes:,} B of arena, the input in it")
    print_line(console, f"work   {network.macs:,} multiply-accumulates")
    write_json(json_file, {"file": str(model), **describe_network(network)})
