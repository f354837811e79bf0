"""Reads the C header that the original eBNN generates: its arrays, its layers and the order they run in.

The format: arrays ``float NAME[n] = {…};`` and ``uint8_t NAME[n] = {…};``, one function per layer that calls one of
eBNN's layer functions with arrays and whole numbers, and ``ebnn_compute``, which calls the layers one after the other
through two buffers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError
from ..model.kinds import MAX_SIDE
from .batch_norm import BatchNorm
from .c_source import Source, Token

MAX_FILE_BYTES = 4 * 2**20  # of text: over a megabyte of weights
_CONV_NUMBERS = tuple("m num_f w h d kw kh sw sh pw ph pl_w pl_h pl_sw pl_sh pl_pw pl_ph".split())
_DENSE_NUMBERS = ("m", "n", "k")
LAYER_FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "fconv_layer": _CONV_NUMBERS,
    "bconv_layer": _CONV_NUMBERS,
    "blinear_layer": _DENSE_NUMBERS,
    "blinear_sm_layer": _DENSE_NUMBERS,
}
_ARRAYS = ("input", "weights", "output", "bias", "gamma", "beta", "mean", "std")  # the first arguments of all of them
_HARMLESS = re.compile(r"#\s*(?:include\b.*|pragma\s+once|ifndef\s+\w+|define\s+\w+|endif\b.*)\s*", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/|//.*")
_QUALIFIERS = ("static", "const", "extern", "inline")
_COMPUTE = "ebnn_compute"
_OF_EBNN = re.compile(
    rf"#\s*include\s*\"ebnn\.h\"|\b(?:float|uint8_t)\s+\w+\s*\[|\b(?:{'|'.join((_COMPUTE, *LAYER_FUNCTIONS))})\b"
)
_LIBRARY = re.compile(r"^#define EBNN_RUNTIME_VERSION\b", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer: the ``function`` of eBNN's that it calls on line ``line``, its arrays, its whole ``numbers`` by name.

    ``weights`` are the bytes as they stand in the header. ``buffer`` is the name of what it writes to, ``room`` the
    bytes of it; None for the network's own output.
    """

    name: str
    function: str
    line: int
    weights: NDArray[np.uint8]
    batch_norm: BatchNorm
    numbers: Mapping[str, int]
    buffer: str
    room: int | None

    @property
    def is_conv(self) -> bool:
        return self.function in ("fconv_layer", "bconv_layer")


@dataclass(frozen=True, eq=False)
class Header:
    """A header's layers in the order they run. ``name`` is the file's, for messages."""

    name: str
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class _Array:
    c_type: str
    name: Token
    length: int
    numbers: tuple[Token, ...]


@dataclass(frozen=True)
class _Call:
    function: Token
    arguments: tuple[Token, ...]


@dataclass(frozen=True)
class _Function:
    name: Token
    parameters: tuple[str, ...]
    calls: tuple[_Call, ...]


def read_header(path: str | PathLike[str]) -> Header:
    """Reads and checks a header. Raises FileFormatError, naming the line, where it is not one that eBNN writes."""
    path = Path(path)
    try:
        if path.is_fifo() and not str(path).startswith(("/dev/", "/proc/")):  # somebody writes to a pipe there
            raise FileFormatError(f"{path}: is a named pipe, no file: name a file")
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(raw) > MAX_FILE_BYTES:
        raise FileFormatError(f"{path}: is over {MAX_FILE_BYTES:,} bytes, no header of eBNN's is")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise FileFormatError(f"{path}: is no text, so no header that eBNN generated") from None
    return parse_header(text, str(path))


def parse_header(text: str, name: str) -> Header:
    """As :func:`read_header`, from the header's ``text``; ``name`` stands in messages."""
    if "_EBNN_NETWORK_H" in text:
        raise FileFormatError(f"{name}: is a header that ebnn export wrote: take the .ebnn file it was made from")
    if _LIBRARY.search(text):
        raise FileFormatError(f"{name}: is the library's own header, it has no network: give one that eBNN generated")
    if text.strip() and not _OF_EBNN.search(text):
        raise FileFormatError(f"{name}: is no header that eBNN generated: it has none of its arrays and functions")
    return _Parser(Source(text, name)).header()


class _Parser:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.arrays: dict[str, _Array] = {}
        self.constants: set[str] = set()  # arrays that are read as weights or batch normalisation
        self.emptied: dict[str, Token] = {}  # words that a #define takes away
        self.functions: dict[str, _Function] = {}

    def header(self) -> Header:
        source = self.source
        while source.next.kind != "end":
            self._definition()
        for name in self.emptied.keys() & source.words:
            source.refuse(self.emptied[name].line, f"#define {name} changes what the header means: eBNN writes none")
        compute = self.functions.pop(_COMPUTE, None)
        if compute is None:
            source.refuse(source.next.line, f"the file ends without {_COMPUTE}: it is truncated, or not eBNN's")
        if not compute.calls:
            source.refuse(compute.name.line, f"{_COMPUTE} calls no layer")
        layers = []
        current, last = compute.parameters
        for call in compute.calls:
            layer = self._layer(call, current, last, is_last=call is compute.calls[-1])
            current = layer.buffer
            layers.append(layer)
        for layer in layers:
            if layer.buffer in self.constants:
                source.refuse(layer.line, f"{layer.name} writes {layer.buffer}, which holds constants of a layer")
        called = {layer.name for layer in layers}
        for function in self.functions.values():
            if function.name.text not in called:
                source.refuse(function.name.line, f"{_COMPUTE} never calls {function.name.text}")
        return Header(source.name, tuple(layers))

    # The text

    def _definition(self) -> None:
        source = self.source
        if source.next.kind == "directive":
            token = source.take()
            if not _HARMLESS.fullmatch(token.text):
                source.refuse(token.line, f"{token} can change what the header means: eBNN writes none")
            self._note_directive(token)
            return
        while source.next.text in _QUALIFIERS:
            source.take()
        c_type = source.word("an array or a function")
        if c_type.text not in ("float", "uint8_t", "void"):
            source.refuse(c_type.line, f"expected an array of float or uint8_t, or a void function, found {c_type}")
        while source.next.text in _QUALIFIERS:
            source.take()
        name = source.word("a name")
        defined = self.arrays.get(name.text) or self.functions.get(name.text)
        if defined is not None:
            source.refuse(
                name.line,
                f"{name.text} is defined again, first on line {defined.name.line}: import one network at a time",
            )
        if c_type.text == "void":
            self.functions[name.text] = self._function(name)
        else:
            self.arrays[name.text] = self._array(c_type.text, name)

    def _note_directive(self, token: Token) -> None:
        """Refuses what leaves out what follows: a comment that goes on, a guard whose name is defined already."""
        kind, name, *_ = [*token.text.lstrip("# \t").split(), ""]
        taken = kind == "ifndef" and name in self.emptied
        if taken or "/*" in _COMMENT.sub("", token.text):
            self.source.refuse(token.line, f"{token} can change what the header means: eBNN writes none")
        if kind == "define":
            self.emptied[name] = token

    def _array(self, c_type: str, name: Token) -> _Array:
        source, where = self.source, name.text
        source.expect("[", where)
        length = source.integer(source.value("a number", ("number",), ("]",), where), where)
        source.expect("]", where)
        source.expect("=", where)
        source.expect("{", where)
        numbers = []
        while not source.take_if("}"):
            numbers.append(source.value("a number", ("number",), (",", "}"), where))
            source.take_if(",")
        source.expect(";", where)
        return _Array(c_type, name, length, tuple(numbers))

    def _function(self, name: Token) -> _Function:
        source, where = self.source, name.text
        source.expect("(", where)
        parameters = [self._parameter(where)]
        source.expect(",", where)
        parameters.append(self._parameter(where))
        source.expect(")", where)
        source.expect("{", where)
        calls = []
        while not source.take_if("}"):
            calls.append(self._call(where))
        return _Function(name, tuple(parameters), tuple(calls))

    def _parameter(self, where: str) -> str:
        source = self.source
        source.take_if("const")
        c_type = source.word(f"{where}: a parameter")
        if c_type.text not in ("float", "uint8_t"):
            source.refuse(c_type.line, f"{where}: expected a parameter float * or uint8_t *, found {c_type}")
        source.expect("*", where)
        return source.word(f"{where}: a parameter's name").text

    def _call(self, where: str) -> _Call:
        source = self.source
        function = source.word(f"{where}: a call")
        source.expect("(", where)
        arguments = []
        while True:
            arguments.append(source.value("a name or a number", ("word", "number"), (",", ")"), where))
            if source.take().text == ")":
                break
        source.expect(";", where)
        return _Call(function, tuple(arguments))

    # Its meaning

    def _layer(self, call: _Call, current: str, last: str, is_last: bool) -> Layer:
        """The layer behind one call in ebnn_compute, which must read ``current``."""
        source, line = self.source, call.function.line
        function = self.functions.get(call.function.text)
        if function is None:
            source.refuse(line, f"{_COMPUTE} calls {call.function.text}, which is not defined")
        names = [argument.text for argument in call.arguments]
        if len(names) != 2:
            source.refuse(line, f"{call.function.text} takes 2 arguments (input, output), {len(names)} are given")
        if names[0] != current:
            source.refuse(line, f"{call.function.text} reads {names[0]}, the values are in {current}")
        if is_last != (names[1] == last):
            source.refuse(
                line,
                f"{call.function.text} is the last layer and must write {last}, not {names[1]}"
                if is_last
                else f"{call.function.text} writes {last}, but more layers follow: give it a buffer",
            )
        room = None
        if not is_last:
            buffer = self.arrays.get(names[1])
            if buffer is None or buffer.c_type != "uint8_t":
                source.refuse(line, f"{call.function.text} writes {names[1]}, which is no array of uint8_t")
            if names[0] == names[1]:
                source.refuse(line, f"{call.function.text} reads and writes {names[1]}: use two buffers")
            room = buffer.length
        return self._resolve(function, names[1], room)

    def _resolve(self, function: _Function, buffer: str, room: int | None) -> Layer:
        source, where = self.source, function.name.text
        if len(function.calls) != 1:
            source.refuse(
                function.name.line, f"{where} has {len(function.calls)} calls, a layer's function has one: eBNN's own"
            )
        (call,) = function.calls
        line, kind = call.function.line, call.function.text
        if kind not in LAYER_FUNCTIONS:
            source.refuse(line, f"{where}: layer function {kind} is unknown, {', '.join(LAYER_FUNCTIONS)} are known")
        number_names = LAYER_FUNCTIONS[kind]
        wanted = len(_ARRAYS) + len(number_names)
        if len(call.arguments) != wanted:
            source.refuse(line, f"{where}: {kind} takes {wanted} arguments, {len(call.arguments)} are given")
        given = dict(zip(_ARRAYS, call.arguments, strict=False))
        for role, parameter in zip(("input", "output"), function.parameters, strict=True):
            if given[role].text != parameter:
                source.refuse(line, f"{where}: the {role} of {kind} is {given[role].text}, it must be {parameter}")
        numbers = {}
        for name, token in zip(number_names, call.arguments[len(_ARRAYS) :], strict=True):
            if token.kind != "number":
                source.refuse(token.line, f"{where}: {name} must be a number, found {token}")
            numbers[name] = source.integer(token, f"{where}: {name}")
        self._check_numbers(where, line, numbers)
        outputs = numbers["num_f" if "num_f" in numbers else "k"]
        vectors = {}
        for name in ("bias", "gamma", "beta", "mean", "std"):
            vectors[name] = self._floats(where, name, given[name], outputs)
        weights = self._bytes(where, given["weights"], outputs * _filter_bytes(kind, numbers))
        return Layer(where, kind, line, weights, BatchNorm(**vectors), numbers, buffer, room)

    def _check_numbers(self, where: str, line: int, numbers: Mapping[str, int]) -> None:
        for name, value in numbers.items():
            least = 0 if name in ("pw", "ph", "pl_pw", "pl_ph") else 1
            most = MAX_FILE_BYTES if name in ("num_f", "n", "k") else MAX_SIDE
            if not least <= value <= most:
                self.source.refuse(line, f"{where}: {name} is {value}, it must be {least} to {most}")
        if numbers["m"] != 1:
            self.source.refuse(line, f"{where}: m is {numbers['m']} samples at a time, only 1 can be imported")

    def _floats(self, where: str, role: str, token: Token, count: int) -> NDArray[np.float32]:
        array = self._find(where, role, token, "float", count)
        values = [self.source.real(number, array.name.text) for number in array.numbers]
        with np.errstate(over="ignore"):
            floats = np.array(values, np.float64).astype(np.float32)  # as C makes a float of a double literal
        for number, value in zip(array.numbers, floats, strict=True):
            if not np.isfinite(value):
                self.source.refuse(number.line, f"{array.name.text}: {number} is out of a float's range")
        return floats

    def _bytes(self, where: str, token: Token, count: int) -> NDArray[np.uint8]:
        array = self._find(where, "weights", token, "uint8_t", count)
        values = [self.source.integer(number, array.name.text) for number in array.numbers]
        for number, value in zip(array.numbers, values, strict=True):
            if not 0 <= value <= 255:
                self.source.refuse(number.line, f"{array.name.text}: {value} is no byte, 0 to 255 are")
        return np.array(values, np.uint8)

    def _find(self, where: str, role: str, token: Token, c_type: str, count: int) -> _Array:
        self.constants.add(token.text)
        array = self.arrays.get(token.text)
        if array is None:
            zeros = f": without it eBNN's own C does not compile; add float {token.text}[{count}] with {count} zeros"
            self.source.refuse(
                token.line, f"{where}: its {role}, {token.text}, is not defined{zeros if role == 'bias' else ''}"
            )
        name, line = array.name.text, array.name.line
        if array.c_type != c_type:
            self.source.refuse(line, f"{name} is {array.c_type}, as {role} of {where} it must be {c_type}")
        if len(array.numbers) != array.length:
            self.source.refuse(line, f"{name} has {len(array.numbers):,} values, {array.length:,} are declared")
        if array.length != count:
            self.source.refuse(line, f"{name} has {array.length:,} values, {where} needs {count:,}")
        return array


def _filter_bytes(kind: str, numbers: Mapping[str, int]) -> int:
    """Bytes of one output's weights."""
    if kind == "fconv_layer":
        return -(-numbers["d"] * numbers["kw"] * numbers["kh"] // 8)
    if kind == "bconv_layer":
        return numbers["d"] * -(-numbers["kw"] * numbers["kh"] // 8)
    return -(-numbers["n"] // 8)
