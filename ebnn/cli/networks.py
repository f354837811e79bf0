"""The command ``ebnn networks``."""

import statistics
from pathlib import Path
from typing import Any

import click

from ..compile.summary import describe_network
from ..published import PublishedNetwork, load_published, network_names
from ..published.card import BOARDS, card_text, estimates
from ..published.published_network import deviation
from ..recipes import load_recipe
from ..show.console import command_line, make_console, print_command, print_line, print_markdown, print_whole
from ..show.network_tables import networks_table
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
    print_markdown(console, card_text(one))
    write_json(json_file, network_values(one))


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
