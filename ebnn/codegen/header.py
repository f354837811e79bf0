"""The emitted header: constants, tables and calls of one network."""

import keyword
import os
import re
from functools import cached_property
from pathlib import Path
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
from .arrays import constant_array, interleaved, normalization_table, weight_words

RUNTIME_VERSION = 2  # EBNN_RUNTIME_VERSION of firmware/lib/ebnn/src/ebnn.h; a test compares them
AVR_NEAR_FLASH = 64_000  # pgm_read_* reaches 65,536 bytes: this leaves room for vectors and the core's own tables
ONES_IN_RAM = """
/* On AVR, the table that counts ones lies in RAM, 256 bytes of it, unless ebnn.h was included without. */
#ifndef EBNN_ONES_IN_RAM
#define EBNN_ONES_IN_RAM
#endif
"""
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
) -> None:
    """Writes ``network`` as a C header to ``path``; the same network gives the same text.

    ``name`` (default: the file's stem) starts every name in it; ``arithmetic`` is "integer" or "float"; ``optimize`` is
    "size", "compact", "balanced" or "speed" (see `ebnn.kernels`). Raises NetworkError where the name is no C identifier
    or the network lacks what the arithmetic needs.
    """
    path = Path(path)
    if name is None:
        name = identifier(path.stem)
    write_atomically(path, header_text(network, name=name, arithmetic=arithmetic, optimize=optimize).encode())


def flash_bytes(network: Network, arithmetic: str = "integer", optimize: str = "balanced") -> int:
    """Bytes of the header's constants: weights or tables, thresholds or normalisation, and the scores' own."""
    return _Header(network, "network", arithmetic, optimize).flash_bytes


def identifier(text: str) -> str:
    """``text`` made into a valid name: other characters become ``_``, lower case, cut to 63."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII).lower().strip("_")[:MAX_NAME]
    return name if _is_name(name) else f"net_{name}"[:MAX_NAME].rstrip("_")


def header_text(network: Network, *, name: str, arithmetic: str = "integer", optimize: str = "balanced") -> str:
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
    return _Header(network, name, arithmetic, optimize).text()


def _is_name(name: str) -> bool:
    return (
        re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is not None
        and len(name) <= MAX_NAME
        and name not in _RESERVED
        and not keyword.iskeyword(name)
        and not name.lower().startswith("ebnn")
    )


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

    def __init__(self, network: Network, name: str, arithmetic: str, optimize: str) -> None:
        self.network = network
        self.name = name
        self.macro = name.upper()
        self.arithmetic = arithmetic
        self.optimize = optimize
        self.kernels = [layer_kernel(network, i, arithmetic, optimize) for i in range(len(network.blocks) + 1)]
        self.plan = network.memory_plan
        self.avr_plan = network.avr_memory_plan
        self.layer_names = [network.block_name(i) for i in range(len(network.blocks))] + ["output"]

    def text(self) -> str:
        parts = [
            self.summary(),
            self.constants(),
            *(self.block(i) for i in range(len(self.network.blocks))),
            self.output(),
            self.memory(),
            self.functions(),
            self.aliases(),
        ]
        return "\n".join(parts)

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
                f"{network.input.bytes:,} B: {layout}",
                f" * flash       {self.flash_bytes:,} B of constants",
                f" * RAM         {self.arena()}, the input included",
                " *",
                *(f" * {line}" for line in lines),
                " */",
                "",
            ]
        )

    def constants(self) -> str:
        network, macro = self.network, self.macro
        guard = f"{macro}_EBNN_NETWORK_H"
        emitted = f"{self.name} was emitted by ebnn {__version__} for runtime version {RUNTIME_VERSION}"
        return f"""\
#ifndef {guard}
#define {guard}
{ONES_IN_RAM if self.optimize == "speed" else ""}
#include "ebnn.h"

#if !defined(EBNN_RUNTIME_VERSION) || EBNN_RUNTIME_VERSION != {RUNTIME_VERSION}
#error "{emitted}: export it again, or take the library of ebnn {__version__}"
#endif

#define {macro}_TITLE "{self.name}"
#define {macro}_HASH 0x{network.hash32:08X}ul
#define {macro}_INPUT_BYTES {network.input.bytes}
#define {macro}_INPUT_VALUES {network.input.shape.size}
#define {macro}_CLASSES {network.classes}
#define {macro}_LAYERS {len(self.layer_names)}
#define {macro}_FLASH_BYTES {self.flash_bytes}
{self.arena_size()}
{self.avr_checks()}
#if defined(__AVR__)
/* pgm_read reaches the first 64 KB only: the assembler adds up the constants of all networks in this file. */
__asm__(".ifndef ebnn_flash_bytes\\n .set ebnn_flash_bytes, 0\\n .endif\\n"
        ".set ebnn_flash_bytes, ebnn_flash_bytes + {self.flash_bytes}\\n"
        ".if ebnn_flash_bytes > {AVR_NEAR_FLASH}\\n"
        ".error \\"ebnn: {self.name} brings the constants over {AVR_NEAR_FLASH} bytes: use fewer filters\\"\\n"
        ".endif");
#endif
{self.float_check()}"""

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
        tail = ", ".join(f"{prefix}_{name}" if name in arrays else "NULL" for name in names)
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
        pointers = ", ".join(f"{prefix}_{name}" if name in arrays else "NULL" for name in ("weights", "thresholds"))
        stream = self.network.filter_stream_bits(layer, weights.shape[1:])
        half = int((stream - 1) % 32 < 16)
        threshold_bytes = arrays["thresholds"].values.itemsize if "thresholds" in arrays else 0
        numbers = f"{weights[0].size}, {words}, {len(weights)}, EBNN_{self.kind(layer)}, {threshold_bytes}, {half}"
        return f"{{{numbers}, {pointers}}}"

    def output(self) -> str:
        layer = len(self.network.blocks)
        prefix = f"{self.name}_output"
        fields = [self.filters(layer), f"{prefix}_multipliers, {prefix}_offsets"]
        return "\n".join([*self.constant_arrays(layer), _struct("ebnn_output_t", prefix, fields)])

    def memory(self) -> str:
        return f"""\
/* Activations lie at opposite ends in turn, the patch under the kernel between them. */
static union {{
    uint8_t bytes[{self.macro}_ARENA_BYTES];
    uint32_t words[{self.macro}_ARENA_BYTES / 4]; /* aligns the rest */
    float floats[{self.macro}_ARENA_BYTES / 4];
}} {self.name}_arena;
"""

    def functions(self) -> str:
        name, macro = self.name, self.macro
        c_type = C_TYPES[self.network.input.kind]
        return f"""\
/* Where a sample may be written; it is overwritten by the prediction. */
static inline {c_type} *{name}_input(void)
{{
    return ({c_type} *)(void *){name}_arena.bytes;
}}

/* Runs one layer; in turn, from 0 to {macro}_LAYERS - 1, they are a prediction. The first takes the input, the last
 * writes the scores, if not NULL, and returns the class; the others return 0. */
static inline uint8_t {name}_layer(uint8_t index, const {c_type} *input, int32_t *scores)
{{
    switch (index) {{
{self.cases()}
    }}
}}

/* input: {macro}_INPUT_BYTES bytes, anywhere. scores: {macro}_CLASSES of them, or NULL. Returns the class. */
static inline uint8_t {name}_scores(const {c_type} *input, int32_t *scores)
{{
    uint8_t index, winner = 0;

    for (index = 0; index < {macro}_LAYERS; index++)
        winner = {name}_layer(index, input, scores);
    return winner;
}}

/* input: {macro}_INPUT_BYTES bytes, anywhere. Returns the class. */
static inline uint8_t {name}_predict(const {c_type} *input)
{{
    return {name}_scores(input, NULL);
}}
"""

    def cases(self) -> str:
        """One case for each layer: the only place that calls its kernel."""
        lines = []
        for i in range(len(self.network.blocks)):
            lines += [f"    case {i}:", f"        {self.call(i)};", "        return 0;"]
        return "\n".join([*lines, "    default:", f"        return {self.call(len(self.network.blocks))};"])

    def call(self, layer: int) -> str:
        """The call of a layer's kernel."""
        kind = self.kernels[layer].split("_")[0]
        function, *parts = kernel_functions(self.kernels[layer])
        arguments = [f"&{self.name}_{self.layer_names[layer]}", *parts, self.source(layer)]
        if kind == "output":
            return f"{function}({', '.join([*arguments, 'scores'])})"
        arguments.append(self.activation(layer + 1))
        if kind == "conv":
            arguments.append(self.scratch(layer))
        return f"{function}({', '.join(arguments)})"

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
        place = f"{self.name}_arena.bytes"
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

/* As in eBNN: writes the class to output[0]. */
static inline void ebnn_compute(const {c_type} *input, uint8_t *output)
{{
    output[0] = {name}_predict(input);
}}
#endif

#elif {macro}_HASH != 0x{self.network.hash32:08X}ul
#error "two networks are called {self.name}: export one of them with another --name"
#endif
"""


def _struct(c_type: str, name: str, lines: list[str]) -> str:
    body = ",\n".join(f"    {line}" for line in lines)
    return f"static const {c_type} {name} EBNN_FLASH = {{\n{body}\n}};\n"
