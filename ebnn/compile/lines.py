"""C text in lines of at most 120 bytes."""

from collections.abc import Sequence

LIMIT = 120  # bytes of a line


def listed(before: str, items: Sequence[str], after: str, separator: str = ", ") -> str:
    """Joins ``before``, ``items`` and ``after``; a line that would grow too long goes on in the next, indented."""
    indent = " " * (len(before) - len(before.lstrip()) + 4)
    lines = [before]
    for i, item in enumerate(items):
        text = item + (after if i == len(items) - 1 else separator.rstrip())
        space = separator[len(separator.rstrip()) :] if i else ""
        if lines[-1].strip() and len((lines[-1] + space + text).encode()) > LIMIT:
            lines.append(indent + text)
        else:
            lines[-1] += space + text
    return "\n".join(lines)
