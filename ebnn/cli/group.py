"""Groups of commands that show an error as one message."""

from typing import Any

import click

from ..errors import EbnnError


class ErrorGroup(click.Group):
    """Shows every error of ebnn as one message and exits with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EbnnError as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] != "chainer":
                raise
            raise click.ClickException(
                "training needs Chainer, which is not installed here: install ebnn with its dependencies. Networks "
                "that are trained need none of it: info, export and run work"
            ) from None
