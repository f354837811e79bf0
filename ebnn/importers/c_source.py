"""Tokens of the C that generators write: arrays of numbers and functions made of calls. Not C in general."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn

from ..errors import FileFormatError

TokenKind = Literal["directive", "word", "number", "mark", "end"]

_PATTERN = re.compile(
    r"""(?P<space>[ \t\r\f\v]+|//[^\n]*)
      | (?P<line>\n)
      | (?P<comment>/\*(?:.*?\*/|.*))
      | (?P<directive>\#[^\n]*)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<number>-?\.?[0-9](?:[eE][-+]|[\w.])*)
      | (?P<mark>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_FLOAT = re.compile(r"-?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_SHOWN = 40  # characters of a token in a message


# What C reads before anything else: lines joined by a \, characters spelled as three; and line ends that some read so.
_UNSEEN = re.compile(r"\\[ \t\f\v]*(?:\r?\n|\Z)|\?\?[=/'()!<>-]|\r(?!\n)|\0")


@dataclass(frozen=True, slots=True)
class Token:
    """One token and the line it stands on, from 1."""

    kind: TokenKind
    text: str
    line: int

    def __str__(self) -> str:
        if self.kind == "end":
            return "the end of the file"
        return repr(self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…")


class Source:
    """A C text, read token by token. ``name`` stands in messages; every method raises FileFormatError with the line."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        unseen = _UNSEEN.search(text)
        if unseen is not None:
            line = text.count("\n", 0, unseen.start()) + 1
            what = "a \\ that joins lines" if unseen[0][0] == "\\" else f"{unseen[0]!r}"
            self.refuse(line, f"{what} can change what the header means: eBNN writes none")
        self.words: set[str] = set()
        """All that have been read."""
        self._tokens = self._split(text)
        self._next = next(self._tokens)

    @property
    def next(self) -> Token:
        """The token that :meth:`take` would take."""
        return self._next

    def take(self) -> Token:
        token = self._next
        if token.kind != "end":
            self._next = next(self._tokens)
        return token

    def take_if(self, text: str) -> bool:
        """Whether the next token is the word or mark ``text``; if so it is taken."""
        found = self.next.kind in ("word", "mark") and self.next.text == text
        if found:
            self.take()
        return found

    def expect(self, text: str, where: str) -> Token:
        token = self.take()
        if token.kind not in ("word", "mark") or token.text != text:
            self.refuse(token.line, f"{where}: expected {text!r}, found {token}")
        return token

    def word(self, what: str) -> Token:
        token = self.take()
        if token.kind != "word":
            self.refuse(token.line, f"expected {what}, found {token}")
        return token

    def value(self, what: str, kinds: tuple[TokenKind, ...], ends: tuple[str, ...], where: str) -> Token:
        """A single token of one of the ``kinds``, before one of the marks ``ends``, which is left to be taken."""
        token = self.take()
        if token.kind not in kinds:
            self.refuse(token.line, f"{where}: expected {what}, found {token}")
        if self.next.kind == "end":
            self.refuse(self.next.line, f"{where}: the file ends after {token}, it is truncated")
        if self.next.text not in ends:
            self.refuse(token.line, f"{where}: expected {what}, found an expression: {token}, then {self.next}")
        return token

    def integer(self, token: Token, where: str) -> int:
        """The value of a number token."""
        if not _INTEGER.fullmatch(token.text):
            self.refuse(token.line, f"{where}: {token} is not a decimal whole number")
        return int(token.text)

    def real(self, token: Token, where: str) -> float:
        """The value of a number token, as C's double."""
        if _INTEGER.fullmatch(token.text):
            return float(int(token.text))  # -0 is 0, as it is no floating-point number
        if not _FLOAT.fullmatch(token.text):
            self.refuse(token.line, f"{where}: {token} is not a decimal number")
        return float(token.text)

    def refuse(self, line: int, what: str) -> NoReturn:
        raise FileFormatError(f"{self.name}, line {line}: {what}")

    def _split(self, text: str) -> Iterator[Token]:
        line, at = 1, 0
        while at < len(text):
            match = _PATTERN.match(text, at)
            if match is None:
                self.refuse(line, f"cannot be read from {text[at : at + _SHOWN]!r} on")
            kind = match.lastgroup
            if kind in ("directive", "word", "number", "mark"):
                if kind == "word":
                    self.words.add(match.group())
                yield Token(kind, match.group(), line)  # type: ignore[arg-type]
            elif kind == "comment" and not match.group().endswith("*/", 2):
                self.refuse(line, "a comment has no end: the file is truncated")
            line += match.group().count("\n")
            at = match.end()
        yield Token("end", "", line)
