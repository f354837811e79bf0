"""Text that is broken between words, for a terminal of any width."""

from rich.cells import cell_len


def wrap(text: str, width: int) -> str:
    """Breaks the lines of a text between words so that they fit into ``width`` columns where their words do.

    A word is never broken. A line that begins with a space is not either: it holds a command or a path to copy.
    """
    return "\n".join(line if line.startswith(" ") else _wrap_line(line, width) for line in text.split("\n"))


def _wrap_line(line: str, width: int) -> str:
    lines: list[str] = []
    for word in line.split(" "):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n".join(lines)
