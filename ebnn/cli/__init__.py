"""The command ``ebnn``: one module per command, each thin over the package."""

import click

from ..version import __version__
from .group import LazyCommand, LazyGroup

# In the order of the work; with the first sentence of their help, so that the list imports none.
COMMANDS = (
    LazyCommand(
        "demo",
        "demo",
        "The whole path on real handwritten digits, in a quarter of a minute, no board and no download needed.",
    ),
    LazyCommand("datasets", "datasets", "List the data sets a network can be trained on, and where their files are."),
    LazyCommand(
        "networks",
        "networks",
        "List the published networks: trained ones that come with ebnn.",
    ),
    LazyCommand("train", "train", "Train a network with Chainer and write it as an .ebnn file."),
    LazyCommand("history", "history", "Show training runs side by side, finished or not."),
    LazyCommand(
        "compare",
        "compare",
        "Train the float baseline and the binarized network of one shape, and show both side by side.",
    ),
    LazyCommand(
        "sweep",
        "sweep",
        "Train several architectures alike, and show accuracy against memory and time: which one to choose.",
    ),
    LazyCommand(
        "import", "import_header", "Make a network of a C header that the original eBNN (kunglab/ebnn) generated."
    ),
    LazyCommand(
        "boards",
        "boards",
        "List the boards that ebnn knows: their clock, flash and RAM, and which of them can be simulated here.",
    ),
    LazyCommand(
        "info",
        "info",
        "Show a network's layers and what they take: shapes, bytes of flash and RAM, multiply-accumulates.",
    ),
    LazyCommand("export", "export", "Emit a trained network as a C header."),
    LazyCommand(
        "init", "init", "Write a PlatformIO project with the firmware, a network, and a script that streams samples."
    ),
    LazyCommand(
        "flash", "flash", "Build the firmware with PlatformIO, write it to a board, and wait until the board answers."
    ),
    LazyCommand(
        "run", "run", "Stream test images to a board and compare every answer with the reference, bit for bit."
    ),
    LazyCommand(
        "profile", "profile", "Show where a board spends its time, layer by layer, and what it uses of its RAM."
    ),
    LazyCommand(
        "simulate",
        "simulate",
        "Plug a simulated board in, for other programs: avrdude, a serial monitor, ebnn run --port.",
    ),
    LazyCommand(
        "platformio-offline",
        "platformio_offline",
        "Prepare a folder with which PlatformIO builds without its registry, with the system's compilers.",
    ),
)


@click.group(
    cls=LazyGroup,
    package=__name__,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
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
