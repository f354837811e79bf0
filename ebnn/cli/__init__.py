"""The command ``ebnn``: one module per command, each thin over the package."""

import click

from ..version import __version__
from .boards import boards
from .compare import compare
from .datasets import datasets
from .demo import demo
from .export import export
from .flash import flash
from .group import ErrorGroup
from .history import history
from .import_header import import_header
from .info import info
from .init import init
from .networks import networks
from .platformio_offline import platformio_offline
from .profile import profile
from .run import run
from .simulate import simulate
from .sweep import sweep
from .train import train

# In the order of the work.
COMMANDS = (
    demo,
    datasets,
    networks,
    train,
    history,
    compare,
    sweep,
    import_header,
    boards,
    info,
    export,
    init,
    flash,
    run,
    profile,
    simulate,
    platformio_offline,
)


class _Commands(ErrorGroup):
    """Lists commands in the order of the work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [str(command.name) for command in COMMANDS]


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ebnn")
def main() -> None:
    """Train a binarized neural network here, run it on an Arduino-class board, read its predictions over serial.

    \b
    ebnn demo                                         the whole path, no board needed
    ebnn train --dataset mnist -o mnist.ebnn          train a network
    ebnn networks                                     trained ones that come with ebnn, by name
    ebnn info mnist.ebnn                              its layers, and what it takes on each board
    ebnn flash mnist.ebnn --board uno                 build the firmware with it, write it to the board
    ebnn run mnist.ebnn --port sim://uno --dataset mnist   stream the test images, compare every answer
    ebnn profile mnist.ebnn --port sim://uno          time of each layer, memory in use
    ebnn export mnist.ebnn -o network.h               emit it as a C header, for a sketch of your own
    """


for command in COMMANDS:
    main.add_command(command)
