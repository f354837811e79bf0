"""The emitted header: constants, tables and calls of one network."""

import hashlib
import keyword
import os
import re
from functools import cached_property
from pathlib import Path
from textwrap import indent
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import bits
from ..atomic import write_atomically
from ..blocks import Block, Conv, InputKind, Pool, at_least
from ..errors import NetworkError
from ..kernels import ARITHMETICS, GROUP, OPTIMIZE, kernel_functions, layer_kernel
from ..kernels.columns import column_codes
from ..kernels.tables import truth_tables
from ..network import Network
from ..version import __version__
from .arrays import constant_array, float_literal, interleaved, normalization_table, weight_words
from .file_names import check_header_name
from .lines import listed
from .self_test import LARGEST_ARRAY, self_test_arrays, self_test_function, self_test_macro

RUNTIME_VERSION = 3  # EBNN_RUNTIME_VERSION of firmware/lib/ebnn/src/ebnn.h; a test compares them
AVR_NEAR_FLASH = 60_000  # bytes: with the table of ones and the layers, what EBNN_CHECK_REACH of port.h lets through
ONES_IN_RAM = """
/* On AVR, the table that counts ones lies in RAM, 256 bytes of it, unless ebnn.h was included without. */
#ifndef EBNN_ONES_IN_RAM
#define EBNN_ONES_IN_RAM
#endif
"""
MAX_SELF_TEST = 255  # samples: the number of their wrong scores fits 16 bits
MAX_NAME = 63  # characters of an identifier that C99 tells apart

C_TYPES: dict[InputKind, str] = {"bits": "uint8_t", "uint8": "uint8_t", "int8": "int8_t", "float": "float"}

# Words that a header's names must not be: C, C++ and the Arduino core's own.
_RESERVED = frozenset(
    """auto bool break case char class const continue default delete do double else enum extern false float for friend
    goto if inline int long main namespace new operator private protected public register restrict return setup loop
    short signed sizeof static struct switch template this throw true try typedef union unsigned using virtual void
    volatile while""".split()
)


def write_header(
    network: Network,
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    arithmetic: str = "integer",
    optimize: str = "balanced",
    self_test: int = 0,
) -> None:
    """Writes ``network`` as a C header to ``path``; the same network gives the same text.

    ``name`` (default: the file's stem) starts every name in it; ``arithmetic`` is "integer" or "float"; ``optimize`` is
    "size", "compact", "balanced" or "speed" (see `ebnn.kernels`); ``self_test`` is how many samples with their scores
    the header brings, and a function that counts the wrong ones. Raises NetworkError where the name is no C identifier,
    the file's name is another header's, or the network lacks what the arithmetic needs.
    """
    path = Path(path)
    check_header_name(path)
    if name is None:
        name = identifier(path.stem)
    write_atomically(
        path, header_text(network, name=name, arithmetic=arithmetic, optimize=optimize, self_test=self_test).encode()
    )


def flash_bytes(network: Network, arithmetic: str = "integer", optimize: str = "balanced") -> int:
    """Bytes of the header's constants: weights or tables, thresholds or normalisation, and the scores' own."""
    return _Header(network, "network", arithmetic, optimize).flash_bytes


def identifier(text: str) -> str:
    """``text`` made into a valid name: other characters become ``_``, lower case, cut to 63."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII).lower().strip("_")[:MAX_NAME]
    return name if _is_name(name) else f"net_{name}"[:MAX_NAME].rstrip("_")


def header_text(
    network: Network, *, name: str, arithmetic: str = "integer", optimize: str = "balanced", self_test: int = 0
) -> str:
    """The header's text, see write_header."""
    if not _is_name(name):
        raise NetworkError(
            f"the name {name!r} cannot be used in C: take up to {MAX_NAME} letters, digits and _, starting with a "
            "letter, no keyword, and not starting with ebnn"
        )
    if arithmetic not in ARITHMETICS:
        raise NetworkError(f"the arithmetic {arithmetic!r} is unknown: use {' or '.join(ARITHMETICS)}")
    if optimize not in OPTIMIZE:
        raise NetworkError(f"a header cannot be optimized for {optimize!r}: use {', '.join(OPTIMIZE)}")
    if not 0 <= self_test <= MAX_SELF_TEST:
        raise NetworkError(f"a self-test of {self_test} samples cannot be made: take 0 to {MAX_SELF_TEST}")
    if self_test and network.input.bytes > LARGEST_ARRAY:
        raise NetworkError(
            f"a self-test of samples of {network.input.bytes:,} B cannot be made: AVR takes {LARGEST_ARRAY:,} B"
        )
    return _Header(network, name, arithmetic, optimize, self_test).text()


def _is_name(name: str) -> bool:
    return (
        re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is not None
        and len(name) <= MAX_NAME
        and name not in _RESERVED
        and not keyword.iskeyword(name)
        and not name.lower().startswith("ebnn")
    )


_INDEX = ("uint8_t index",)  # an argument
_FOLDED = ("conv_columns", "conv_table")  # kernels whose thresholds are in what they have for weights
_ANY_SUM = ("conv_wide", "conv_bytes", "dense_wide", "dense_bytes")  # kernels that take thresholds of 32 bits


class _Array(NamedTuple):
    """A constant array and the comment that says its shape; ``avr`` are other values of the same size for AVR."""

    values: NDArray[Any]
    comment: str
    avr: NDArray[Any] | None = None

    def text(self, name: str) -> str:
        """The array in C."""
        elsewhere = constant_array(name, self.values, self.comment)
        if self.avr is None:
            return elsewhere
        return _by_core(constant_array(name, self.avr, self.comment).rstrip(), elsewhere.rstrip()) + "\n"


def _by_core(avr: str, elsewhere: str) -> str:
    return f"#if EBNN_LANES == 1\n{avr}\n#else\n{elsewhere}\n#endif"


class _Header:
    """One header in the making."""

    def __init__(self, network: Network, name: str, arithmetic: str, optimize: str, self_test: int = 0) -> None:
        self.network = network
        self.name = name
        self.macro = name.upper()
        self.arithmetic = arithmetic
        self.optimize = optimize
        self.self_test = self_test
        self.kernels = [layer_kernel(network, i, arithmetic, optimize) for i in range(len(network.blocks) + 1)]
        self.plan = network.memory_plan
        self.avr_plan = network.avr_memory_plan
        self.layer_names = [network.block_name(i) for i in range(len(network.blocks))] + ["output"]

    def text(self) -> str:
        """The whole header: what every source file takes, then what is defined once."""
        return "\n".join([self.summary(), self.declarations(self.digest), self.definitions()])

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits of all of the text but themselves: files of one program must agree on it."""
        text = "\n".join([self.summary(), self.declarations(""), self.definitions()])
        return hashlib.sha256(text.encode()).hexdigest()[:8].upper()

    def declarations(self, digest: str) -> str:
        """Sizes, types, prototypes: as often as the header is included, the same in every source file."""
        macro, name = self.macro, self.name
        return f"""\
#ifndef {macro}_EBNN_NETWORK_H
#define {macro}_EBNN_NETWORK_H
{self.constants(digest)}
{self.prototypes()}
{self.aliases()}
#elif {macro}_HASH != 0x{self.network.hash32:08X}ul
#error "two networks are called {name}: export one of them with another --name"
#elif {macro}_HEADER != 0x{digest}ul
#error "two headers of {name} differ: export it once, and include the one file everywhere"
#endif
"""

    def definitions(self) -> str:
        """Constants, arena and functions: in every source file, for the linker to keep one, or in one source file."""
        macro = self.macro
        layers = [*(self.block(i) for i in range(len(self.network.blocks))), self.output()]
        parts = [*layers, self.memory(), self.functions()]
        if self.self_test:
            parts += self_test_arrays(self.network, self.name, self.self_test)
            parts.append(self_test_function(self.name, self.self_test, self.c_type))
        text = "\n".join(parts)
        return f"""\
#if !defined({macro}_EBNN_DEFINED) \\
    && (defined({macro}_IMPLEMENTATION) || !defined({macro}_DECLARATIONS))
#define {macro}_EBNN_DEFINED

#if defined(EBNN_STATIC)
#define {macro}_LINKAGE EBNN_PRIVATE
#elif defined({macro}_IMPLEMENTATION)
#define {macro}_LINKAGE
#elif defined(EBNN_SHARED)
#define {macro}_LINKAGE EBNN_SHARED
#else
#error "ebnn: define NAME_IMPLEMENTATION in one source file, NAME_DECLARATIONS in all others that include the header"
#endif

{text}
#endif
"""

    def in_float(self, block: Block) -> bool:
        """Whether the block runs in the float arithmetic."""
        return self.arithmetic == "float" or block.threshold is None

    @cached_property
    def arrays(self) -> list[dict[str, _Array]]:
        """The constants of every layer, by the last part of their names: "weights" first."""
        blocks = range(len(self.network.blocks))
        return [*({self.weights_name(i): self.weights(i)} | self.tables(i) for i in blocks), self.output_arrays()]

    @property
    def flash_bytes(self) -> int:
        return sum(array.values.nbytes for arrays in self.arrays for array in arrays.values())

    def weights_name(self, layer: int) -> str:
        """What the array is called that holds the layer's weights."""
        return "table" if self.kernels[layer] in _FOLDED else "weights"

    def weights(self, layer: int) -> _Array:
        """What the layer's kernel takes for weights."""
        if self.kernels[layer] == "conv_columns":
            block, kind, shape = self.network.blocks[layer], self.network.kinds[layer], self.network.shapes[layer]
            comment = "a strip's positions, columns, rows of sums; then per filter: its lookups, its level (columns.h)"
            return _Array(column_codes(block, kind, shape, 2), comment, avr=column_codes(block, kind, shape, 1))
        if self.kernels[layer] == "conv_table":
            comment = "the plan (tables.h), then tables of output bits, an entry for each patch"
            return _Array(truth_tables(self.network.blocks[layer], self.network.shapes[layer]), comment)
        outputs, height, width, channels = self.network.layer_weights[layer].shape
        words = weight_words(self.network, layer)
        if self.network.is_conv(layer):
            what = f"{outputs} filters of {height}×{width}×{channels} bits (height×width×input), each whole words"
        else:
            count = height * width * channels
            what = f"{outputs} outputs of {count} bits in the order of the input's memory, each whole words"
        if self.kernels[layer].endswith(f"_{GROUP}"):
            return _Array(interleaved(words), f"{what}; {GROUP} word beside word")
        return _Array(words, what)

    def tables(self, index: int) -> dict[str, _Array]:
        """The thresholds or the normalisation of block ``index``, as its kernel takes them."""
        block = self.network.blocks[index]
        if self.in_float(block):
            if block.normalization is None:
                raise NetworkError(
                    f"{self.layer_names[index]} has thresholds only, no batch normalisation: "
                    "export it with the integer arithmetic"
                )
            comment = "per output: bias, mean, 1 / standard deviation, gamma, beta"
            return {"normalization": _Array(normalization_table(block.normalization), comment)}
        assert block.threshold is not None
        value, flip = at_least(block.threshold)
        if self.kernels[index] not in (*_ANY_SUM, *_FOLDED):  # sums of n bits, in 16 bits: no limit is beyond them
            count = block.linear.weights[0].size
            value = np.clip(value, -count, count + 1).astype(np.int16)
        tables = {}
        if self.kernels[index] not in _FOLDED:
            tables["thresholds"] = _Array(value, "per output: its bit is acc >= threshold")
        if flip.any():
            tables["flips"] = _Array(bits.pack(flip), "bits: outputs whose comparison is turned over")
        return tables

    def output_arrays(self) -> dict[str, _Array]:
        scores = self.network.output
        offsets = f"per class; score × {scores.scale!r} is the trainer's logit"
        return {
            "weights": self.weights(len(self.network.blocks)),
            "multipliers": _Array(scores.multiplier, "per class"),
            "offsets": _Array(scores.offset, offsets),
        }

    def summary(self) -> str:
        network = self.network
        rows = [("layer", "input", "output", "weights", "thresholds", "MACs")]
        shapes = [*map(str, network.shapes), f"{network.classes} scores"]
        for i, layer in enumerate(self.layer_names):
            block = network.blocks[i] if i < len(network.blocks) else None
            weights = self.arrays[i][self.weights_name(i)].values.nbytes
            rest = sum(array.values.nbytes for array in self.arrays[i].values()) - weights
            label = layer if block is None or block.pool is None else f"{layer}, pool"
            macs = f"{network.layer_macs[i]:,}"
            rows.append((label, shapes[i], shapes[i + 1], f"{weights:,} B", f"{rest:,} B", macs))
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        layout = {
            "bits": "rows of bits, a pixel's channels side by side, least significant bit first, whole bytes a row",
            "uint8": "row after row, a pixel's channels side by side",
            "int8": "row after row, a pixel's channels side by side",
            "float": "channel after channel, row after row",
        }[network.input.kind]
        return "\n".join(
            [
                "/*",
                f" * {self.name}: a binarized neural network, emitted by ebnn {__version__}. Do not edit.",
                " *",
                f" * hash        {network.hash}",
                f" * arithmetic  {self.arithmetic}",
                f" * input       {network.input.kind}, {network.input.shape} (channels×height×width), "
                f"{network.input.bytes:,} B",
                f" *             {layout}",
                f" * flash       {self.flash_bytes:,} B of constants",
                f" * RAM         {self.arena()}, the input included",
                " *",
                *(f" * {line}" for line in lines),
                " */",
                "",
            ]
        )

    def constants(self, digest: str) -> str:
        """The runtime, the version, and the network's numbers as macros."""
        network, macro = self.network, self.macro
        emitted = f"{self.name} was emitted by ebnn {__version__} for runtime version {RUNTIME_VERSION}"
        return f"""\
{ONES_IN_RAM if self.optimize == "speed" else ""}
#include "ebnn.h"

#if !defined(EBNN_RUNTIME_VERSION) || EBNN_RUNTIME_VERSION != {RUNTIME_VERSION}
#error "{emitted}: export again, or take that library"
#endif

#define {macro}_TITLE "{self.name}"
#define {macro}_HASH 0x{network.hash32:08X}ul
#define {macro}_HEADER 0x{digest}ul /* of this text */
#define {macro}_INPUT_BYTES {network.input.bytes}
#define {macro}_INPUT_VALUES {network.input.shape.size}
#define {macro}_CLASSES {network.classes}
#define {macro}_LAYERS {len(self.layer_names)}
#define {macro}_FLASH_BYTES {self.flash_bytes}
#define {macro}_SCORE_SCALE {float_literal(network.output.scale)} /* score × this is the trainer's logit */
{self.arena_size()}
{self.avr_checks()}
{self.flash_check()}{self.float_check()}
EBNN_ONE_HEADER("{self.name}", "{self.name}_{digest}");
"""

    def arena(self) -> str:
        elsewhere, avr = f"{self.network.arena_bytes:,} B of arena", f"{self.network.avr_arena_bytes:,} B"
        return elsewhere if elsewhere.startswith(avr) else f"{elsewhere} ({avr} on AVR)"

    def avr_checks(self) -> str:
        """What the kernels need of an AVR; those for size run on any."""
        if self.optimize == "size":
            return ""
        return f"""
#if defined(__AVR__) && !defined(__AVR_HAVE_MUL__)
#error "ebnn: {self.name} multiplies, which this AVR cannot: export it with --optimize size"
#endif
#if defined(__AVR__) && EBNN_RAM_OF_ONES > 0
#if {self.macro}_ARENA_BYTES + EBNN_RAM_OF_ONES > RAMEND - RAMSTART + 1
#error "ebnn: no room for {self.name} and the table of ones: export it with --optimize balanced"
#endif
#endif
"""

    def arena_size(self) -> str:
        """The macro of the arena's size, which the core decides where the kernels differ."""
        elsewhere, avr = (f"#define {self.macro}_ARENA_BYTES {plan.arena_bytes}" for plan in (self.plan, self.avr_plan))
        return elsewhere if avr == elsewhere else _by_core(avr, elsewhere)

    def flash_check(self) -> str:
        """What the linker checks for all of a program, said early for what cannot fit."""
        if self.flash_bytes <= AVR_NEAR_FLASH:
            return ""
        return f"""
#if defined(__AVR__)
#error "ebnn: {self.name} has {self.flash_bytes} bytes of constants, AVR reads {AVR_NEAR_FLASH}: use fewer filters"
#endif
"""

    def float_check(self) -> str:
        """Sums of floats must be rounded to float after each operation."""
        if not any(map(self.in_float, self.network.blocks)):
            return ""
        return """
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
#error "ebnn: floats are kept in higher precision here, answers would differ: compile for SSE (-msse2 -mfpmath=sse)"
#endif
"""

    def constant_arrays(self, layer: int) -> list[str]:
        """The text of the layer's arrays."""
        prefix = f"{self.name}_{self.layer_names[layer]}"
        return [array.text(f"{prefix}_{name}") for name, array in self.arrays[layer].items()]

    def block(self, index: int) -> str:
        block = self.network.blocks[index]
        arrays = self.arrays[index]
        prefix = f"{self.name}_{self.layer_names[index]}"
        names = ("flips", "normalization", "table")[: 3 if block.kind == "conv" else 2]
        tail = listed("", [f"{prefix}_{name}" if name in arrays else "NULL" for name in names], "")
        if isinstance(block.linear, Conv):
            text = _struct(
                "ebnn_conv_t", prefix, [self.filters(index), *self.geometry(index, block, block.linear), tail]
            )
        else:
            text = _struct("ebnn_dense_t", prefix, [self.filters(index), tail])
        return "\n".join([*self.constant_arrays(index), text])

    def kind(self, layer: int) -> str:
        return self.network.kinds[layer].upper()

    def geometry(self, index: int, block: Block, conv: Conv) -> list[str]:
        """The fields of an ebnn_conv_t between its filters and its flips."""
        shape, out = self.network.shapes[index : index + 2]
        conv_map = block.map_shape(shape)
        pool = block.pool or Pool((1, 1), (1, 1))
        windows = [
            f"{{{size[axis]}, {stride[axis]}, {pad[axis]}, {sides[1 + axis]}}}"
            for size, stride, pad, sides in (
                (conv.kernel, conv.stride, conv.pad, shape),
                (pool.size, pool.stride, pool.pad, conv_map),
            )
            for axis in (0, 1)
        ]
        # Rows of bytes and floats are found by their sides.
        in_row_bytes = bits.row_bytes(shape.width * shape.channels) if self.network.kinds[index] == "bits" else 0
        out_row_bytes = bits.row_bytes(out.width * out.channels)
        return [
            ", ".join(windows),
            f"{shape.channels}, {out.height}, {out.width}, {in_row_bytes}, {out_row_bytes}",
        ]

    def filters(self, layer: int) -> str:
        """The fields of an ebnn_filters_t."""
        weights = self.network.layer_weights[layer]
        arrays = self.arrays[layer]
        words = self.network.filter_bits(layer, weights.shape[1:]) // 32
        prefix = f"{self.name}_{self.layer_names[layer]}"
        pointers = [f"{prefix}_{name}" if name in arrays else "NULL" for name in ("weights", "thresholds")]
        stream = self.network.filter_stream_bits(layer, weights.shape[1:])
        half = int((stream - 1) % 32 < 16)
        threshold_bytes = arrays["thresholds"].values.itemsize if "thresholds" in arrays else 0
        numbers = f"{weights[0].size}, {words}, {len(weights)}, EBNN_{self.kind(layer)}, {threshold_bytes}, {half}"
        return listed("{", [numbers, *pointers], "}")

    def output(self) -> str:
        layer = len(self.network.blocks)
        prefix = f"{self.name}_output"
        fields = [self.filters(layer), listed("", [f"{prefix}_multipliers", f"{prefix}_offsets"], "")]
        return "\n".join([*self.constant_arrays(layer), _struct("ebnn_output_t", prefix, fields)])

    def prototypes(self) -> str:
        """The arena's type, the functions, and the short forms that use the program's own arena."""
        name, macro = self.name, self.macro
        c_type = C_TYPES[self.network.input.kind]
        return f"""\
/* The memory of one prediction: activations lie at opposite ends in turn, a patch under the kernel between them. */
typedef union {{
    uint8_t bytes[{macro}_ARENA_BYTES];
    uint32_t words[{macro}_ARENA_BYTES / 4]; /* aligns the rest */
    float floats[{macro}_ARENA_BYTES / 4];
}} {name}_arena_t;

#ifdef __cplusplus
extern "C" {{
#endif

/* The program's own arena: one, whichever source files use it. */
#if defined(EBNN_STATIC)
#define {macro}_SCOPE EBNN_PRIVATE
EBNN_PRIVATE {name}_arena_t {name}_arena;
#else
#define {macro}_SCOPE extern
extern {name}_arena_t {name}_arena;
#endif

/* Runs one layer; in turn, from 0 to NAME_LAYERS - 1, they are a prediction. The first takes the input, the last
 * writes the scores, if not NULL, and returns the class; the others return 0. */
{self.signature(f"{macro}_SCOPE", "layer_in", _INDEX)};

/* A prediction that touches no memory but its arguments: re-entrant, where each call under way has its own arena.
 * input: NAME_INPUT_BYTES bytes, anywhere. scores: NAME_CLASSES of them, or NULL. Returns the class. */
{self.signature(f"{macro}_SCOPE", "predict_in")};
{self_test_macro(name, self.self_test) if self.self_test else ""}
#ifdef __cplusplus
}}
#endif

/* Where a sample may be written; it is overwritten by the prediction. */
static inline {c_type} *{name}_input_in({name}_arena_t *arena)
{{
    return ({c_type} *)(void *)arena->bytes;
}}

/* As above, with the program's own arena. Not re-entrant: no other thread and no interrupt may use it meanwhile. */
static inline {c_type} *{name}_input(void)
{{
    return {name}_input_in(&{name}_arena);
}}

static inline uint8_t {name}_layer(uint8_t index, const {c_type} *input, int32_t *scores)
{{
    return {name}_layer_in(&{name}_arena, index, input, scores);
}}

static inline uint8_t {name}_scores(const {c_type} *input, int32_t *scores)
{{
    return {name}_predict_in(&{name}_arena, input, scores);
}}

static inline uint8_t {name}_predict(const {c_type} *input)
{{
    return {name}_predict_in(&{name}_arena, input, NULL);
}}
"""

    def signature(self, linkage: str, function: str, extra: tuple[str, ...] = ()) -> str:
        """The head of a function that takes an arena, ``extra`` arguments, input and scores."""
        arguments = [f"{self.name}_arena_t *arena", *extra, f"const {self.c_type} *input", "int32_t *scores"]
        return listed(f"{linkage} uint8_t {self.name}_{function}(", arguments, ")")

    @property
    def c_type(self) -> str:
        """The type of an input's values."""
        return C_TYPES[self.network.input.kind]

    def memory(self) -> str:
        """The program's own arena."""
        return f"""\
#if !defined(EBNN_STATIC)
{self.macro}_LINKAGE {self.name}_arena_t {self.name}_arena;
#endif
"""

    def functions(self) -> str:
        """The layers, and the loop over them."""
        name, macro = self.name, self.macro
        cases = self.cases()
        unused = "" if "arena->" in cases else "    (void)arena;\n"
        return f"""\
{self.signature(f"{macro}_LINKAGE", "layer_in", _INDEX)}
{{
{self.reach_check()}
{unused}    switch (index) {{
{cases}
    }}
}}

{self.signature(f"{macro}_LINKAGE", "predict_in")}
{{
    uint8_t index, winner = 0;

    for (index = 0; index < {macro}_LAYERS; index++)
        winner = {name}_layer_in(arena, index, input, scores);
    return winner;
}}
"""

    def reach_check(self) -> str:
        """Names what the constants take: the arrays, and the layers that point to them."""
        sizes = [f"{self.macro}_FLASH_BYTES", *(f"sizeof {self.name}_{layer}" for layer in self.layer_names)]
        return listed(f'    EBNN_CHECK_REACH("{self.name}", ', sizes, ");", " + ")

    def cases(self) -> str:
        """One case for each layer: the only place that calls its kernel."""
        lines = []
        for i in range(len(self.network.blocks)):
            lines += [f"    case {i}:", self.call(i, "        "), "        return 0;"]
        return "\n".join([*lines, "    default:", self.call(len(self.network.blocks), "        return ")])

    def call(self, layer: int, before: str) -> str:
        """The statement that calls a layer's kernel."""
        kind = self.kernels[layer].split("_")[0]
        function, *parts = kernel_functions(self.kernels[layer])
        arguments = [f"&{self.name}_{self.layer_names[layer]}", *parts, self.source(layer)]
        if kind == "output":
            arguments.append("scores")
        else:
            arguments.append(self.activation(layer + 1))
        if kind == "conv":
            arguments.append(self.scratch(layer))
        return listed(f"{before}{function}(", arguments, ");")

    def source(self, layer: int) -> str:
        """Where a layer finds its input."""
        if layer > 0:
            return self.activation(layer)
        if self.network.kinds[0] == "bits" and not self.network.is_conv(0):
            return f"ebnn_take_bits({self.activation(0)}, input, {self.macro}_INPUT_BYTES)"
        floating = self.kernels[0].endswith("_float")
        return "input" if floating or self.network.input.kind in ("bits", "uint8") else "(const uint8_t *)input"

    def activation(self, index: int) -> str:
        """Where activation ``index`` lies: even ones at the arena's low end, odd ones at its high end."""
        return self.at(f"{self.macro}_ARENA_BYTES - {self.plan.activation_bytes[index]}" if index % 2 else "")

    def scratch(self, layer: int) -> str:
        return self.at(str(self.plan.scratch_offsets[layer]))

    def at(self, offset: str) -> str:
        place = "arena->bytes"
        return f"{place} + {offset}" if offset else place

    def aliases(self) -> str:
        name, macro = self.name, self.macro
        c_type = C_TYPES[self.network.input.kind]
        return f"""\
/* Names without a name, for the program's first network. */
#ifndef EBNN_NETWORK_NAME
#define EBNN_NETWORK_NAME {macro}_TITLE
#define EBNN_NETWORK_HASH {macro}_HASH
#define EBNN_INPUT_TYPE {c_type}
#define EBNN_INPUT_BYTES {macro}_INPUT_BYTES
#define EBNN_CLASSES {macro}_CLASSES
#define EBNN_LAYERS {macro}_LAYERS
#define EBNN_ARENA_BYTES {macro}_ARENA_BYTES
#define ebnn_network_input {name}_input
#define ebnn_network_layer {name}_layer
#define ebnn_network_scores {name}_scores

{self.ebnn_compute()}#endif
"""

    def ebnn_compute(self) -> str:
        """eBNN's own function, where its programs' samples lie in memory as ours do."""
        if self.network.input.kind == "bits":
            return f"""
/* eBNN's programs pack bits in another order, so that they must not compile in silence. */
#define ebnn_compute ebnn_compute_takes_other_bits_than_{self.name}_predict__see_SPEC_2_3
"""
        return f"""
/* As in eBNN: writes the class to output[0]. */
static inline void ebnn_compute(const {C_TYPES[self.network.input.kind]} *input, uint8_t *output)
{{
    output[0] = {self.name}_predict(input);
}}
"""


def _struct(c_type: str, name: str, lines: list[str]) -> str:
    body = indent(",\n".join(lines), "    ")
    return f"static const {c_type} {name} EBNN_FLASH = {{\n{body}\n}};\n"
