"""Reads the C header that the original eBNN generates: its arrays, its layers and the order they run in.

The format: arrays ``float NAME[n] = {…};`` and ``uint8_t NAME[n] = {…};``, one function per layer that calls one of
eBNN's layer functions with arrays and whole numbers, and ``ebnn_compute``, which calls the layers one after the other
through two buffers. In headers of early 2017 that is ``compute``, which may take its arrays from the file. What people
add is read as a compiler of C reads it: qualifiers, PROGMEM, casts, macros, parameters that are arrays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError
from ..model.kinds import MAX_SIDE
from .batch_norm import BatchNorm
from .c_source import Constant, Source, Token

MAX_FILE_BYTES = 4 * 2**20  # of text: over a megabyte of weights
_CONV_NUMBERS = tuple("m num_f w h d kw kh sw sh pw ph pl_w pl_h pl_sw pl_sh pl_pw pl_ph".split())
_DENSE_NUMBERS = ("m", "n", "k")
LAYER_FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "fconv_layer": _CONV_NUMBERS,
    "bconv_layer": _CONV_NUMBERS,
    "blinear_layer": _DENSE_NUMBERS,
    "fused_float_linear_layer": _DENSE_NUMBERS,
    "blinear_sm_layer": _DENSE_NUMBERS,
}
_ARRAYS = ("input", "weights", "output", "bias", "gamma", "beta", "mean", "std")  # the first arguments of all of them
_QUALIFIERS = {
    *("static", "const", "extern", "inline", "volatile", "register", "restrict", "__inline", "__restrict"),
    *("__restrict__", "PROGMEM", "PROGMEM_FAR", "ICACHE_RODATA_ATTR", "__flash", "__unused", "IRAM_ATTR"),
}
_WHOLE_TYPES = {"int", "size_t", "uint16_t", "int16_t", "uint32_t", "int32_t"}  # of constants that have a name
_COMPUTE = "ebnn_compute"
_EARLY_COMPUTE = "compute"
_EARLY_LIBRARY = '"util.h"'
_Argument = TypeVar("_Argument", Token, Constant)
_OF_EBNN = re.compile(
    r"#\s*include\s*\"(?:ebnn|util)\.h\"|\b(?:float|uint8_t)\s+\w+\s*\[|"
    rf"\b(?:{'|'.join((_COMPUTE, *LAYER_FUNCTIONS))})\b"
)
_LIBRARY = re.compile(r"^#define EBNN_RUNTIME_VERSION\b", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer: the ``function`` of eBNN's that it calls on line ``line``, its arrays, its whole ``numbers`` by name.

    ``takes_floats`` where it is declared with a pointer to floats. ``weights`` are the bytes as they stand in the
    header. ``buffer`` is the name of what it writes to, ``room`` the bytes of it; None for the network's own output.
    """

    name: str
    function: str
    line: int
    weights: NDArray[np.uint8]
    batch_norm: BatchNorm
    numbers: Mapping[str, int]
    buffer: str
    room: int | None
    takes_floats: bool

    @property
    def is_conv(self) -> bool:
        return self.function in ("fconv_layer", "bconv_layer")


@dataclass(frozen=True, eq=False)
class Header:
    """A header's layers in the order they run. ``name`` is the file's, for messages; ``early``: it is of early 2017."""

    name: str
    layers: tuple[Layer, ...]
    early: bool = False


@dataclass(frozen=True)
class _Array:
    c_type: str
    name: Token
    length: int
    numbers: tuple[Constant, ...]


@dataclass(frozen=True)
class _Call:
    function: Token
    arguments: tuple[Token | Constant, ...]


@dataclass(frozen=True)
class _Function:
    name: Token
    parameters: tuple[tuple[str, str], ...]  # type and name of each
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
        self.functions: dict[str, _Function] = {}
        self.numbers: dict[str, Constant] = {}  # constants that have a name
        self.values_read = 0  # by layers
        self.open = 0  # blocks extern "C" {

    def header(self) -> Header:
        source = self.source
        while source.next.kind != "end":
            self._definition()
        if self.open:
            source.refuse(source.next.line, 'extern "C" { has no end: the file is truncated')
        compute, early = self.functions.pop(_COMPUTE, None), False
        if compute is None:
            compute, early = self.functions.pop(_EARLY_COMPUTE, None), True
        if compute is None:
            source.refuse(source.next.line, f"the file ends without {_COMPUTE}: it is truncated, or not eBNN's")
        if not compute.calls:
            source.refuse(compute.name.line, f"{compute.name.text} calls no layer")
        layers = []
        given = tuple(name for _, name in compute.parameters)
        current, last = given or ("input", "output")  # arrays of the file, in headers of early 2017
        for call in compute.calls:
            layer = self._layer(compute, call, current, last, is_last=call is compute.calls[-1])
            current = layer.buffer
            layers.append(layer)
        for layer in layers:
            if layer.buffer in self.constants:
                source.refuse(layer.line, f"{layer.name} writes {layer.buffer}, which holds constants of a layer")
        called = {layer.name for layer in layers}
        for function in self.functions.values():
            if function.name.text not in called:
                source.refuse(function.name.line, f"{compute.name.text} never calls {function.name.text}")
        return Header(source.name, tuple(layers), early or _EARLY_LIBRARY in source.included)

    # The text

    def _definition(self) -> None:
        source = self.source
        if source.take_if(";"):
            return
        if self.open and source.take_if("}"):
            self.open -= 1
            return
        is_extern = self._qualifiers()
        if is_extern and source.next.kind == "text":
            source.take()
            source.expect("{", 'extern "C"')
            self.open += 1
            return
        token = source.next
        c_type = self._type()
        if c_type not in ("float", "uint8_t", "void", "char") and c_type not in _WHOLE_TYPES:
            source.refuse(token.line, f"expected an array of float or uint8_t, or a void function, found {token}")
        is_extern = self._qualifiers() or is_extern
        name = source.word("a name")
        if c_type == "void":
            function = self._function(name)
            if function is not None:
                self._check_new(name)
                self.functions[name.text] = function
            return
        if c_type == "char" or c_type in _WHOLE_TYPES:
            self._named(c_type, name)
            return
        array = self._array(c_type, name)
        if is_extern and not array.numbers:
            return  # a declaration
        self._check_new(name)
        self.arrays[name.text] = array

    def _check_new(self, name: Token) -> None:
        found = self.arrays.get(name.text) or self.functions.get(name.text)
        line = found.name.line if found is not None else None
        if name.text in self.numbers:
            line = self.numbers[name.text].token.line
        if line is not None:
            self.source.refuse(
                name.line, f"{name.text} is defined again, first on line {line}: import one network at a time"
            )

    def _qualifiers(self) -> bool:
        """Takes what changes no value; returns whether ``extern`` is among it."""
        source, is_extern = self.source, False
        while source.next.kind == "word" and (source.next.text in _QUALIFIERS or source.next.text == "__attribute__"):
            word = source.take().text
            is_extern = is_extern or word == "extern"
            if word == "__attribute__":
                source.skip_pair(word)
        return is_extern

    def _type(self) -> str:
        """A type without its stars."""
        word = self.source.word("an array or a function").text
        return "uint8_t" if word == "unsigned" and self.source.take_if("char") else word

    def _named(self, c_type: str, name: Token) -> None:
        """A number that has a name, or a text."""
        source, where = self.source, name.text
        self._check_new(name)
        if c_type == "char":
            source.take_if("*")
            if source.take_if("["):
                source.expect("]", where)
            source.expect("=", where)
            token = source.take()
            if token.kind != "text":
                source.refuse(token.line, f"{where}: expected a text, found {token}")
        else:
            source.expect("=", where)
            self.numbers[where] = self._constant(where, (";",))
        source.expect(";", where)

    def _constant(self, where: str, ends: tuple[str, ...]) -> Constant:
        """A number, or the name of one."""
        source = self.source
        named = self.numbers.get(source.next.text) if source.next.kind == "word" else None
        if named is None:
            return source.constant("a number", ends, where)
        return self._before(ends, Constant(source.take(), named.value), where)

    def _array(self, c_type: str, name: Token) -> _Array:
        source, where = self.source, name.text
        source.expect("[", where)
        length = None
        if not source.take_if("]"):
            length = source.whole(self._constant(where, ("]",)), where)
            source.expect("]", where)
        self._qualifiers()
        numbers: list[Constant] = []
        if source.take_if("="):
            source.expect("{", where)
            while not source.take_if("}"):
                numbers.append(self._constant(where, (",", "}")))
                source.take_if(",")
        source.expect(";", where)
        return _Array(c_type, name, len(numbers) if length is None else length, tuple(numbers))

    def _function(self, name: Token) -> _Function | None:
        """A function; None where it is only declared."""
        source, where = self.source, name.text
        source.expect("(", where)
        parameters: list[tuple[str, str]] = []
        if source.next.text == "void":
            source.take()
        elif source.next.text != ")":
            parameters.append(self._parameter(where))
            source.expect(",", where)
            parameters.append(self._parameter(where))
        source.expect(")", where)
        self._qualifiers()
        if source.take_if(";"):
            return None
        if not parameters and where != _EARLY_COMPUTE:
            source.refuse(name.line, f"{where}: expected a parameter float * or uint8_t *, it has none")
        source.expect("{", where)
        calls = []
        while not source.take_if("}"):
            if source.take_if("return"):
                source.expect(";", where)
                source.expect("}", where)
                break
            if not source.take_if(";"):
                calls.append(self._call(where))
        return _Function(name, tuple(parameters), tuple(calls))

    def _parameter(self, where: str) -> tuple[str, str]:
        """A pointer, or an array, which is one: its type and name."""
        source = self.source
        self._qualifiers()
        token = source.next
        c_type = source.word(f"{where}: a parameter").text
        c_type = "uint8_t" if c_type == "unsigned" and source.take_if("char") else c_type
        if c_type not in ("float", "uint8_t"):
            source.refuse(token.line, f"{where}: expected a parameter float * or uint8_t *, found {token}")
        self._qualifiers()
        star = source.take_if("*")
        self._qualifiers()
        name = source.take().text if source.next.kind == "word" else ""
        if not star:
            source.expect("[", where)
            self._qualifiers()
            if not source.take_if("]"):
                self._constant(where, ("]",))
                source.expect("]", where)
        return c_type, name

    def _call(self, where: str) -> _Call:
        source = self.source
        function = source.word(f"{where}: a call")
        source.expect("(", where)
        arguments: list[Token | Constant] = []
        while True:
            arguments.append(self._argument(where))
            if source.take().text == ")":
                break
        source.expect(";", where)
        return _Call(function, tuple(arguments))

    def _argument(self, where: str) -> Token | Constant:
        """The name of an array, which a cast may stand before, or a number."""
        source, ends = self.source, (",", ")")
        first = source.next
        if first.kind not in ("word", "number", "mark"):
            source.refuse(first.line, f"{where}: expected a name or a number, found {first}")
        if source.take_if("("):
            c_type = source.cast_type()
            if c_type is None:
                inside = self._constant(where, (")",))
                source.expect(")", where)
                return self._before(ends, inside, where)
            source.expect(")", where)
            if not c_type.endswith("*") or source.next.kind != "word":
                source.refuse(first.line, f"{where}: expected a name or a number, found a cast to {c_type}")
        if source.next.kind != "word" or source.next.text in self.numbers:
            return self._constant(where, ends)
        return self._before(ends, source.take(), where)

    def _before(self, ends: tuple[str, ...], found: _Argument, where: str) -> _Argument:
        """What was found, where one of the marks ``ends`` follows it."""
        source = self.source
        token = found.token if isinstance(found, Constant) else found
        if source.next.kind == "end":
            source.refuse(source.next.line, f"{where}: the file ends after {token}, it is truncated")
        if source.next.text not in ends:
            source.refuse(
                token.line, f"{where}: expected a name or a number, found an expression: {token}, then {source.next}"
            )
        return found

    # Its meaning

    def _layer(self, compute: _Function, call: _Call, current: str, last: str, is_last: bool) -> Layer:
        """The layer behind one call in ``compute``, which must read ``current``."""
        source, line = self.source, call.function.line
        function = self.functions.get(call.function.text)
        if function is None:
            source.refuse(line, f"{compute.name.text} calls {call.function.text}, which is not defined")
        names = [_text(argument) for argument in call.arguments]
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
        for role, (_, parameter) in zip(("input", "output"), function.parameters, strict=True):
            if _text(given[role]) != parameter:
                source.refuse(line, f"{where}: the {role} of {kind} is {_text(given[role])}, it must be {parameter}")
        numbers = {}
        for name, argument in zip(number_names, call.arguments[len(_ARRAYS) :], strict=True):
            if not isinstance(argument, Constant):
                source.refuse(argument.line, f"{where}: {name} must be a number, found {argument}")
            numbers[name] = source.whole(argument, f"{where}: {name}")
        self._check_numbers(where, line, numbers)
        takes_floats = function.parameters[0][0] == "float"
        if kind.endswith("conv_layer") and takes_floats != (kind == "fconv_layer"):
            types = ("float", "uint8_t")[:: 1 if takes_floats else -1]
            source.refuse(line, f"{where} takes {types[0]} *, but {kind} reads {types[1]} *")
        outputs = numbers["num_f" if "num_f" in numbers else "k"]
        vectors = {}
        for name in ("bias", "gamma", "beta", "mean", "std"):
            vectors[name] = self._floats(where, name, given[name], outputs)
        weights = self._bytes(where, given["weights"], outputs * _filter_bytes(kind, numbers))
        return Layer(where, kind, line, weights, BatchNorm(**vectors), numbers, buffer, room, takes_floats)

    def _check_numbers(self, where: str, line: int, numbers: Mapping[str, int]) -> None:
        for name, value in numbers.items():
            least = 0 if name in ("pw", "ph", "pl_pw", "pl_ph") else 1
            most = MAX_FILE_BYTES if name in ("num_f", "n", "k") else MAX_SIDE
            if not least <= value <= most:
                self.source.refuse(line, f"{where}: {name} is {value}, it must be {least} to {most}")
        if numbers["m"] != 1:
            self.source.refuse(line, f"{where}: m is {numbers['m']} samples at a time, only 1 can be imported")

    def _floats(self, where: str, role: str, given: Token | Constant, count: int) -> NDArray[np.float32]:
        array = self._find(where, role, given, "float", count)
        values = [float(number.value) for number in array.numbers]
        with np.errstate(over="ignore"):
            floats = np.array(values, np.float64).astype(np.float32)  # as C makes a float of a double literal
        for number, value in zip(array.numbers, floats, strict=True):
            if not np.isfinite(value):
                self.source.refuse(number.token.line, f"{array.name.text}: {number.token} is out of a float's range")
        return floats

    def _bytes(self, where: str, given: Token | Constant, count: int) -> NDArray[np.uint8]:
        array = self._find(where, "weights", given, "uint8_t", count)
        values = [self.source.whole(number, array.name.text) for number in array.numbers]
        for number, value in zip(array.numbers, values, strict=True):
            if not 0 <= value <= 255:
                self.source.refuse(number.token.line, f"{array.name.text}: {value} is no byte, 0 to 255 are")
        return np.array(values, np.uint8)

    def _find(self, where: str, role: str, given: Token | Constant, c_type: str, count: int) -> _Array:
        if isinstance(given, Constant):
            self.source.refuse(given.token.line, f"{where}: its {role} must be an array, found {given.token}")
        token = given
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
        filled = len(array.numbers) == 1 and array.numbers[0].value == 0  # C fills with zeros
        if len(array.numbers) != array.length and not filled:
            self.source.refuse(line, f"{name} has {len(array.numbers):,} values, {array.length:,} are declared")
        if array.length != count:
            self.source.refuse(line, f"{name} has {array.length:,} values, {where} needs {count:,}")
        self.values_read += count
        if self.values_read > MAX_FILE_BYTES:
            self.source.refuse(
                token.line, f"the layers read more than {MAX_FILE_BYTES:,} values, no header of eBNN's has them"
            )
        return replace(array, numbers=array.numbers * count) if filled else array


def _text(argument: Token | Constant) -> str:
    return argument.token.text if isinstance(argument, Constant) else argument.text


def _filter_bytes(kind: str, numbers: Mapping[str, int]) -> int:
    """Bytes of one output's weights."""
    if kind == "fconv_layer":
        return -(-numbers["d"] * numbers["kw"] * numbers["kh"] // 8)
    if kind == "bconv_layer":
        return numbers["d"] * -(-numbers["kw"] * numbers["kh"] // 8)
    return -(-numbers["n"] // 8)
