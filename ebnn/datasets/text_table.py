"""Tables of text as spreadsheets, loggers and serial monitors write them: any dialect, read into columns of numbers.

What is found out from the text itself: its encoding, the delimiter, decimal commas, a header line, names before the
values (``ax:0.1 ay:0.2``), a monitor's time stamps (``12:01:02.345 -> 0.1,0.2``), blank lines between parts, header
lines that come again, comments (``# rate: 119``) and a torn first or last line.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ebnn.errors import DatasetError

MAX_COLUMNS = 16_384
"""Of a table; a row of a colour picture of 64×64 has 12,288."""

_LOOK_AT = 200
"""Lines that the dialect is found out from."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COMMA_NUMBER = re.compile(r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d*|[+-]?\d{1,3}(,\d{3}){2,}")
_COMMA_GROUPED = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d*|[+-]?\d{1,3}(\.\d{3}){2,}")
"""Numbers that cannot be read but with marks for thousands, as 1,012.34 and 1.012,34."""

_NAMED = re.compile(r"\s*([A-Za-z_][\w .()/²-]*?)\s*[:=]\s*([+-]?[\d.][\d.eE+-]*)\s*")
_STAMP = re.compile(r"(\d\d):(\d\d):(\d\d)(?:[.,](\d+))? -> ?")
_ABOUT = re.compile(r"#\s*([A-Za-z_][\w ]*?)\s*[:=]\s*(.*)")
_NOTHING = {"", "nan", "na", "n/a", "null", "none", "?", "inf", "+inf", "-inf", "infinity", "#n/a", "-nan"}
"""What stands in a cell that has no value; in lower case."""


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of a text.

    Attributes:
        name: of the file, for messages.
        names: of the columns; ``column 1``, … where the text has none.
        header: whether the text has names.
        numbers: (rows, columns) float64; NaN in columns of text.
        text: cells of each column that holds text, by the column's index.
        breaks: rows before which a blank line or another header line stood, rising, without 0.
        lines: (rows,) the line of each row in the file, from 1.
        about: what comments of the form ``# key: value`` say; keys in lower case.
        stamps: (rows,) seconds, where a serial monitor stamped the lines; else None.
        notes: what was left out or taken otherwise than it stands there, in words.
        classes: names of the classes that the last column counts from 0, where the first line tells them, as in the
            files that come with scikit-learn.
    """

    name: str
    names: tuple[str, ...]
    header: bool
    numbers: npt.NDArray[np.float64]
    text: dict[int, list[str]]
    breaks: tuple[int, ...]
    lines: npt.NDArray[np.int64]
    about: dict[str, str] = field(default_factory=dict)
    stamps: npt.NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class _Dialect:
    """``delimiter`` is None for runs of white space; ``comma`` says whether decimals have a comma."""

    delimiter: str | None
    comma: bool

    def split(self, line: str) -> list[str]:
        if self.delimiter is None:
            return line.split()
        if '"' in line:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=self.delimiter, skipinitialspace=True))]
        return [cell.strip() for cell in line.split(self.delimiter)]

    def is_number(self, cell: str) -> bool:
        return bool((_COMMA_NUMBER if self.comma and "," in cell else _NUMBER).fullmatch(cell)) or self.grouped(cell)

    def grouped(self, cell: str) -> bool:
        """Whether a cell is a number with marks for thousands."""
        return bool((_COMMA_GROUPED if self.comma else _GROUPED).fullmatch(cell))

    def ungrouped(self, cell: str) -> str:
        """A cell of a column with marks for thousands, without them; as it is where a mark is at another place."""
        mark, point = (".", ",") if self.comma else (",", ".")
        whole, *rest = cell.split(point)
        if mark in whole and not re.fullmatch(rf"[+-]?\d{{1,3}}(\{mark}\d{{3}})+", whole):
            return cell
        return point.join([whole.replace(mark, ""), *rest])

    def number(self, cell: str) -> float:
        return float(cell.replace(",", ".") if self.comma else cell)


def decode(data: bytes, name: str) -> str:
    """Returns the text of a file: UTF-8, UTF-16 with or without its mark, or Windows's Latin-1.

    Raises DatasetError where the bytes are no text.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif b"\0" in data[:64]:
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    else:
        encoding = "utf-8-sig"
    try:
        text = data[: len(data) // 2 * 2].decode(encoding) if "16" in encoding else data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
        if encoding != "utf-8-sig" or any(ch < " " and ch not in "\t\r\n\f\x1a" for ch in text):
            raise DatasetError(f"{name} is no text: give a table of numbers, one sample or one moment a line") from None
    if "\0" in text:
        raise DatasetError(f"{name} is no text: it holds bytes of 0; give a table of numbers")
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\x1a")


def looks_like_table(head: bytes) -> bool:
    """Returns whether a file that begins so may be a table: text, with a number in one of its first lines."""
    try:
        text = decode(head, "")
    except DatasetError:
        return False
    if text.lstrip()[:1] in ("{", "[", "<"):
        return False
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith("#")][:20]
    cells = [cell.strip('" ') for line in lines for cell in re.split(r"[,;|\s]+", line)]
    return any(map(_NUMBER.fullmatch, cells)) or any(cell.lower() in ("label", "class", "target") for cell in cells)


def read_table(data: bytes, name: str) -> Table:
    """Returns the table in a text.

    Args:
        data: the file's bytes.
        name: of the file, for messages.

    Raises:
        DatasetError: there are no rows, rows differ in length, a cell lacks a number, or there are too many columns.
    """
    text = decode(data, name)
    whole = text.endswith("\n")
    about: dict[str, str] = {}
    given: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("#"):
            if match := _ABOUT.fullmatch(line.strip()):
                about[match[1].lower()] = match[2]
            continue
        given.append((number, line))
    if given and re.fullmatch(r"sep=.", given[0][1].strip()):
        del given[0]  # what Excel reads the delimiter from
    stamps = _take_stamps(given)
    filled = [line for _, line in given if line.strip(" \t\f,;")]
    if not filled:
        raise DatasetError(f"{name} is empty: give a table with a line for each sample or moment")
    dialect = _dialect(filled, name)
    names = _take_names(given, dialect)
    return _rows(name, given, dialect, names, about, stamps, whole)


def _take_stamps(given: list[tuple[int, str]]) -> dict[int, float]:
    """Cuts a serial monitor's time stamps off the lines; returns them, in seconds, by line."""
    found = {number: match for number, line in given if (match := _STAMP.match(line))}
    if len(found) < 0.8 * sum(bool(line.strip()) for _, line in given):
        return {}
    for i, (number, line) in enumerate(given):
        if number in found:
            given[i] = number, line[found[number].end() :]
    return {
        number: int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]) + float(f"0.{match[4] or 0}")
        for number, match in found.items()
    }


def _dialect(filled: list[str], name: str) -> _Dialect:
    """The dialect in which most cells are numbers and most lines equally long."""
    lines = filled[:_LOOK_AT]
    best: tuple[tuple[float, int], _Dialect] | None = None
    for delimiter in ("\t", ";", ",", "|", None):
        for comma in (False, True) if delimiter != "," else (False,):
            dialect = _Dialect(delimiter, comma)
            rows = [dialect.split(line) for line in lines]
            width, often = Counter(len(row) for row in rows).most_common(1)[0]
            cells = [cell for row in rows[1:] or rows for cell in row]
            value = [_NAMED.fullmatch(cell) is not None or dialect.is_number(cell) or not cell for cell in cells]
            score = round(often / len(rows) * sum(value) / max(1, len(value)), 6), width
            if width > MAX_COLUMNS:
                raise DatasetError(f"{name} has {width:,} columns: at most {MAX_COLUMNS:,} are allowed")
            if best is None or score > best[0]:
                best = score, dialect
    assert best is not None
    return best[1]


def _take_names(given: list[tuple[int, str]], dialect: _Dialect) -> tuple[str, ...] | None:
    """Cuts names that stand before each value off the lines, and returns them; None where there are none."""
    filled = [(i, dialect.split(line)) for i, (_, line) in enumerate(given) if line.strip()]
    matched = [(i, [_NAMED.fullmatch(cell) for cell in cells]) for i, cells in filled]
    named = [(i, cells) for i, cells in matched if cells and all(cells)]
    if len(named) < 0.8 * len(filled):
        return None
    joint = " " if dialect.delimiter is None else dialect.delimiter
    for i, cells in named:
        given[i] = given[i][0], joint.join(cell[2] for cell in cells if cell)
    return tuple(cell[1] for cell in named[0][1] if cell)


def _rows(
    name: str,
    given: list[tuple[int, str]],
    dialect: _Dialect,
    names: tuple[str, ...] | None,
    about: dict[str, str],
    stamps: dict[int, float],
    whole: bool,
) -> Table:
    rows: list[list[str]] = []
    lines: list[int] = []
    breaks: list[int] = []
    notes: list[str] = []
    for number, line in given:
        cells = dialect.split(line)
        if any(cells):
            rows.append(cells)
            lines.append(number)
        elif rows:
            breaks.append(len(rows))
    classes = _summary(rows)
    if classes:
        rows, lines, breaks = rows[1:], lines[1:], [at - 1 for at in breaks]
    banner = 0 if classes else _banner(rows, dialect, names is None)
    if banner:
        what = "line is no row" if banner == 1 else f"{banner:,} lines are no rows"
        notes.append(f"{name}: the first {what} of the table and left out")
        rows, lines, breaks = rows[banner:], lines[banner:], [at - banner for at in breaks if at > banner]
    header = _header(rows, dialect) if names is None and not classes else None
    if header is not None:
        again = {i for i, row in enumerate(rows) if row == header}
        breaks = _without(sorted({*breaks, *again}), again)
        lines = [line for i, line in enumerate(lines) if i not in again]
        rows = [row for i, row in enumerate(rows) if i not in again]
    if not rows:
        raise DatasetError(f"{name} has a header and no rows: give a line for each sample or moment")
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if header is not None and len(header) < width:
        width = max(width, len(header))
    if header is not None and len(header) == width + 1 and not header[-1]:
        header = header[:-1]
    if len(rows) > 1 and len(rows[-1]) < width and not whole:
        notes.append(f"{name}: line {lines[-1]}, the last one, is torn and left out")
        rows, lines = rows[:-1], lines[:-1]
    if header is None and len(rows) > 1 and len(rows[0]) < width:
        notes.append(f"{name}: line {lines[0]}, the first one, is torn and left out")
        rows, lines, breaks = rows[1:], lines[1:], [at - 1 for at in breaks]
    _check_widths(name, rows, lines, width, dialect)
    columns = list(zip(*rows, strict=True))
    empty = {c for c, column in enumerate(columns) if not any(column)}
    columns = [column for c, column in enumerate(columns) if c not in empty]
    titles = list(names or header or ())
    titles = [title for c, title in enumerate(titles) if c not in empty]
    if not columns:
        raise DatasetError(f"{name} has no values: give a table with a line for each sample or moment")
    if titles and len(titles) != len(columns):
        raise DatasetError(f"{name}: its header has {len(titles)} names, its rows have {len(columns)} cells")
    numbers = np.full((len(rows), len(columns)), np.nan)
    text = {c: list(column) for c, column in enumerate(columns) if _is_text(column, dialect)}
    values = [column for c, column in enumerate(columns) if c not in text]
    for c, column in enumerate(columns):
        title = titles[c] if titles else f"column {c + 1}"
        if c not in text:
            numbers[:, c] = _numbers(name, column, title, lines, dialect, values)
    return Table(
        name,
        tuple(titles) if titles else tuple(f"column {c + 1}" for c in range(len(columns))),
        bool(titles),
        numbers,
        text,
        tuple(at for at in dict.fromkeys(breaks) if 0 < at < len(rows)),
        np.array(lines, np.int64),
        about,
        np.array([stamps.get(line, np.nan) for line in lines]) if stamps else None,
        tuple(notes),
        classes,
    )


def _summary(rows: list[list[str]]) -> tuple[str, ...]:
    """Names of classes in a first line such as ``150,4,setosa,versicolor,virginica``: samples, features, classes."""
    first, *others = rows
    counts = first[:2]
    if len(first) < 4 or not others or not all(cell.isdecimal() for cell in counts) or any(map(_plain, first[2:])):
        return ()
    return tuple(first[2:]) if [int(cell) for cell in counts] == [len(others), len(others[0]) - 1] else ()


def _plain(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell))


def _without(breaks: list[int], gone: set[int]) -> list[int]:
    """Breaks before rows of a list from which the rows ``gone`` are taken."""
    taken = sorted(gone)
    return sorted({at - int(np.searchsorted(taken, at)) for at in breaks})


def _banner(rows: list[list[str]], dialect: _Dialect, headed: bool) -> int:
    """How many rows stand before the table, such as ``Setup done`` and what a board says as it starts.

    There are none where the first row is as wide as the table. ``headed``: the row above the values may be a header.
    """
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    if not rows or len(rows[0]) == width:
        return 0
    counts = [sum(map(dialect.is_number, row)) for row in rows]
    usual = float(np.median([count for row, count in zip(rows, counts, strict=True) if len(row) == width]))
    begin = next((i for i, row in enumerate(rows) if len(row) == width and counts[i] >= max(1.0, 0.75 * usual)), 0)
    if begin and counts[begin - 1] == len(rows[begin - 1]) < width:
        begin -= 1  # a torn row
    elif begin and headed and not counts[begin - 1] and _may_head(len(rows[begin - 1]), width, dialect):
        begin -= 1
    most = 0.5 if dialect.delimiter is None else 0.49
    words = all(counts[i] <= most * len(rows[i]) for i in range(begin))
    return begin if words else 0


def _may_head(cells: int, width: int, dialect: _Dialect) -> bool:
    """Whether a row of text is about as wide as the table, so that it is a header, be it a wrong one."""
    return cells == width or (dialect.delimiter is not None and cells >= 2 and abs(cells - width) == 1)


def _header(rows: list[list[str]], dialect: _Dialect) -> list[str] | None:
    """The first row where it is names: text that stands above numbers, or the summary of scikit-learn's files."""
    first, *others = rows
    if not others:
        return first if not any(map(dialect.is_number, first)) else None
    shown = others[:_LOOK_AT]
    above = 0
    for c, cell in enumerate(first):
        below = [row[c] for row in shown if c < len(row) and row[c]]
        if dialect.is_number(cell):
            return None
        if cell and below and sum(map(dialect.is_number, below)) > len(below) / 2:
            above += 1
    if above:
        return first
    return first if all(first) and len(set(first)) == len(first) and _all_once(first, shown) else None


def _all_once(first: list[str], others: list[list[str]]) -> bool:
    """Whether no cell of the first row comes again below it: names above text only."""
    return not any(cell in row for row in others for cell in first)


def _check_widths(name: str, rows: list[list[str]], lines: list[int], width: int, dialect: _Dialect) -> None:
    if width > MAX_COLUMNS:
        raise DatasetError(f"{name} has {width:,} columns: at most {MAX_COLUMNS:,} are allowed")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != width:
            raise DatasetError(
                f"{name}: line {line} has {len(row):,} cells, most lines have {width:,}: mend or delete that line"
            )


def _is_text(cells: Sequence[str], dialect: _Dialect) -> bool:
    return sum(map(dialect.is_number, cells)) < 0.5 * len(cells)


def _gaps(columns: Sequence[Sequence[str]]) -> int:
    """How many rows lack a value in one of the columns."""
    return sum(any(cell.lower() in _NOTHING for cell in row) for row in zip(*columns, strict=True))


def _numbers(
    name: str, cells: tuple[str, ...], title: str, lines: list[int], dialect: _Dialect, every: Sequence[Sequence[str]]
) -> list[float]:
    mark = "." if dialect.comma else ","
    grouped = next((cell for cell in cells if mark in cell and dialect.grouped(cell)), None)
    if grouped is not None:
        cells = tuple(map(dialect.ungrouped, cells))
        for cell, line in zip(cells, lines, strict=True):
            if mark in cell:
                raise DatasetError(
                    f"{name}: line {line} has {cell!r:.40} in {title!r}, where {grouped!r:.40} has {mark!r} for "
                    "thousands: write all numbers alike"
                )
    try:
        values = [dialect.number(cell) for cell in cells]
    except ValueError:
        values = []
    if values and np.isfinite(values).all():
        return values
    for cell, line in zip(cells, lines, strict=True):
        if cell.lower() in _NOTHING:
            gaps = _gaps(every)
            more, way_out = "", "fill it, or delete that line"
            if gaps > 1:
                more = f", and {gaps:,} of {len(cells):,} rows lack one"
                way_out = "fill them, or delete these lines or the column"
            raise DatasetError(f"{name}: line {line} has no value in {title!r} ({cell or 'empty'}){more}: {way_out}")
        if not dialect.is_number(cell):
            raise DatasetError(f"{name}: line {line} has {cell!r:.40} in {title!r}, which is no number: mend that line")
    worst = next(line for cell, line in zip(cells, lines, strict=True) if not np.isfinite(dialect.number(cell)))
    raise DatasetError(f"{name}: line {worst} has a number in {title!r} that is too large: mend that line")
