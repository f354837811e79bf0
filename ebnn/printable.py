"""Text of others, from files, boards and names of folders, as a terminal may be given it."""

__all__ = ["printable", "printable_lines"]


def printable(text: str) -> str:
    """Returns text in one line of characters that are seen: any other stands there as Python's escape.

    That takes what a terminal obeys, what turns or hides the text beside it, and what no encoding has.
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    """As :func:`printable`, but line breaks and tabs stay."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def _shown(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]
