"""The command ``ebnn info``."""

from pathlib import Path

import click
from rich.console import Console

from ..files import load
from ..report import describe_network, network_table
from .options import check_writable, json_option, model_argument, write_json


@click.command()
@model_argument
@json_option
def info(model: Path, json_file: Path | None) -> None:
    """Show a network's layers and what they take: shapes, bytes of flash and RAM, multiply-accumulates."""
    check_writable(json_file)
    network = load(model)
    console = Console(highlight=False)
    console.print(f"{model}: {network.input.kind} {network.input.shape} → {network.classes} classes", soft_wrap=True)
    console.print(f"hash {network.hash}", soft_wrap=True)
    console.print(network_table(network))
    flash = network.weight_bytes + network.threshold_bytes + network.score_bytes
    console.print(
        f"flash {flash:,} B (weights {network.weight_bytes:,}, thresholds {network.threshold_bytes:,}, scores "
        f"{network.score_bytes:,}), arena {network.arena_bytes:,} B of RAM with the input in it, {network.macs:,} MACs",
        soft_wrap=True,
    )
    write_json(json_file, {"file": str(model), **describe_network(network)})
