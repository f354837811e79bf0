"""Groups of commands that show an error as one message."""

import contextlib
import errno
import importlib
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click
from click.shell_completion import CompletionItem

from ..errors import BuildError, EbnnError
from ..printable import printable, printable_lines


class ErrorGroup(click.Group):
    """Shows every error of ebnn, and of files, as one message and exits with 1."""

    def make_context(self, *args: Any, **settings: Any) -> click.Context:
        """As click does, with errors as messages."""
        with _shown_errors():
            return super().make_context(*args, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does, with errors as messages."""
        with _shown_errors():
            return super().invoke(ctx)


@contextlib.contextmanager
def _shown_errors() -> Iterator[None]:
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.ClickException as error:
        # Once more is harmless where a group lies in another one: what was cleaned stays as it is.
        shown = printable_lines if isinstance(error.__cause__, BuildError) else printable
        vars(error).update(message=shown(error.message))
        raise
    except EbnnError as error:
        raise _message(error) from error
    except OSError as error:
        if error.errno == errno.EPIPE or error.strerror is None:
            raise
        place = "" if error.filename is None else f"{error.filename}: "
        raise click.ClickException(printable(f"{place}{error.strerror}")) from error
    except MemoryError as error:
        raise click.ClickException("there is not enough memory for this") from error


def _message(error: EbnnError) -> click.ClickException:
    # What a compiler says has lines; any other line break stands in a name.
    return click.ClickException(printable_lines(str(error)) if isinstance(error, BuildError) else printable(str(error)))


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
