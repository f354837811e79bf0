"""The command ``ebnn networks``."""

from pathlib import Path

import click

from ..published import load_published, network_names
from ..published.card import BOARDS, card_text, card_values
from ..show.console import command_line, make_console, print_command, print_line, print_markdown, print_whole
from ..show.published_table import networks_table
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
        write_json(json_file, {"networks": [card_values(one) for one in published]})
        return
    one = load_published(name)
    print_markdown(console, card_text(one))
    write_json(json_file, card_values(one))
