"""The command ``ebnn``: one module per command, each thin over the package."""

from typing import Any

import click

from ..errors import EbnnError
from ..version import __version__
from .datasets import datasets
from .demo import demo
from .export import export
from .info import info
from .run import run
from .train import train


class _Commands(click.Group):
    """Shows every error of ebnn as one message and exits with 1; lists commands in the order of the work."""

    ORDER = ("demo", "datasets", "train", "info", "export", "run")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.ORDER)

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


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ebnn")
def main() -> None:
    """Train a binarized neural network here, run it on an Arduino-class board, read its predictions over serial.

    \b
    ebnn demo                                          the whole path, no board needed
    ebnn train --dataset mnist -o mnist.ebnn           train a network
    ebnn info mnist.ebnn                               its layers and what they take
    ebnn export mnist.ebnn -o firmware/include/network.h   emit it as a C header
    ebnn run mnist.ebnn --port sim://host --dataset mnist  stream the test images, compare every answer
    """


for command in (demo, datasets, train, info, export, run):
    main.add_command(command)
