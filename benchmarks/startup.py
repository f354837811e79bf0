"""What starting Python with ebnn costs, beside ``import numpy``.

::

    uv run python -m benchmarks.startup             CPU time, the least of several starts, and its share of numpy's
"""

from __future__ import annotations

import resource
import subprocess
import sys

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

STARTS = 9
PROGRAMS = {
    "import numpy": ["-c", "import numpy"],
    "import ebnn": ["-c", "import ebnn"],
    "import ebnn, every name but lower": ["-c", "import ebnn; ebnn.load, ebnn.Network, ebnn.write_header"],
    "import ebnn.training": ["-c", "import ebnn.training"],
    "ebnn --help": ["-m", "ebnn", "--help"],
}
"""Of Python, by what they do; the first is what the others are compared with."""


def cpu_seconds(arguments: list[str], starts: int) -> float:
    """The least CPU time of a process, user's and system's, over several starts of Python."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    found = []
    for _ in range(starts):
        before = used()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        found.append(used() - before)
    return min(found)


@click.command(help=__doc__)
@click.option("--starts", type=click.IntRange(min=1), default=STARTS, show_default=True, help="Of each program.")
def main(starts: int) -> None:
    seconds = {name: cpu_seconds(arguments, starts) for name, arguments in PROGRAMS.items()}
    table = Table(box=SIMPLE_HEAD)
    for header in ("program", "CPU time, ms", "of numpy's"):
        table.add_column(header, justify="left" if header == "program" else "right")
    numpy = next(iter(seconds.values()))
    for name, found in seconds.items():
        table.add_row(name, f"{1e3 * found:.0f}", f"{found / numpy:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
