"""The command ``ebnn live``."""

from contextlib import closing
from pathlib import Path

import click

from ..device.live import SMOOTH, class_names, limited, watch_port
from ..published import load
from ..show.console import make_console, print_line
from ..show.keys import pressed_keys
from ..show.live_view import LiveView
from .idle_options import SERIAL_PORT, refuses_idle
from .options import json_option, model_argument, sensor_options, write_json

WAIT_SECONDS = 10.0


@click.command()
@model_argument
@click.option(
    "--port", required=True, help="Where the board is: /dev/ttyACM0, COM3, socket://HOST:PORT, or a simulated board."
)
@click.option(
    "--smooth",
    type=click.IntRange(1, 1000),
    default=SMOOTH,
    show_default=True,
    help="Over how many windows probabilities are averaged.",
)
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="How long.  [default: until Ctrl-C]")
@click.option("--count", type=click.IntRange(min=1), help="How many answers.  [default: until Ctrl-C]")
@sensor_options("first line", WAIT_SECONDS)
@json_option
@refuses_idle(SERIAL_PORT)
def live(
    model: Path,
    port: str,
    smooth: int,
    seconds: float | None,
    count: int | None,
    rate: float | None,
    baud: int | None,
    wait: float,
    json_file: Path | None,
) -> None:
    """Show a network's answers by name, as a board's sensor sees the world.

    The board prints what its sensor measures, as for ebnn record: then the network runs here, on a window of the last
    samples. Or it runs the network itself and prints its answers, a line each: the name of the class, or the name and
    its probability, or the name and the scores of all classes, separated by commas.
    """
    network = load(model)
    network.require_classes()
    console = make_console()
    interrupted = False
    with pressed_keys() as keys, LiveView(console, class_names(network), keys) as view:
        answers = watch_port(
            network, port, smooth=smooth, begun=view.say, baudrate=baud, rate=rate, wait=wait, say=view.say
        )
        try:
            with closing(answers):
                for answer in limited(answers, seconds, count):
                    view.show(answer)
        except KeyboardInterrupt:
            interrupted = True
    listed = ", ".join(f"{name} {times:,}" for name, times in view.counts.most_common())
    print_line(console, f"{view.counts.total():,} answers: {listed or 'none'}")
    write_json(json_file, {"port": port, "answers": dict(view.counts), "interrupted": interrupted})
