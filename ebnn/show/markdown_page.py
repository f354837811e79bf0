"""Pages as Markdown, without their pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from ..printable import printable, printable_lines
from .page import MARK, Code, Grid, Page, Part, Text

_SPECIAL = re.compile(r"([\\`*_\[\]|~#])")


def markdown_text(page: Page) -> str:
    """Returns a page as Markdown; what Markdown or HTML would obey in its texts is escaped. Pictures are left out."""
    blocks = [MARK, f"# {_shown(page.title)}"]
    for section in page.sections:
        blocks += [f"## {_shown(section.title)}"] + ["\n".join(_part(part)) for part in section.parts]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _part(part: Part) -> Iterator[str]:
    if isinstance(part, Text):
        yield _shown(part.text)
    elif isinstance(part, Code):
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", part.text)), default=0))
        yield from (fence, printable_lines(part.text), fence)
    elif isinstance(part, Grid):
        yield f"**{_shown(part.caption)}**"
        yield ""
        first = len(part.headers) - part.numbers
        rules = ["---"] * first + ["--:"] * part.numbers
        rows = ([_shown(cell.text) for cell in row] for row in part.rows)
        for cells in (map(_shown, part.headers), rules, *rows):
            yield f"| {' | '.join(cells)} |"


def _shown(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", escape(printable(text), quote=False))
