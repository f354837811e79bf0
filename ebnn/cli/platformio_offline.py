"""The command ``ebnn platformio-offline``."""

import shlex
from pathlib import Path

import click

from ..platformio import PLATFORMS, prepare_offline
from ..show.console import make_console, print_command, print_line


@click.command("platformio-offline")
@click.argument("folder", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    type=click.Choice(PLATFORMS),
    help="Prepare this one only; may be repeated. [default: all]",
)
def platformio_offline(folder: Path, platforms: tuple[str, ...]) -> None:
    """Prepare a folder with which PlatformIO builds without its registry, with the system's compilers.

    For CI and for labs behind a firewall: AVR boards (atmelavr), the Arduino 101 (intel_arc32: built and measured, not
    uploaded) and this computer (native). Needs Debian's or Ubuntu's packages, and SCons from PyPI (ebnn[offline]).
    """
    ready = prepare_offline(folder, platforms or PLATFORMS)
    console = make_console()
    print_line(console, f"{ready}: PlatformIO's files for {', '.join(platforms or PLATFORMS)}")
    print_command(console, "next", f"export PLATFORMIO_CORE_DIR={shlex.quote(str(ready))}")
