"""The command ``ebnn datasets``: list the data sets, download and verify one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ebnn import datasets as data
from ebnn.datasets.places import find_place

from ..show.bars import download_bars
from ..show.console import make_console, print_line, print_whole
from ..show.dataset_table import datasets_table
from .group import ErrorGroup
from .idle_options import NAMED_FOLDER, refuses_idle
from .layout import write_examples
from .options import folder_option, json_option, write_json

EXAMPLES = (
    ("ebnn datasets", "list them"),
    ("ebnn datasets fetch mnist", "download MNIST now and verify it"),
)


class _DataSets(ErrorGroup):
    """Shows examples before the options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_examples(formatter, EXAMPLES)
        super().format_options(ctx, formatter)


@click.group(cls=_DataSets, invoke_without_command=True)
@folder_option
@json_option
@click.pass_context
def datasets(ctx: click.Context, folder: Path | None, json_file: Path | None) -> None:
    """List the data sets a network can be trained on, and where their files are.

    digits come with scikit-learn and need no download. The others are read from --folder, else from the folder that
    the environment variable EBNN_DATA names, else from a cache in your home folder (EBNN_CACHE moves it), where they
    are downloaded when they are first used.
    """
    if ctx.invoked_subcommand is not None:
        if folder is not None or json_file is not None:
            raise click.UsageError(f"put --folder and --json after {ctx.invoked_subcommand}")
        return
    rows = [_row(name, folder) for name in data.names()]
    place = find_place(folder)
    console = make_console()
    print_whole(console, datasets_table(rows))
    print_line(console, f"looked in {place.path}, {place.origin}")
    write_json(json_file, {"datasets": rows})


@datasets.command(short_help="Download a data set and verify it.")
@click.argument("name", metavar="NAME")
@folder_option
@json_option
@refuses_idle(NAMED_FOLDER)
def fetch(name: str, folder: Path | None, json_file: Path | None) -> None:
    """Download the data set NAME where it is not there yet, and verify every file of it.

    An interrupted download goes on where it stopped. NAME is one of the names that "ebnn datasets" lists.
    """
    data.info(name)
    with download_bars(make_console(stderr=True)) as progress:
        loaded = data.load(name, folder=folder, progress=progress)
    row = {**_row(name, folder), "state": "verified"}
    train, test = len(loaded.train_labels), len(loaded.test_labels)
    click.echo(f"{name}: {train:,} training and {test:,} test images verified, from {row['path'] or row['origin']}")
    write_json(json_file, {"datasets": [row]})


def _row(name: str, folder: Path | None) -> dict[str, Any]:
    info = data.info(name)
    location = data.locate(name, folder=folder)
    return {
        "name": info.name,
        "summary": info.summary,
        "shape": list(info.shape),
        "classes": info.classes,
        "train": info.train,
        "test": info.test,
        "kind": info.kind,
        "state": location.state,
        "path": None if location.path is None else str(location.path),
        "origin": location.origin,
        "missing": [str(path) for path in location.missing],
    }
