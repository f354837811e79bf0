"""The command ``ebnn report``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from ..answering import answer
from ..atomic import write_atomically
from ..compile.estimate import estimate, estimated_boards
from ..errors import InputError, NetworkError, WriteError
from ..figures import percent
from ..model.network import Network
from ..network_data import data_for, reading_for, samples_for
from ..published import find_network, load, load_published, network_names
from ..published.published_network import network_file
from ..show.console import make_console, print_line
from ..show.html_page import html_text
from ..show.markdown_page import markdown_text
from ..show.network_report import Reported, report_page
from ..show.page import SUFFIXES
from ..training.history import History, read_history
from ..training.records import LOG_NAME
from ..training.run_folders import KEPT_FILES, MODEL_NAME
from .data_options import data_options, take_reading
from .idle_options import FOLDER, OWN_DATA, Rule, refuses_idle
from .options import dataset_option, folder_option, load_dataset, model_argument
from .paths import OutputFile, RunFolder

_TESTED = Rule(
    ("limit", "classes"), lambda values: values["dataset"] is not None, "data to test with, as in --data my-folder"
)

_WORDS = "ebnn.report.words"


class _Quoted(click.Command):
    """A command that knows the words it was given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_WORDS] = tuple(args)
        return super().parse_args(ctx, args)


@click.command(cls=_Quoted)
@model_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=OutputFile("report of ebnn's"),
    help="The file to write: .html, one file with its pictures in it, or .md, without pictures.",
)
@dataset_option("Test the network on its test samples.")
@click.option("--limit", type=click.IntRange(min=1), help="Test on the first so many only.  [default: all]")
@click.option(
    "--run",
    "run_folder",
    metavar="RUN",
    type=RunFolder(*KEPT_FILES),
    help="The folder of the run that trained it, for its curves.  [default: MODEL's, where a run is there]",
)
@folder_option
@data_options
@refuses_idle(_TESTED, FOLDER, *OWN_DATA)
def report(
    model: Path,
    output: Path,
    dataset: str | None,
    limit: int | None,
    run_folder: Path | None,
    folder: Path | None,
    **reading: Any,
) -> None:
    """Write what is known of a network as one page to read, send or keep beside it.

    Its layers; flash, RAM and time on every board; with data the accuracy, the confusion matrix and the surest wrong
    answers; the curves of its training. The page needs no network connection and runs no script.
    """
    suffix = output.suffix.lower()
    if suffix not in SUFFIXES:
        raise WriteError(f"{output} is no report that can be written: end its name in .html or .md")
    network = load(model)
    published = (
        str(model) if model.name in network_names() and find_network(model) == network_file(model.name) else None
    )
    if published and run_folder is not None:
        raise InputError(f"--run is for a network of your own, {published} brings its run along: leave --run out")
    found, refusal = [], ""
    try:
        found = [estimate(network, one) for one in estimated_boards()]
    except NetworkError as error:
        refusal = str(error)
    history = _history(model, network, published, run_folder)
    answers, data = None, None
    if dataset is not None:
        network.require_classes()
        data = data_for(network, load_dataset(dataset, folder, reading_for(network, take_reading(reading))))
        if not len(data.test_labels):
            raise InputError(f"{data.name} has no test samples: choose data that have some")
        answers = answer(network, samples_for(network, data, limit), data.test_labels[:limit])
    reported = Reported(
        model.name,
        network,
        found,
        refusal,
        answers,
        data,
        data is not None and answers is not None and len(answers.labels) < len(data.test_labels),
        history,
        load_published(published) if published else None,
        (shlex.join(("ebnn", "report", *click.get_current_context().meta[_WORDS])),),
        suffix in SUFFIXES[:2],
    )
    page = report_page(reported)
    text = html_text(page) if suffix in SUFFIXES[:2] else markdown_text(page)
    write_atomically(output, text.encode())
    tested = "" if answers is None else f", {percent(answers.accuracy)} right of {len(answers.labels):,} samples"
    print_line(make_console(), f"{output}: {len(text.encode()):,} B{tested}")


def _history(model: Path, network: Network, published: str | None, run_folder: Path | None) -> History | None:
    """The run that trained a network, as far as it is known. Raises InputError where a folder has another's."""
    if published:
        return read_history(network_file(published).parent, published)
    if run_folder is None:
        beside = model.parent
        if model.name != MODEL_NAME or not (beside / LOG_NAME).is_file():
            return None
        return read_history(beside, beside.resolve().name)
    kept = run_folder / MODEL_NAME
    history = read_history(run_folder, run_folder.resolve().name)
    if kept.is_file() and load(kept) != network:
        raise InputError(f"the run in {run_folder} trained another network, {kept}: name that one, or another --run")
    return history
