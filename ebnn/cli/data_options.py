"""The options that say how a user's own data are read, for every command that takes data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from .. import datasets
from ..datasets import Reading, Span
from ..datasets.own import find_own
from ..errors import DatasetError
from .options import Command

OWN_NAMES = ("label", "recording", "window", "step", "size", "colour", "unknown")
DATA_NAMES = (*OWN_NAMES, "classes", "flip")
"""Names of the parameters that :func:`data_options` adds; the first are for data of the user's own."""
SAMPLE_NAMES = ("fraction", "fraction_seed")
"""Names of the parameters that :func:`sample_options` adds."""


class _SpanType(click.ParamType):  # type: ignore[type-arg]
    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if isinstance(value, Span) else Span.parse(value)


class _SizeType(click.ParamType):  # type: ignore[type-arg]
    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{1,3})(?:[x×](\d{1,3}))?", value)
        if match is None or not (int(match[1]) and int(match[2] or match[1])):
            raise DatasetError(f"{value!r} is no size of pictures: give a side, as in 32, or HEIGHTxWIDTH, as in 24x32")
        return int(match[1]), int(match[2] or match[1])


class _NamesType(click.ParamType):  # type: ignore[type-arg]
    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        names = value if isinstance(value, tuple) else tuple(part.strip() for part in value.split(","))
        if "" in names:
            raise DatasetError(f"{value!r} names a class without a name: join names by commas, as in 0,1")
        return tuple(dict.fromkeys(names))


_OPTIONS = (
    click.option("--label", metavar="COLUMN", help="The label's column of a table, by name or by number from 1."),
    click.option(
        "--recording",
        metavar="ROWS",
        type=_SpanType(),
        help="Cut files into recordings of so many rows, or of so long, as in 2s.",
    ),
    click.option("--window", metavar="ROWS|TIME", type=_SpanType(), help="Length of a sample of a series: 100, 1s."),
    click.option("--step", metavar="ROWS|TIME", type=_SpanType(), help="From one window to the next: 50, 500ms."),
    click.option("--size", metavar="SIDE|HxW", type=_SizeType(), help="Bring pictures to this size: 32, 24x32."),
    click.option("--colour/--grey", "colour", default=None, help="Read pictures in colour, or grey."),
    click.option(
        "--unknown", metavar="CLASS", multiple=True, help="Take this class for 'unknown'; may be given again."
    ),
    click.option("--classes", metavar="CLASS,…", type=_NamesType(), help="Take these classes only, as in 0,1."),
    click.option(
        "--flip",
        type=click.FloatRange(0, 1),
        help="The probability with which the noise of noisy-mnist flips a pixel.  [default: 0.7]",
    ),
)
_SAMPLE_OPTIONS = (
    click.option(
        "--fraction",
        type=click.FloatRange(0, 1, min_open=True),
        help="Take this fraction of the training samples only, equally many of each class; the test samples stay.",
    ),
    click.option("--fraction-seed", type=click.IntRange(min=0), help="Of their choice.  [default: 0]"),
)


def data_options(command: Command) -> Command:
    """Adds the options that say how data are read; :func:`take_reading` takes them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def sample_options(command: Command) -> Command:
    """Adds the options that take a sample of the training part; :func:`take_reading` takes them too."""
    for option in reversed(_SAMPLE_OPTIONS):
        command = option(command)
    return command


def part_words(reading: Reading) -> tuple[str, ...]:
    """Returns the options that take the same classes of the same data in another command."""
    classes = ("--classes", ",".join(reading.classes)) if reading.classes else ()
    return (*classes, *(("--flip", f"{reading.flip:g}") if reading.flip is not None else ()))


def take_reading(values: dict[str, Any]) -> Reading:
    """Takes what :func:`data_options` and :func:`sample_options` added from a command's parameters."""
    given = {name: values.pop(name, None) for name in (*DATA_NAMES, *SAMPLE_NAMES)}
    return Reading(**{**given, **{name: tuple(given[name] or ()) for name in ("unknown", "classes")}})


def is_own(name: str | None) -> bool:
    """Whether a data set is the user's own."""
    return name is not None and name not in datasets.names() and find_own(name) is not None


def path_first(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Makes ``--data mnist`` the folder of that name where there is one."""
    return f"./{value}" if value in datasets.names() and Path(str(value)).is_dir() else value
