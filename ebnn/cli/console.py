"""What commands print: to a terminal of any width, to a pipe, in any encoding."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.measure import Measurement

UNLIMITED = 10_000  # columns


def make_console() -> Console:
    """A console on standard output; what its encoding lacks is printed as ``?``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    return Console(highlight=False)


def print_whole(console: Console, renderable: Any) -> None:
    """Prints a table at its natural width: a narrow terminal wraps its lines, no figure is cut."""
    before, options = console.width, console.options.update(max_width=UNLIMITED)
    console.width = max(before, Measurement.get(console, options, renderable).maximum)
    try:
        console.print(renderable, crop=False)
    finally:
        console.width = before


def print_line(console: Console, text: str) -> None:
    """Prints text without breaking paths or figures."""
    console.print(text, soft_wrap=True, markup=False)


def command_line(*words: str | Path) -> str:
    """A command of ebnn to copy: as the user has started this one, quoted for the shell."""
    prefix = ["uv", "run"] if "UV_RUN_RECURSION_DEPTH" in os.environ else []
    return shlex.join([*prefix, "ebnn", *map(str, words)])
