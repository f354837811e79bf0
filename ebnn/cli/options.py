"""Options and arguments that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .. import atomic, datasets
from ..boards import bundled_board_names
from ..compile.options import ARITHMETICS, OPTIMIZE
from ..datasets.own import find_own
from ..device import BAUDRATE
from ..show.console import make_console
from ..updatable import Updatable, read_key
from .paths import InputFile, ModelFile, OutputFile

Command = TypeVar("Command", bound=Callable[..., Any])

MODEL_HELP = "an .ebnn file, or the name of a published network (ebnn networks lists them)"
json_option = click.option(
    "--json", "json_file", type=OutputFile("JSON file"), help="Also write the results to this file."
)
folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the data lie (it holds mnist/, …), instead of EBNN_DATA or the cache.",
)


class DatasetChoice(click.Choice):  # type: ignore[type-arg]
    """A data set: a name, or a file of the user's own."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value not in self.choices and find_own(value) is None:
            datasets.info(value)  # says that there is none, and what may be meant
        return value

    def get_metavar(self, *told: Any, **by_name: Any) -> str:
        return "DATA"

    def get_missing_message(self, *told: Any, **by_name: Any) -> str:
        return f"Give one of {', '.join(self.choices)}, or a file or folder of your own."


dataset_choice = DatasetChoice(datasets.names())


def dataset_option(what: str, **more: Any) -> Callable[[Command], Command]:
    """Adds ``--dataset``, which ``--data`` is another name of; ``what`` says what becomes of the data."""
    names = f"{what.rstrip()} One of {', '.join(datasets.names())}, or a file or folder of your own."
    return click.option("--dataset", "--data", "dataset", type=dataset_choice, help=names, **more)


arithmetic_option = click.option(
    "--arithmetic",
    type=click.Choice(ARITHMETICS),
    default="integer",
    show_default=True,
    help="integer: one comparison per output; float: the paper's own, batch normalisation on the board.",
)
optimize_option = click.option(
    "--optimize",
    type=click.Choice(OPTIMIZE),
    default="balanced",
    show_default=True,
    help="size: the least flash; compact: a little more, and fast on pixels; balanced: more, and fast on bits too; "
    "speed: large tables in flash, and 256 B of RAM on AVR.",
)
board_option = click.option(
    "--board",
    metavar="BOARD",
    help=f"One of {', '.join(bundled_board_names())}, or a file of your own, myboard.toml; ebnn boards tells more.",
)
baud_option = click.option(
    "--baud",
    type=click.IntRange(300, 4_000_000),
    default=BAUDRATE,
    show_default=True,
    metavar="N",
    help="Bits per second of a serial port; flash builds the firmware for it.",
)


updatable_option = click.option(
    "--updatable", is_flag=True, help="Firmware that takes networks from ebnn push; it needs more flash and RAM."
)
empty_option = click.option(
    "--empty", is_flag=True, help="With --updatable: no network in the firmware, and more room for pushed ones."
)


def key_option(what: str) -> Callable[[Command], Command]:
    """Adds ``--key-file``; ``what`` says when."""
    return click.option("--key-file", type=InputFile(), help=what)


def updatable_from(updatable: bool, key_file: Path | None, empty: bool) -> Updatable | None:
    """Returns how updatable firmware is built; None where it is not asked for."""
    if not updatable:
        return None
    return Updatable(None if key_file is None else read_key(key_file), empty)


def sensor_options(awaited: str, wait: float) -> Callable[[Command], Command]:
    """Adds ``--rate``, ``--baud`` and ``--wait``, so many seconds by default for what is ``awaited`` of a board."""
    options = (
        click.option(
            "--rate", type=click.FloatRange(min=0, min_open=True), help="Samples a second.  [default: measured]"
        ),
        click.option(
            "--baud",
            type=click.IntRange(300, 4_000_000),
            metavar="N",
            help="Bits per second.  [default: found by listening]",
        ),
        click.option(
            "--wait",
            type=click.FloatRange(min=0, min_open=True),
            default=wait,
            show_default=True,
            help=f"Seconds to wait for the board's {awaited}.",
        ),
    )

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def model_argument(command: Command) -> Command:
    """Adds the argument MODEL, which :func:`ebnn.published.load` reads."""
    return _model_argument(command, "MODEL", required=True)


def optional_model_argument(command: Command) -> Command:
    """Adds the argument MODEL for a command that has a network without it: then it is None."""
    return _model_argument(command, "[MODEL]", required=False)


def _model_argument(command: Command, metavar: str, required: bool) -> Command:
    # click takes a command's help from the docstring, and has none for an argument.
    command.__doc__ = f"{command.__doc__}\n\n    MODEL is {MODEL_HELP}.\n    "
    return click.argument("model", metavar=metavar, required=required, type=ModelFile())(command)


def model_option(what: str) -> Callable[[Command], Command]:
    """Adds the option --model, which :func:`ebnn.published.load` reads; ``what`` says what becomes of the network."""
    return click.option("--model", metavar="MODEL", type=ModelFile(), help=f"{what}: {MODEL_HELP}.")


def load_dataset(
    name: str,
    folder: Path | None,
    reading: datasets.Reading = datasets.Reading(),  # noqa: B008
) -> datasets.Dataset:
    """Loads a data set, with a progress bar where it is downloaded; ``reading`` says how the user's own are read."""
    from ..show.bars import download_bars  # few commands need rich's bars, and all of them these options

    with download_bars(make_console(stderr=True)) as progress:
        return datasets.load(name, folder=folder, progress=progress, reading=reading)


def write_json(path: Path | None, values: dict[str, Any]) -> None:
    """Writes results for programs, where a file was asked for."""
    if path is not None:
        atomic.write_json(path, values)
