"""The command ``ebnn``: one module per command, each thin over the package."""

import click

from ..version import __version__
from .group import LazyCommand, LazyGroup

# In the order of the work; with what each does, so that the list imports none.
COMMANDS = {
    "First": (
        LazyCommand("demo", "demo", "The whole path on handwritten digits, no board needed."),
        LazyCommand("networks", "networks", "List trained networks that come with ebnn."),
    ),
    "A network": (
        LazyCommand("record", "record", "Record a board's sensor, as data to train with."),
        LazyCommand("datasets", "datasets", "List data sets, download and verify one."),
        LazyCommand("data", "data", "Show what is in data of your own, and what looks wrong."),
        LazyCommand("train", "train", "Train a network and write it as an .ebnn file."),
        LazyCommand("evolve", "evolve", "Train without gradients, by a genetic algorithm."),
        LazyCommand("history", "history", "Show training runs side by side, finished or not."),
        LazyCommand("compare", "compare", "Train float and binarized, show both side by side."),
        LazyCommand("sweep", "sweep", "Train several networks, show which to choose."),
        LazyCommand("quantize", "quantize", "Make a trained float network one of 8 bits."),
        LazyCommand("import", "import_header", "Make a network of another tool's file."),
    ),
    "What it takes": (
        LazyCommand("boards", "boards", "List the boards that ebnn knows."),
        LazyCommand("info", "info", "Show layers, and flash, RAM and time on each board."),
        LazyCommand("report", "report", "Write a page on a network: sizes, accuracy, training."),
    ),
    "On this computer": (
        LazyCommand("predict", "predict", "Say what is on a picture, here or on a board."),
        LazyCommand("bench", "bench", "Time compiled layers here, beside NumPy's product."),
    ),
    "On a board": (
        LazyCommand("flash", "flash", "Build the firmware, write it to a board."),
        LazyCommand("push", "push", "Send a network to a board that keeps its firmware."),
        LazyCommand("run", "run", "Stream test images to a board, compare every answer."),
        LazyCommand("live", "live", "Show a network's answers to a board's sensor."),
        LazyCommand("profile", "profile", "Show the time of each layer, and the memory in use."),
        LazyCommand("simulate", "simulate", "Plug a simulated board in, for other programs."),
    ),
    "In a program of your own": (
        LazyCommand("export", "export", "Write a network as a C header."),
        LazyCommand("init", "init", "Write a PlatformIO project with a network and a script."),
        LazyCommand("platformio-offline", "platformio_offline", "Let PlatformIO build without its registry."),
    ),
}
EXAMPLES = (
    ("ebnn demo", "the whole path, no board needed"),
    ("ebnn train --dataset mnist -o mnist.ebnn", "train a network"),
    ("ebnn networks", "trained ones that come with ebnn, by name"),
    ("ebnn info mnist.ebnn", "its layers, and what it takes on each board"),
    ("ebnn flash mnist.ebnn --board uno", "build the firmware with it, write it to the board"),
    ("ebnn push gestures.ebnn --port /dev/ttyACM0", "send another to a board that was flashed with --updatable"),
    ("ebnn run mnist.ebnn --port sim://uno --dataset mnist", "stream the test images, compare every answer"),
    ("ebnn profile mnist.ebnn --port sim://uno", "time of each layer, memory in use"),
    ("ebnn export mnist.ebnn -o network.h", "emit it as a C header, for a sketch of your own"),
)


@click.group(
    cls=LazyGroup,
    package=__name__,
    lazy=COMMANDS,
    examples=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="ebnn")
def main() -> None:
    """Train a binarized neural network here, run it on an Arduino-class board, read its predictions over serial."""
