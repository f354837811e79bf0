"""The command ``ebnn demo``."""

import time
from pathlib import Path

import click

from .. import datasets
from ..compile.header import write_header
from ..errors import EbnnError, WriteError
from ..figures import percent
from ..show.console import command_line, make_console, print_command, print_line, print_step, print_whole
from ..show.network_tables import network_table
from ..show.text_pictures import answered_images
from ..show.training_progress import ConsoleProgress
from ..simulation import find_compiler
from ..training.run_folders import KEPT_FILES, MODEL_NAME, check_strangers
from ..training.task import Task, train_network
from .options import json_option, write_json
from .paths import keep_files
from .run import show, stream_with_bar
from .training_options import check_training

NAME = "digits"
MODEL, HEADER = "digits.ebnn", "network.h"
ARCHITECTURE = "digits"
EPOCHS = 25
LEARNING_RATE = 0.01
BATCH_SIZE = 64


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("ebnn-demo"),
    show_default=True,
    help="Folder for the network, its header and the log.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same network.")
@json_option
def demo(out: Path, seed: int, json_file: Path | None) -> None:
    """The whole path on real handwritten digits, in half a minute, no board and no download needed.

    Trains a convolutional network on the 8×8 digits of scikit-learn, emits it as a C header, compiles the firmware for
    this computer, streams every test digit through a serial port and compares each answer with Python's.
    """
    from ..training import TrainConfig
    from ..training.results import SNAPSHOT_NAME

    started = time.monotonic()
    keep_files("--out", out, {*KEPT_FILES, MODEL, HEADER})
    check_strangers(out, (*KEPT_FILES, MODEL, HEADER))
    for name in (SNAPSHOT_NAME, MODEL_NAME):
        if (out / name).exists():
            raise WriteError(f"{out} holds a run of ebnn train ({name}): name another --out")
    check_training()
    find_compiler()
    console = make_console()
    data = datasets.load(NAME)
    print_step(console, 1, f"train with Chainer: {len(data.train_labels):,} digits of 8×8 pixels, {EPOCHS} epochs")
    config = TrainConfig(epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE, seed=seed, snapshot_every=0)
    model, header = out / MODEL, out / HEADER
    task = Task(data, data.kind, out, progress=ConsoleProgress(console))
    trained = train_network(task, ARCHITECTURE, config, model=model)
    network = trained.network

    print_step(console, 2, "lower to integers and packed bits, emit a C header")
    write_header(network, header, name=NAME)
    print_whole(console, network_table(network))
    print_line(console, f"wrote {model} ({model.stat().st_size:,} B) and {header}")

    print_step(
        console, 3, f"compile the firmware and stream {len(data.test_labels)} test digits through its serial port"
    )
    more = {**trained.values(), "port": "sim://host", "model": str(model), "header": str(header)}
    del more["accuracy"]
    report = stream_with_bar(
        console, network, "sim://host", NAME, "integer", "balanced", data.test_images, data.test_labels, None
    )
    seconds = time.monotonic() - started
    if not report.samples:
        raise EbnnError("no digit was answered: run the demo again; if that changes nothing, please report it")
    console.print(answered_images(data.test_images, report))
    show(console, report, "sim://host", data.class_names)
    write_json(json_file, {**report.values(), **more, "seconds": seconds})
    report.check_exact()
    print_line(console, "")
    print_line(
        console,
        f"done in {seconds:.0f} s: {report.samples:,} digits, accuracy {percent(report.accuracy)}, every class and "
        "every score equals Python's",
    )
    print_line(console, f"the network as a C header: {header}")
    print_command(console, "what it takes on each board", command_line("info", model))
    print_command(console, "trained networks for larger digits", command_line("networks"))
