"""Tokens of the C that generators write: arrays of numbers and functions made of calls. Not C in general."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NoReturn

from ..errors import FileFormatError

TokenKind = Literal["directive", "word", "number", "mark", "end"]

_PATTERN = re.compile(
    r"""(?P<space>[ \t\r\f\v]+|//[^\n]*)
      | (?P<line>\n)
      | (?P<comment>/\*.*?\*/)
      | (?P<directive>\#(?:[^\n\\]|\\.)*)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<number>-?\.?[0-9](?:[eE][-+]|[\w.])*)
      | (?P<mark>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_FLOAT = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_SHOWN = 40  # characters of a token in a message


@dataclass(frozen=True)
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
        self._tokens = self._split(text)
        self._at = 0

    @property
    def next(self) -> Token:
        """The token that :meth:`take` would take."""
        return self._tokens[self._at]

    def take(self) -> Token:
        token = self._tokens[self._at]
        if token.kind != "end":
            self._at += 1
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
        if not _FLOAT.fullmatch(token.text):
            self.refuse(token.line, f"{where}: {token} is not a decimal number")
        return float(token.text)

    def refuse(self, line: int, what: str) -> NoReturn:
        raise FileFormatError(f"{self.name}, line {line}: {what}")

    def _split(self, text: str) -> list[Token]:
        tokens: list[Token] = []
        line, at = 1, 0
        while at < len(text):
            match = _PATTERN.match(text, at)
            if match is None:
                self.refuse(line, f"cannot be read from {text[at : at + _SHOWN]!r} on")
            kind = match.lastgroup
            if kind in ("directive", "word", "number", "mark"):
                tokens.append(Token(kind, match.group(), line))  # type: ignore[arg-type]
            line += match.group().count("\n")
            at = match.end()
        return [*tokens, Token("end", "", line)]
