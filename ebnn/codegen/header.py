"""The emitted header: constants, tables and calls of one network."""

import keyword
import os
import re
from pathlib import Path
from typing import Literal, get_args

from .. import bits
from ..atomic import write_atomically
from ..blocks import Block, Conv, InputKind, Pool, at_least
from ..errors import NetworkError
from ..network import Network
from ..version import __version__
from .arrays import constant_array, normalization_table, weight_words

Arithmetic = Literal["integer", "float"]
ARITHMETICS: tuple[Arithmetic, ...] = get_args(Arithmetic)
RUNTIME_VERSION = 1  # EBNN_RUNTIME_VERSION of firmware/lib/ebnn/src/ebnn.h; a test compares them
AVR_NEAR_FLASH = 64_000  # pgm_read_* reaches 65,536 bytes: this leaves room for vectors and the core's own tables
MAX_LAYERS = 255  # a layer's index is a uint8_t on the device
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
    network: Network, path: str | os.PathLike[str], *, name: str | None = None, arithmetic: str = "integer"
) -> None:
    """Writes ``network`` as a C header to ``path``; the same network gives the same text.

    ``name`` (default: the file's stem) starts every name in it; ``arithmetic`` is "integer" or "float". Raises
    NetworkError where the name is no C identifier or the network lacks what the arithmetic needs.
    """
    path = Path(path)
    if name is None:
        name = identifier(path.stem)
    write_atomically(path, header_text(network, name=name, arithmetic=arithmetic).encode())


def flash_bytes(network: Network, arithmetic: str = "integer") -> int:
    """Bytes of the header's constants: weights, thresholds or normalisation, and the scores' own."""
    return _Header(network, "network", arithmetic).flash_bytes


def identifier(text: str) -> str:
    """``text`` made into a valid name: other characters become ``_``, lower case, cut to 63."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII).lower().strip("_")[:MAX_NAME]
    return name if _is_name(name) else f"net_{name}"[:MAX_NAME].rstrip("_")


def header_text(network: Network, *, name: str, arithmetic: str = "integer") -> str:
    """The header's text, see write_header."""
    if not _is_name(name):
        raise NetworkError(
            f"the name {name!r} cannot be used in C: take up to {MAX_NAME} letters, digits and _, starting with a "
            "letter, no keyword, and not starting with ebnn"
        )
    if arithmetic not in ARITHMETICS:
        raise NetworkError(f"the arithmetic {arithmetic!r} is unknown: use {' or '.join(ARITHMETICS)}")
    if len(network.blocks) >= MAX_LAYERS:
        raise NetworkError(
            f"the network has {len(network.blocks) + 1} layers, a header takes {MAX_LAYERS}: use fewer blocks"
        )
    return _Header(network, name, arithmetic).text()


def _is_name(name: str) -> bool:
    return (
        re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is not None
        and len(name) <= MAX_NAME
        and name not in _RESERVED
        and not keyword.iskeyword(name)
        and not name.lower().startswith("ebnn")
    )


class _Header:
    """One header in the making."""

    def __init__(self, network: Network, name: str, arithmetic: str) -> None:
        self.network = network
        self.name = name
        self.macro = name.upper()
        self.arithmetic = arithmetic
        self.plan = network.memory_plan
        self.layer_names = [network.block_name(i) for i in range(len(network.blocks))] + ["output"]

    def text(self) -> str:
        parts = [
            self.summary(),
            self.constants(),
            *(self.block(i) for i in range(len(self.network.blocks))),
            self.output(),
            self.arena(),
            self.functions(),
            self.aliases(),
        ]
        return "\n".join(parts)

    def in_float(self, block: Block) -> bool:
        """Whether the block runs in the float arithmetic."""
        return self.arithmetic == "float" or block.threshold is None

    def table_bytes(self, index: int) -> int:
        """Bytes of the thresholds or the normalisation of block ``index`` in this arithmetic."""
        block = self.network.blocks[index]
        if self.in_float(block):
            return block.outputs * 4 * 5
        return self.network.layer_threshold_bytes[index]

    @property
    def flash_bytes(self) -> int:
        tables = sum(self.table_bytes(i) for i in range(len(self.network.blocks)))
        return self.network.weight_bytes + tables + self.network.score_bytes

    def summary(self) -> str:
        network = self.network
        rows = [("layer", "input", "output", "weights", "thresholds", "MACs")]
        shapes = [*map(str, network.shapes), f"{network.classes} scores"]
        for i, layer in enumerate(self.layer_names):
            block = network.blocks[i] if i < len(network.blocks) else None
            table = network.score_bytes if block is None else self.table_bytes(i)
            label = layer if block is None or block.pool is None else f"{layer}, pool"
            macs = f"{network.layer_macs[i]:,}"
            rows.append((label, shapes[i], shapes[i + 1], f"{network.layer_weight_bytes[i]:,} B", f"{table:,} B", macs))
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
                f" * RAM         {network.arena_bytes:,} B of arena, the input included",
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
#define {macro}_ARENA_BYTES {network.arena_bytes}

#if defined(__AVR__)
/* pgm_read reaches the first 64 KB only: the assembler adds up the constants of all networks in this file. */
__asm__(".ifndef ebnn_flash_bytes\\n .set ebnn_flash_bytes, 0\\n .endif\\n"
        ".set ebnn_flash_bytes, ebnn_flash_bytes + {self.flash_bytes}\\n"
        ".if ebnn_flash_bytes > {AVR_NEAR_FLASH}\\n"
        ".error \\"ebnn: {self.name} brings the constants over {AVR_NEAR_FLASH} bytes: use fewer filters\\"\\n"
        ".endif");
#endif
{self.float_check()}"""

    def float_check(self) -> str:
        """Sums of floats must be rounded to float after each operation."""
        if not any(map(self.in_float, self.network.blocks)):
            return ""
        return """
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
#error "ebnn: floats are kept in higher precision here, answers would differ: compile for SSE (-msse2 -mfpmath=sse)"
#endif
"""

    def block(self, index: int) -> str:
        block = self.network.blocks[index]
        prefix = f"{self.name}_{self.layer_names[index]}"
        words = weight_words(self.network, index)
        parts = [constant_array(f"{prefix}_weights", words, _weight_comment(self.network, index))]
        thresholds, flips, normalization, threshold_bytes = "NULL", "NULL", "NULL", 0
        if self.in_float(block):
            if block.normalization is None:
                raise NetworkError(
                    f"{self.layer_names[index]} has thresholds only, no batch normalisation: "
                    "export it with the integer arithmetic"
                )
            normalization = f"{prefix}_normalization"
            comment = "per output: bias, mean, 1 / standard deviation, gamma, beta"
            parts.append(constant_array(normalization, normalization_table(block.normalization), comment))
        else:
            assert block.threshold is not None
            value, flip = at_least(block.threshold)
            thresholds, threshold_bytes = f"{prefix}_thresholds", value.itemsize
            parts.append(constant_array(thresholds, value, "per output: its bit is acc >= threshold"))
            if flip.any():
                flips = f"{prefix}_flips"
                parts.append(constant_array(flips, bits.pack(flip), "bits: outputs whose comparison is turned over"))
        tail = [f"{prefix}_weights", thresholds, flips, normalization]
        if isinstance(block.linear, Conv):
            fields = self.conv_fields(index, block, block.linear, threshold_bytes)
            struct = "ebnn_conv_t"
        else:
            fields = self.dense_fields(index, [str(block.outputs), f"EBNN_{self.kind(index)}", str(threshold_bytes)])
            struct = "ebnn_dense_t"
        parts.append(_struct(struct, prefix, [*fields, ", ".join(tail)]))
        return "\n".join(parts)

    def kind(self, layer: int) -> str:
        return self.network.kinds[layer].upper()

    def conv_fields(self, index: int, block: Block, conv: Conv, threshold_bytes: int) -> list[str]:
        shape, out = self.network.shapes[index : index + 2]
        conv_map = block.map_shape(shape)
        pool = block.pool or Pool((1, 1), (1, 1))
        return [
            f"{shape.height}, {shape.width}, {shape.channels}",
            ", ".join(map(str, (*conv.kernel, *conv.stride, *conv.pad))),
            f"{conv_map.height}, {conv_map.width}",
            ", ".join(map(str, (*pool.size, *pool.stride, *pool.pad))),
            f"{out.height}, {out.width}, {out.channels}",
            # Rows of bytes and floats are found by their sides.
            f"{bits.row_bytes(shape.width * shape.channels) if self.network.kinds[index] == 'bits' else 0}, "
            f"{bits.row_bytes(out.width * out.channels)}",
            f"EBNN_{self.kind(index)}, {threshold_bytes}",
        ]

    def dense_fields(self, layer: int, rest: list[str]) -> list[str]:
        network = self.network
        shape = network.shapes[layer]
        words = network.filter_bits(layer, network.layer_weights[layer].shape[1:]) // 32
        in_bytes = network.input.bytes if layer == 0 else shape.height * bits.row_bytes(shape.width * shape.channels)
        return [f"{shape.size}, {in_bytes}, {words}", ", ".join(rest)]

    def output(self) -> str:
        layer = len(self.network.blocks)
        prefix = f"{self.name}_output"
        scores = self.network.output
        fields = self.dense_fields(layer, [str(self.network.classes), f"EBNN_{self.kind(layer)}"])
        names = f"{prefix}_weights, {prefix}_multipliers, {prefix}_offsets"
        return "\n".join(
            [
                constant_array(
                    f"{prefix}_weights", weight_words(self.network, layer), _weight_comment(self.network, layer)
                ),
                constant_array(f"{prefix}_multipliers", scores.multiplier, "per class"),
                constant_array(
                    f"{prefix}_offsets", scores.offset, f"per class; score × {scores.scale!r} is the trainer's logit"
                ),
                _struct("ebnn_output_t", prefix, [*fields, names]),
            ]
        )

    def arena(self) -> str:
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
        name = self.name
        c_type = C_TYPES[self.network.input.kind]
        lines = []
        source = "input"
        for i, block in enumerate(self.network.blocks):
            target = self.at(self.plan.activation_offsets[i + 1])
            floating = "_float" if self.in_float(block) else ""
            given = source if floating or i > 0 or c_type == "uint8_t" else f"(const uint8_t *){source}"
            arguments = [f"&{name}_{self.layer_names[i]}", given, target]
            if isinstance(block.linear, Conv):
                arguments.append(self.at(self.plan.scratch_offsets[i]))
            call = f"ebnn_{block.kind}{floating}({', '.join(arguments)})"
            lines += [f"    case {i}:", f"        {call};", "        return 0;"]
            source = target
        last = source if self.network.blocks or c_type == "uint8_t" else f"(const uint8_t *){source}"
        return "\n".join([*lines, "    default:", f"        return ebnn_output(&{name}_output, {last}, scores);"])

    def at(self, offset: int) -> str:
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


def _weight_comment(network: Network, layer: int) -> str:
    outputs, height, width, channels = network.layer_weights[layer].shape
    if network.is_conv(layer):
        return f"{outputs} filters of {height}×{width}×{channels} bits (height×width×input), each whole words"
    return f"{outputs} outputs of {height * width * channels} bits in the order of the input's memory, each whole words"


def _struct(c_type: str, name: str, lines: list[str]) -> str:
    body = ",\n".join(f"    {line}" for line in lines)
    return f"static const {c_type} {name} EBNN_FLASH = {{\n{body}\n}};\n"
