"""Groups of commands that show an error as one message."""

import importlib
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import click
from click.shell_completion import CompletionItem

from ..errors import EbnnError


class ErrorGroup(click.Group):
    """Shows every error of ebnn as one message and exits with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EbnnError as error:
            raise click.ClickException(str(error)) from error


@dataclass(frozen=True)
class LazyCommand:
    """A command that is imported when it is called.

    Attributes:
        name: what the user writes.
        module: which has it, under the module's own name.
        summary: the first sentence of its help.
    """

    name: str
    module: str
    summary: str

    def shortened(self, width: int = 45) -> str:
        """The summary in so many columns."""
        return textwrap.shorten(self.summary, max(width, 5), placeholder="...")


class LazyGroup(ErrorGroup):
    """Imports a command when it is called; its help, and the completion of names, need none.

    Args:
        package: where the commands' modules are.
        lazy: the commands, in the order in which they are listed.
    """

    def __init__(self, *args: Any, package: str, lazy: Iterable[LazyCommand], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.package = package
        self.lazy = {command.name: command for command in lazy}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return None
        if cmd_name not in self.commands:
            module = self.lazy[cmd_name].module
            self.add_command(getattr(importlib.import_module(f"{self.package}.{module}"), module), cmd_name)
        return self.commands[cmd_name]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands."""
        width = formatter.width - 6 - max(map(len, self.lazy))
        rows = [(command.name, command.shortened(width)) for command in self.lazy.values()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Returns the commands, and the group's own options, that begin so."""
        found = [
            CompletionItem(command.name, help=command.shortened())
            for command in self.lazy.values()
            if command.name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]
