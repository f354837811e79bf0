"""The command ``ebnn data``."""

from pathlib import Path
from typing import Any

import click

from ..datasets import info
from ..datasets.findings import look_at
from ..show.console import command_line, make_console, print_command, print_line, print_whole
from ..show.data_view import channels_table, classes_table, print_classes
from ..training.choosing import choose
from .data_options import data_options, is_own, part_words, sample_options, take_reading
from .idle_options import FOLDER, OWN_DATA, SAMPLE, refuses_idle
from .options import dataset_choice, folder_option, json_option, load_dataset, write_json


@click.command()
@click.argument("dataset", metavar="DATA", type=dataset_choice)
@data_options
@sample_options
@folder_option
@json_option
@refuses_idle(FOLDER, *OWN_DATA, SAMPLE)
def data(dataset: str, folder: Path | None, json_file: Path | None, **reading: Any) -> None:
    """Show what is in DATA, and what looks wrong with it, before you train on it.

    DATA is a file, a folder or an archive of your own, or a data set's name: a table of text (CSV, any dialect) with a
    column for the label; a folder with a table for each class, or a folder for each; class folders of pictures;
    NumPy's arrays; an export of Edge Impulse; files of MNIST's format. How a table is parted into recordings and
    samples is found out from it, and said; the options say it where that is wrong.
    """
    asked = take_reading(reading)
    loaded = load_dataset(dataset, folder, asked)
    overview = look_at(loaded)
    console = make_console()
    samples = len(loaded.labels)
    sides = "×".join(map(str, loaded.shape))
    print_line(
        console, f"{loaded.name}: {samples:,} samples of {sides} (channels×height×width), {loaded.classes} classes"
    )
    for note in loaded.notes:
        print_line(console, f"  {note}")
    if loaded.rate is not None:
        print_line(console, f"  {loaded.rate:.4g} rows a second")
    print_line(console, f"  {'its own split' if loaded.own_split else 'every fourth of a class tests'}")
    print_whole(console, classes_table(overview))
    print_whole(console, channels_table(overview))
    print_classes(console, loaded)
    for finding in overview.findings:
        print_line(console, f"look: {finding.text}")
    if not overview.findings:
        print_line(console, "nothing looks wrong")
    print_command(console, "next", command_line("train", "--data", dataset, *part_words(asked)))
    values = overview.values(loaded)
    if is_own(dataset):
        values["recipe"] = choose(info(dataset, asked)).values
    write_json(json_file, values)
