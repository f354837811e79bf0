"""Groups of commands that show an error as one message."""

import contextlib
import errno
import importlib
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
from click.shell_completion import CompletionItem

from ..errors import BuildError, EbnnError
from ..printable import printable, printable_lines
from ..show.wrapping import wrap
from .layout import Examples, HelpContext, write_examples
from .process import output_failed, well_behaved

_LABEL = "Error: "


class ErrorGroup(click.Group):
    """Shows every error of ebnn, and of files, as one message and exits with 1."""

    context_class = HelpContext

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Adds a command, whose help is laid out as the group's."""
        cmd.context_class = HelpContext
        super().add_command(cmd, name)

    def make_context(self, *args: Any, **settings: Any) -> click.Context:
        """As click does, with errors as messages."""
        with _shown_errors():
            return super().make_context(*args, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does, with errors as messages."""
        with _shown_errors():
            return super().invoke(ctx)


class _Shown(click.ClickException):
    """An error whose message is clean; a terminal gets it broken between words."""

    def format_message(self) -> str:
        """Lays the message out, to stand behind the label of errors."""
        message = super().format_message()
        if not sys.stderr.isatty():
            return message
        return wrap(_LABEL + message, shutil.get_terminal_size().columns).removeprefix(_LABEL)


class _ShownError(_Shown):
    """Any error but one of usage."""


class _ShownUsageError(_Shown, click.UsageError):
    """A command that was called as it cannot be."""


@contextlib.contextmanager
def _shown_errors() -> Iterator[None]:
    try:
        yield
    except (click.exceptions.NoArgsIsHelpError, _Shown):
        raise
    except click.ClickException as error:
        shown = printable_lines if isinstance(error.__cause__, BuildError) else printable
        vars(error).update(message=shown(error.message))
        if isinstance(error, click.UsageError):
            raise _ShownUsageError(error.format_message(), error.ctx) from error
        raise _ShownError(error.format_message()) from error
    except EbnnError as error:
        raise _message(error) from error
    except OSError as error:
        if error.errno == errno.EPIPE or error.strerror is None:
            raise
        place = "" if error.filename is None else f"{error.filename}: "
        if error.filename is None and output_failed():
            place = "standard output cannot be written: "
        raise _ShownError(printable(f"{place}{error.strerror}")) from error
    except RuntimeError as error:
        if not str(error).startswith("Symlink loop"):  # what pathlib raises before Python 3.13
            raise
        raise click.ClickException(printable(str(error))) from error
    except MemoryError as error:
        raise _ShownError(
            "there is not enough memory for this: give it fewer samples or a smaller network, or end other programs"
        ) from error


def _message(error: EbnnError) -> click.ClickException:
    # What a compiler says has lines; any other line break stands in a name.
    return _ShownError(printable_lines(str(error)) if isinstance(error, BuildError) else printable(str(error)))


@dataclass(frozen=True)
class LazyCommand:
    """A command that is imported when it is called.

    Attributes:
        name: what the user writes.
        module: which has it, under the module's own name.
        summary: what it does, in a few words.
    """

    name: str
    module: str
    summary: str


class LazyGroup(ErrorGroup):
    """Imports a command when it is called; its help, and the completion of names, need none.

    Args:
        package: where the commands' modules are.
        lazy: the commands under each heading, in the order in which they are listed.
        examples: of what they do.
    """

    def __init__(
        self,
        *args: Any,
        package: str,
        lazy: Mapping[str, Sequence[LazyCommand]],
        examples: Examples = (),
        **settings: Any,
    ) -> None:
        super().__init__(*args, **settings)
        self.package = package
        self.headings = lazy
        self.lazy = {command.name: command for listed in lazy.values() for command in listed}
        self.examples = examples

    def main(self, *args: Any, **settings: Any) -> Any:
        """As click does, and as a process should."""
        with well_behaved() if settings.get("standalone_mode", True) else contextlib.nullcontext():
            return super().main(*args, **settings)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; refuses the name - for a file, which stands for a stream elsewhere."""
        if any(word in ("-", "-o-") or word.endswith("=-") for word in args):
            raise click.UsageError("- names no file here: name one; standard output is /dev/stdout")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return None
        if cmd_name not in self.commands:
            module = self.lazy[cmd_name].module
            self.add_command(getattr(importlib.import_module(f"{self.package}.{module}"), module), cmd_name)
        return self.commands[cmd_name]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples, the commands under their headings, and the group's own options."""
        write_examples(formatter, self.examples)
        for title, listed in self.headings.items():
            with formatter.section(title):
                formatter.write_dl([(command.name, command.summary) for command in listed])
        click.Command.format_options(self, ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Returns the commands, and the group's own options, that begin so."""
        found = [
            CompletionItem(command.name, help=command.summary)
            for command in self.lazy.values()
            if command.name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]
