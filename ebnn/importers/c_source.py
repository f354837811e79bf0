"""Tokens of the C that generators write and people edit: arrays of numbers and functions made of calls.

What a compiler does before it parses is done here: joined lines, comments, directives, macros without arguments. Not C
in general: what would need more of the language is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn

from ..errors import FileFormatError
from .c_numbers import Number, cast, literal, negate

TokenKind = Literal["word", "number", "mark", "text", "end"]

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\f\v]+)
      | (?P<line>\n)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<number>\.?[0-9](?:[eEpP][-+]|[\w.])*)
      | (?P<text>"(?:\\.|[^"\\\n])*")
      | (?P<mark>"(?:\\.|[^"\\\n])*|\S)
    """,
    re.VERBOSE,
)
# What C reads before anything else, and what some read so: characters spelled as three, line ends, bytes of 0.
_UNSEEN = re.compile(r"\?\?[=/'()!<>-]|\r(?!\n)|\0")
_JOINED = re.compile(r"(?P<gone>\\[ \t\f\v]*(?:\r?\n|\Z))|(?P<line>\n)")
_COMMENT = re.compile(
    r"""(?P<gone>//[^\n]*|/\*.*?\*/) | (?P<open>/\*) | (?P<line>\n) | "(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])*'?""",
    re.VERBOSE | re.DOTALL,
)
_DIRECTIVE = re.compile(r"(\w*)\s*(.*)", re.DOTALL)
_DEFINE = re.compile(r"(\w+)(\(?)\s*(.*)", re.DOTALL)
_TEST = re.compile(r"\s*(?P<not>!?)\s*(?:defined\s*\(\s*(?P<a>\w+)\s*\)|defined\s+(?P<b>\w+)|(?P<value>[01]))\s*")
_PRAGMAS_THAT_REWRITE = ("macro", "poison", "redefine")
# Not defined by a compiler for C on a computer, or by a header that is not read here.
_NOT_DEFINED = re.compile(r"__cplusplus|__AVR\w*|ARDUINO\w*|ESP\d+|PROGMEM|__XTENSA__|CHAINER\w*")
_SHOWN = 40  # characters of a token in a message
_MOST_NESTED = 32
_MOST_CONDITIONS = 63  # open at a time; C asks compilers for as many
_MOST_EXPANDED = 2**20  # characters that macros stand for
_TYPES = {"float", "double", "int", "char", "uint8_t", "int8_t", "uint16_t", "int16_t", "uint32_t", "int32_t", "size_t"}
_PARTS_OF_TYPES = {"unsigned", "signed", "long", "short", "const", "volatile"}


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


@dataclass(frozen=True, slots=True)
class Constant:
    """A number as it is written, sign, casts and parentheses included: its ``value``, and where it begins."""

    token: Token
    value: Number


class Source:
    """A C text, read token by token. ``name`` stands in messages; every method raises FileFormatError with the line."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        unseen = _UNSEEN.search(text)
        if unseen is not None:
            line = text.count("\n", 0, unseen.start()) + 1
            self.refuse(line, f"{unseen[0]!r} can change what the header means: eBNN writes none")
        self.included: set[str] = set()
        """Names of the files that it includes, as they stand."""
        self._macros: dict[str, str | None] = {}
        self._expanded_size = 0
        self._text = self._without(_COMMENT, self._without(_JOINED, text, ""), " ")
        self._tokens = self._preprocessed()
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

    def skip_pair(self, where: str) -> None:
        """Takes what stands in parentheses, which open next."""
        self.expect("(", where)
        depth = 1
        while depth:
            token = self.take()
            if token.kind == "end":
                self.refuse(token.line, f"{where}: the file ends within parentheses, it is truncated")
            depth += (token.text == "(") - (token.text == ")")

    def constant(self, what: str, ends: tuple[str, ...], where: str) -> Constant:
        """A number, with signs, casts and parentheses, before one of the marks ``ends``, which is left to be taken."""
        found = self._operand(what, where, 0)
        if self.next.kind == "end":
            self.refuse(self.next.line, f"{where}: the file ends after {found.token}, it is truncated")
        if self.next.text not in ends:
            self.refuse(
                found.token.line, f"{where}: expected {what}, found an expression: {found.token}, then {self.next}"
            )
        return found

    def cast_type(self) -> str | None:
        """The type that the tokens so far after a '(' begin, taken with its stars; None where they are no type."""
        words = []
        while self.next.kind == "word" and self.next.text in _TYPES | _PARTS_OF_TYPES:
            words.append(self.take().text)
        stars = 0
        while words and self.take_if("*"):
            stars += 1
        kept = [word for word in words if word not in ("const", "volatile")]
        return " ".join(kept) + "*" * stars if kept else None

    def whole(self, constant: Constant, where: str) -> int:
        """The value of a constant that must be whole."""
        if not isinstance(constant.value, int):
            self.refuse(constant.token.line, f"{where}: {constant.token} is not a whole number")
        return constant.value

    def refuse(self, line: int, what: str) -> NoReturn:
        raise FileFormatError(f"{self.name}, line {line}: {what}")

    # Numbers

    def _operand(self, what: str, where: str, depth: int) -> Constant:
        token = self.take()
        if depth > _MOST_NESTED:
            self.refuse(token.line, f"{where}: parentheses and signs are nested deeper than {_MOST_NESTED}")
        if token.kind == "number":
            value = literal(token.text)
            if value is None:
                self.refuse(token.line, f"{where}: {token} is not a number that C reads the same everywhere")
            return Constant(token, value)
        if token.kind == "mark" and token.text in ("-", "+"):
            inner = self._operand(what, where, depth + 1)
            signed = inner.value if token.text == "+" else negate(inner.value)
            return Constant(Token("number", token.text + inner.token.text, token.line), signed)
        if token.kind == "mark" and token.text == "(":
            c_type = self.cast_type()
            if c_type is None:
                inner = self._operand(what, where, depth + 1)
                self.expect(")", where)
                return inner
            self.expect(")", where)
            inner = self._operand(what, where, depth + 1)
            value = cast(c_type, inner.value)
            if value is None:
                self.refuse(token.line, f"{where}: a cast of {inner.token} to {c_type} is not read here")
            return Constant(inner.token, value)
        if token.kind == "end":
            self.refuse(token.line, f"{where}: the file ends where {what} must follow, it is truncated")
        self.refuse(token.line, f"{where}: expected {what}, found {token}")

    # Before the tokens

    def _without(self, pattern: re.Pattern[str], text: str, blank: str) -> str:
        """The text with ``blank`` for what is ``gone``; the line ends in that follow at the end of its line."""
        parts: list[str] = []
        at = ends = 0
        for match in pattern.finditer(text):
            if match.lastgroup == "open":
                line = text.count("\n", 0, match.start()) + 1
                self.refuse(line, "a comment has no end: the file is truncated")
            if match.lastgroup == "gone":
                parts += [text[at : match.start()], blank]
                ends += match[0].count("\n")
                at = match.end()
            elif match.lastgroup == "line" and ends:
                parts += [text[at : match.end()], "\n" * ends]
                at, ends = match.end(), 0
        return "".join([*parts, text[at:], "\n" * ends])

    def _preprocessed(self) -> Iterator[Token]:
        """Tokens, where the directives let them through, macros replaced."""
        taken: list[bool] = []  # of each #if that is open: whether its lines count
        done: list[bool] = []  # whether one of its branches did
        at, line, fresh = 0, 1, True  # fresh: nothing but blanks since the line began
        text = self._text
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                self.refuse(line, f"cannot be read from {text[at : at + _SHOWN]!r} on")
            at = match.end()
            kind = match.lastgroup
            if kind == "line":
                line, fresh = line + 1, True
            elif match[0] == "#" and fresh:
                end = text.find("\n", at)
                end = len(text) if end < 0 else end
                self._directive(text[at:end].strip(), line, taken, done)
                at = end
            elif kind != "space":
                fresh = False
                if not all(taken):
                    continue
                if match[0] in self._macros:
                    yield from self._expanded(match[0], line, ())
                else:
                    yield Token(kind, match[0], line)  # type: ignore[arg-type]
        if taken:
            self.refuse(line, "an #if has no #endif: the file is truncated")
        yield Token("end", "", line)

    def _directive(self, text: str, line: int, taken: list[bool], done: list[bool]) -> None:
        match = _DIRECTIVE.fullmatch(text)
        assert match is not None
        kind, rest = match.groups()
        rest = rest.strip()
        if kind in ("if", "ifdef", "ifndef"):
            if len(taken) == _MOST_CONDITIONS:
                self.refuse(line, f"#if are nested deeper than {_MOST_CONDITIONS}")
            counts = all(taken) and self._holds(kind, rest, line)
            taken.append(counts)
            done.append(counts or not all(taken[:-1]))
        elif kind in ("else", "elif", "endif"):
            if not taken:
                self.refuse(line, f"#{kind} without an #if")
            taken.pop()
            if kind == "endif":
                done.pop()
                return
            counts = not done[-1] and (kind == "else" or self._holds("if", rest, line))
            taken.append(counts)
            done[-1] = done[-1] or counts
        elif all(taken):
            self._command(kind, rest, line)

    def _command(self, kind: str, rest: str, line: int) -> None:
        if kind == "include":
            self.included.add(rest)
            return
        if kind == "define":
            match = _DEFINE.fullmatch(rest)
            if match is not None:
                name, bracket, body = match.groups()
                value = None if bracket else body.strip()
                if self._macros.get(name, value) != value:
                    self.refuse(line, f"#define {name} defines it again, otherwise than before")
                self._macros[name] = value
                return
        if kind == "undef":
            self._macros.pop(rest, None)
            return
        if kind == "" or (kind == "pragma" and not any(word in rest for word in _PRAGMAS_THAT_REWRITE)):
            return
        self.refuse(line, f"{f'#{kind} {rest}'.strip()[:_SHOWN]!r} can change what the header means: eBNN writes none")

    def _holds(self, kind: str, rest: str, line: int) -> bool:
        """Whether the lines after an #if count; only what is known to a compiler of C is asked for."""
        if kind in ("ifdef", "ifndef"):
            return self._is_defined(rest, line, guard=kind == "ifndef") == (kind == "ifdef")
        either, at = False, 0
        both = True
        while True:
            match = _TEST.match(rest, at)
            if match is None:
                self.refuse(line, f"{f'#if {rest}'[:_SHOWN]!r} is not read here: leave the lines that count")
            name = match["a"] or match["b"]
            value = self._is_defined(name, line, guard=bool(match["not"])) if name else match["value"] == "1"
            both = both and value != bool(match["not"])
            at = match.end()
            if at == len(rest):
                return either or both
            mark, at = rest[at : at + 2], at + 2
            if mark == "||":
                either, both = either or both, True
            elif mark != "&&":
                self.refuse(line, f"{f'#if {rest}'[:_SHOWN]!r} is not read here: leave the lines that count")

    def _is_defined(self, name: str, line: int, guard: bool) -> bool:
        if name in self._macros:
            return True
        if guard or _NOT_DEFINED.fullmatch(name):
            return False
        self.refuse(line, f"what follows counts where {name[:_SHOWN]!r} is defined, and the file tells not: leave one")

    def _expanded(self, name: str, line: int, within: tuple[str, ...]) -> Iterator[Token]:
        body = self._macros[name]
        if body is None:
            self.refuse(line, f"{name} is a macro with arguments, which is not read here")
        if len(within) > _MOST_NESTED:
            self.refuse(line, f"macros are nested deeper than {_MOST_NESTED}")
        self._expanded_size += len(body) + 1
        if self._expanded_size > _MOST_EXPANDED:
            self.refuse(line, f"macros give more than {_MOST_EXPANDED:,} characters: write out what they stand for")
        for match in _TOKEN.finditer(body):
            kind = match.lastgroup
            if match[0] in self._macros and match[0] not in (*within, name):
                yield from self._expanded(match[0], line, (*within, name))
            elif kind not in ("space", "line"):
                yield Token(kind, match[0], line)  # type: ignore[arg-type]
