"""Pages as one HTML file that fetches nothing and runs no script."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape

from ..printable import printable, printable_lines
from .page import MARK, Code, Grid, Page, Part, Pictures, Section, Text

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --line: #ccc; --soft: #f3f3f3;
  --right: #12693a; --wrong: #a31515; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --paper: #161616; --line: #444; --soft: #242424; --right: #6fd39a; --wrong: #ff8f85; }
}
body { color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem;
  margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
h1, h2 { line-height: 1.2; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { background: var(--soft); }
td:last-child:not(.number) { overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
.right { color: var(--right); font-weight: 600; }
.wrong { color: var(--wrong); }
.none { opacity: .5; }
pre { background: var(--soft); padding: .6rem; overflow-x: auto; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; max-width: 100%; width: 10rem; }
figure.wide { width: 44rem; }
figure img { width: 100%; image-rendering: pixelated; background: #fff; border: 1px solid var(--line); }
figure.wide img { image-rendering: auto; }
figcaption { font-size: .875rem; }
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def html_text(page: Page) -> str:
    """Returns a page as HTML; every text in it is escaped."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    title = _shown(page.title)
    yield "<!DOCTYPE html>"
    yield MARK
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title>"
    yield f"<style>{_STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield "<main>"
    yield f"<h1>{title}</h1>"
    for section in page.sections:
        yield from _section(section)
    yield "</main>"
    yield "</body>"
    yield "</html>"


def _section(section: Section) -> Iterator[str]:
    yield "<section>"
    yield f"<h2>{_shown(section.title)}</h2>"
    for part in section.parts:
        yield from _part(part)
    yield "</section>"


def _part(part: Part) -> Iterator[str]:
    if isinstance(part, Text):
        yield f"<p>{_shown(part.text)}</p>"
    elif isinstance(part, Code):
        yield f"<pre><code>{escape(printable_lines(part.text))}</code></pre>"
    elif isinstance(part, Grid):
        yield from _table(part)
    else:
        yield from _pictures(part)


def _table(table: Grid) -> Iterator[str]:
    first = len(table.headers) - table.numbers
    sides = ["" if place < first else "number" for place in range(len(table.headers))]
    caption = _shown(table.caption)
    yield f'<div class="scroll" role="region" tabindex="0" aria-label="{caption}">'
    yield "<table>"
    yield f"<caption>{caption}</caption>"
    heads = (
        f'<th scope="col"{_classes(side)}>{_shown(text)}</th>' for side, text in zip(sides, table.headers, strict=True)
    )
    yield f"<thead><tr>{''.join(heads)}</tr></thead>"
    yield "<tbody>"
    for row in table.rows:
        cells = [
            f"<td{_classes(side, cell.mark)}>{_shown(cell.text)}</td>"
            for side, cell in zip(sides[1:], row[1:], strict=True)
        ]
        yield f'<tr><th scope="row"{_classes(row[0].mark)}>{_shown(row[0].text)}</th>{"".join(cells)}</tr>'
    yield "</tbody>"
    yield "</table>"
    yield "</div>"


def _pictures(part: Pictures) -> Iterator[str]:
    yield '<div class="pictures">'
    for one in part.pictures:
        address = f"data:{one.kind};base64,{base64.b64encode(one.data).decode()}"
        yield f"<figure{_classes('wide' if part.wide else '')}>"
        yield f'<img src="{address}" alt="{_shown(one.alt)}">'
        yield f"<figcaption>{_shown(one.caption)}</figcaption>"
        yield "</figure>"
    yield "</div>"


def _classes(*names: str) -> str:
    given = " ".join(name for name in names if name)
    return f' class="{given}"' if given else ""


def _shown(text: str) -> str:
    return escape(printable(text))
