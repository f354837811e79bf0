"""How help is laid out: options and commands under headings, and examples to copy."""

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

NARROWEST = 30
"""Columns that help takes at least."""
REST = "Other"
"""Heading of what no heading names."""
WIDEST = 24
"""Columns of an option's name, beyond which its text begins on the next line."""

Headings = Mapping[str, Sequence[str]]
"""Names of parameters or commands under each heading, in the order to show them in."""
Examples = Sequence[tuple[str, str]]
"""Commands, and what each does."""
_HYPHEN, _SPACE = "\N{NON-BREAKING HYPHEN}", "\N{NO-BREAK SPACE}"


def by_heading(headings: Headings, names: Iterable[str]) -> dict[str, list[str]]:
    """Names under their headings, what no heading names last; a heading without any is left out."""
    rest = list(names)
    found = {title: [name for name in wanted if name in rest] for title, wanted in headings.items()}
    found[REST] = [name for name in rest if not any(name in wanted for wanted in headings.values())]
    return {title: listed for title, listed in found.items() if listed}


class HelpFormatter(click.HelpFormatter):
    """Breaks lines between words only: not within a name with hyphens, nor within a short default."""

    def write_text(self, text: str) -> None:
        """Writes a paragraph."""
        super().write_text(_joined(text))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = WIDEST, col_spacing: int = 2) -> None:
        """Writes names and, beside each or below it, what it is."""
        super().write_dl([(name, _joined(text)) for name, text in rows], col_max, col_spacing)

    def write(self, string: str) -> None:
        """Writes a line as it is shown."""
        super().write(string.replace(_HYPHEN, "-").replace(_SPACE, " "))


class HelpContext(click.Context):
    """A context whose help is laid out by :class:`HelpFormatter`, for terminals of any width."""

    formatter_class = HelpFormatter

    def make_formatter(self) -> click.HelpFormatter:
        """A formatter as wide as the terminal, but for lines that are too long to read."""
        columns = shutil.get_terminal_size().columns
        return self.formatter_class(width=max(NARROWEST, min(columns, self.max_content_width or columns) - 2))


def _joined(text: str) -> str:
    """A text whose hyphens and short defaults are not broken by :mod:`textwrap`."""
    return re.sub(r"\[default: [^\]]{1,12}\]", lambda found: found[0].replace(" ", _SPACE), text).replace("-", _HYPHEN)


class HeadedCommand(click.Command):
    """A command with many options, shown under headings."""

    def __init__(self, *args: Any, headings: Headings, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.headings = headings

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the options under their headings."""
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        records = {str(one.name): one.get_help_record(ctx) for one in options}
        shown = {name: record for name, record in records.items() if record is not None}
        for title, names in by_heading(self.headings, shown).items():
            with formatter.section(title):
                formatter.write_dl([shown[name] for name in names])


def write_examples(formatter: click.HelpFormatter, examples: Examples) -> None:
    """Writes commands, each in one piece, with what they do behind them or below."""
    with formatter.section("Examples"):
        formatter.write_dl(list(examples))
