"""The command ``ebnn networks``."""

import statistics
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..compile.summary import describe_network
from ..figures import percent
from ..published import PublishedNetwork, load_published, network_names
from ..published.card import BOARDS, card_text, estimates, sample_time
from ..published.published_network import deviation
from ..recipes import load_recipe
from ..show.console import command_line, make_console, print_command, print_line, print_whole
from .options import json_option, write_json


@click.command()
@click.argument("name", metavar="[NAME]", required=False)
@json_option
def networks(name: str | None, json_file: Path | None) -> None:
    """List the published networks: trained ones that come with ebnn. With NAME, show the model card of one.

    Where a command takes MODEL, it takes such a name too; so does ebnn.load in Python. Times are estimates for images
    as in training; - where the network does not fit.
    """
    console = make_console()
    if name is None:
        published = [load_published(each) for each in network_names()]
        print_whole(console, networks_table(published))
        print_line(console, f"{', '.join(BOARDS)}: estimated time of a sample there, - does not fit")
        print_line(console, "data: weights, thresholds, score constants")
        print_command(console, "more of one of them", command_line("networks", "NAME"))
        write_json(json_file, {"networks": [network_values(one) for one in published]})
        return
    one = load_published(name)
    if console.is_terminal:
        from rich.markdown import Markdown

        console.print(Markdown(card_text(one)))
    else:
        console.print(card_text(one).rstrip(), soft_wrap=True)
    write_json(json_file, network_values(one))


def networks_table(published: list[PublishedNetwork]) -> Table:
    """Published networks, one to a row."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("network")
    for header in ("accuracy", "data, B", "arena, B", *BOARDS):
        table.add_column(header, justify="right")
    table.add_column("made for", overflow="fold")
    for one in published:
        table.add_row(
            one.name,
            percent(one.accuracy),
            f"{one.data_bytes:,}",
            f"{one.network.arena_bytes:,}",
            *map(sample_time, estimates(one.network)),
            load_recipe(one.name).summary,
        )
    return table


def network_values(one: PublishedNetwork) -> dict[str, Any]:
    """What is known of a published network as plain JSON values."""
    floats = one.float_accuracies
    return {
        "name": one.name,
        "summary": load_recipe(one.name).summary,
        "recipe": one.training["recipe"],
        "dataset": one.training["dataset"],
        "architecture": one.training["architecture"],
        "seed": one.seed,
        "accuracy": one.accuracy,
        "mean_accuracy": statistics.fmean(one.accuracies),
        "accuracy_deviation": deviation(one.accuracies),
        "mean_float_accuracy": statistics.fmean(floats) if floats else None,
        "seeds": [seed.values() for seed in one.seeds],
        "data_bytes": one.data_bytes,
        **describe_network(one.network),
        "estimates": [found.values() for found in estimates(one.network)],
    }
