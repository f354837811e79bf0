"""The command ``ebnn``: one module per command, each thin over the package."""

import click

from ..version import __version__
from .datasets import datasets
from .demo import demo
from .export import export
from .group import ErrorGroup
from .info import info
from .run import run
from .train import train


class _Commands(ErrorGroup):
    """Lists commands in the order of the work."""

    ORDER = ("demo", "datasets", "train", "info", "export", "run")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.ORDER)


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
