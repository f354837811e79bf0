"""The command ``ebnn import``."""

from pathlib import Path
from typing import Any, Literal

import click

from ..importers import import_network
from ..show.console import make_console, print_line, print_whole
from ..show.network_tables import network_table
from .idle_options import FLAT_WEIGHTS, refuses_idle
from .paths import InputFile, OutputFile


class Numbers(click.ParamType):  # type: ignore[type-arg]
    """Numbers joined by commas."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not numbers joined by commas, such as 0.5,0.4,0.4", param, ctx)


NUMBERS = Numbers()


@click.command("import")
@click.argument("header", metavar="FILE", type=InputFile())
@click.option(
    "-o",
    "--output",
    metavar="MODEL.ebnn",
    type=OutputFile("network"),
    required=True,
    help="The network to write.",
)
@click.option(
    "--input",
    "input_kind",
    type=click.Choice(["float", "uint8", "int8", "bits"]),
    help="What the network takes; uint8: pixels, for a header that takes pixel / 255. [default: what the header takes; "
    "uint8 of flat weights]",
)
@click.option(
    "--shape",
    type=int,
    nargs=3,
    metavar="C H W",
    help="Of a sample, for a header that begins with a dense layer, flat weights and Torch7. [default: its size, 1, 1]",
)
@click.option(
    "--architecture",
    metavar="TEXT|FILE.json",
    help="FILE has flat weights, as binarynet-tensorflow exports them: what layers, as in c128k3p1-m2-d1024; or the "
    "JSON file beside it, which says the rest too.",
)
@click.option("--outputs", type=click.IntRange(min=2), help="Of flat weights: outputs of the last layer, one a class.")
@click.option(
    "--importer",
    help="A Python file of your own that reads the format, or an importer's name. [default: found by FILE's content]",
)
@click.option(
    "--mean", type=NUMBERS, metavar="X,…", help="Of a Torch7 file: what was taken from pixel / 255, by channel."
)
@click.option("--std", type=NUMBERS, metavar="X,…", help="Of a Torch7 file: by what that was divided, by channel.")
@click.option(
    "--binary-weights",
    is_flag=True,
    help="Of a Torch7 file: all layers but the first and the last have weights of ±1, as in BWN, whatever they look "
    "like.",
)
@click.option("--nearest", is_flag=True, help="Take the nearest network where no exact one exists.")
@refuses_idle(FLAT_WEIGHTS)
def import_header(
    header: Path,
    output: Path,
    input_kind: Literal["float", "uint8", "int8", "bits"] | None,
    shape: tuple[int, int, int] | None,
    architecture: str | None,
    outputs: int | None,
    importer: str | None,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    binary_weights: bool,
    nearest: bool,
) -> None:
    """Make a network of another system's file: found by what the file begins with.

    A C header that the original eBNN (kunglab/ebnn) generated, a model.def of tinier-nn, a .t7 of Torch7, as XNOR-Net's
    are published (with the extra torch7), or flat weights of binarynet-tensorflow, which --architecture describes. The
    network predicts as the file's own program does, whatever the sample (docs/coming-from.md has what Torch7 does
    otherwise); a file of which no such network can be made is refused. Other formats take an importer of your own
    (--importer, or a folder that EBNN_IMPORTERS names).
    """
    imported = import_network(
        header,
        importer,
        input_kind=input_kind,
        shape=shape,
        architecture=architecture,
        outputs=outputs,
        mean=mean,
        std=std,
        binary_weights=binary_weights,
        nearest=nearest,
    )
    network = imported.network
    network.save(output)
    console = make_console()
    print_line(console, f"{output}: {network.input.kind} {network.input.shape} → {network.output_text}")
    print_line(console, f"hash {network.hash}")
    print_whole(console, network_table(network))
    flash = network.weight_bytes + network.threshold_bytes + network.score_bytes
    print_line(console, f"flash {flash:,} B, RAM {network.arena_bytes:,} B, {network.macs:,} multiply-accumulates")
    for note in imported.notes:
        print_line(console, f"note: {note}")
