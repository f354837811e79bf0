"""Text that is broken between words, for a terminal of any width."""

import re

from rich.cells import cell_len

_ARGUMENT = r"""(?:--?\w[\w-]*|[A-Z][A-Z_]*(?:\.\w+)?\b|"[^"]*"|'[^']*'|\w+://[\w/.:]*\w|[\w./-]+\.(?:ebnn|h)\b)"""
_COMMAND = re.compile(
    rf"(?:\bebnn [a-z][a-z-]*|\bpip install|\bpipx install|\buv tool install)(?: {_ARGUMENT})*"
    r"|\bsudo [^,;:()]+|\bexport [A-Z_]+=\S+"
)
_UNBROKEN = "\N{NO-BREAK SPACE}"


def wrap(text: str, width: int) -> str:
    """Breaks the lines of a text between words so that they fit into ``width`` columns where their words do.

    A word is never broken, nor is a command within a sentence. A line that begins with a space is not either: it holds
    a command or a path to copy.
    """
    return "\n".join(line if line.startswith(" ") else _wrap_line(line, width) for line in text.split("\n"))


def _wrap_line(line: str, width: int) -> str:
    lines: list[str] = []
    for word in _COMMAND.sub(lambda found: found[0].replace(" ", _UNBROKEN), line).split(" "):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n".join(lines).replace(_UNBROKEN, " ")
